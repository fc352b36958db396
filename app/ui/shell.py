"""The frame around every page: navigation, and who is signed in."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from app.access.administration import record_access
from app.access.people import list_demo_people
from app.access.policy import Person, describe_post, first_page, may_open
from app.auth import configuration, sign_in
from app.school import School
from app.settings import ROOT
from app.ui.current import current_person, get_school, record_once
from app.ui.text import as_plain_text, write_html
from app.vocabulary import Page

_ICONS = {
    Page.OVERVIEW: ":material/insights:",
    Page.SESSIONS: ":material/groups:",
    Page.LOG: ":material/edit_note:",
    Page.PLAN: ":material/event:",
    Page.CONCERNS: ":material/volunteer_activism:",
    Page.PARENTS: ":material/family_restroom:",
    Page.PROTOCOL: ":material/rule:",
    Page.ADMINISTRATION: ":material/settings:",
}


def _sign_out() -> None:
    school = get_school()
    if person := current_person(school):
        record_access(school, person, "signed out", "")
    sign_in.sign_out(school)


def _watch(school: School) -> None:
    """Clear an unattended screen when the sign-in ends, without a click."""

    @st.fragment(run_every=min(timedelta(minutes=1), configuration.idle_time() / 3))
    def look() -> None:
        if not sign_in.holds(school):
            st.rerun()

    look()


def require(page: Page) -> tuple[School, Person]:
    """The first line of every page: the school, and a person who may open it. Everybody else sees the reason
    for the refusal, and nothing more of the page runs."""
    school = get_school()
    person = current_person(school)
    if person is None:
        _not_signed_in()
    elif not may_open(person, page):
        record_once(school, person, "refused", f"page {page}")
        st.title(page.label)
        st.write("You do not have access to this page.")
        st.stop()
    return school, person  # type: ignore[return-value]


def _not_signed_in() -> None:
    if hindrance := configuration.hindrance(get_school()):
        st.title("Not set up yet")
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
        others = [st.Page(_not_signed_in, title="Sign in", url_path=name) for name in (*Page, "start")]
        st.navigation([first, *others], position="hidden")
        _not_signed_in()
        return
    with st.sidebar:
        st.markdown(f"### {as_plain_text(school.settings.name)}")
        if school.is_demonstration():
            _eyes(school, person)
    home = first_page(person)
    # The first page has the bare address; by its own name, as links have it, it is there once more.
    pages = [_page(page, visible=may_open(person, page), first=page == home) for page in Page]
    pages.append(_page(home, visible=False, first=False))
    chosen = st.navigation(pages)
    with st.sidebar:
        st.page_link(
            "pages/concerns.py",
            label="**I'm worried about a child**",
            icon=":material/emergency_home:",
            query_params={"raise": "yes"},
        )
        st.page_link(
            "pages/concerns.py",
            label="I'm worried about an adult",
            icon=":material/person_alert:",
            query_params={"raise": "conduct"},
        )
        if not school.is_demonstration():
            st.button("Sign out", on_click=_sign_out)
            _watch(school)
    chosen.run()


def _page(page: Page, *, visible: bool, first: bool) -> Any:
    visibility: Literal["visible", "hidden"] = "visible" if visible else "hidden"
    return st.Page(
        _FOLDER / f"{page}.py",
        title=page.label,
        icon=_ICONS[page],
        url_path="start" if first else page.value,
        default=first,
        visibility=visibility,
    )


_FOLDER = ROOT / "pages"


_ICON = Path(__file__).parent / "icon.png"


_STYLE = Path(__file__).parent / "screen.css"


def _eyes(school: School, person: Person) -> None:
    st.info(
        f"**Demonstration.** Nobody here is real. Viewing as **{as_plain_text(_who(person))}**.",
        icon=":material/theater_comedy:",
    )
    _other_eyes(school, person)


@st.fragment
def _other_eyes(school: School, person: Person) -> None:
    """The people to choose from, drawn once somebody looks for them."""
    with st.expander("View as…", key="other eyes", on_change="rerun") as place:
        if not place.open:
            return
        with st.container(gap=None):
            others = [one for one in list_demo_people(school) if one.email != person.email]
            for other in others:
                if st.button(as_plain_text(_who(other)), key=f"eyes of {other.email}", type="tertiary"):
                    st.session_state["eyes"] = other.email
                    st.rerun()


def _who(person: Person) -> str:
    return f"{describe_post(person)} · {person.name}"
