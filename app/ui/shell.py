"""The frame around every page: navigation, and who is signed in."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from app.access.administration import record_access
from app.access.people import list_demo_people
from app.access.policy import PAGES, Person, may_open
from app.auth import sign_in
from app.school import School
from app.settings import ROOT
from app.ui.current import current_person, get_school, record_once
from app.ui.text import as_plain_text, write_html

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
        record_once(school, person, "refused", f"page {page}")
        st.title(_PAGES[page][0])
        write_html("This page is not for {name}: it is for {roles}.", name=person.name, roles=_roles_of(page))
        st.stop()
    return school, person  # type: ignore[return-value]


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
        st.markdown(f"### {as_plain_text(school.settings.name)}")
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


_FOLDER = ROOT / "pages"


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
        f"**Demonstration.** Nobody here is real. You look through the eyes of **{as_plain_text(_who(person))}**.",
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
                if st.button(as_plain_text(_who(other)), key=f"eyes of {other.email}", type="tertiary"):
                    st.session_state["eyes"] = other.email
                    st.rerun()


def _who(person: Person) -> str:
    role = next((words for name, words in _ROLE_WORDS.items() if name in person.roles), "Teacher")
    after = ", ".join(sorted(person.year_groups | person.houses))
    return f"{role} {after}".strip() + f" · {person.name}"
