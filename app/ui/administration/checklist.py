"""The checklist for a new school: what has yet to be set up, each with a link."""

from collections.abc import Sequence
from typing import Protocol

import streamlit as st

from app.ui.text import note, write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page


class Step(Protocol):
    """Something to set up (see `operations.setup`)."""

    @property
    def label(self) -> str: ...
    @property
    def is_done(self) -> bool: ...
    @property
    def fix(self) -> str: ...
    @property
    def tab(self) -> str: ...


def show_checklist(steps: Sequence[Step]) -> None:
    """Show which steps have yet to be done, until all are done."""
    if all(step.is_done for step in steps):
        return
    done = [step.label for step in steps if step.is_done]
    with st.container(border=True):
        write_html("To set up: {done} of {steps} done", "h3", done=len(done), steps=len(steps))
        for step in (step for step in steps if not step.is_done):
            words, place = st.columns([4, 1], vertical_alignment="center")
            with words:
                write_html("☐ <b>{step.label}</b><br>{step.fix}", step=step)
            if step.tab and step.tab != "Status":
                with place:
                    link(Page.ADMINISTRATION, f"Open {step.tab}", "arrow_forward", query={"tab": step.tab})
        if done:
            note(f"Done: {'; '.join(done)}.")
