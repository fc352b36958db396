"""Text on the screens. What people typed is shown as they typed it, never interpreted as Markdown or HTML."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from html import escape
from string import Formatter
from typing import Any

import streamlit as st

from app.formatting import moment, on_day
from app.store.database import UNAVAILABLE, describe_error


class _Html(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if not format_spec and isinstance(value, datetime):
            value = moment(value)
        elif not format_spec and isinstance(value, date):
            value = on_day(value)
        return f"<bdi>{escape(format(value, format_spec))}</bdi>"


def write_html(template: str, tag: str = "p", /, **values: Any) -> None:
    """Show a sentence with values, inserted as by `str.format`. Days and times are formatted as in `formatting`. Text
    that people typed is shown unchanged, and characters that reverse the direction of writing affect only their own
    value."""
    st.html(f"<{tag}>{_Html().format(template, **values)}</{tag}>")


def as_plain_text(text: str) -> str:
    """Markdown that shows a text as it was typed. A text that looks like an address would become a link even if
    escaped; an invisible character prevents that."""
    text = re.sub(r"(?i)(https?:|www)(?=[/.])", "\\1\u2060", text)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def note(words: str) -> None:
    """Show a note in small grey letters, dark enough to read (`st.caption` is too faint)."""
    st.html(f'<p class="note">{escape(words)}</p>')


def title(words: str) -> None:
    """Show a page's heading, which may contain text that people typed."""
    st.title(as_plain_text(words), anchor=False)


def show_refusal(words: str) -> None:
    """Show why something was not done. The words may contain text that people typed."""
    st.warning(as_plain_text(words), icon=":material/edit:")


def show_error(what: str, fix: str) -> None:
    """Show what went wrong and the fix, never a traceback."""
    st.error(f"**{as_plain_text(what)}** {as_plain_text(fix)}", icon=":material/error:")


def show_database_error(error: Exception) -> None:
    """Show why the database cannot be used."""
    show_error("The database cannot be used at the moment.", describe_error(error))


@contextmanager
def explaining_database_errors() -> Iterator[None]:
    """Shows why the database cannot be used, if it cannot."""
    try:
        yield
    except UNAVAILABLE as error:
        show_database_error(error)
