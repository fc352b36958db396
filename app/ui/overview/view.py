"""What the Overview shows: its days, filters and measure, all held in its address, and the sessions they select."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import pandas as pd
import streamlit as st

from app.access.overview import get_overview
from app.access.policy import Days, Person, get_scopes
from app.protocol.clauses import CLAUSES, title_of
from app.reports.figures import CHECKS, SESSIONS, add_band_and_week, leave_out_days_to_log
from app.school import School
from app.ui import address
from app.ui.answers import State, ask_once, read_state
from app.ui.labels import PURPOSE_WORDS
from app.ui.widgets import choose_days, filter_values
from app.vocabulary.roles import Resource, Scope
from app.vocabulary.terms import Purpose

_T = TypeVar("_T")

FILTERS = {"school": "School", "department": "Department", "purpose": "Purpose"}
PURPOSES = PURPOSE_WORDS | {Purpose.OTHER: "Other"}
_MEASURES = {SESSIONS: "Sessions", CHECKS: "Checks"}
_MEASURE_HELP = (
    "Sessions: how many were without a breach. Checks: how many of all clauses' checks were met; one session has many."
)


@dataclass(frozen=True)
class View:
    """The sessions of some days (`rows`, as from `_load_sessions`) that the filters' `chosen` values leave. `clause` is
    the one that the charts show, or "" for all. `by_name` is whether the person may see names of staff and open
    sessions. What is read is remembered while `state` (see `app.ui.answers`) stays the same."""

    school: School
    person: Person
    days: Days
    rows: pd.DataFrame
    chosen: Mapping[str, list[str]]
    unit: str
    clause: str
    by_name: bool
    state: State

    @property
    def measure(self) -> str:
        """The measure of the charts: see `reports.figures`."""
        return self.clause or self.unit

    @property
    def words(self) -> str:
        """What the measure counts."""
        return "Sessions without a breach" if self.measure == SESSIONS else "Checks met"

    @property
    def key(self) -> str:
        """A key that differs for each choice, so that the charts are drawn again."""
        return f"{self.days} {self.measure} {list(self.chosen.values())}"

    @cached_property
    def no_longer_to_log(self) -> pd.DataFrame:
        """The sessions that can no longer be logged in time; only these count in the weeks."""
        today = self.school.today()
        return leave_out_days_to_log(self.rows, today, self.school.settings.rules_on(today).log_within_hours)

    def load(self, days: Days) -> pd.DataFrame:
        """The sessions of other days that the same filters leave."""
        return filter_values(_load_sessions(self.school, self.person, days, self.state), **self.chosen)

    def ask(self, question: Callable[..., _T], *more: Hashable) -> _T:
        """What `question(school, person, *more)` answers (see `ask_once`)."""
        return ask_once(self.state, question, self.school, self.person, *more)


def _load_sessions(school: School, person: Person, days: Days, state: State) -> pd.DataFrame:
    """The sessions that somebody may see, with `band` and `week` (see `reports.figures`). People with the same roles
    share one frame and must not change it: a copy for each click would take longer than computing the figures."""
    return _load(school, person, days, (*sorted(person.roles), *state))


@st.cache_resource(max_entries=20, show_spinner=False)
def _load(_school: School, _person: Person, days: Days, key: State) -> pd.DataFrame:  # noqa: ARG001 - for the cache
    return add_band_and_week(get_overview(_school, _person, days))


def choose_view(school: School, person: Person) -> View:
    """Let the person choose days, measure and filters, side by side."""
    days = choose_days(school)
    unit = address.choose_one("Measure", _MEASURES, SESSIONS, "measure", help=_MEASURE_HELP)
    state = read_state(school)
    rows = _load_sessions(school, person, days, state)
    chosen = {column: address.get_all(column) for column in FILTERS}
    clause = address.get("clause")
    number = sum(map(bool, chosen.values())) + (clause in CLAUSES)
    with st.popover(f"Filters ({number})" if number else "Filters", icon=":material/filter_list:"):
        for column, label in FILTERS.items():
            counts = rows[column].value_counts().sort_index()
            options = {value: f"{PURPOSES.get(value, value)} ({n:,})" for value, n in counts.items() if n}
            address.choose_some(label, options, column)
        st.selectbox(
            "Clause that the charts show",
            ["", *CLAUSES],
            format_func=lambda name: title_of(name) if name else "All clauses",
            **address.bind("clause", clause if clause in CLAUSES else "", lambda name: [name] if name else []),
        )
    by_name = Scope.WITH_NAMES in get_scopes(person, Resource.OVERVIEW)
    clause = clause if clause in CLAUSES else ""
    return View(school, person, days, filter_values(rows, **chosen), chosen, unit, clause, by_name, state)


def carry_choices() -> dict[str, list[str]]:
    """The parameters that a link within the Overview keeps."""
    return address.carry("days", "measure", "clause", *FILTERS)
