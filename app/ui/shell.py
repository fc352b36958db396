"""The frame around every page: the navigation, and who is signed in."""

from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from app.access.administration import record_access
from app.access.people import list_demo_people
from app.access.policy import Person, describe_post, get_first_page, get_scopes, may_open
from app.access.sessions import holds_sessions
from app.auth import configuration, sign_in
from app.school import School
from app.settings import ROOT
from app.ui import address, authority
from app.ui.confirmations import show_request
from app.ui.current import current_person, get_school, keep_address, record_once, view_as
from app.ui.first_visit import show_first_visit
from app.ui.labels import PAGE_ICONS
from app.ui.text import as_plain_text, explaining_database_errors, write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page, Scope

_ASSETS = Path(__file__).parent
_SECTIONS = {
    "Monitoring": (Page.OVERVIEW, Page.SESSIONS, Page.PROTOCOL),
    "My sessions": (Page.LOG, Page.PLAN),
    "Pupils": (Page.CONCERNS, Page.PARENTS),
    "System": (Page.ADMINISTRATION,),
}
_OF_OWN_SESSIONS = {Page.SESSIONS, Page.LOG, Page.PLAN, Page.PARENTS}


def _sign_out() -> None:
    school = get_school()
    if person := current_person(school):
        record_access(school, person, "signed out", "")
    sign_in.sign_out(school)


def _watch(school: School) -> None:
    """Clear an unattended screen when the sign-in ends, without waiting for a click."""

    @st.fragment(run_every=min(timedelta(minutes=1), configuration.get_idle_time() / 3))
    def look() -> None:
        if not sign_in.holds(school, st.user):
            st.rerun()

    look()


def require(page: Page) -> tuple[School, Person]:
    """Return the school and the person if they may open the page; otherwise show the reason and end the page. Every
    page calls this before it reads or shows anything."""
    school = get_school()
    person = current_person(school)
    if person is None:
        _not_signed_in()
    if not may_open(person, page):
        record_once(school, person, "refused", f"page {page}")
        st.title(page.label)
        st.write("You do not have access to this page.")
        st.stop()
    authority.begin(school, person)
    return school, person


def _not_signed_in() -> NoReturn:
    school = get_school()
    if obstacle := configuration.find_obstacle(school):
        st.title("Not set up yet")
        write_html("{obstacle}", obstacle=obstacle)
        st.stop()
    write_html("{name}: videoconferencing protocol", name=school.settings.name)
    st.title("Sign in")
    if st.user.get("is_logged_in"):
        write_html(sign_in.record_refusal(school, st.user).sentences)
        st.button("Sign out", on_click=_sign_out)
    else:
        write_html("Use your school account.")
        st.button("Sign in", on_click=st.login, type="primary")
    st.stop()


def show() -> None:
    """Show a page in its frame, or why the database cannot be used."""
    st.set_page_config(page_title="Videoconferencing protocol", page_icon=_ASSETS / "icon.png", layout="wide")
    st.html(_ASSETS / "screen.css")
    with explaining_database_errors():
        _show()


def _show() -> None:
    """Show the frame around every page, with the navigation and who is signed in, and run the page."""
    school = get_school()
    person = current_person(school)
    if person is None:
        keep_address("Sign in")
        _not_signed_in()
    authority.begin(school, person)
    home = get_first_page(person)
    # The first page has the bare address and also its own, for links: a colleague's first page may be another.
    pages = [_page(page, first=False) for page in Page]
    chosen = st.navigation([*pages, _page(home, first=True)], position="hidden")
    address.send_again()
    current = home if chosen.url_path in ("", "start") else Page(chosen.url_path)
    address.remember(current)
    with st.sidebar.container(gap="xsmall"):
        _show_menu(_list_menu(school, person), current, chosen)
    with st.sidebar:
        with st.container(key="worried", gap="xsmall"):
            _link_to_concern_about_child()
            if telephone := school.settings.dsp_telephones.get(person.school):
                write_html("DSP: <b>{telephone}</b>", telephone=telephone)
            link(Page.CONCERNS, "I'm worried about an adult", "person_alert", query={"raise": "conduct"})
        st.divider()
        st.markdown(f"**{as_plain_text(school.settings.name)}**")
        if school.is_demonstration():
            _show_view_as(school, person)
        else:
            write_html("{name}<br>{post}", name=person.name, post=describe_post(person))
            st.button("Sign out", on_click=_sign_out)
            _watch(school)
    with st.container(key="worried_on_a_phone"):  # where the sidebar is closed at first
        _link_to_concern_about_child()
    if current == home and not address.shows_record():
        show_request(school, person)
        show_first_visit(school, person)
    authority.show_change()
    chosen.run()


def _link_to_concern_about_child() -> None:
    link(Page.CONCERNS, "I'm worried about a child", "emergency_home", query={"raise": "yes"})


def _list_menu(school: School, person: Person) -> set[Page]:
    """The pages in somebody's menu. People who hold no sessions do not see the pages for their own sessions."""
    own = set() if holds_sessions(school, person) else {Scope.OWN}
    return {page for page in Page if get_scopes(person, page.resource) - (own if page in _OF_OWN_SESSIONS else set())}


def _show_menu(menu: set[Page], current: Page, chosen: Any) -> None:
    """Show a link to each page, by section, which leads to the page's list as it was last shown. Streamlit's own menu
    leads to addresses without parameters, and does nothing when a record of the same page is open."""
    for section, pages in _SECTIONS.items():
        if not menu & set(pages):
            continue
        st.html(f'<p class="section">{section}</p>')
        for page in pages:
            if page in menu:
                to = chosen if page == current else f"pages/{page}.py"
                st.page_link(to, label=page.label, icon=PAGE_ICONS[page], query_params=address.get_list(page))


def _page(page: Page, *, first: bool) -> Any:
    return st.Page(
        ROOT / "pages" / f"{page}.py",
        title=page.label,
        icon=PAGE_ICONS[page],
        url_path="start" if first else page.value,
        default=first,
    )


@authority.fragment
def _show_view_as(school: School, person: Person) -> None:
    """Show as whom the demonstration is viewed, and list the other people once the box is opened."""
    st.info(
        f"**Demonstration.** Nobody here is real. Viewing as **{as_plain_text(_describe(person))}**.",
        icon=":material/theater_comedy:",
    )
    # The key depends on the person, so that the box closes once somebody is chosen.
    with st.expander("View as…", key=f"view_as_choice {person.staff_id}", on_change="rerun") as place:
        if not place.open:
            return
        with st.container(gap=None):
            for other in list_demo_people(school):
                if other.email != person.email and st.button(
                    as_plain_text(_describe(other)), key=f"view_as_{other.email}", type="tertiary"
                ):
                    view_as(other)
                    st.rerun()


def _describe(person: Person) -> str:
    return f"{describe_post(person)} · {person.name}"
