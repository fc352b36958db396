"""What was changed in the protocol, by whom and why, and how to undo a change."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.access.protocol_settings import HistoryLine
from app.management.protocol import Change, plan_undo
from app.school import School
from app.settings import Term, Version
from app.ui.dialogs import Change as Confirmed
from app.ui.dialogs import open_dialog
from app.ui.lists import as_listing, select_row
from app.ui.protocol.effects import REASON_HELP, make_change, open_entry, require_text
from app.ui.protocol.figures import open_figures
from app.ui.protocol.remote_learning import open_period
from app.ui.protocol.terms import open_term
from app.ui.protocol.versions import open_version
from app.ui.text import write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page
from app.vocabulary.terms import ProtocolKind


def show_history(lines: Sequence[HistoryLine]) -> None:
    """Show every decision, newest first. A click opens one."""
    st.subheader("Change history", anchor=False)
    rows = pd.DataFrame([vars(line) for line in lines])
    rows["kind"] = [line.kind.label for line in lines]
    columns = ["entered_at", "who", "kind", "words", "note", "status", "ended_at"]
    headings = {"entered_at": "When", "who": "By", "words": "Entry", "note": "Reason", "ended_at": "Ended"}
    ids = [line.id for line in lines]
    listing = as_listing(rows, columns, **headings)
    select_row(listing, ids, "Changes of the protocol", "protocol changes", open_entry, rows_shown=8)


def show_entry(school: School, person: Person, line: HistoryLine) -> None:
    """Show a decision, with the buttons to change and to undo it."""
    st.subheader(line.kind.label, anchor=False)
    write_html("<b>{words}</b>", words=line.words)
    write_html("{status}. Entered by {line.who}, {line.entered_at}.", status=line.status, line=line)
    if line.note:
        write_html("Reason: {note}", note=line.note)
    with st.container(horizontal=True):
        is_open = line.status == "In force" and line.kind != ProtocolKind.SCHOOL
        if is_open and st.button("Change", icon=":material/edit:", key="change entry"):
            _open_form(school, person, line)
        if line.undo and st.button(line.undo, icon=":material/undo:", key="undo entry"):
            _open_undo(school, person, line)
    link(Page.PROTOCOL, "Back to the settings", "arrow_back", query={"view": "settings"})


def _open_form(school: School, person: Person, line: HistoryLine) -> None:
    if line.kind == ProtocolKind.REMOTE_LEARNING:
        open_period(school, person, line.content, line.id)
    elif line.kind == ProtocolKind.TERM:
        open_term(school, person, Term.model_validate(line.content), line.id)
    elif line.kind == ProtocolKind.VERSION:
        open_version(school, person, Version.model_validate(line.content), line.id)
    else:
        open_figures(school, person, date.fromisoformat(line.content["from"]), {})


def _open_undo(school: School, person: Person, line: HistoryLine) -> None:
    def ask() -> Confirmed:
        write_html("{words}", words=line.words)
        words = st.text_input("Reason", max_chars=500, key="undo reason", help=REASON_HELP)

        def changes() -> list[Change]:
            require_text(words, "a reason")
            return plan_undo(school, person, line.id)

        return make_change(school, person, changes, lambda: words, _UNDONE[line.undo])

    open_dialog(line.undo, ask, line.undo, "undo")


_UNDONE = {"Withdraw": "Withdrawn.", "Undo": "Undone.", "Restore": "Restored."}
