"""Key figures side by side, each with its change, a line of its weeks and a link to the sessions behind it.

The lines are drawn here. Streamlit's own chart of a metric is slow to draw, and its scale starts at the lowest week, so
that half a point looks like a crash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import streamlit as st

from app.formatting import percent
from app.ui.widgets import link
from app.vocabulary.roles import Page

_WIDE, _HIGH, _EDGE = 100, 40, 3  # of the drawing of the line, which is stretched to fit
_LEAST_SPAN = 20  # per cent: the smallest range that a line's height stands for
_INK = "#4f8cc4"  # visible on light and dark backgrounds


@dataclass(frozen=True)
class Card:
    """A key figure: `part` of `whole`; the share `before`, or None if unknown; whether `more_is_better`; and each
    week's share in per cent. `words` and `query` are the link's label and target. If `few`, counts are shown instead of
    a share."""

    label: str
    help: str
    part: int
    whole: int
    before: float | None
    more_is_better: bool
    weeks: Sequence[float]
    few: bool
    words: str
    query: Mapping[str, Sequence[str]]


def show_cards(cards: Sequence[Card]) -> None:
    """Show key figures side by side, on a phone two in each row."""
    with st.container(key="figures"):
        for place, card in zip(st.columns(len(cards)), cards, strict=True):
            with place.container(border=True, height="stretch", gap=None, key=f"links-figure {card.label}"):
                _show(card)


def _show(card: Card) -> None:
    share = card.part / max(card.whole, 1)
    change = None if card.before is None or card.few else round(100 * (share - card.before), 1)
    better = change is not None and (change > 0) == card.more_is_better
    st.metric(
        card.label,
        f"{card.part:,} of {card.whole:,}" if card.few else percent(share),
        None if change is None else f"{abs(change):.1f} points" if change else "no change",
        delta_color="off" if not change else "normal" if better else "inverse",
        delta_arrow="off" if not change else "up" if change > 0 else "down",
        help=f"{card.help} {card.part:,} of {card.whole:,}.",
    )
    if len(card.weeks) > 1:
        st.html(_draw_line(card.weeks))
    link(Page.OVERVIEW, card.words, "arrow_forward", query=card.query)


def _draw_line(weeks: Sequence[float]) -> str:
    middle, span = (min(weeks) + max(weeks)) / 2, max(max(weeks) - min(weeks), _LEAST_SPAN)
    bottom = min(max(middle - span / 2, 0), 100 - span)
    across, up = _WIDE / (len(weeks) - 1), (_HIGH - 2 * _EDGE) / span
    points = " ".join(f"{i * across:.1f},{_HIGH - _EDGE - (week - bottom) * up:.1f}" for i, week in enumerate(weeks))
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none">'
        f'<polyline points="{points}" fill="none" stroke="{_INK}" stroke-width="2" vector-effect="non-scaling-stroke"/>'
        "</svg>"
    )
    words = (
        f"Week by week from {weeks[0]:.1f} to {weeks[-1]:.1f}%, at least {min(weeks):.1f}, at most {max(weeks):.1f}%"
    )
    return f'<img class="weeks" alt="{words}" src="data:image/svg+xml,{quote(drawing)}">'
