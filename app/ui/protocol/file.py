"""The protocol as a settings file: for the leadership on the Protocol page, for the administrator on Administration."""

import streamlit as st

from app.access.policy import Person
from app.management.protocol_file import export_protocol, import_protocol
from app.school import School
from app.ui.dialogs import Change as Confirmed
from app.ui.dialogs import open_dialog
from app.ui.text import note
from app.ui.widgets import download


def show_file(school: School, person: Person) -> None:
    """Offer the protocol as a settings file, and a button to import one."""
    st.header("The protocol as a file", anchor=False)
    note("A settings file (protocol.toml) holds all versions, terms, periods of remote learning, times and limits.")
    with st.container(horizontal=True):
        download("Export", lambda: export_protocol(school, person), "protocol.toml", key="export protocol")
        if st.button("Import", icon=":material/upload:", key="import protocol"):
            _open_import(school, person)


def _open_import(school: School, person: Person) -> None:
    def ask() -> Confirmed:
        st.write("The file replaces all of these. Anything it leaves out is withdrawn.")
        file = st.file_uploader("Settings file", type=["toml"], key="protocol file")

        def make() -> str:
            if file is None:
                raise ValueError("Choose a file.")
            try:
                text = file.getvalue().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise ValueError("The file is not text in UTF-8.") from None
            effect, others = import_protocol(school, person, text)
            words = f"{file.name} is in force. {effect.describe()}"
            if others:
                words += f" Not imported, because the server reads them from its own file: {', '.join(others)}."
            return words

        return make

    open_dialog("Import the protocol", ask, "Put into force")
