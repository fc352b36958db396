"""Terms on the Protocol page."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.management.protocol import Change
from app.school import School
from app.settings import Term
from app.store.protocol import Entry
from app.ui.dialogs import Change as Confirmed
from app.ui.dialogs import open_dialog
from app.ui.lists import select_row
from app.ui.protocol.effects import REASON_HELP, list_newest_first, make_change, open_entry, require_text
from app.ui.text import note
from app.vocabulary.terms import ProtocolKind

_KIND = ProtocolKind.TERM


def show_terms(school: School, person: Person, entries: Sequence[Entry]) -> None:
    """Show the terms, newest first. A click opens one."""
    st.subheader("Terms", anchor=False)
    terms = list_newest_first(entries, _KIND)
    if terms:
        read = [Term.model_validate(entry.content) for entry in terms]
        rows = pd.DataFrame(
            {
                "From": [term.from_ for term in read],
                "Until": [term.to for term in read],
                "Name": [term.name for term in read],
                "First week": [term.first_week for term in read],
            }
        )
        select_row(rows, [entry.id or 0 for entry in terms], "Terms", "terms", open_entry, rows_shown=6)
    else:
        note("No term yet. Figures by term, school days and reminders need terms.")
    if st.button("Add a term", icon=":material/add:", key="add term"):
        today = school.today()
        open_term(school, person, Term.model_validate({"name": "", "from": today, "to": today}))


def open_term(school: School, person: Person, term: Term, entry_id: int | None = None) -> None:
    """Open the form for a new term, or to change the term with the id `entry_id`."""

    def ask() -> Confirmed:
        name = st.text_input("Name", term.name, max_chars=80, key="term name", placeholder="Lent 2027")
        left, middle, right = st.columns(3)
        first = left.date_input("From", term.from_, format="DD/MM/YYYY", key="term from")
        last = middle.date_input("Until", term.to, format="DD/MM/YYYY", key="term to")
        week = right.selectbox("First week", ["A", "B"], index=int(term.first_week == "B"), key="term week")
        words = st.text_input("Reason (optional)", max_chars=300, key="term note", help=REASON_HELP)

        def changes() -> list[Change]:
            days = {"from": first.isoformat(), "to": last.isoformat(), "first_week": week}
            return [Change(_KIND, {"name": require_text(name, "a name")} | days, replaces=entry_id)]

        return make_change(school, person, changes, lambda: words, f"{name.strip()} is in force.")

    open_dialog("Change the term" if entry_id else "New term", ask, "Put into force")
