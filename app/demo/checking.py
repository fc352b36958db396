"""The fictional school's spot checks: most old ones are done, and a few await an explanation."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import pandas as pd
from sqlalchemy import Connection, select, update

from app.access.breaches import find_owners
from app.judging.spot_checks import store_seed
from app.school import School
from app.store import reading, tables
from app.vocabulary.terms import SpotCheckResult

_check, _session = tables.spot_checks.c, tables.sessions.c
_QUESTION = "There is no call record of this session. Was it in the school's Teams?"
_REPLY = "Yes, in the meeting of our class team. The chat is still there."


def store_seeds(connection: Connection, school: School) -> None:
    """Store a seed for each term, always the same, so that the same sessions are drawn."""
    for term in school.settings.terms:
        store_seed(connection, school, term.name, hashlib.sha256(term.name.encode()).hexdigest())


def date_back(connection: Connection) -> None:
    """Date each session's draw to when its log was entered."""
    entered_at = (
        select(tables.logs.c.entered_at)
        .join(tables.sessions, _session.log_id == tables.logs.c.id)
        .where(_session.id == _check.session_id)
        .scalar_subquery()
    )
    connection.execute(update(tables.spot_checks).values(drawn_at=entered_at))


def answer(school: School, leaders: Sequence[str], tutor: str) -> None:
    """Have the leaders (emails) do all spot checks drawn more than ten days ago, and all those of the tutor (email).
    Every fifth session was to be explained and has been; the tutor's are still to be explained."""
    recent = school.now() - timedelta(days=10)
    with school.writing() as connection:
        staff = reading.read_roster(connection).staff
        checks = _list_checks(connection, school, [staff[email] for email in leaders])
        is_shown = checks["staff_id"] == staff[tutor]
        due = checks[is_shown | (checks["drawn_at"] <= recent)]
        for number, row in enumerate(due.itertuples(), start=1):
            at = min(row.drawn_at + timedelta(days=3), school.now())
            is_open = row.staff_id == staff[tutor]
            to_explain = is_open or number % 5 == 0
            values = {
                "result": SpotCheckResult.TO_EXPLAIN if to_explain else SpotCheckResult.IN_ORDER,
                "note": _QUESTION if to_explain else None,
                "checked_at": at,
                "checked_by": row.owner_id,
                "reply": _REPLY if to_explain and not is_open else None,
                "replied_at": min(at + timedelta(days=1), school.now()) if to_explain and not is_open else None,
            }
            mine = _check.session_id == row.session_id
            connection.execute(update(tables.spot_checks).where(mine).values(**values))


def _list_checks(connection: Connection, school: School, leaders: Sequence[int]) -> pd.DataFrame:
    """The open spot checks, each with the first of its owners among the leaders (staff ids): `session_id`, `staff_id`,
    `day`, `drawn_at`, `owner_id`; by leader, and the first drawn first."""
    query = (
        select(_check.session_id, _session.staff_id, _session.day, _check.drawn_at)
        .join(tables.sessions, _session.id == _check.session_id)
        .where(_check.result.is_(None))
        .order_by(_check.drawn_at, _session.started_at)
    )
    checks = reading.read_frame(connection, query)
    owners = find_owners(school, connection, checks)
    owners["place"] = owners["owner_id"].map({leader: place for place, leader in enumerate(leaders)})
    first = owners.dropna(subset="place").sort_values("place").drop_duplicates("session_id")
    return checks.merge(first, on="session_id").sort_values("place", kind="stable")
