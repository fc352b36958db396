"""Key figures side by side: each with its change, and its weeks as a line.

All are one element of the page: Streamlit's own metric is several, each with a chart that takes longest of all to draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

import streamlit as st

from app.formatting import percent

_WIDE, _HIGH, _EDGE = 100, 40, 2  # of the line's drawing, which is stretched to fit
_INK = "#4f8cc4"  # visible on light and dark backgrounds


@dataclass(frozen=True)
class KeyFigure:
    """`part` of `whole`, the share that this was before (None: not known), whether `more_is_better`, and each week's
    share in per cent. For a few, no share is shown."""

    label: str
    part: int
    whole: int
    before: float | None
    more_is_better: bool
    weeks: Sequence[float]
    few: bool


def show_figures(figures: Sequence[KeyFigure]) -> None:
    """Show figures side by side if there is room, below each other on a telephone."""
    st.html(f'<dl class="figures">{"".join(_card(figure) for figure in figures)}</dl>')


def _card(figure: KeyFigure) -> str:
    counts, share = f"{figure.part:,} of {figure.whole:,}", figure.part / max(figure.whole, 1)
    value, below = (counts, "too few for a share") if figure.few else (percent(share), counts)
    parts = [f"<dt>{escape(figure.label)}</dt>", f'<dd class="value">{escape(value)}</dd>']
    if figure.before is not None and not figure.few:
        parts.append(_change(round(100 * (share - figure.before), 1), more_is_better=figure.more_is_better))
    if len(figure.weeks) > 1:
        parts.append(f'<dd class="weeks">{_line(figure.weeks)}</dd>')
    parts.append(f'<dd class="note">{escape(below)}</dd>')
    return f"<div>{''.join(parts)}</div>"


def _change(points: float, *, more_is_better: bool) -> str:
    if not points:
        return "<dd>no change</dd>"
    better = (points > 0) == more_is_better
    word = "better" if better else "worse"
    return f'<dd class="{word}">{"↑" if points > 0 else "↓"} {abs(points):.1f} points</dd>'


def _line(weeks: Sequence[float]) -> str:
    least, most = min(weeks), max(weeks)
    across, up = _WIDE / (len(weeks) - 1), (_HIGH - 2 * _EDGE) / ((most - least) or 1)
    points = " ".join(f"{i * across:.1f},{_HIGH - _EDGE - (week - least) * up:.1f}" for i, week in enumerate(weeks))
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none">'
        f'<polyline points="{points}" fill="none" stroke="{_INK}" stroke-width="2" vector-effect="non-scaling-stroke"/>'
        "</svg>"
    )
    words = f"Week by week from {weeks[0]:.1f} to {weeks[-1]:.1f}%, at least {least:.1f}, at most {most:.1f}%"
    return f'<img alt="{words}" src="data:image/svg+xml,{quote(drawing)}">'
