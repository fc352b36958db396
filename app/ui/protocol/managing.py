"""The view of the Protocol page in which the leadership changes the protocol."""

import streamlit as st

from app.access.policy import Person
from app.access.protocol_settings import list_entries, list_history
from app.school import School
from app.ui.address import get, read_number
from app.ui.protocol.figures import show_figures
from app.ui.protocol.file import show_file
from app.ui.protocol.history import show_entry, show_history
from app.ui.protocol.remote_learning import show_remote_learning
from app.ui.protocol.terms import show_terms
from app.ui.protocol.versions import show_review, show_versions


def show_settings(school: School, person: Person) -> None:
    """Show everything that the Senior Deputy Head may change, with its history, or only the entry that the address
    names."""
    lines = list_history(school, person)
    chosen = read_number(get("entry"))
    if (line := next((line for line in lines if line.id == chosen), None)) is not None:
        show_entry(school, person, line)
        return
    entries = list_entries(school, person)
    show_review(school, person, entries)
    left, right = st.columns(2, gap="large")
    with left:
        show_remote_learning(school, person, entries)
        show_figures(school, person)
    with right:
        show_versions(school, person, entries)
        show_terms(school, person, entries)
    show_history(lines)
    show_file(school, person)
