"""Text on the screens. What people typed is shown as they typed it, never run as Markdown or HTML."""

import re
from html import escape
from typing import Any

import streamlit as st


def write_html(template: str, tag: str = "p", /, **values: Any) -> None:
    """A sentence with people's words in it, which are shown as they were typed. Characters that reverse the direction
    of writing affect only their own words."""
    words = {name: f"<bdi>{escape(str(value))}</bdi>" for name, value in values.items()}
    st.html(f"<{tag}>{template.format(**words)}</{tag}>")


def as_plain_text(text: str) -> str:
    """Text as Markdown that shows it as it was typed. What looks like an address would become a link in
    spite of every escape; an invisible sign within it prevents that."""
    text = re.sub(r"(?i)(https?:|www)(?=[/.])", "\\1\u2060", text)
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def note(words: str) -> None:
    """A remark of ours in small grey letters, dark enough to be read (`st.caption` is too faint)."""
    st.html(f'<p class="aside">{escape(words)}</p>')


def title(words: str) -> None:
    """A page's heading, with people's words in it."""
    st.title(as_plain_text(words), anchor=False)


def show_error(what: str, fix: str) -> None:
    """What happened, and the fix; never a traceback."""
    st.error(f"**{as_plain_text(what)}** {as_plain_text(fix)}", icon=":material/error:")
