"""Spot checks: the sessions to look at, those already looked at, and how they were drawn."""

import streamlit as st

from app.access.policy import Person, get_scopes
from app.access.session_detail import get_session
from app.access.spot_checks import (
    list_answered_spot_checks,
    list_spot_check_seeds,
    list_spot_checks,
    list_spot_checks_to_explain,
)
from app.formatting import how_many, moment
from app.school import School
from app.ui.current import record_once
from app.ui.labels import describe_purpose
from app.ui.lists import as_listing, select_row, session_table, wrapped_table
from app.ui.sessions.detail import show_log, show_people, show_reasons, show_summary
from app.ui.sessions.spot_check_form import show_spot_check
from app.ui.sessions.waiting import choose, find_following, get_chosen
from app.ui.text import note, write_html
from app.ui.widgets import link
from app.vocabulary.roles import Page, Resource, Scope
from app.vocabulary.terms import SpotCheckResult

_HEADINGS = {"started_at": "When", "staff_name": "Staff", "drawn_at": "Selected"}


def show_spot_checks(school: School, person: Person) -> None:
    """Show the sessions that the person is to look at, with the chosen one beside them, and those already looked at
    below."""
    note(
        "Randomly selected sessions for which only the log says that all was well. Review the session and its log; "
        "speak to the member of staff or the pupils if you wish."
    )
    rows = list_spot_checks(school, person)
    if rows.empty:
        st.success("No sessions to review.", icon=":material/check:")
    else:
        left, right = st.columns([3, 2], gap="large")
        ids = [int(number) for number in rows["session_id"]]
        chosen = get_chosen(ids)
        with left:
            write_html("<b>{n}</b> to review, oldest first.", n=how_many(len(rows), "session"))
            named = rows.assign(
                staff_name=rows["staff_name"].fillna("unknown"), purpose=rows["purpose"].map(describe_purpose)
            )
            listing = as_listing(named, ["started_at", "staff_name", "drawn_at", "purpose", "pupils"], **_HEADINGS)
            select_row(listing, ids, "Sessions to review", "spot checks", choose, marked=chosen)
        with right:
            _show_chosen(school, person, chosen, ids)
    _show_answered(school, person)
    if Scope.REMAINING in get_scopes(person, Resource.SPOT_CHECKS):
        _show_draw(school, person)


def _show_chosen(school: School, person: Person, number: int, ids: list[int]) -> None:
    view = get_session(school, person, number)
    if view is None:
        return
    record_once(school, person, "viewed", f"session {number}")
    st.subheader(moment(view.started_at), anchor=False)
    show_people(school, person, view)
    show_summary(view)
    show_reasons(view.clauses[view.clauses["outcome"] == "no_evidence"], "?")
    show_spot_check(school, person, number, find_following(ids, number))
    show_log(view)
    link(Page.SESSIONS, "Open the session", query={"session": str(number)})


def show_to_explain(school: School, person: Person) -> None:
    """Show the person's own sessions for which an explanation was requested after a spot check."""
    numbers = list_spot_checks_to_explain(school, person)["session_id"].tolist()
    if numbers:
        st.header("After a spot check", anchor=False)
    for number in numbers:
        if view := get_session(school, person, number):
            with st.container(border=True):
                st.subheader(moment(view.started_at), anchor=False)
                show_people(school, person, view)
                show_spot_check(school, person, number)
                link(Page.SESSIONS, "Open the session", query={"session": str(number)})


def _show_answered(school: School, person: Person) -> None:
    """Show the sessions already looked at, with the explanations of staff."""
    rows = list_answered_spot_checks(school, person)
    if rows.empty:
        return
    st.header("Reviewed", anchor=False)
    named = rows.assign(
        staff_name=rows["staff_name"].fillna("unknown"),
        result=rows["result"].map(lambda result: SpotCheckResult(result).label),
    )
    columns = ["checked_at", "result", "staff_name", "started_at", "note", "reply", "checked_by"]
    headings = {"checked_at": "Reviewed", "started_at": "Session", "reply": "Explanation", "checked_by": "By"}
    listing = as_listing(named, columns, **{"staff_name": "Staff"} | headings)
    ids = [int(number) for number in rows["session_id"]]
    session_table(listing, ids, "Sessions reviewed", "spot checks reviewed")


def _show_draw(school: School, person: Person) -> None:
    """Show the seed of each term that has ended, from which anybody can repeat the draw."""
    seeds = list_spot_check_seeds(school, person)
    if seeds.empty:
        return
    with st.expander("How the sessions were drawn"):
        note(
            "A session is drawn by the SHA-256 of its term's seed, a colon and the reference of its log. The SHA-256 "
            "of the seed is on the audit trail since the first draw. The seed itself is shown once the term is over. "
            "docs/spot-checks.md describes how to compute the draw again."
        )
        rows = as_listing(seeds, ["term", "commitment", "seed"], commitment="SHA-256 of the seed")
        wrapped_table(rows.replace("", "after the term"), "The seeds of the draws", "seeds of spot checks")
