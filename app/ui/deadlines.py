"""The day by which a breach is due: amber before it is overdue, red after, and always in words too."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from app.formatting import on_short_day

DUE = "Due"  # the heading of the column
_AMBER, _RED = ("#8a4300", "#ffc48a"), ("#9c2a10", "#ffb09c")  # on a light and on a dark background


def describe_due(due: date, today: date) -> str:
    """The text "Due 3 Dec", or "Overdue since 3 Dec" from the next day on."""
    return f"{'Overdue since' if due < today else 'Due'} {on_short_day(due, today)}"


def show_due(due: date, today: date) -> None:
    """Show the due day as a badge."""
    is_over = due < today
    icon, colour = (":material/alarm:", "red") if is_over else (":material/schedule:", "orange")
    st.badge(describe_due(due, today), icon=icon, color=colour)  # type: ignore[arg-type]


def style_due(listing: pd.DataFrame, today: date) -> Styler:
    """A list whose column DUE holds days, with that column as words and in colour. It still sorts by day."""
    is_dark = st.context.theme.type == "dark"

    def describe(due: Any) -> str:
        return "" if pd.isna(due) else describe_due(due.date(), today)

    def paint(due: Any) -> str:
        return "" if pd.isna(due) else f"color: {(_RED if due.date() < today else _AMBER)[is_dark]}"

    return listing.style.format(describe, subset=[DUE]).map(paint, subset=[DUE])
