"""What needs attention: each line has a count, and links to exactly what it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from app.access.breaches import count_breaches_by_owner, count_sessions_to_resolve, list_open_breaches
from app.access.concerns import get_oldest_concern
from app.access.confirmations import count_confirmations
from app.access.deadlines import count_days
from app.access.overview import list_late_consents
from app.access.policy import Person, get_scopes
from app.formatting import how_many
from app.reports.details import select_sessions
from app.reports.periods import describe_missing_term
from app.school import School
from app.ui.lists import table_expander
from app.ui.overview.view import View, carry_choices
from app.ui.widgets import link
from app.vocabulary.roles import Page, Resource, Scope
from app.vocabulary.terms import Outcome

_TIME_TO_CONFIRM = timedelta(days=14)
_BY_OWNER = {
    "owner": "With",
    "sessions": "Sessions",
    "overdue": "Overdue",
    "breaches": "Breaches",
    "oldest": "Oldest (days)",
}


@dataclass(frozen=True)
class Line:
    """A line and its link. The words start with the count, or end with it in brackets."""

    words: str
    page: Page
    query: Mapping[str, str | Sequence[str]]


def find_sessions(view: View, kind: str, place: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The sessions of a list (see `reports.details`) on the view's days and with its filters."""
    ids, rows = [], view.no_longer_to_log if kind == "week" else view.rows
    if kind == "late":
        ids = view.ask(list_late_consents, view.days)["session_id"].tolist()
    elif kind in ("unresolved", "overdue", "earlier"):
        breaches = view.ask(list_open_breaches)
        if kind == "overdue":
            breaches = breaches[breaches["due"] < view.school.today()]
            rows = _load_from_first(view, breaches, view.school.today())
        elif kind == "earlier":
            rows = _load_from_first(view, breaches, view.days[0] - timedelta(days=1))
        ids = breaches["session_id"].tolist()
    return select_sessions(rows, kind, place or {}, ids, view.measure)


def _load_from_first(view: View, breaches: pd.DataFrame, until: date) -> pd.DataFrame:
    """The sessions from the first day with one of some breaches until a given day."""
    first = date.max if breaches.empty else breaches["day"].min().date()
    return view.load((first, until)) if first <= until else view.rows.iloc[:0]


def show_attention(view: View) -> None:
    st.header("Needs attention", anchor=False)
    lines = list_lines(view)
    with st.container(key="links-attention", gap="xsmall"):
        for line in lines:
            link(line.page, line.words, "arrow_forward", query=line.query)
    if not lines:
        st.write("Nothing needs attention.")
    if view.by_name and get_scopes(view.person, Resource.BREACH_COUNTS):
        table_expander(
            lambda: count_breaches_by_owner(view.school, view.person).rename(columns=_BY_OWNER),
            "unresolved breaches",
            "Unresolved breaches by owner",
            "Outstanding by owner",
            "On all days. A breach with both a HOY and an HM counts for both; either can resolve it.",
        )


def list_lines(view: View) -> list[Line]:
    """The lines that the person may see: first the sessions on the view's days and with its filters, then other
    pages."""
    lines = _list_lines_of_sessions(view)
    if get_scopes(view.person, Resource.BREACH_COUNTS):
        waiting = view.ask(count_sessions_to_resolve)
        if waiting:
            lines.append(Line(f"Waiting for you ({waiting:,})", Page.SESSIONS, {"view": "resolve"}))
    if get_scopes(view.person, Resource.OLDEST_CONCERN):
        lines += _list_line_of_concerns(view.school, view.person)
    if missing := describe_missing_term(view.school.settings, view.school.today()):
        lines.append(Line(missing, Page.PROTOCOL, {}))
    if Scope.ALL in get_scopes(view.person, Resource.CONFIRMATIONS):
        lines += _list_line_of_confirmations(view)
    version = view.school.settings.version_on(view.school.today())
    if version and version.next_review and version.next_review < view.school.today():
        due = version.next_review
        query = {"view": "settings"} if get_scopes(view.person, Resource.PROTOCOL_SETTINGS) else {}
        lines.append(Line(f"The protocol was due for review on {due.day} {due:%B %Y}.", Page.PROTOCOL, query))
    return lines


def _list_lines_of_sessions(view: View) -> list[Line]:
    lines: list[Line] = []

    def add(kind: str, number: int, words: str) -> None:
        if number:
            lines.append(Line(words, Page.OVERVIEW, carry_choices() | {"list": [kind]}))

    unlogged = find_sessions(view, "unlogged")
    overdue = int((unlogged["logged"] == Outcome.BREACH).sum())
    add("unlogged", len(unlogged), f"{how_many(len(unlogged), 'unlogged call')}, {overdue:,} overdue")
    if get_scopes(view.person, Resource.BREACH_COUNTS):
        opened = view.ask(list_open_breaches).set_index("session_id")["opened_at"]
        for kind, when in (("unresolved", ""), ("earlier", f" before {_format_day(view.days[0])}")):
            sessions = find_sessions(view, kind)
            if len(sessions):
                age = int(count_days(view.school, opened[sessions["session_id"]]).max())
                oldest = how_many(age, "day")
                number = how_many(len(sessions), "session")
                add(kind, len(sessions), f"{number}{when} with unresolved breaches; oldest {oldest}")
        overdue = len(find_sessions(view, "overdue"))
        add("overdue", overdue, f"{how_many(overdue, 'session')} with an overdue breach, on all days")
    disputed = len(find_sessions(view, "disputed"))
    add("disputed", disputed, f"{how_many(disputed, 'session')} where the log and the call record disagree")
    if view.by_name:
        late = len(find_sessions(view, "late"))
        add("late", late, f"{how_many(late, 'session')} with late consent or late notice to SLT")
    return lines


def _format_day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _list_line_of_concerns(school: School, person: Person) -> list[Line]:
    oldest = get_oldest_concern(school, person)
    if not oldest:
        return []
    owner = f"with {oldest['owner']}" if oldest["owner"] else "with nobody: no DSP was alerted"
    words = f"{how_many(oldest['waiting'], 'open concern')}; oldest {how_many(oldest['age_days'], 'day')}, "
    return [Line(f"{words}{oldest['level']}, {owner}", Page.CONCERNS, {})]


def _list_line_of_confirmations(view: View) -> list[Line]:
    """The line that says how many people have not confirmed a version in force for more than 14 days, if any."""
    counts = view.ask(count_confirmations)
    missing = counts.asked - counts.confirmed if counts else 0
    if not counts or not missing or view.school.today() <= counts.version.from_ + _TIME_TO_CONFIRM:
        return []
    words = f"{how_many(missing, 'member of staff has', 'staff have')} not confirmed {counts.version.name}"
    return [Line(words, Page.PROTOCOL, {"view": "confirmations", "show": "missing"})]
