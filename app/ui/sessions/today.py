"""The first page of a HOY or HM: breaches to resolve, unlogged calls, their tutors and their pupils."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.access.policy import Days, Person
from app.access.pupils import count_unlogged_by_person, list_pupils_with_counts, list_tutors
from app.formatting import how_many
from app.school import School
from app.ui.answers import ask_once, read_state
from app.ui.lists import as_listing, open_record, select_row
from app.ui.sessions.pupils import show_pupil_list
from app.ui.sessions.waiting import get_chosen, show_chosen, show_waiting_list
from app.ui.text import note
from app.ui.widgets import list_ranges
from app.vocabulary.roles import Page

_ROWS = 7  # of each list, so that all of them start on the first screen


def show_today(school: School, person: Person, to_resolve: pd.DataFrame) -> None:
    """Show the page. `to_resolve` comes from `list_breaches_to_resolve`."""
    days = next(iter(list_ranges(school).values()))
    left, right = st.columns([3, 2], gap="large")
    ids = [int(number) for number in to_resolve["session_id"]]
    with left:
        st.header("To resolve", anchor=False)
        if ids:
            show_waiting_list(school, to_resolve, "resolve", get_chosen(ids), rows_shown=_ROWS)
        else:
            st.success("Nothing to resolve.", icon=":material/check:")
        _show_unlogged(school, person, days)
    with right:
        if ids:
            show_chosen(school, person, get_chosen(ids), ids)
    left, right = st.columns(2, gap="large")
    state = read_state(school)
    with left:
        _show_tutors(ask_once(state, list_tutors, school, person, days))
    with right:
        st.header("My pupils", anchor=False)
        pupils = ask_once(state, list_pupils_with_counts, school, person, days)
        pupils = pupils.sort_values("breaches", ascending=False, kind="stable")
        show_pupil_list(pupils, "My pupils", "my pupils", rows_shown=_ROWS)


def _show_unlogged(school: School, person: Person, days: Days) -> None:
    st.header("Unlogged calls by person", anchor=False)
    rows = count_unlogged_by_person(school, person, days)
    if rows.empty:
        st.success("All calls on these dates are logged.", icon=":material/check:")
        return
    calls, overdue = int(rows["unlogged"].sum()), int(rows["overdue"].sum())
    note(f"{how_many(calls, 'unlogged call')}, {overdue:,} overdue. Select a person to list the calls.")
    columns = ["staff_name", "unlogged", "overdue", "oldest"]
    listing = as_listing(rows.assign(staff_name=rows["staff_name"].fillna("unknown")), columns, staff_name="Person")
    alt, name = "Unlogged calls by person", "unlogged by person"
    select_row(listing, _list_ids(rows), alt, name, _open_sessions(show="unlogged"), rows_shown=_ROWS)


def _show_tutors(rows: pd.DataFrame) -> None:
    """Show tutors from `list_tutors`."""
    st.header("My tutors", anchor=False)
    if rows.empty:
        st.info("The roster names no tutor of your pupils.")
        return
    columns = ["name", "pupils", "sessions", "breaches", "unlogged"]
    listing = as_listing(rows, columns, name="Tutor", breaches="With a breach")
    select_row(listing, _list_ids(rows), "My tutors", "my tutors", _open_sessions(), rows_shown=_ROWS)


def _list_ids(rows: pd.DataFrame) -> list[str]:
    return ["" if pd.isna(number) else str(int(number)) for number in rows["staff_id"]]


def _open_sessions(**filters: str) -> Callable[[str], None]:
    def open_list(staff_id: str) -> None:
        open_record(Page.SESSIONS, view="list", **filters, **({"staff": staff_id} if staff_id else {}))

    return open_list
