"""A preview of last term under a change of the protocol, and functions shared by the forms that change it."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.access.policy import Person
from app.access.what_if import run_what_if
from app.judging.what_if import WhatIf, describe, imagine
from app.management.protocol import Change, change_protocol, preview_settings
from app.school import School
from app.settings import Settings, Term
from app.store.protocol import Entry
from app.ui.dialogs import Change as Confirmed
from app.ui.lists import open_record
from app.ui.text import as_plain_text, note, write_html
from app.vocabulary.roles import Page
from app.vocabulary.terms import ProtocolKind

REASON_HELP = "This appears in the inspection pack. Do not name anyone."


def find_last_term(school: School) -> Term | None:
    """The last term that has ended, or the one that has begun, or None."""
    today = school.today()
    begun = sorted((t for t in school.settings.terms if t.from_ <= today), key=lambda t: t.from_)
    over = [term for term in begun if term.to < today]
    return next(reversed(over or begun), None)


def list_newest_first(entries: Sequence[Entry], kind: ProtocolKind) -> list[Entry]:
    """The entries of a kind that starts on a day, the latest day first."""
    return sorted((e for e in entries if e.kind == kind), key=lambda e: str(e.content["from"]), reverse=True)


def show_last_term(school: School, person: Person, changes: Sequence[Change], means: str) -> None:
    """Show how many outcomes of last term's sessions would differ under some changes. `means` describes these, such as
    "With remote learning for Year 9". Shows nothing if there is no term, or the changes have no effect or are not
    valid."""
    term = find_last_term(school)
    if term is None or not changes:
        return
    try:
        preview_settings(school, person, changes)
        made = [(change.kind, change.content) for change in changes if change.content is not None]
        other = imagine(school.settings, made, term)
    except ValueError:
        return  # the button says what is wrong
    if other == school.settings:
        return
    found = _judge(school, person, term, other)
    with st.container(border=True):
        write_html("<b>{words}</b>", words=f"{term.name} under this change")
        write_html("{words}", words=describe(means, found))
        note("Counselling is not included. Nothing has been saved.")


def _judge(school: School, person: Person, term: Term, other: Settings) -> WhatIf:
    """How last term's outcomes would differ. The result is cached for the same settings."""
    key = (school.state, term.name, other.model_dump_json())
    known = st.session_state.get("last term under a change")
    if known is None or known[0] != key:
        bar = st.progress(0.0, text=f"Checking the sessions of {as_plain_text(term.name)}…")
        found = run_what_if(school, person, (term.from_, term.to), other, bar.progress)
        bar.empty()
        known = st.session_state["last term under a change"] = (key, found)
    result: WhatIf = known[1]
    return result


def make_change(
    school: School, person: Person, changes: Callable[[], Sequence[Change]], text: Callable[[], str], confirmation: str
) -> Confirmed:
    """The change that a dialog makes. Its confirmation also says what it did to past sessions."""

    def make() -> str:
        return f"{confirmation} {change_protocol(school, person, changes(), text()).describe()}".rstrip()

    return make


def require_text(words: str, what: str) -> str:
    """What somebody typed, without surrounding blanks. Raises ValueError if that is empty."""
    if not words.strip():
        raise ValueError(f"Enter {what}.")
    return words.strip()


def open_entry(entry_id: int) -> None:
    """Open an entry of the protocol."""
    open_record(Page.PROTOCOL, view="settings", entry=str(entry_id))
