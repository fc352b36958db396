"""Lists with dates and numbers that sort, rows that open with a click, and safe downloads that the audit trail
records."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from html import escape
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from app.access.administration import record_access
from app.clock import now
from app.formatting import moment
from app.reports.outcomes_csv import make_harmless
from app.ui.authority import fragment, guard
from app.ui.current import current_person, get_school
from app.ui.text import note as show_note
from app.ui.widgets import download
from app.vocabulary.roles import Page

T = TypeVar("T")

_ROW_PIXELS = 35
_MOST_ROWS = 16  # a longer list scrolls


def as_listing(rows: pd.DataFrame, columns: Sequence[str], **headings: str) -> pd.DataFrame:
    """Some columns of rows, each with a heading, by default the column's name. Missing text becomes empty. Days and
    times keep their type, and year groups that are all numbers become numbers, so that they sort."""
    shown = {}
    for column in columns:
        cells = as_numbers(rows[column]) if column == "year_group" else rows[column]
        is_text = cells.dtype == object or isinstance(cells.dtype, pd.StringDtype)
        shown[headings.get(column, column.replace("_", " ").capitalize())] = cells.fillna("") if is_text else cells
    return pd.DataFrame(shown)


def as_numbers(cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """The cells as whole numbers if all of them are digits, so that 9 comes before 10; otherwise unchanged."""
    return cells.astype(int) if len(cells) and cells.str.fullmatch("[0-9]+").all() else cells


def table(rows: pd.DataFrame, alt: str, name: str, note: Callable[[], None] | None = None, **more: Any) -> Any:
    """Show a list with its download and return Streamlit's selection. `alt` describes the list to people who cannot see
    it, and `name` is the name of the file. Days and times sort as such; the file has them in ISO format. The audit
    trail records the download, or `note` records it. Options in `more`: above `rows_shown` rows the list scrolls;
    `beside` shows something beside the download; `style` may colour cells or show them as words. The rest of `more` is
    passed to `st.dataframe`."""
    shown = _convert_days(rows)
    config = _configure(shown) | more.pop("column_config", {})
    height = _find_height(len(shown), more.pop("rows_shown", _MOST_ROWS))
    options = {"height": height, "placeholder": ""} | more
    beside = options.pop("beside", None)
    style = options.pop("style", None)
    event = st.dataframe(style(shown) if style else shown, hide_index=True, alt=alt, column_config=config, **options)
    with st.container(horizontal=True):
        _offer_download(shown, name, note)
        if beside:
            beside()
    return event


def select_row(
    rows: pd.DataFrame, ids: Sequence[T], alt: str, name: str, on_select: Callable[[T], None], **more: Any
) -> None:
    """Show a list in which a click anywhere on a row selects it. `ids` has one id for each row, and `on_select` is
    called with the row's id before the page runs again. `marked` in `more` is the id of the row to mark, by default the
    last one selected, or else the first: without a marked row, Streamlit selects the first at any touch, such as
    sorting. People who do not use a mouse choose from a box below the list."""
    # Streamlit keeps the position of the selected row when the rows change, so the key depends on the ids.
    key, last = f"{name} {hash(tuple(ids))}", f"{name} selected"
    chosen = more.pop("marked", None) or st.session_state.get(last)
    marked = ids.index(chosen) if chosen in ids else 0
    st.session_state[key] = {"selection": {"rows": [marked], "columns": [], "cells": []}}

    def select() -> None:
        selection = st.session_state[key]["selection"]
        positions = [position for position, _ in selection["cells"]] or selection["rows"]
        if positions:
            st.session_state[last] = ids[positions[0]]
            on_select(ids[positions[0]])

    offer = partial(_offer_choice, rows, ids, name, on_select)
    modes = ["single-row-required", "single-cell"]
    table(rows, alt, name, key=key, on_select=guard(select), selection_mode=modes, beside=offer, **more)


def _offer_choice(rows: pd.DataFrame, ids: Sequence[T], name: str, on_select: Callable[[T], None]) -> None:
    """Offer the rows in a box, which is filled when somebody opens it."""
    with st.popover("Select by name", type="tertiary", key=f"choose {name}", on_change="rerun") as place:
        if not place.open:
            return
        key = f"chosen {name}"

        def select() -> None:
            if (position := st.session_state[key]) is not None:
                on_select(ids[position])

        words = [" · ".join(filter(None, map(_as_words, cells[:5]))) for cells in rows.itertuples(index=False)]
        st.selectbox(
            "Row",
            range(len(words)),
            index=None,
            format_func=words.__getitem__,
            placeholder="Type a name or a day",
            filter_mode="contains",
            key=key,
            on_change=guard(select),
        )


def _as_words(cell: Any) -> str:
    return moment(cell) if isinstance(cell, pd.Timestamp) else str(cell)


def open_record(page: Page, **query: str) -> None:
    """Open a record on its page."""
    st.switch_page(f"pages/{page}.py", query_params=query)


def session_table(rows: pd.DataFrame, ids: Sequence[int], alt: str, name: str, **more: Any) -> None:
    """Show a list of sessions. A click opens a session."""
    select_row(rows, ids, alt, name, lambda number: open_record(Page.SESSIONS, session=str(number)), **more)


def wrapped_table(rows: pd.DataFrame, alt: str, name: str) -> None:
    """Show a short list of text with its download. Long cells wrap; on a phone each row is a box."""
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


@fragment
def table_expander(
    rows: pd.DataFrame | Callable[[], pd.DataFrame], name: str, alt: str, label: str = "View as table", below: str = ""
) -> None:
    """Show the table behind a chart or a sentence in an expander. It is created when somebody opens it. `below` is a
    note below it."""
    with st.expander(label, key=f"behind {name}", on_change="rerun") as place:
        if place.open:
            table(rows() if callable(rows) else rows, alt, name)
            if below:
                show_note(below)


def _convert_days(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, with object columns of dates converted to datetimes at midnight, so that they sort."""
    found = {}
    for heading in rows.columns:
        known = rows[heading].dropna()
        if rows[heading].dtype == object and len(known) and all(type(cell) is date for cell in known):
            found[heading] = pd.to_datetime(rows[heading])
    return rows.assign(**found) if found else rows


def _configure(rows: pd.DataFrame) -> dict[str, Any]:
    """The format of each column of days, times and shares."""
    config: dict[str, Any] = {}
    for heading in rows.columns:
        cells = rows[heading]
        if isinstance(cells.dtype, pd.DatetimeTZDtype):
            today = now().astimezone(cells.dt.tz)
            year = "" if (cells.dropna().dt.year == today.year).all() else " YYYY"
            config[heading] = st.column_config.DatetimeColumn(format=f"ddd D MMM{year}, HH:mm")
        elif pd.api.types.is_datetime64_dtype(cells):
            config[heading] = st.column_config.DateColumn(format="ddd D MMM YYYY")
        elif pd.api.types.is_numeric_dtype(cells) and heading.startswith("Share"):
            config[heading] = st.column_config.NumberColumn(format="percent")
    return config


def _find_height(rows: int, most: int) -> int | str:
    """The height for all rows, or for `most` rows if there are more."""
    return "content" if rows <= most else (most + 1) * _ROW_PIXELS + 2


def _offer_download(rows: pd.DataFrame, name: str, note: Callable[[], None] | None) -> None:
    text = rows.map(_as_file_cell).to_csv(index=False, lineterminator="\r\n")
    download(
        "Download this list",
        "\ufeff" + text,
        f"{name}.csv",
        key=f"download {name}",
        on_click=guard(note or partial(_record_download, name, len(rows))),
        type="tertiary",
    )


def _as_file_cell(cell: Any) -> str:
    """A cell as in a file: a day as "2026-11-03", a time as "2026-11-03 14:05", and text that cannot act as a
    formula."""
    if isinstance(cell, datetime) and not pd.isna(cell):
        return f"{cell:%Y-%m-%d %H:%M}" if cell.tzinfo else f"{cell:%Y-%m-%d}"
    return make_harmless(cell)


def _record_download(name: str, rows: int) -> None:
    school = get_school()
    if person := current_person(school):
        record_access(school, person, "exported", f"{name}, {rows} rows")
