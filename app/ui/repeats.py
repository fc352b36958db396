"""Repeated one-to-ones of the same adult and pupil."""

import pandas as pd
import streamlit as st

from app.access.policy import Person, scopes
from app.access.repeats import list_repeats
from app.formatting import moment
from app.school import School
from app.ui.current import seen
from app.ui.labels import describe_purpose
from app.ui.text import note, write_html
from app.ui.widgets import choose_days, table
from app.vocabulary import Resource, Scope


def show_repeats(school: School, person: Person) -> None:
    """The same adult and pupil, one to one, again and again or out of hours: nothing but who, when and how often."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = choose_days(school, "repeats")
    found = list_repeats(school, person, days)
    seen(school, person, f"{Resource.REPEATED_ONE_TO_ONES.label}, {days[0]} to {days[1]}")
    asked = school.settings.repeats
    write_html(
        "The same adult and pupil alone, at least {often} times, or at least {out} times out of hours, within {days} "
        "days. The list does not say why. Counselling and your own sessions are not included.",
        often=asked.sessions,
        out=asked.out_of_hours,
        days=asked.days,
    )
    if found.pairs.empty:
        st.info("None for these dates.")
        return
    pairs = found.pairs
    event = table(
        pd.DataFrame(
            {
                "Adult": pairs["adult"],
                "Pupil": pairs["pupil"],
                "One-to-ones": pairs["sessions"],
                f"Most within {asked.days} days": pairs["most"],
                "Out of hours": pairs["out_of_hours"],
                "Not logged": pairs["unlogged"],
                "First": pairs["first"].map(moment),
                "Last": pairs["last"].map(moment),
            }
        ),
        "Repeated one-to-ones",
        "repeated one-to-ones",
        on_select="rerun",
        selection_mode="single-row",
        key=f"repeats {person.staff_id} {days} {len(pairs)} {pairs['adult'].iloc[0]} {pairs['pupil'].iloc[0]}",
        height="content" if len(pairs) < 14 else 520,
    )
    if not event["selection"]["rows"]:
        note("Select a row to list its sessions.")
        return
    pair = pairs.iloc[event["selection"]["rows"][0]]
    mine = (found.sessions["adult_id"] == pair["adult_id"]) & (found.sessions["pupil_id"] == pair["pupil_id"])
    show_pair(person, pair, found.sessions[mine])


def show_pair(person: Person, pair: pd.Series, sessions: pd.DataFrame) -> None:
    write_html("<b>{adult} and {pupil}</b>, the newest first.", adult=pair["adult"], pupil=pair["pupil"])
    opens = Scope.ALL in scopes(person, Resource.SESSIONS)
    event = table(
        pd.DataFrame(
            {
                "When": sessions["started_at"].map(moment),
                "Until": sessions["ended_at"].dt.strftime("%H:%M"),
                "Out of hours": sessions["out_of_hours"].map({True: "yes", False: ""}),
                "Purpose": sessions["purpose"].map(describe_purpose),
            }
        ),
        "The sessions of one adult and pupil",
        "one-to-ones of a pair",
        on_select="rerun" if opens else "ignore",
        selection_mode="single-row",
        key=f"pair {person.staff_id} {pair['adult_id']} {pair['pupil_id']} {len(sessions)}",
        height="content" if len(sessions) < 14 else 520,
    )
    if opens and event["selection"]["rows"]:
        st.query_params["session"] = str(int(sessions["session_id"].iloc[event["selection"]["rows"][0]]))
        st.rerun()
