"""The charts of the Overview, each with a sentence, its table, and a click that opens the sessions behind a mark."""

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from app.formatting import FEW, with_counts
from app.protocol.clauses import CLAUSES, title_of
from app.protocol.judge import count_outcomes
from app.reports import charts, figures
from app.ui import address
from app.ui.authority import guard
from app.ui.lists import table, table_expander
from app.ui.overview.view import View
from app.ui.text import note, write_html
from app.ui.widgets import draw
from app.vocabulary.terms import Outcome

_COLUMNS = {
    "title": "Clause",
    "department": "Department",
    "band": "Hour",
    "week": "Week of",
    "sessions": "Sessions",
    "rate": "Share",
    "evidence_share": "Share with evidence",
    **{outcome.value: outcome.label for outcome in Outcome},
}
_NO_EVIDENCE = "No session on these dates has evidence for this clause."


def show_by_department_and_hour(view: View) -> None:
    st.header("By department and time of day", anchor=False)
    cells = figures.compute_rates(view.rows, ["department", "band"], view.measure)
    if cells.empty:
        st.info(_NO_EVIDENCE)
        return
    write_html("{sentence}", sentence=figures.describe_cells(cells, _name(view), view.measure))
    dark = st.context.theme.type == "dark"
    key = f"heat {view.key}"
    draw(
        charts.draw_heat_map(cells, view.words, dark=dark),
        "Heat map by department and hour; the same figures are in the table below it.",
        on_select=guard(partial(_open_selected, key, "cell", {"of": "department", "hour": "band"})),
        selection_mode="cell",
        key=key,
    )
    note(f"% of {view.words.lower()}. (n): fewer than three sessions. Select a cell to list its sessions.")
    _choose_cell(cells, view)


def _name(view: View) -> str:
    return title_of(view.clause) if view.clause else "All clauses"


def _open_selected(key: str, selection: str, columns: Mapping[str, str], kind: str = "") -> None:
    """Open the list behind the selected mark. `columns` maps each parameter to a column of the chart's rows."""
    found = st.session_state[key]["selection"][selection]
    if found:
        _open(kind or selection, **{name: str(found[0][column]) for name, column in columns.items()})


def _open(kind: str, **place: str) -> None:
    address.put("list", kind)
    for name, value in place.items():
        address.put(name, value)


def _choose_cell(cells: pd.DataFrame, view: View) -> None:
    """Show the cells as a list to choose from, for people who do not use a mouse, and as a table."""
    with st.expander("Select by department and hour · View as table", key="cells", on_change="rerun") as place:
        if not place.open:
            return
        names = {f"{cell.department}, hour {cell.band}": (cell.department, cell.band) for cell in cells.itertuples()}
        key = f"cell {view.key}"

        def open_cell() -> None:
            department, hour = names[st.session_state[key]]
            _open("cell", of=department, hour=hour)

        st.selectbox(
            "Cell", list(names), index=None, placeholder="Department, hour", key=key, on_change=guard(open_cell)
        )
        table(_as_table(cells, view), "By department and hour", "department and hour")


def _as_table(rates: pd.DataFrame, view: View) -> pd.DataFrame:
    names = {"passed": view.words, "total": "Sessions" if view.measure == figures.SESSIONS else "Checks"}
    rows = rates.drop(columns="sessions") if view.measure == figures.SESSIONS else rates
    return rows.rename(columns=_COLUMNS | names)


def show_by_week(view: View) -> None:
    st.header("Week by week", anchor=False)
    weeks = figures.compute_rates(view.no_longer_to_log, ["week"], view.measure)
    if weeks.empty:
        st.info(_NO_EVIDENCE)
        return
    write_html("{name}: {sentence}", name=_name(view), sentence=figures.describe_weeks(weeks))
    key = f"weeks {view.key}"
    draw(
        charts.draw_week_line(weeks, view.words),
        "Week by week; the same figures are in the table below.",
        on_select=guard(partial(_open_selected, key, "point", {"of": "monday"}, "week")),
        selection_mode="point",
        key=key,
    )
    note("Without the last days, which may still be logged in time. Select a point to list the week's sessions.")
    listing = _as_table(weeks.assign(week=weeks["week"].dt.date), view)
    table_expander(listing, "week by week", "Week by week")


def show_by_clause(view: View) -> None:
    st.header("By clause", anchor=False)
    clauses = count_outcomes(view.rows[list(CLAUSES)])
    clauses.insert(0, "title", [title_of(name) for name in clauses.index])
    known = clauses[clauses[["met", "exempt", "breach"]].sum(axis=1) >= FEW]
    if not known.empty:
        least = known.sort_values("rate").iloc[0]
        passed = int(least["met"] + least["exempt"])
        words = with_counts(least["rate"], passed, passed + int(least["breach"]))
        write_html("Lowest: {title}, {words}.", title=least["title"], words=words)
    words = "Sessions without a breach of the clause" if view.unit == figures.SESSIONS else "Checks met"
    key = f"clauses {view.key}"  # a chart that stays keeps the order of its bars
    draw(
        charts.draw_clause_bars(clauses, words),
        "Clause by clause, the lowest first; the same figures are in the table below.",
        on_select=guard(partial(_open_selected, key, "bar", {"of": "clause"}, "clause")),
        selection_mode="bar",
        key=key,
    )
    note(f"% of {words.lower()}. Select a bar to list the sessions with a breach of it.")
    table_expander(clauses.reset_index(drop=True).rename(columns=_COLUMNS), "clause by clause", "Outcomes by clause")
