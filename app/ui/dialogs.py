"""Dialogs that change data: each says what it will do, and does it only once."""

from collections.abc import Callable

import streamlit as st

from app.access.policy import NotAllowedError
from app.ui.authority import dialog
from app.ui.text import show_refusal, write_html
from app.ui.widgets import confirm_on_rerun

Change = Callable[[], str]


def open_dialog(
    title: str,
    ask: Callable[[], Change],
    label: str,
    icon: str = "check",
    on_cancel: Callable[[], None] | None = None,
    below: Callable[[], None] | None = None,
) -> None:
    """Open a dialog. `ask` shows what will be done, asks what is needed and returns the change. The change returns the
    confirmation, or raises ValueError or NotAllowedError with a message. The button `label` makes the change. `below`
    shows more below the buttons, so that nobody has to wait for it; it makes the dialog wide."""
    done: list[str] = []  # a second click finds the entry: the run cannot end between the change and the entry

    def show() -> None:
        change = ask()
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancelled = st.button("Cancel", key=f"cancel {title}")
            pressed = st.button(label, type="primary", icon=f":material/{icon}:", key=f"do {title}")
        if cancelled:
            if on_cancel:
                on_cancel()
            st.rerun()
        if pressed and not done:
            try:
                done.append(change())
            except (ValueError, NotAllowedError) as error:
                show_refusal(f"{error} Nothing was changed.")
                return
        if done:
            if done[0]:
                confirm_on_rerun(done[0])
            st.rerun()
        if below:
            below()

    dialog(title, width="large" if below else "medium", on_dismiss="rerun")(show)()


def confirm(title: str, words: str, change: Callable[[], object], confirmation: str, label: str = "") -> None:
    """Ask somebody to confirm a change, which `words` describe."""

    def make() -> str:
        change()
        return confirmation

    def ask() -> Change:
        write_html("{words}", words=words)
        return make

    open_dialog(title, ask, label or title)
