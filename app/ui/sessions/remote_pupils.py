"""Remote learning of one pupil, on the pupil's page: present and past days, and the forms to enter them."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import streamlit as st

from app.access.policy import Person
from app.access.pupils import Pupil
from app.access.remote_pupils import list_remote_learning, may_enter_remote_learning
from app.formatting import on_day
from app.management.effects import Effect
from app.management.remote_pupils import end_remote_learning, enter_remote_learning
from app.school import School
from app.ui.dialogs import Change, open_dialog
from app.ui.text import note, write_html


def show_remote_learning(school: School, person: Person, pupil: Pupil) -> None:
    """Show the pupil's remote learning to those who may enter it, and nothing to others."""
    if not may_enter_remote_learning(school, person, pupil.pupil_id):
        return
    st.header("Remote learning", anchor=False)
    rows = list_remote_learning(school, person)
    rows = rows[(rows["pupil_id"] == pupil.pupil_id) & rows["ended_at"].isna()]
    in_force, past = rows[rows["is_in_force"]], rows[~rows["is_in_force"]]
    for row in in_force.itertuples():
        _show_entry(school, person, pupil, row)
    if in_force.empty:
        note("For quarantine or illness. Pastoral sessions with the pupil on these days are one-to-ones.")
    if st.button("Remote learning…", key="enter remote learning", icon=":material/home_work:"):
        open_dialog("Remote learning", partial(_ask, school, person, pupil), "Enter")
    if len(past):
        with st.expander(f"Past ({len(past)})", key="past remote learning"):
            for row in past.itertuples():
                write_html("{days} · {row.reason}", "div", days=_describe_days(row.from_day, row.to_day), row=row)


def _show_entry(school: School, person: Person, pupil: Pupil, row: Any) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        words = "<b>{days}</b><br>{row.reason} · entered by {by}"
        days, by = _describe_days(row.from_day, row.to_day), row.entered_by or "somebody who has left"
        write_html(words, "div", days=days, row=row, by=by)
        if st.button("End early…", key=f"end remote learning {row.entry_id}", icon=":material/event_busy:"):
            open_dialog("End remote learning early", partial(_ask_end, school, person, pupil, row), "End")


def _describe_days(first: date, last: date) -> str:
    return on_day(first) if first == last else f"{on_day(first)} to {on_day(last)}"


def _ask(school: School, person: Person, pupil: Pupil) -> Change:
    """Ask for the days and the reason. Returns the change of the dialog."""
    write_html("Pastoral sessions with <b>{name}</b> on these days are one-to-ones.", name=pupil.name)
    reason = st.text_input("Reason", key="reason of remote learning", max_chars=200, placeholder="Quarantine")
    left, right = st.columns(2)
    first = left.date_input("From", school.today(), key="start of remote learning", format="DD/MM/YYYY")
    last = right.date_input("To", school.today(), key="end of remote learning", format="DD/MM/YYYY")

    def change() -> str:
        effect = enter_remote_learning(school, person, pupil.pupil_id, first, last, reason)
        return _describe("Remote learning entered.", effect)

    return change


def _ask_end(school: School, person: Person, pupil: Pupil, row: Any) -> Change:
    """Ask for the last day, or whether to withdraw the entry. Returns the change of the dialog."""
    days = _describe_days(row.from_day, row.to_day)
    write_html("Remote learning of <b>{name}</b>: {days}.", name=pupil.name, days=days)
    first, latest = row.from_day.date(), row.to_day.date() - timedelta(days=1)
    last = first - timedelta(days=1)
    if latest < first:
        note("This withdraws it.")
    elif not st.checkbox("Entered by mistake: withdraw all of it", key=f"withdraw remote learning {row.entry_id}"):
        usual, key = max(min(school.today(), latest), first), f"last day of remote learning {row.entry_id}"
        last = st.date_input("Last day", usual, min_value=first, max_value=latest, key=key, format="DD/MM/YYYY")

    def change() -> str:
        return _describe("Remote learning ended.", end_remote_learning(school, person, row.entry_id, last))

    return change


def _describe(done: str, effect: Effect) -> str:
    """What was done, with its effect on past sessions."""
    return f"{done} {effect.describe()}".strip()
