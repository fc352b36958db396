"""Spot checks: sessions drawn among those that only their log calls in order, for somebody else to look at.

Who looks at one is who would own its breaches (`app.access.breaches`): the HOY or HM, or the Senior Deputy Head. Nobody
looks at a session of their own. Until there is something to explain, the member of staff does not see that a session
of theirs was drawn.
"""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import ColumnElement, Connection, not_, select

from app.access.breaches import find_owners
from app.access.policy import Days, Person, get_scopes, require
from app.access.scope import (
    SESSION,
    in_school_time,
    is_confidential,
    is_during,
    is_open_to,
    join_values,
    with_staff_name,
)
from app.access.sessions import read_session_pupils
from app.judging.spot_checks import compute_commitment, read_seeds
from app.school import School
from app.store import reading, tables
from app.vocabulary.roles import Resource, Scope
from app.vocabulary.terms import SpotCheckResult

_check = tables.spot_checks.c
_TO_EXPLAIN = _check.result == SpotCheckResult.TO_EXPLAIN


@dataclass(frozen=True)
class SpotCheck:
    """The spot check of one session. `result` is None while it is open; `may_answer` and `may_reply` say what is left
    for the person to do."""

    result: SpotCheckResult | None
    note: str | None
    checked_at: datetime | None
    checked_by: str | None
    reply: str | None
    replied_at: datetime | None
    may_answer: bool
    may_reply: bool


@dataclass(frozen=True)
class SpotCheckFigures:
    """The spot checks of the sessions of some days: how many were drawn, and what became of them."""

    drawn: int
    in_order: int
    to_explain: int
    open: int


def looks_at_spot_checks(person: Person) -> bool:
    """Whether the person looks at sessions of others by their role."""
    return bool(get_scopes(person, Resource.SPOT_CHECKS) - {Scope.OWN})


def list_spot_checks(school: School, person: Person) -> pd.DataFrame:
    """The sessions that are to be looked at by the person, the first drawn first: `session_id`, `started_at`,
    `staff_name`, `pupils`, `purpose`, `drawn_at`."""
    require(person, Resource.SPOT_CHECKS)
    return _read_checks(school, person, _check.result.is_(None))


def list_answered_spot_checks(school: School, person: Person) -> pd.DataFrame:
    """The sessions that are the person's to look at and were looked at, for the Senior Deputy Head those of all others
    too, the last first: as `list_spot_checks`, and `result`, `note`, `checked_at`, `checked_by` (name), `reply`,
    `replied_at`."""
    require(person, Resource.SPOT_CHECKS)
    rows = _read_checks(school, person, _check.result.is_not(None), everybody=_sees_all(person))
    return rows.sort_values("checked_at", ascending=False, ignore_index=True)


def list_spot_checks_to_explain(school: School, person: Person) -> pd.DataFrame:
    """The person's own sessions of which somebody asks for an explanation that they have not given:
    `session_id`, `started_at`, `note`, the oldest first."""
    require(person, Resource.SPOT_CHECKS)
    query = (
        select(_check.session_id, SESSION.started_at, _check.note)
        .join(tables.sessions, SESSION.id == _check.session_id)
        .where(_TO_EXPLAIN, _check.replied_at.is_(None), SESSION.staff_id == person.staff_id, not_(is_confidential()))
        .order_by(_check.checked_at, _check.id)
    )
    with school.engine.connect() as connection:
        return in_school_time(school, reading.read_frame(connection, query))


def get_spot_check(school: School, person: Person, session_id: int) -> SpotCheck | None:
    """The spot check of a session, for whoever may look at it, for the Senior Deputy Head, and once there is something
    to explain for the member of staff; None for everybody else, or if it was not drawn."""
    query = (
        select(tables.spot_checks, SESSION.staff_id, SESSION.day)
        .join(tables.sessions, SESSION.id == _check.session_id)
        .where(_check.session_id == session_id, is_open_to(person, school.today()), not_(is_confidential()))
    )
    with school.engine.connect() as connection:
        named = with_staff_name(query, "checked_by_name", _check.checked_by, school.today())
        row = connection.execute(named).one_or_none()
        if row is None:
            return None
        session = pd.DataFrame([{"session_id": session_id, "staff_id": row.staff_id, "day": pd.Timestamp(row.day)}])
        is_owner = bool(_find_own(school, connection, person, session))
    is_own = row.staff_id == person.staff_id
    to_explain = row.result == SpotCheckResult.TO_EXPLAIN
    if not (is_owner or (_sees_all(person) and not is_own) or (is_own and to_explain)):
        return None
    zone = school.settings.zone
    return SpotCheck(
        result=SpotCheckResult(row.result) if row.result else None,
        note=row.note,
        checked_at=row.checked_at and row.checked_at.astimezone(zone),
        checked_by=row.checked_by_name,
        reply=row.reply,
        replied_at=row.replied_at and row.replied_at.astimezone(zone),
        may_answer=is_owner and row.result is None,
        may_reply=is_own and to_explain and row.replied_at is None,
    )


def count_spot_checks(school: School, person: Person, days: Days) -> SpotCheckFigures:
    """The spot checks of the sessions of some days, as figures."""
    require(person, Resource.RESOLUTION_FIGURES)
    query = (
        select(_check.result)
        .join(tables.sessions, SESSION.id == _check.session_id)
        .where(is_during(days), not_(is_confidential()))
    )
    with school.engine.connect() as connection:
        results = list(connection.scalars(query))
    counts = [results.count(result) for result in (SpotCheckResult.IN_ORDER, SpotCheckResult.TO_EXPLAIN, None)]
    return SpotCheckFigures(len(results), *counts)


def list_spot_check_seeds(school: School, person: Person) -> pd.DataFrame:
    """The seeds by which was drawn: `term`, `until` (its last day), `commitment` (SHA-256 of the seed, as on the audit
    trail), `seed` (blank until the term has ended), the last term first."""
    require(person, Resource.SPOT_CHECKS, Scope.REMAINING)
    with school.engine.connect() as connection:
        seeds = read_seeds(connection)
    last_days = {term.name: term.to for term in school.settings.terms}
    rows = [
        {
            "term": term,
            "until": until,
            "commitment": compute_commitment(seeds[term]),
            "seed": seeds[term] if until < school.today() else None,
        }
        for term, until in sorted(last_days.items(), key=lambda item: item[1], reverse=True)
        if term in seeds
    ]
    return pd.DataFrame(rows, columns=["term", "until", "commitment", "seed"])


def _sees_all(person: Person) -> bool:
    """Whether the person sees what became of the spot checks of others."""
    return Scope.REMAINING in get_scopes(person, Resource.SPOT_CHECKS)


def _read_checks(
    school: School, person: Person, condition: ColumnElement[bool], *, everybody: bool = False
) -> pd.DataFrame:
    """The checks that the person may look at, or those of `everybody` else, and that meet a condition."""
    columns = ("result", "note", "checked_at", "reply", "replied_at", "drawn_at")
    query = (
        select(_check.session_id, SESSION.started_at, SESSION.purpose, SESSION.staff_id, SESSION.day)
        .add_columns(*(_check[name] for name in columns))
        .join(tables.sessions, SESSION.id == _check.session_id)
        .where(condition, is_open_to(person, school.today()), not_(is_confidential()))
        .order_by(_check.drawn_at, SESSION.started_at, _check.id)
    )
    query = with_staff_name(query, "staff_name", SESSION.staff_id, SESSION.day)
    with school.engine.connect() as connection:
        rows = reading.read_frame(connection, with_staff_name(query, "checked_by", _check.checked_by, school.today()))
        is_listed = (
            (rows["staff_id"] != person.staff_id)
            if everybody
            else rows["session_id"].isin(_find_own(school, connection, person, rows))
        )
        rows = rows[is_listed].reset_index(drop=True)
        pupils = read_session_pupils(connection, rows["session_id"].tolist())
    rows["pupils"] = join_values(rows["session_id"], pupils, "session_id")
    return in_school_time(school, rows.drop(columns=["staff_id", "day"]))


def _find_own(school: School, connection: Connection, person: Person, sessions: pd.DataFrame) -> set[int]:
    """Those of some sessions (`session_id`, `staff_id`, `day`) that the person may look at: never their own."""
    owners = find_owners(school, connection, sessions[sessions["staff_id"] != person.staff_id])
    return set(owners.loc[owners["owner_id"] == person.staff_id, "session_id"].tolist())
