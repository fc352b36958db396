"""Overview: whether the protocol is kept, how that changes, where, and what needs attention."""

import pandas as pd
import streamlit as st

from app.access.overview import count_counselling_sessions
from app.formatting import FEW, how_many
from app.reports.figures import CHECKS, KEY_FIGURES, KeyFigure, count_by_session
from app.reports.periods import find_similar
from app.ui.downloads import show_export
from app.ui.key_figures import Card, show_cards
from app.ui.overview.attention import find_sessions, show_attention
from app.ui.overview.charts import show_by_clause, show_by_department_and_hour, show_by_week
from app.ui.overview.listing import get_list, show_list, show_title
from app.ui.overview.view import View, carry_choices, choose_view
from app.ui.shell import require
from app.ui.text import note, write_html
from app.vocabulary.roles import Page


def show_key_figures(view: View) -> None:
    """Show the key figures, that of the measure first, each compared with a similar period. Lines show weeks."""
    earlier, name = find_similar(school.settings, view.days, view.rows, view.load)
    now, then = (count_by_session(rows).sum() for rows in (view.rows, earlier))
    rows = view.no_longer_to_log
    weeks = count_by_session(rows).groupby(rows["week"]).sum()
    ahead = KEY_FIGURES[1::-1] if view.unit == CHECKS else KEY_FIGURES[:2]
    cards = [make_card(view, figure, now, then if name else None, weeks) for figure in (*ahead, *KEY_FIGURES[2:])]
    show_cards(cards)
    compared = f"Compared with {name} ({how_many(len(earlier), 'session')}). " if name else ""
    note(f"{compared}Lines show weeks. Counselling is confidential and not included.")


def make_card(view: View, figure: KeyFigure, now: pd.Series, then: pd.Series | None, weeks: pd.DataFrame) -> Card:
    part, whole = figure.part, figure.whole
    kind = {"unlogged": "unlogged", "total": "gaps"}.get(part, "breach")
    words = {"unlogged": "unlogged", "gaps": "lack evidence", "breach": "with a breach"}[kind]
    return Card(
        figure.label,
        figure.help,
        int(now[part]),
        int(now[whole]),
        None if then is None else then[part] / max(then[whole], 1),
        figure.more_is_better,
        (100 * weeks[part] / weeks[whole]).dropna().tolist(),
        len(view.rows) < FEW,
        f"{len(find_sessions(view, kind)):,} {words}",
        carry_choices() | {"list": [kind]},
    )


def show_counselling() -> None:
    counts = count_counselling_sessions(school, person)
    if not counts.empty:
        st.header("Counselling", anchor=False)
        write_html("{words}.", words="; ".join(f"{row.term}: {row.sessions} sessions" for row in counts.itertuples()))
        note("Rounded to multiples of three, so that no figure reveals a single session.")


school, person = require(Page.OVERVIEW)
kind = get_list()
if kind:
    show_title(kind)
else:
    st.title("Overview", anchor=False)
with st.container(horizontal=True, vertical_alignment="bottom"):
    view = choose_view(school, person)
    if not kind:
        show_export(school, person, view.days, view.chosen)
if kind:
    show_list(view, kind)
    st.stop()
if view.rows.empty:
    st.info("No sessions to show for these dates. Choose other dates, or import call records and logs.")
    show_attention(view)
    st.stop()
key_figures = st.container()  # drawn last: the charts need not wait for what needs attention
left, right = st.columns([2, 1], gap="large")
with left:
    show_by_department_and_hour(view)
show_by_week(view)
show_by_clause(view)
with key_figures:
    show_key_figures(view)
with right:
    show_attention(view)
show_counselling()
