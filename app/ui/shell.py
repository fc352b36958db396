"""What every page shares: who looks, the way around, and how things are said.

Text from people is never rendered: it goes through `say`, which escapes it, or into tables and charts,
which take it as text.
"""

from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import streamlit as st
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from app.access.administration import record_access
from app.access.people import list_demo_people
from app.access.policy import PAGES, Person, may_open
from app.auth import sign_in
from app.judging.rejudge import refresh
from app.school import School, open_school
from app.settings import SettingsError, variable
from app.store import tables
from app.store.database import DatabaseError, in_words
from app.ui.widgets import _plain, show_error, write_html

_PAGES = {
    "overview": ("Overview", ":material/insights:"),
    "sessions": ("Sessions", ":material/groups:"),
    "log": ("Log a session", ":material/edit_note:"),
    "plan": ("Plan a session", ":material/event:"),
    "concerns": ("Concerns", ":material/volunteer_activism:"),
    "parents": ("Parents", ":material/family_restroom:"),
    "protocol": ("Protocol", ":material/rule:"),
    "administration": ("Administration", ":material/settings:"),
}
_FILLING = Lock()


# --- the school, and who looks ------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def _opened() -> School:
    return open_school()


def get_school() -> School:
    """The school, its outcomes as the clock has them. What prevents it is said on the screen in words."""
    try:
        school = _opened()
        if _is_untouched(school):
            _fill_demonstration(school)
            _opened.clear()
            school = _opened()
        refresh(school, _judging_again)
    except (SettingsError, DatabaseError) as error:
        show_error("The program cannot start.", str(error))
        st.stop()
    except DBAPIError as error:
        show_error("The database cannot be used at the moment.", in_words(error))
        st.stop()
    return school


def _judging_again() -> AbstractContextManager[None]:
    return st.spinner(
        "The rules or the settings have changed: every session is judged again. Ten thousand take some seconds."
    )


def _is_untouched(school: School) -> bool:
    """No configuration and nothing in the database: that is a first look, so the demonstration."""
    if variable("DATABASE_URL") or sign_in.configured() or school.is_demonstration():
        return False
    with school.engine.connect() as connection:
        return not connection.scalar(select(func.count()).select_from(tables.imports)) or _was_cut_off(school)


def _was_cut_off(school: School) -> bool:
    from app.demo.filling import was_cut_off

    return was_cut_off(school)


def _fill_demonstration(school: School) -> None:
    from app.demo.filling import fill

    place = st.empty()
    with place.container():
        st.title("Preparing the demonstration")
        st.write(
            "An invented school is being made, with two terms of sessions up to today. This takes about ten seconds."
        )
        bar = st.progress(0.0)

    def show_step(words: str, share: float) -> None:
        bar.progress(share, text=words)

    with _FILLING:  # two browsers at the first start fill it once
        if not school.is_demonstration():
            fill(school, progress=show_step)
    place.empty()


def current_person(school: School) -> Person | None:
    """The person who looks: in the demonstration the one whose eyes were chosen, else who signed in."""
    if sign_in.hindrance(school):
        return None
    if school.is_demonstration():
        people = {p.email: p for p in list_demo_people(school)}
        return people.get(st.session_state.get("eyes", ""), next(iter(people.values())))
    try:
        person = sign_in.person(school)
    except SettingsError as error:
        show_error("The program cannot start.", str(error))
        st.stop()
    if person is not None:
        _once(school, person, "signed in", "")
    return person


def _sign_out() -> None:
    school = get_school()
    if person := current_person(school):
        record_access(school, person, "signed out", "")
    sign_in.out(school)


def _watch(school: School) -> None:
    """What stands on a screen that nobody attends goes when the sign-in ends, without a click."""

    @st.fragment(run_every=min(timedelta(minutes=1), sign_in.idle_time() / 3))
    def look() -> None:
        if not sign_in.holds(school):
            st.rerun()

    look()


def require(page: str) -> tuple[School, Person]:
    """The first line of every page: the school, and a person who may open it. Everybody else is told so,
    and nothing more of the page runs."""
    school = get_school()
    person = current_person(school)
    if person is None:
        _not_signed_in()
    elif not may_open(person, page):
        _once(school, person, "refused", f"page {page}")
        st.title(_PAGES[page][0])
        write_html("This page is not for {name}: it is for {roles}.", name=person.name, roles=_roles_of(page))
        st.stop()
    return school, person  # type: ignore[return-value]


def seen(school: School, person: Person, about: str) -> None:
    """Put on the audit trail that the person opened a record, once while they look at it."""
    _once(school, person, "viewed", about)


def _once(school: School, person: Person, what: str, about: str) -> None:
    noted = st.session_state.setdefault("noted", set())
    if (person.staff_id, what, about) not in noted:
        noted.add((person.staff_id, what, about))
        record_access(school, person, what, about)


def _roles_of(page: str) -> str:
    words = {"senior_deputy_head": "the Senior Deputy Head", "slt": "SLT", "admin": "the administrator"}
    return " and ".join(sorted(words.get(role, role) for role in PAGES[page]))


def _not_signed_in() -> None:
    if hindrance := sign_in.hindrance(get_school()):
        st.title("Not in service yet")
        write_html("{hindrance}", hindrance=hindrance)
        st.stop()
    st.title("Sign in")
    if st.user.get("is_logged_in"):
        write_html(
            "Your sign-in has ended, or this account is not one of the school's staff on the roster. Sign in again "
            "with your school account."
        )
        st.button("Sign out", on_click=_sign_out)
    else:
        write_html("Use your school account.")
        st.button("Sign in", on_click=st.login, type="primary")
    st.stop()


def show() -> None:
    """The frame around every page: its navigation, and who one is."""
    st.set_page_config(page_title="Videoconferencing protocol", page_icon=_ICON, layout="wide")
    st.html(_STYLE)
    school = get_school()
    person = current_person(school)
    if person is None:
        # Each address stays what it is, so that one lands there after signing in.
        first = st.Page(_not_signed_in, title="Sign in", default=True)
        others = [st.Page(_not_signed_in, title="Sign in", url_path=name) for name in (*_PAGES, "start")]
        st.navigation([first, *others], position="hidden")
        _not_signed_in()
        return
    with st.sidebar:
        st.markdown(f"### {_plain(school.settings.name)}")
        if school.is_demonstration():
            _eyes(school, person)
    home = _home(person)
    # The first page has the bare address; by its own name, as links have it, it is there once more.
    pages = [_page(name, visible=may_open(person, name), first=name == home) for name in _PAGES]
    pages.append(_page(home, visible=False, first=False))
    page = st.navigation(pages)
    with st.sidebar:
        st.page_link(
            "pages/concerns.py",
            label="**I am worried about a child**",
            icon=":material/emergency_home:",
            query_params={"raise": "yes"},
        )
        st.page_link(
            "pages/concerns.py",
            label="I am worried about an adult",
            icon=":material/person_alert:",
            query_params={"raise": "conduct"},
        )
        if not school.is_demonstration():
            st.button("Sign out", on_click=_sign_out)
            _watch(school)
    page.run()


def _page(name: str, visible: bool, first: bool) -> Any:
    words, icon = _PAGES[name]
    visibility: Literal["visible", "hidden"] = "visible" if visible else "hidden"
    address = "start" if first else name
    return st.Page(
        _FOLDER / f"{name}.py", title=words, icon=icon, url_path=address, default=first, visibility=visibility
    )


_FOLDER = Path(__file__).parent.parent / "pages"
_ICON = Path(__file__).parent / "icon.png"
_STYLE = Path(__file__).parent / "screen.css"


def _home(person: Person) -> str:
    """The page that a person sees first."""
    if may_open(person, "overview"):
        return "overview"
    for role, page in (("dsp", "concerns"), ("hoy", "sessions"), ("hm", "sessions"), ("admin", "administration")):
        if role in person.roles:
            return page
    return "log"


_ROLE_WORDS = {
    "senior_deputy_head": "Senior Deputy Head (Pastoral)", "hoy": "Head of Year", "hm": "House", "tutor": "Tutor",
    "counsellor": "Counsellor", "dsp": "DSP", "slt": "SLT", "admin": "ICT administrator",
}  # fmt: skip


def _eyes(school: School, person: Person) -> None:
    st.info(
        f"**Demonstration.** Nobody here is real. You look through the eyes of **{_plain(_who(person))}**.",
        icon=":material/theater_comedy:",
    )
    _other_eyes(school, person)


@st.fragment
def _other_eyes(school: School, person: Person) -> None:
    """The people to choose from, drawn once somebody looks for them."""
    with st.expander("Look through other eyes", key="other eyes", on_change="rerun") as place:
        if not place.open:
            return
        with st.container(gap=None):
            others = [one for one in list_demo_people(school) if one.email != person.email]
            for other in others:
                if st.button(_plain(_who(other)), key=f"eyes of {other.email}", type="tertiary"):
                    st.session_state["eyes"] = other.email
                    st.rerun()


def _who(person: Person) -> str:
    role = next((words for name, words in _ROLE_WORDS.items() if name in person.roles), "Teacher")
    after = ", ".join(sorted(person.year_groups | person.houses))
    return f"{role} {after}".strip() + f" · {person.name}"


def _exported(name: str, rows: int) -> None:
    school = get_school()
    if person := current_person(school):
        record_access(school, person, "exported", f"{name}, {rows} rows")
