"""The open school, and who is signed in."""

from threading import Lock

import streamlit as st

from app.access.administration import record_access
from app.access.people import list_demo_people
from app.access.policy import Person
from app.auth import configuration, sign_in
from app.demo.filling import fill, was_cut_off
from app.judging.upkeep import refresh
from app.school import School, open_school
from app.settings import SettingsError, get_variable
from app.store.database import UNAVAILABLE, DatabaseError, describe_error
from app.ui.text import show_error

_FILLING = Lock()


@st.cache_resource(show_spinner=False)
def _opened() -> School:
    return open_school()


def get_school() -> School:
    """The school with its outcomes up to date. If it cannot be opened, the page ends here with the reason."""
    try:
        school = _opened()
        if _is_untouched(school):
            _fill_demonstration(school)
            _opened.clear()
            school.engine.dispose()
            school = _opened()
        refresh(school, lambda: st.spinner("The rules have changed. Re-checking all sessions…"))
    except (SettingsError, DatabaseError) as error:
        show_error("The program cannot start.", str(error))
        st.stop()
    except UNAVAILABLE as error:
        show_error("The database cannot be used at the moment.", describe_error(error))
        st.stop()
    return school


def _is_untouched(school: School) -> bool:
    """Whether nothing is configured and the database is empty, so that a demonstration is shown."""
    if get_variable("DATABASE_URL") or configuration.list_configured() or school.is_demonstration():
        return False
    return school.is_untouched() or was_cut_off(school)


def _fill_demonstration(school: School) -> None:
    place = st.empty()
    with place.container():
        st.title("Preparing the demonstration")
        st.write("Creating a fictional school, with two terms of sessions up to today. This can take half a minute.")
        bar = st.progress(0.0)

    def show_step(words: str, share: float) -> None:
        bar.progress(share, text=words)

    with _FILLING:  # two browsers at the first start fill it once
        if not school.is_demonstration():
            fill(school, progress=show_step)
    place.empty()


def current_person(school: School) -> Person | None:
    """The person who is signed in or, in the demonstration, the person it is viewed as."""
    if configuration.find_obstacle(school):
        return None
    if school.is_demonstration():
        people = {p.email: p for p in list_demo_people(school)}
        return people.get(st.session_state.get("view_as", ""), next(iter(people.values())))
    try:
        person = sign_in.get_person(school)
    except SettingsError as error:
        show_error("The program cannot start.", str(error))
        st.stop()
    if person is not None:
        record_once(school, person, "signed in", "")
    return person


def record_once(school: School, person: Person, what: str, about: str) -> None:
    """Record something on the audit trail, once in the person's session."""
    noted = st.session_state.setdefault("noted", set())
    if (person.staff_id, what, about) not in noted:
        noted.add((person.staff_id, what, about))
        record_access(school, person, what, about)
