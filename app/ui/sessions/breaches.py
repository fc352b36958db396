"""Explaining and resolving the breaches of a session."""

import pandas as pd
import streamlit as st

from app.access.breaches import get_session_breaches
from app.access.forms import CONDUCT_DRAFT
from app.access.policy import Person
from app.access.session_detail import SessionView
from app.school import School
from app.sessions.breaches import BreachNotOpenError, explain_breaches, resolve_breaches
from app.ui import address
from app.ui.deadlines import show_due
from app.ui.drafts import Draft
from app.ui.text import note, show_error, write_html
from app.vocabulary.terms import BreachEventKind, BreachState, Resolution


def show_breaches(school: School, person: Person, view: SessionView, following: int | None = None) -> None:
    """Show what was done about the breaches, and the form if the person can explain or resolve them. `following` is the
    session to show once this one is resolved."""
    breaches = get_session_breaches(school, person, view.session_id)
    if breaches.rows.empty:
        return
    if len(breaches.events):
        st.subheader("Explanations and decisions", anchor=False)
        _show_events(breaches.events)
    waiting = breaches.rows[breaches.rows["state"] == BreachState.OPEN]
    if waiting.empty:
        return
    show_due(waiting["due"].min(), school.today())
    if breaches.to_resolve:
        _ask_resolution(school, person, view, following)
        return
    owners = " or ".join(breaches.owners)
    write_html("{wait}", wait=f"With {owners}." if owners else "Nobody on the roster can resolve it.")
    if breaches.to_explain:
        _ask_explanation(school, person, view.session_id)


def _show_events(events: pd.DataFrame) -> None:
    """Show each explanation and decision once, with the clauses that it concerns."""
    same = ["occurred_at", "actor", "kind", "resolution", "text"]
    steps = events.groupby(same, sort=False, dropna=False)["title"].agg(", ".join)
    for (occurred_at, actor, kind, resolution, text), titles in steps.items():
        write_html(
            "<b>{occurred_at}</b> {by}{done} <em>({titles})</em>" + ("<br>“{text}”" if isinstance(text, str) else ""),
            occurred_at=occurred_at,
            by=f"{actor}: " if isinstance(actor, str) else "",
            done=Resolution(resolution).label if kind == BreachEventKind.RESOLVED else BreachEventKind(kind).label,
            titles=titles,
            text=text,
        )


def _ask_explanation(school: School, person: Person, number: int) -> None:
    with st.form(f"explain {number}"):
        words = st.text_area("What happened?", key=f"explanation {number}", max_chars=5000)
        if not st.form_submit_button("Send explanation", type="primary"):
            return
        if not words.strip():
            st.error("Write a sentence first.")
            return
        try:
            explain_breaches(school, person, number, words)
        except BreachNotOpenError as error:
            show_error("The explanation was not saved.", str(error))
            return
        st.toast("Explanation sent.", icon=":material/check:")
        st.rerun()


_CONDUCT = "conduct"


def _ask_resolution(school: School, person: Person, view: SessionView, following: int | None) -> None:
    """Show the form to resolve a session: a note, and a button for each resolution. `following` is the session to show
    next."""
    number = view.session_id
    with st.form(f"resolve {number}", enter_to_submit=False):
        words = st.text_area(
            "Note",
            key=f"resolution {number}",
            max_chars=5000,
            height=80,
            help="The member of staff can read this note. Never mention a concern about conduct here.",
        )
        note("Resolve all open breaches of this session as:")
        with st.container(horizontal=True, gap="small"):
            clicked = [way for way, label, about in _WAYS if _resolve_button(number, way, label, about)]
        if not clicked:
            return
        if not words.strip():
            st.error("Write a short note first. Nothing was changed.")
            return
        way = clicked[0]
        resolution = Resolution.OTHER if way == _CONDUCT else Resolution(way)
        try:
            resolve_breaches(school, person, number, resolution, words)
        except BreachNotOpenError as error:
            show_error("Nothing was resolved.", str(error))
            return
        if way == _CONDUCT:
            _raise_conduct(school, person, view)
        st.toast("Resolved.", icon=":material/check:")
        address.put("chosen", *([] if following is None else [str(following)]))
        st.rerun()


_WAYS = [(way.value, way.label.partition(":")[0], way.label) for way in Resolution]
_WAYS.append((_CONDUCT, "Conduct concern", "Resolve here, as “Other”, and raise the concern separately"))


def _resolve_button(number: int, way: str, label: str, about: str) -> bool:
    return st.form_submit_button(label, key=f"resolve {number} {way}", help=about)


def _raise_conduct(school: School, person: Person, view: SessionView) -> None:
    """Open the form for a concern about conduct, filled in with the session and the adult who conducted it."""
    draft = Draft(school, person, CONDUCT_DRAFT)
    draft.begin({"session": str(view.session_id), "staff": [] if view.staff_id is None else [view.staff_id]})
    draft.store()
    st.switch_page("pages/concerns.py", query_params={"raise": "conduct"})
