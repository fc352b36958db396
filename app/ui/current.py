"""The open school, and who is signed in."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NoReturn

import streamlit as st
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

from app.access.administration import record_access
from app.access.people import find_person, list_demo_people
from app.access.policy import Person
from app.auth import configuration, sign_in
from app.demo.background import Filling
from app.demo.filling import SESSIONS, was_cut_off
from app.formatting import how_many
from app.judging.upkeep import refresh
from app.school import School, open_school
from app.settings import SettingsError, get_variable
from app.store.database import DatabaseError
from app.store.protocol import read_state
from app.ui.text import show_error
from app.vocabulary.roles import Page

_filling = Filling()  # one for each process


@st.cache_resource(show_spinner=False)
def _opened() -> School:
    return open_school()


def _as_of_now(school: School) -> School:
    """The school with the protocol now in force, which somebody may have changed."""
    with school.engine.connect() as connection:
        state = read_state(connection)
        return school if state == school.state else _in_state(school, connection, state)


@st.cache_resource(show_spinner=False, max_entries=1)
def _in_state(_school: School, _connection: Any, state: str | None) -> School:
    """The school in a state of the protocol, read once for each state."""
    del state  # only the cache's key
    return _school.as_of(_connection)


def get_school() -> School:
    """The school with its outcomes up to date. If it cannot be opened, show the reason and end the page."""
    try:
        if _filling.is_running:
            _show_filling()
        school = _opened()
        if _is_untouched(school):
            if not _filling.error:
                _begin_filling(school)
            _show_filling()
        school = _as_of_now(school)
        refresh(school, lambda: st.spinner("The rules have changed. Re-checking all sessions…"))
    except (SettingsError, DatabaseError) as error:
        show_error("The program cannot start.", str(error))
        st.stop()
    return school


def _is_untouched(school: School) -> bool:
    """Whether nothing is configured and the database is empty, so that the demonstration is shown."""
    if get_variable("DATABASE_URL") or configuration.list_configured() or school.is_demonstration():
        return False
    return school.is_untouched() or was_cut_off(school)


def keep_address(title: str) -> None:
    """Keep the address that somebody opened while another page is shown, so that they get there afterwards. `title` is
    the browser's title meanwhile."""

    def show() -> None:
        pass

    others = [st.Page(show, title=title, url_path=name) for name in (*Page, "start")]
    st.navigation([st.Page(show, title=title, default=True), *others], position="hidden")


def _begin_filling(school: School) -> None:
    def open_again() -> None:
        _opened.clear()
        _in_state.clear()  # the demonstration has settings of its own
        school.engine.dispose()

    _filling.begin(school, SESSIONS, open_again)


def _show_filling() -> NoReturn:
    """Show everybody who is waiting for the demonstration how far it is, or why it failed."""
    keep_address("Preparing the demonstration")
    st.title("Preparing the demonstration")
    if _filling.error:
        show_error("The demonstration was not created.", _filling.error)
        st.button("Try again", on_click=_begin_filling, args=(_opened(),))
        st.stop()
    st.write(
        "Creating a fictional school, with two terms of sessions up to today. This takes about 20 seconds, "
        "and longer on a busy computer. You can leave this page or reload it: the work continues."
    )
    _watch_filling()
    st.stop()


@st.fragment(run_every=timedelta(seconds=1))
def _watch_filling() -> None:
    if not _filling.is_running:
        st.rerun()
    left = _filling.get_seconds_left()
    rest = "" if left is None else f", about {how_many(max(left, 1), 'second')} left"
    st.progress(_filling.share, f"{_filling.step or 'Starting'}{rest}")


def current_person(school: School) -> Person | None:
    """The person who is signed in or, in the demonstration, the person it is viewed as. None if nobody is."""
    if configuration.find_obstacle(school):
        return None
    if school.is_demonstration():
        chosen = st.session_state.get("view_as") or _viewed_as().get(_browser(), "")
        viewed = find_person(school, chosen) or list_demo_people(school)[0]
        st.session_state["view_as"] = viewed.email
        return viewed
    try:
        person = sign_in.get_person(school, st.user)
    except SettingsError as error:
        show_error("The program cannot start.", str(error))
        st.stop()
    if person is not None:
        record_once(school, person, "signed in", "")
    return person


def find_somebody(claims: Mapping[str, Any]) -> Person | None:
    """The person on the roster whose valid sign-in these claims are, if any. In the demonstration anybody."""
    school = _opened()
    if configuration.find_obstacle(school):
        return None
    return list_demo_people(school)[0] if school.is_demonstration() else sign_in.get_person(school, claims)


@st.cache_resource
def _viewed_as() -> dict[bytes | None, str]:
    """For each browser, the email of the person as whom it views the demonstration."""
    return {}


def _browser() -> bytes | None:
    """The token by which Streamlit identifies a browser, or None in a test without a browser."""
    return decode_xsrf_token_string(st.context.cookies.get("_streamlit_xsrf", ""))[0]


def view_as(person: Person) -> None:
    """View the demonstration as a person in this browser, even after the page is reloaded."""
    st.session_state["view_as"] = person.email
    st.session_state.pop("addresses", None)
    if browser := _browser():
        _viewed_as()[browser] = person.email


def record_once(school: School, person: Person, what: str, about: str) -> None:
    """Record something in the audit trail, once for each visit."""
    noted = st.session_state.setdefault("noted", set())
    if (person.staff_id, what, about) not in noted:
        noted.add((person.staff_id, what, about))
        record_access(school, person, what, about)
