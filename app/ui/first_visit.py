"""The panel of the first visit: somebody's pages, shown until they close it."""

from functools import partial

import streamlit as st

from app.access.forms import get_draft
from app.access.policy import Person
from app.school import School
from app.sessions.drafts import save_draft
from app.ui.authority import guard
from app.ui.text import write_html
from app.vocabulary.roles import Page, Role

_FORM = "first visit"  # closing the panel is stored like a draft of a form
_STAFF = (
    (Page.LOG, "your calls to log, filled in from the call record"),
    (Page.PLAN, "whether a session is allowed, and what is still missing"),
    (Page.SESSIONS, "your sessions, with the outcome of each clause"),
)
_LEADS = (
    (Page.SESSIONS, "who has not logged, breaches to resolve, your tutors and pupils"),
    (Page.PARENTS, "letters to send, and consents that are pending"),
    (Page.PROTOCOL, "what each clause asks"),
)
_WORK = {
    Role.SENIOR_DEPUTY_HEAD: (
        (Page.OVERVIEW, "how well the protocol is followed, and what needs attention; every figure opens its sessions"),
        (Page.SESSIONS, "breaches for you to resolve"),
        (Page.PROTOCOL, "the clauses, and what other settings would change"),
    ),
    Role.HOY: _LEADS,
    Role.HM: _LEADS,
    Role.DSP: (
        (Page.CONCERNS, "new and open concerns of your school, with actions and due dates"),
        (Page.SESSIONS, "sessions linked to a concern"),
    ),
    Role.SLT: (
        (Page.OVERVIEW, "how well the protocol is followed; reports for governors and inspectors under Export"),
        (Page.PROTOCOL, "the clauses, and what other settings would change"),
    ),
    Role.ADMIN: ((Page.ADMINISTRATION, "what is still to set up, the roster, imports, alerts and the audit trail"),),
}


def show_first_visit(school: School, person: Person) -> None:
    """Show the panel with the person's pages, unless they have closed it before."""
    key = f"first visit {person.staff_id}"
    if st.session_state.get(key) or get_draft(school, person, _FORM) is not None:
        st.session_state[key] = True
        return
    role = next((role for role in _WORK if role in person.roles), None)
    work = _WORK[role] if role else _STAFF
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        words = "".join(f"<br><b>{page.label}</b>: {what}." for page, what in work)
        write_html(f"<b>Your pages</b>{words}<br>“I'm worried about a child” is on every page.")
        close = partial(_close, school, person, key)
        st.button("Close", key="close first visit", icon=":material/close:", on_click=guard(close))


def _close(school: School, person: Person, key: str) -> None:
    st.session_state[key] = True
    save_draft(school, person, _FORM, {"closed": True})
