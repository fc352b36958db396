"""Links, downloads, charts and filters that several pages use."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec

import pandas as pd
import streamlit as st

from app.access.policy import NotAllowedError
from app.reports.charts import Drawing
from app.school import School
from app.ui import address
from app.ui.authority import guard, guard_download
from app.ui.labels import PAGE_ICONS
from app.ui.text import as_plain_text, show_refusal, write_html
from app.vocabulary.roles import Page

_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".ics": "text/calendar",
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
P = ParamSpec("P")


# --- links and downloads ------------------------------------------------------------------------------------


def link(page: Page, label: str, icon: str = "", *, query: Mapping[str, str | Sequence[str]] | None = None) -> None:
    """Show a link to a page, or with `query` to something on it, with the page's icon unless another is given. The
    label may contain text that people typed."""
    icon = f":material/{icon}:" if icon else PAGE_ICONS[page]
    st.page_link(f"pages/{page}.py", label=as_plain_text(label), icon=icon, query_params=query)


def download(label: str, content: Any, file: str, icon: str = "download", **more: Any) -> None:
    """Show a button that downloads a file. `content` is the file, or a function that creates it."""
    content = guard_download(content) if callable(content) else content
    options = {"on_click": "ignore", "mime": _TYPES.get(Path(file).suffix)} | more
    st.download_button(label, content, file, icon=f":material/{icon}:", **options)


# --- lists and charts ---------------------------------------------------------------------------------------


def draw(chart: Drawing, words: str, **more: Any) -> Any:
    """Show a chart with axes dark enough to read. `words` describe it to people who cannot see it."""
    ink = "#d5dee7" if st.context.theme.type == "dark" else "#34414e"
    config = {
        "axis": {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12, "gridOpacity": 0.4},
        "legend": {"labelColor": ink, "titleColor": ink},
        "view": {"strokeWidth": 0},
        "text": {"color": ink},
    }
    return st.vega_lite_chart(chart.spec | {"config": config, "datasets": chart.rows}, alt=words, **more)


def card(template: str, **values: Any) -> Any:
    """Show a box with a sentence (see `write_html`). Returns the container for its buttons."""
    left, right = st.container(border=True).columns([4, 1], vertical_alignment="center")
    with left:
        write_html(template, **values)
    return right


# --- confirmations ------------------------------------------------------------------------------------------


def confirm_on_rerun(words: str) -> None:
    """Show a confirmation in the next run of the page."""
    st.session_state["done"] = words


def show_confirmation() -> None:
    if words := st.session_state.pop("done", None):
        st.success(as_plain_text(words), icon=":material/check:")


def attempt(confirmation: str, change: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Make a change and run the page again with the confirmation at the top, or show why it was not made."""
    try:
        change(*args, **kwargs)
    except (ValueError, NotAllowedError) as error:
        show_refusal(f"{error} Nothing was changed.")
        return
    confirm_on_rerun(confirmation)
    st.rerun()


# --- choosing what to show ----------------------------------------------------------------------------------


_DAYS = {"this-term": "This term", "last-term": "Last term", "30-days": "Last 30 days", "custom": "Custom dates"}


def list_ranges(school: School) -> dict[str, tuple[date, date]]:
    """The ranges of days to choose from, by their parameter. The first is the default."""
    today = school.today()
    current = school.settings.term_on(today)
    earlier = school.settings.term_on(current.from_ - timedelta(days=1)) if current else None
    ranges: dict[str, tuple[date, date]] = {}
    if current:
        ranges["this-term"] = (current.from_, min(current.to, today))
    if earlier:
        ranges["last-term"] = (earlier.from_, earlier.to)
    return ranges | {"30-days": (today - timedelta(days=29), today)}


def choose_days(school: School) -> tuple[date, date]:
    """Let the person choose the days to look at: this term, last term, the last 30 days or custom dates. The parameter
    `days` holds them as "last-term", "30-days" or "2026-09-01..2026-10-16"."""
    ranges = list_ranges(school)
    default = next(iter(ranges))
    options = {option: words for option, words in _DAYS.items() if option in ranges or option == "custom"}
    named = address.get("days", default)
    custom = _read_days(named)
    chosen = address.choose_one("Days", options, default, "days", chosen="custom" if custom else named)
    if chosen != "custom":
        return ranges[chosen]
    return choose_dates(custom or ranges["30-days"], school.today()) or st.stop()


def choose_dates(default: tuple[date, date], last: date) -> tuple[date, date] | None:
    """Let the person choose the first and last day; the parameter `days` holds them. Returns None until both are
    chosen."""
    first, until = _read_days(address.get("days")) or default
    key = "dates"
    if len(st.session_state.get(key, ())) != 1:  # otherwise the last day has yet to be chosen
        st.session_state[key] = (min(first, last), min(until, last))
    write = partial(_write_dates, key)
    days = st.date_input("From and to", max_value=last, key=key, format="DD/MM/YYYY", on_change=guard(write))
    if isinstance(days, tuple) and len(days) == 2:
        return days
    st.info("Choose the end date as well.")
    return None


def _write_dates(key: str) -> None:
    if len(days := st.session_state[key]) == 2:
        address.put("days", f"{days[0]}..{days[1]}")


def _read_days(words: str) -> tuple[date, date] | None:
    """The first and last day in a parameter, or None if it does not hold two."""
    try:
        first, last = (date.fromisoformat(day) for day in words.split(".."))
    except ValueError:
        return None
    return (first, last) if first <= last else None


def filter_rows(rows: pd.DataFrame, columns: Mapping[str, str], words: Callable[[str], str] = str) -> pd.DataFrame:
    """Show filters for some columns (with their labels), with the number of rows of each value. Returns the rows with
    the chosen values, by default all. The parameters have the columns' names."""
    for place, (column, label) in zip(st.columns(len(columns)), columns.items(), strict=True):
        counts = rows[column].value_counts().sort_index()
        options = {value: f"{words(value)} ({number:,})" for value, number in counts.items() if number}
        with place:
            chosen = address.choose_some(label, options, column)
        rows = rows[rows[column].isin(chosen)] if chosen else rows
    return rows


def filter_values(rows: pd.DataFrame, **allowed: Sequence[str]) -> pd.DataFrame:
    """The rows with one of the allowed values in each named column. An empty list allows all."""
    for column, values in allowed.items():
        if values:
            rows = rows[rows[column].isin(values)]
    return rows
