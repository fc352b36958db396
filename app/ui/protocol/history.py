"""What was changed in the protocol, by whom and why, and undoing a change."""

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.access.protocol_settings import HistoryLine, list_history
from app.formatting import moment
from app.management.protocol import Change, plan_undo
from app.management.protocol_file import export_protocol, import_protocol
from app.school import School
from app.ui.dialogs import Change as Confirmed
from app.ui.dialogs import open_dialog
from app.ui.lists import as_listing, select_row
from app.ui.protocol.effects import describe_effect, make_change, require_text
from app.ui.text import note, write_html
from app.ui.widgets import download


def show_history(school: School, person: Person) -> None:
    """Show every decision, newest first; a click on one opens it, with the button to undo it."""
    st.subheader("What was changed, and why", anchor=False)
    lines = list_history(school, person)
    rows = pd.DataFrame([vars(line) for line in lines])
    columns = ["entered_at", "who", "kind", "words", "note", "status", "ended_at"]
    rows["kind"] = [line.kind.label for line in lines]
    headings = {"entered_at": "When", "who": "By", "words": "Entry", "note": "Reason", "ended_at": "Ended"}
    listing = as_listing(rows, columns, **headings)
    ids = [line.id for line in lines]
    select_row(listing, ids, "Changes of the protocol", "protocol changes", _choose, rows_shown=8)
    chosen = st.session_state.pop("change decision", None)
    if (line := next((line for line in lines if line.id == chosen), None)) is not None:
        _open(school, person, line)


def _choose(entry_id: int) -> None:
    st.session_state["change decision"] = entry_id


def _open(school: School, person: Person, line: HistoryLine) -> None:
    """Open a decision, to be undone by another one."""

    def ask() -> Confirmed:
        write_html("<b>{kind}</b>: {words}", kind=line.kind.label, words=line.words)
        write_html("{who}, {when}. {note}", who=line.who, when=moment(line.entered_at), note=line.note)
        if not line.can_undo:
            note("It was replaced, or is from the settings file. Change the entry that is in force now.")
        words = st.text_input("Reason", max_chars=500, key="undo reason", disabled=not line.can_undo)

        def changes() -> list[Change]:
            if not line.can_undo:
                raise ValueError("This entry cannot be undone here.")
            require_text(words, "a reason")
            return plan_undo(school, person, line.id)

        return make_change(school, person, changes, lambda: words, "Undone.")

    open_dialog("A change of the protocol", ask, "Undo this change", "undo")


def show_file(school: School, person: Person) -> None:
    """Offer the protocol as a settings file, and take one over."""
    st.subheader("As a file", anchor=False)
    note("A settings file (protocol.toml) holds all versions, terms, periods of remote learning, times and limits.")
    with st.container(horizontal=True):
        download("Export", lambda: export_protocol(school, person), "protocol.toml", key="export protocol")
        if st.button("Import", icon=":material/upload:", key="import protocol"):
            _open_import(school, person)


def _open_import(school: School, person: Person) -> None:
    def ask() -> Confirmed:
        st.write("Everything that the file says of these comes into force. What it does not say is withdrawn.")
        file = st.file_uploader("Settings file", type=["toml"], key="protocol file")

        def make() -> str:
            if file is None:
                raise ValueError("Choose a file.")
            try:
                text = file.getvalue().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise ValueError("The file is not text in UTF-8.") from None
            effect, others = import_protocol(school, person, text)
            words = f"{file.name} is in force. {describe_effect(effect)}"
            if others:
                words += f" Not imported, because the server reads them from its own file: {', '.join(others)}."
            return words

        return make

    open_dialog("Import the protocol", ask, "Put into force")
