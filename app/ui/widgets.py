"""Tables, charts and filters that several pages use."""

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from app.access.administration import record_access
from app.reports.charts import Drawing
from app.reports.outcomes_csv import harmless
from app.school import School
from app.ui.current import current_person, get_school
from app.ui.text import note


def table(rows: pd.DataFrame, alt: str, name: str, note: Callable[[], None] | None = None, **more: Any) -> Any:
    """A list as people see it, with its download: neutralised against formulas. That it was taken away goes on
    the audit trail, or where `note` puts it."""
    numbers = rows.select_dtypes("number").columns
    shares = {name: st.column_config.NumberColumn(format="percent") for name in numbers if name.startswith("Share")}
    event = st.dataframe(rows, hide_index=True, alt=alt, **({"column_config": shares} | more))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(rows.columns)
    writer.writerows([[harmless(cell) for cell in row] for row in rows.itertuples(index=False)])
    st.download_button(
        "Download this list",
        "\ufeff" + text.getvalue(),
        f"{name}.csv",
        "text/csv",
        key=f"download {name}",
        on_click=note or _exported,
        args=() if note else (name, len(rows)),
        icon=":material/download:",
        type="tertiary",
    )
    return event


def _exported(name: str, rows: int) -> None:
    school = get_school()
    if person := current_person(school):
        record_access(school, person, "exported", f"{name}, {rows} rows")


def draw(chart: Drawing, words: str, **more: Any) -> Any:
    """A chart, its axes dark enough to be read; `words` for those who do not see it."""
    ink = "#d5dee7" if st.context.theme.type == "dark" else "#34414e"
    config = {
        "axis": {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12, "gridOpacity": 0.4},
        "legend": {"labelColor": ink, "titleColor": ink},
        "view": {"strokeWidth": 0},
        "text": {"color": ink},
    }
    return st.vega_lite_chart(chart.spec | {"config": config, "datasets": chart.rows}, alt=words, **more)


@st.fragment
def table_expander(
    rows: pd.DataFrame | Callable[[], pd.DataFrame], name: str, alt: str, label: str = "View as table", rest: str = ""
) -> None:
    """The table behind a chart or a sentence, one click away; it is made, or looked up, when somebody opens it. `rest`
    is said below it."""
    with st.expander(label, key=f"behind {name}", on_change="rerun") as place:
        if place.open:
            table(rows() if callable(rows) else rows, alt, name)
            if rest:
                note(rest)


def choose_days(school: School, key: str) -> tuple[date, date]:
    """The days to look at: this term, last term, the last 30 days, or days of one's own."""
    today = school.today()
    current = school.settings.term_on(today)
    earlier = school.settings.term_on(current.from_ - pd.Timedelta(days=1).to_pytimedelta()) if current else None
    ranges: dict[str, tuple[date, date]] = {}
    if current:
        ranges["This term"] = (current.from_, min(current.to, today) if current.to >= today else current.to)
    if earlier and earlier is not current:
        ranges["Last term"] = (earlier.from_, earlier.to)
    month = (today - pd.Timedelta(days=29).to_pytimedelta(), today)
    ranges["Last 30 days"] = month
    names = [*ranges, "Custom dates"]
    chosen = st.segmented_control("Days", names, default=names[0], key=f"{key} range", required=True) or names[0]
    if chosen != "Custom dates":
        return ranges[chosen]
    own = st.date_input("From and to", month, max_value=today, key=f"{key} days", format="DD/MM/YYYY")
    if not isinstance(own, tuple) or len(own) != 2:
        st.info("Choose the end date as well.")
        st.stop()
    return own


def filtered(rows: pd.DataFrame, column: str, label: str, key: str, words: Callable[[str], str] = str) -> pd.DataFrame:
    """The rows with the chosen values of a column; all of them when nothing is chosen."""
    values = sorted(rows[column].dropna().unique())
    chosen = st.multiselect(label, values, key=key, format_func=words, placeholder="All")
    return rows[rows[column].isin(chosen)] if chosen else rows
