"""Explaining and resolving the breaches of a session."""

from collections.abc import Callable

import streamlit as st

from app.access.breaches import get_session_breaches
from app.access.forms import CONDUCT_DRAFT
from app.access.policy import Person
from app.access.session_detail import SessionView, get_session
from app.formatting import moment
from app.school import School
from app.sessions.breaches import BreachNotOpenError, explain_breaches, resolve_breaches
from app.sessions.drafts import save_draft
from app.ui.text import show_error, write_html
from app.vocabulary import BreachEventKind, Resolution


def show_breaches(school: School, person: Person, view: SessionView) -> None:
    """What was done about the breaches, and the form of whoever can explain or resolve them."""
    found = get_session_breaches(school, person, view.session_id)
    if found.rows.empty:
        return
    if len(found.events):
        st.header("Explanations and decisions")
    steps = found.events.groupby(["occurred_at", "actor", "kind", "resolution", "text"], sort=False, dropna=False)[
        "title"
    ].agg(", ".join)
    for (at, by, kind, how, text), titles in steps.items():
        write_html(
            "<b>{when}</b> {by}{done} <em>({titles})</em>" + ("<br>“{text}”" if isinstance(text, str) else ""),
            when=moment(at),
            by=f"{by}: " if isinstance(by, str) else "",
            titles=titles,
            text=text,
            done=Resolution(how).label if kind == BreachEventKind.RESOLVED else BreachEventKind(kind).label,
        )
    waiting = found.rows.loc[found.rows["state"] == "open", "title"]
    if waiting.empty:
        return
    write_html(
        "<b>Open:</b> {titles}. {wait}",
        titles=", ".join(waiting),
        wait=f"With {' or '.join(found.owners)}." if found.owners else "Nobody on the roster can resolve it.",
    )
    if found.to_resolve:
        resolve(school, person, view.session_id, explained=bool((found.events["kind"] == "explained").any()))
    elif found.to_explain:
        explain(school, person, view.session_id)


def explain(school: School, person: Person, number: int) -> None:
    with st.form(f"explain {number}"):
        words = st.text_area("What happened?", key=f"explanation {number}", max_chars=5000)
        if st.form_submit_button("Send explanation", type="primary"):
            if words.strip():
                change_and_rerun(lambda: explain_breaches(school, person, number, words), "Explanation sent.")
            else:
                st.error("Write a sentence first.")


_CONDUCT = "conduct"


def resolve(school: School, person: Person, number: int, explained: bool) -> None:
    ways = {way.value: way.label for way in Resolution}
    ways[_CONDUCT] = "Conduct concern: resolve here and raise it separately"
    with st.form(f"resolve {number}"):
        how = st.radio(
            "Resolve this session",
            list(ways),
            format_func=ways.__getitem__,
            index=0 if explained else None,
            key=f"way {number}",
        )
        words = st.text_area(
            "Note",
            key=f"resolution {number}",
            max_chars=5000,
            height=80,
            help="The member of staff can read this note. Never mention a concern about conduct here.",
        )
        if st.form_submit_button("Resolve", type="primary"):
            if how is None or not words.strip():
                st.error("Choose how it was resolved, and write a short note.")
            elif how == _CONDUCT:
                change_and_rerun(
                    lambda: resolve_breaches(school, person, number, Resolution.OTHER, words),
                    "",
                    lambda: raise_conduct(school, person, number),
                )
            else:
                change_and_rerun(lambda: resolve_breaches(school, person, number, Resolution(how), words), "Resolved.")


def raise_conduct(school: School, person: Person, number: int) -> None:
    """The form for a concern about conduct, begun with the session and who conducted it."""
    view = get_session(school, person, number)
    staff = [view.staff_id] if view is not None and view.staff_id is not None else []
    save_draft(school, person, CONDUCT_DRAFT, {"session": str(number), "staff": staff})
    st.session_state.pop(f"draft {CONDUCT_DRAFT} {person.staff_id}", None)
    st.switch_page("pages/concerns.py", query_params={"raise": "conduct"})


def change_and_rerun(what: Callable[[], None], words: str, then: Callable[[], None] = st.rerun) -> None:
    try:
        what()
    except BreachNotOpenError as error:
        show_error("It could not be done.", str(error))
    else:
        if words:
            st.toast(words, icon=":material/check:")
        then()
