"""Remote learning on the Protocol page: a quick entry for today, and all periods."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.access.policy import Person
from app.access.protocol_settings import list_groups
from app.judging.what_if import describe_groups
from app.management.protocol import Change
from app.school import School
from app.settings import RemotePeriod
from app.store.protocol import Entry
from app.ui.dialogs import Change as Confirmed
from app.ui.dialogs import open_dialog
from app.ui.lists import select_row
from app.ui.protocol.effects import (
    REASON_HELP,
    list_newest_first,
    make_change,
    open_entry,
    require_text,
    show_last_term,
)
from app.ui.text import note
from app.vocabulary.terms import ProtocolKind

_KIND = ProtocolKind.REMOTE_LEARNING


def offer_today(school: School, person: Person) -> None:
    """Show the buttons for remote learning today, for the whole school or one year group."""
    groups = list_groups(school, person)
    with st.container(horizontal=True, vertical_alignment="center", key="remote learning today"):
        st.markdown("**Remote learning today:**", width="content")
        if st.button("Whole school", key="remote whole school"):
            open_period(school, person, {})
        for year in groups["years"]:
            if st.button(f"Year {year}" if year.isdecimal() else year, key=f"remote year {year}"):
                open_period(school, person, {"years": [year]})


def show_remote_learning(school: School, person: Person, entries: Sequence[Entry]) -> None:
    """Show the periods of remote learning. A click opens one."""
    st.subheader("Remote learning", anchor=False)
    periods = list_newest_first(entries, _KIND)
    if periods:
        read = [RemotePeriod.model_validate(entry.content) for entry in periods]
        rows = pd.DataFrame(
            {
                "From": [period.from_ for period in read],
                "Until": [period.to for period in read],
                "For": [describe_groups(period).removeprefix(" for ") or "Whole school" for period in read],
                "Name": [period.name for period in read],
            }
        )
        ids = [entry.id or 0 for entry in periods]
        select_row(rows, ids, "Periods of remote learning", "remote learning", open_entry, rows_shown=8)
    else:
        note("No period of remote learning yet. The one-to-one clauses apply only during remote learning.")
    note("Remote learning of one pupil, such as in quarantine, is entered on the pupil's page.")
    if st.button("Add a period", icon=":material/add:", key="add remote learning"):
        open_period(school, person, {})


def open_period(school: School, person: Person, content: Mapping[str, Any], entry_id: int | None = None) -> None:
    """Open the form for a new period, or to change the period with the id `entry_id`."""
    new = {"name": "Remote learning", "from": school.today(), "to": school.today()}
    period = RemotePeriod.model_validate(new | dict(content))
    entered: list[Change] = []

    def ask() -> Confirmed:
        left, right = st.columns(2)
        first = left.date_input("From", period.from_, format="DD/MM/YYYY", key="period from")
        last = right.date_input("Until", max(period.to, first), format="DD/MM/YYYY", key="period to")
        chosen = _ask_groups(school, person, period)
        name = st.text_input("Name", period.name, max_chars=80, key="period name")
        reason = st.text_input("Reason (optional)", max_chars=300, key="period reason", help=REASON_HELP)
        days = {"name": name.strip() or "-", "from": first.isoformat(), "to": last.isoformat()}
        entered[:] = [Change(_KIND, days | chosen, replaces=entry_id)]

        def changes() -> list[Change]:
            require_text(name, "a name")
            return entered

        return make_change(school, person, changes, lambda: reason, "Remote learning is in force.")

    def below() -> None:
        content = entered[0].content or {}
        scope = RemotePeriod.model_validate(dict(content) | {"to": content["from"]})
        show_last_term(school, person, entered, f"With remote learning{describe_groups(scope)} all term")

    open_dialog("Change remote learning" if entry_id else "Remote learning", ask, "Put into force", below=below)


def _ask_groups(school: School, person: Person, period: RemotePeriod) -> dict[str, list[str]]:
    """Ask for whom a period is. Returns the chosen schools, years and houses; {} means the whole school."""
    groups, chosen = list_groups(school, person), {}
    labels = {"schools": "Schools", "years": "Years", "houses": "Houses"}
    for place, column in zip(labels, st.columns(3), strict=True):
        known = list(getattr(period, place))
        picked = column.multiselect(
            labels[place],
            list(dict.fromkeys([*groups[place], *known])),
            default=known,
            placeholder="All",
            select_all=False,
            filter_mode="contains",
            wrap=True,
            key=f"period {place}",
        )
        if picked:
            chosen[place] = picked
    return chosen
