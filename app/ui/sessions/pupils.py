"""The pupils whom somebody looks after, and a pupil's page: sessions, remote learning, letters and consents, no
concerns."""

from typing import Any

import pandas as pd
import streamlit as st

from app.access.parents import list_consents, list_letters_sent
from app.access.policy import Person
from app.access.pupils import Pupil, get_pupil, list_pupils_with_counts
from app.access.sessions import list_sessions_of_pupil
from app.formatting import how_many
from app.school import School
from app.ui import address
from app.ui.current import record_once
from app.ui.labels import CONSENT_WORDS
from app.ui.lists import as_listing, open_record, select_row, table
from app.ui.parents.consents import open_consent
from app.ui.sessions.lists import show_sessions
from app.ui.sessions.remote_pupils import show_remote_learning
from app.ui.text import title, write_html
from app.ui.widgets import choose_days, filter_rows, link, show_confirmation
from app.vocabulary.roles import Page
from app.vocabulary.terms import ConsentKind, LetterKind


def show_pupils(school: School, person: Person) -> None:
    """Show the pupils, with counts of their sessions on some days."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = choose_days(school)
    pupils = list_pupils_with_counts(school, person, days)
    pupils = filter_rows(pupils, {"year_group": "Year", "house": "House", "tutor": "Tutor"})
    if pupils.empty:
        st.info("No matches. Remove a filter.")
        return
    show_pupil_list(pupils, "Pupils", "pupils")


def show_pupil_list(pupils: pd.DataFrame, alt: str, name: str, **more: Any) -> None:
    """Show pupils of `list_pupils_with_counts`. A click opens a pupil's page."""
    columns = ["name", "year_group", "house", "sessions", "breaches", "tutor"]
    headings = {"name": "Pupil", "year_group": "Year", "breaches": "With a breach"}
    listing = as_listing(pupils, columns, **headings)
    ids = [int(number) for number in pupils["pupil_id"]]
    select_row(listing, ids, alt, name, _open, **more)


def _open(pupil_id: int) -> None:
    open_record(Page.SESSIONS, pupil=str(pupil_id))


def show_pupil(school: School, person: Person, number: str) -> None:
    """Show a pupil's page."""
    link(Page.SESSIONS, "Sessions", "arrow_back", query=address.get_list(Page.SESSIONS))
    pupil_id = address.read_number(number)
    pupil = None if pupil_id is None else get_pupil(school, person, pupil_id)
    if pupil is None:
        st.title("Pupil")
        st.info("There is no such pupil, or you do not have access to their page.")
        return
    record_once(school, person, "viewed", f"pupil {pupil.pupil_id}")
    title(pupil.name)
    tutor = f" · tutor {pupil.tutor}" if pupil.tutor else ""
    words = "Year {pupil.year_group} · {house} · {pupil.school}{tutor}"
    write_html(words, pupil=pupil, house=pupil.house or "no house", tutor=tutor)
    show_confirmation()
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_sessions(school, person, pupil)
    with right:
        show_remote_learning(school, person, pupil)
        _show_letters(school, person, pupil)
        _show_consents(school, person, pupil)


def _show_sessions(school: School, person: Person, pupil: Pupil) -> None:
    st.header("Sessions", anchor=False)
    rows = list_sessions_of_pupil(school, person, pupil.pupil_id)
    if rows.empty:
        st.info("You do not have access to any session with this pupil. Plan one, or log a call.")
        return
    broken = int((rows["status"] == "breach").sum())
    words = "<b>{sessions}</b>, newest first; <b>{broken}</b> with a breach. Select a row to open the session."
    write_html(words, sessions=how_many(len(rows), "session"), broken=broken)
    show_sessions(rows, "The pupil's sessions", "sessions of a pupil")


def _show_letters(school: School, person: Person, pupil: Pupil) -> None:
    st.header("Letters", anchor=False)
    letters = list_letters_sent(school, person)
    letters = letters[letters["pupil_id"] == pupil.pupil_id]
    if letters.empty:
        st.info("You do not have access to this pupil's letters.")
        return
    sent = letters.iloc[0]
    days = [sent[kind.value] for kind in LetterKind]
    rows = pd.DataFrame({"Letter": [kind.label for kind in LetterKind], "First sent": pd.to_datetime(pd.Series(days))})
    table(rows, "Letters to the pupil's parents", "letters of a pupil", placeholder="✗ not sent")
    link(Page.PARENTS, "Letters to parents")


def _show_consents(school: School, person: Person, pupil: Pupil) -> None:
    st.header("Consents", anchor=False)
    consents = list_consents(school, person)
    consents = consents[consents["pupil_id"] == pupil.pupil_id]
    if consents.empty:
        st.info("You do not have access to any consent for this pupil.")
        link(Page.PARENTS, "Ask for a consent", "add", query={"ask": "yes"})
        return
    listing = pd.DataFrame(
        {
            "Status": consents["status"].map(CONSENT_WORDS),
            "Consent to": [ConsentKind(kind).label for kind in consents["kind"]],
            "From": consents["covers_from"],
            "To": consents["covers_to"],
        }
    )
    ids = [int(number) for number in consents["consent_id"]]
    select_row(listing, ids, "The pupil's consents", "consents of a pupil", open_consent)
