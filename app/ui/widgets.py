"""Links, lists, downloads, charts and filters that several pages use."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pandas as pd
import streamlit as st

from app.access.administration import record_access
from app.access.policy import NotAllowedError
from app.formatting import moment
from app.reports.charts import Drawing
from app.reports.outcomes_csv import make_harmless
from app.school import School
from app.ui.current import current_person, get_school
from app.ui.labels import PAGE_ICONS
from app.ui.text import note, write_html
from app.vocabulary import Page

_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".ics": "text/calendar",
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
T = TypeVar("T")
P = ParamSpec("P")


# --- links and downloads ------------------------------------------------------------------------------------


def link(page: Page, label: str, icon: str = "", *, query: Mapping[str, str] | None = None) -> None:
    """Show a link to a page, or by its `query` to something on it, with the page's icon unless another is given."""
    icon = f":material/{icon}:" if icon else PAGE_ICONS[page]
    st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=query)


def download(label: str, content: Any, file: str, icon: str = "download", **more: Any) -> None:
    """Show a button that downloads a file; `content` is the file, or a function that creates it."""
    options = {"on_click": "ignore", "mime": _TYPES.get(Path(file).suffix)} | more
    st.download_button(label, content, file, icon=f":material/{icon}:", **options)


# --- lists and charts ---------------------------------------------------------------------------------------


def as_listing(rows: pd.DataFrame, columns: Sequence[str], **headings: str) -> pd.DataFrame:
    """Some columns of rows as people read them: times as text, blanks empty, a heading each (by default its name)."""
    shown = {}
    for column in columns:
        cells = rows[column]
        if isinstance(cells.dtype, pd.DatetimeTZDtype):
            cells = cells.map(moment)
        elif cells.dtype == object or isinstance(cells.dtype, pd.StringDtype):
            cells = cells.fillna("")
        shown[headings.get(column, column.replace("_", " ").capitalize())] = cells
    return pd.DataFrame(shown)


def table(rows: pd.DataFrame, alt: str, name: str, note: Callable[[], None] | None = None, **more: Any) -> Any:
    """Show a list with its download, made safe against formulas. The audit trail records the download, unless
    `note` records it elsewhere."""
    numbers = rows.select_dtypes("number").columns
    shares = {name: st.column_config.NumberColumn(format="percent") for name in numbers if name.startswith("Share")}
    event = st.dataframe(rows, hide_index=True, alt=alt, **({"column_config": shares} | more))
    _offer_download(rows, name, note)
    return event


def wrapped_table(rows: pd.DataFrame, alt: str, name: str) -> None:
    """Show a short list of text with its download. Long cells go on in further lines; on a phone each row is a box."""
    headings = "".join(f'<th scope="col" role="columnheader">{escape(heading)}</th>' for heading in rows.columns)
    lines = [
        "".join(
            f'<td role="cell" data-heading="{escape(heading)}"><bdi>{escape(str(cell))}</bdi></td>'
            for heading, cell in zip(rows.columns, cells, strict=True)
        )
        for cells in rows.itertuples(index=False, name=None)
    ]
    body = "".join(f'<tr role="row">{line}</tr>' for line in lines)
    st.html(
        f'<table class="wrapped" role="table" aria-label="{escape(alt)}">'
        f'<thead role="rowgroup"><tr role="row">{headings}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
    )
    _offer_download(rows, name, None)


def _offer_download(rows: pd.DataFrame, name: str, note: Callable[[], None] | None) -> None:
    text = rows.map(make_harmless).to_csv(index=False, lineterminator="\r\n")
    download(
        "Download this list",
        "\ufeff" + text,
        f"{name}.csv",
        key=f"download {name}",
        on_click=note or (lambda: _record_download(name, len(rows))),
        type="tertiary",
    )


def _record_download(name: str, rows: int) -> None:
    school = get_school()
    if person := current_person(school):
        record_access(school, person, "exported", f"{name}, {rows} rows")


def select_row(rows: pd.DataFrame, ids: Sequence[T], alt: str, name: str, **more: Any) -> T | None:
    """Show a list with rows to select. Returns the selected row's id of `ids`, which has one for each row."""
    # A list keeps the position of a selected row when its rows change, so each list has a key of its own.
    options = {"height": "content" if len(rows) < 14 else 520, "key": f"{name} {hash(tuple(ids))}"} | more
    event = table(rows, alt, name, on_select="rerun", selection_mode="single-row", **options)
    return next((ids[position] for position in event["selection"]["rows"]), None)


def session_table(rows: pd.DataFrame, ids: Sequence[int], alt: str, name: str, **more: Any) -> None:
    """Show a list of sessions, and open the one that is selected."""
    session_id = select_row(rows, ids, alt, name, **more)
    if session_id is not None:
        st.switch_page("pages/sessions.py", query_params={"session": str(session_id)})


def draw(chart: Drawing, words: str, **more: Any) -> Any:
    """Show a chart with axes dark enough to be read; `words` describe it to those who cannot see it."""
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
    rows: pd.DataFrame | Callable[[], pd.DataFrame], name: str, alt: str, label: str = "View as table", below: str = ""
) -> None:
    """The table behind a chart or a sentence, made or looked up when somebody opens it, with a remark `below`."""
    with st.expander(label, key=f"behind {name}", on_change="rerun") as place:
        if place.open:
            table(rows() if callable(rows) else rows, alt, name)
            if below:
                note(below)


def card(template: str, **values: Any) -> Any:
    """Show a box with a sentence (see `write_html`). Returns the place for its buttons."""
    left, right = st.container(border=True).columns([4, 1], vertical_alignment="center")
    with left:
        write_html(template, **values)
    return right


def card_button(place: Any, label: str, icon: str, key: str, on_click: Callable[[], None], **more: Any) -> None:
    """A button of a card, as wide as the container."""
    place.button(label, key=key, icon=f":material/{icon}:", width="stretch", on_click=on_click, **more)


# --- what was done ------------------------------------------------------------------------------------------


def confirm_on_rerun(words: str) -> None:
    """Have the next run of the page say what was done."""
    st.session_state["done"] = words


def show_confirmation() -> None:
    if words := st.session_state.pop("done", None):
        st.success(words, icon=":material/check:")


def attempt(confirmation: str, change: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Make a change and run the page again with the confirmation at the top, or say why it was not made."""
    try:
        change(*args, **kwargs)
    except (ValueError, NotAllowedError) as error:
        st.warning(f"{error} Nothing was changed.", icon=":material/edit:")
        return
    confirm_on_rerun(confirmation)
    st.rerun()


# --- choosing what to show ----------------------------------------------------------------------------------


def choose_one(label: str, options: Mapping[str, str], default: str, **more: Any) -> str:
    """Let the person choose one of a few options by its label. Returns the option."""
    chosen = st.segmented_control(
        label, list(options), format_func=options.__getitem__, default=default, required=True, **more
    )
    return chosen or default


def choose_days(school: School, key: str) -> tuple[date, date]:
    """Let the person choose the days to look at: this term, last term, the last 30 days, or custom dates."""
    today = school.today()
    current = school.settings.term_on(today)
    earlier = school.settings.term_on(current.from_ - timedelta(days=1)) if current else None
    ranges: dict[str, tuple[date, date]] = {}
    if current:
        ranges["This term"] = (current.from_, min(current.to, today))
    if earlier:
        ranges["Last term"] = (earlier.from_, earlier.to)
    ranges["Last 30 days"] = (today - timedelta(days=29), today)
    names = [*ranges, "Custom dates"]
    chosen = choose_one("Days", dict(zip(names, names, strict=True)), names[0], key=f"{key} range")
    days = ranges.get(chosen) or choose_dates(ranges["Last 30 days"], today, f"{key} days")
    return days or st.stop()


def choose_dates(default: tuple[date, date], last: date, key: str) -> tuple[date, date] | None:
    """Let the person choose the first and the last day to look at. Returns None until both are chosen."""
    days = st.date_input("From and to", default, max_value=last, key=key, format="DD/MM/YYYY")
    if isinstance(days, tuple) and len(days) == 2:
        return days
    st.info("Choose the end date as well.")
    return None


def filter_rows(
    rows: pd.DataFrame, columns: Mapping[str, str], key: str, words: Callable[[str], str] = str
) -> pd.DataFrame:
    """Filters for some columns, given with labels. Returns the rows with the chosen values, by default all."""
    for place, (column, label) in zip(st.columns(len(columns)), columns.items(), strict=True):
        values = sorted(rows[column].dropna().unique())
        chosen = place.multiselect(label, values, key=f"{key} {column}", format_func=words, placeholder="All")
        rows = rows[rows[column].isin(chosen)] if chosen else rows
    return rows


def filter_values(rows: pd.DataFrame, **allowed: Sequence[str]) -> pd.DataFrame:
    """The rows with one of the allowed values in each named column; an empty list allows all."""
    for column, values in allowed.items():
        if values:
            rows = rows[rows[column].isin(values)]
    return rows
