"""Repeated one-to-ones of the same adult and pupil."""

from functools import partial

import pandas as pd
import streamlit as st

from app.access.policy import Person, get_scopes
from app.access.repeats import list_repeats
from app.school import School
from app.ui import address
from app.ui.current import record_once
from app.ui.labels import describe_purpose
from app.ui.lists import as_listing, select_row, session_table, table
from app.ui.text import note, write_html
from app.ui.widgets import choose_days
from app.vocabulary.roles import Resource, Scope


def show_repeats(school: School, person: Person) -> None:
    """Show adults and pupils who met one to one repeatedly or out of hours: only who, when and how often."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = choose_days(school)
    repeats = list_repeats(school, person, days)
    record_once(school, person, "viewed", f"{Resource.REPEATED_ONE_TO_ONES.label}, {days[0]} to {days[1]}")
    asked = school.settings.repeats
    write_html(
        "The same adult and pupil alone, at least {asked.sessions} times, or at least {asked.out_of_hours} times out "
        "of hours, within {asked.days} days. Calls minutes apart count once. The list does not say why. Counselling "
        "and your own sessions are not included.",
        asked=asked,
    )
    if repeats.pairs.empty:
        st.info("None for these dates.")
        return
    pairs = repeats.pairs
    columns = ["adult", "pupil", "sessions", "most", "out_of_hours", "unlogged", "first", "last"]
    most = f"Most within {asked.days} days"
    listing = as_listing(pairs, columns, sessions="One-to-ones", most=most, unlogged="Not logged")
    ids = [f"{pair.adult_id}-{pair.pupil_id}" for pair in pairs.itertuples()]
    chosen = address.get("pair")
    select_row(
        listing,
        ids,
        "Repeated one-to-ones",
        "repeated one-to-ones",
        partial(address.put, "pair"),
        marked=chosen or None,
    )
    if chosen not in ids:
        note("Select a row to list its sessions.")
        return
    pair = pairs.iloc[ids.index(chosen)]
    mine = (repeats.sessions["adult_id"] == pair.adult_id) & (repeats.sessions["pupil_id"] == pair.pupil_id)
    write_html("<b>{pair.adult} and {pair.pupil}</b>, the newest first.", pair=pair)
    _list_sessions(repeats.sessions[mine], can_open=Scope.ALL in get_scopes(person, Resource.SESSIONS))


def _list_sessions(sessions: pd.DataFrame, *, can_open: bool) -> None:
    rows = sessions.assign(
        until=sessions["ended_at"].dt.strftime("%H:%M"),
        out_of_hours=sessions["out_of_hours"].map({True: "yes", False: ""}),
        purpose=sessions["purpose"].map(describe_purpose),
    )
    listing = as_listing(rows, ["started_at", "until", "out_of_hours", "purpose"], started_at="When")
    alt, name = "The sessions of one adult and pupil", "one-to-ones of a pair"
    if can_open:
        session_table(listing, sessions["session_id"].tolist(), alt, name)
    else:
        table(listing, alt, name)
