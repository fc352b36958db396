"""Remote learning on the Protocol page: for today in two clicks, and all periods."""

from collections.abc import Mapping, Sequence
from functools import partial
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
from app.ui.protocol.effects import make_change, require_text, show_last_term
from app.ui.text import note
from app.vocabulary.terms import ProtocolKind

_KIND = ProtocolKind.REMOTE_LEARNING
_PLACES = ("schools", "years", "houses")


def offer_today(school: School, person: Person) -> None:
    """Show the buttons for remote learning today, for the whole school or one year group."""
    groups = list_groups(school, person)
    with st.container(horizontal=True, vertical_alignment="center", key="remote learning today"):
        st.markdown("**Remote learning today:**", width="content")
        if st.button("Whole school", key="remote whole school"):
            _open(school, person, {})
        for year in groups["years"]:
            if st.button(f"Year {year}" if year.isdecimal() else year, key=f"remote year {year}"):
                _open(school, person, {"years": [year]})


def show_remote_learning(school: School, person: Person, entries: Sequence[Entry]) -> None:
    """Show the periods of remote learning; a click on one opens it."""
    st.subheader("Remote learning", anchor=False)
    periods = sorted(
        (entry for entry in entries if entry.kind == _KIND), key=lambda entry: entry.content["from"], reverse=True
    )
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
        by_id = dict(zip(ids, periods, strict=True))
        choose = partial(_choose, "period")
        select_row(rows, ids, "Periods of remote learning", "remote learning", choose, rows_shown=8)
        if (chosen := by_id.get(st.session_state.pop("change period", 0))) is not None:
            _open(school, person, chosen.content, chosen.id)
    else:
        note("No period of remote learning yet. One-to-ones are judged as such only during remote learning.")
    note("Remote learning of one pupil, such as in quarantine, is entered on the pupil's page.")
    if st.button("Add a period", icon=":material/add:", key="add remote learning"):
        _open(school, person, {})


def _choose(kind: str, entry_id: int) -> None:
    st.session_state[f"change {kind}"] = entry_id


def _open(school: School, person: Person, content: Mapping[str, Any], entry_id: int | None = None) -> None:
    """Open the form for a new period, or to change or withdraw one."""
    new = {"name": "Remote learning", "from": school.today(), "to": school.today()}
    period = RemotePeriod.model_validate(new | dict(content))
    entered: list[Change] = []

    def ask() -> Confirmed:
        withdraw = entry_id is not None and st.toggle("Withdraw this period", key="withdraw period")
        left, right = st.columns(2)
        first = left.date_input("From", period.from_, format="DD/MM/YYYY", key="period from", disabled=withdraw)
        last = right.date_input("Until", max(period.to, first), format="DD/MM/YYYY", key="period to", disabled=withdraw)
        chosen = _ask_groups(school, person, period, disabled=withdraw)
        name = st.text_input("Name", period.name, max_chars=80, key="period name", disabled=withdraw)
        reason = st.text_input("Reason (optional)", max_chars=300, key="period reason")
        entered.clear()
        days = {"name": name.strip(), "from": first.isoformat(), "to": last.isoformat()}
        entered.append(Change(_KIND, None if withdraw else days | chosen, replaces=entry_id))

        def changes() -> list[Change]:
            if not withdraw:
                require_text(name, "a name")
            return entered

        words = "Remote learning withdrawn." if withdraw else "Remote learning is in force."
        return make_change(school, person, changes, lambda: reason, words)

    def below() -> None:
        groups = entered[0].content if entered else None
        if groups is not None:
            scope = RemotePeriod.model_validate(dict(groups) | {"name": "-", "to": groups["from"]})
            show_last_term(school, person, entered, f"With remote learning{describe_groups(scope)} all term")

    title = "Change remote learning" if entry_id else "Remote learning"
    open_dialog(title, ask, "Put into force", below=below)


def _ask_groups(school: School, person: Person, period: RemotePeriod, *, disabled: bool) -> dict[str, list[str]]:
    """Ask for whom a period is; nothing chosen is the whole school."""
    groups, chosen = list_groups(school, person), {}
    labels = {"schools": "Schools", "years": "Years", "houses": "Houses"}
    for place, column in zip(_PLACES, st.columns(3), strict=True):
        known = list(getattr(period, place))
        options = list(dict.fromkeys([*groups[place], *known]))
        picked = column.multiselect(
            labels[place],
            options,
            default=known,
            placeholder="All",
            select_all=False,
            filter_mode="contains",
            wrap=True,
            key=f"period {place}",
            disabled=disabled,
        )
        if picked:
            chosen[place] = picked
    return chosen
