"""The fictional school's spot checks: most old ones are done, and a few await an explanation."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Connection, select, update

from app.access.people import find_person
from app.access.spot_checks import list_spot_checks
from app.judging.spot_checks import store_seed
from app.school import School
from app.store import tables
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


def answer(school: School, leaders: Iterable[str], tutor: str) -> None:
    """Have the leaders (emails) do all spot checks drawn more than ten days ago, and all those of the tutor (email).
    Every fifth session was to be explained and has been; the tutor's are still to be explained."""
    shown = find_person(school, tutor)
    assert shown is not None
    recent = school.now() - timedelta(days=10)
    answered = 0
    for email in leaders:
        person = find_person(school, email)
        assert person is not None
        rows = list_spot_checks(school, person)
        for row in rows.itertuples():
            is_shown = row.staff_name == shown.name
            if row.drawn_at > recent and not is_shown:
                continue
            answered += 1
            at = min(row.drawn_at + timedelta(days=3), school.now())
            to_explain = is_shown or answered % 5 == 0
            values = {
                "result": SpotCheckResult.TO_EXPLAIN if to_explain else SpotCheckResult.IN_ORDER,
                "note": _QUESTION if to_explain else None,
                "checked_at": at,
                "checked_by": person.staff_id,
                "reply": _REPLY if to_explain and not is_shown else None,
                "replied_at": min(at + timedelta(days=1), school.now()) if to_explain and not is_shown else None,
            }
            with school.writing() as connection:
                mine = _check.session_id == row.session_id
                connection.execute(update(tables.spot_checks).where(mine).values(**values))
