"""Text on the screens. What people typed is shown as they typed it, never run as Markdown or HTML."""

import re
from datetime import date, datetime
from html import escape
from string import Formatter
from typing import Any

import streamlit as st

from app.formatting import moment, on_day


class _Html(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if not format_spec and isinstance(value, datetime):
            value = moment(value)
        elif not format_spec and isinstance(value, date):
            value = on_day(value)
        return f"<bdi>{escape(format(value, format_spec))}</bdi>"


def write_html(template: str, tag: str = "p", /, **values: Any) -> None:
    """A sentence with values in it, as `str.format` puts them; days and times as `formatting` writes them. People's
    words are shown as they were typed, and characters that reverse the direction of writing affect only their own."""
    st.html(f"<{tag}>{_Html().format(template, **values)}</{tag}>")


def as_plain_text(text: str) -> str:
    """Text as Markdown that shows it as it was typed. What looks like an address would become a link in
    spite of every escape; an invisible sign within it prevents that."""
    text = re.sub(r"(?i)(https?:|www)(?=[/.])", "\\1\u2060", text)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def note(words: str) -> None:
    """A remark in small grey letters, dark enough to be read (`st.caption` is too faint)."""
    st.html(f'<p class="aside">{escape(words)}</p>')


def title(words: str) -> None:
    """A page's heading, with people's words in it."""
    st.title(as_plain_text(words), anchor=False)


def show_error(what: str, fix: str) -> None:
    """What happened, and the fix; never a traceback."""
    st.error(f"**{as_plain_text(what)}** {as_plain_text(fix)}", icon=":material/error:")
