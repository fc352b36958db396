"""Answering spot checks: looking at the sessions that were drawn, and explaining them."""

from typing import Any

from sqlalchemy import ColumnElement, update

from app.access.policy import Person
from app.access.spot_checks import get_spot_check
from app.school import School
from app.store import tables
from app.store.writing import raise_revision
from app.vocabulary.terms import SpotCheckResult

_check = tables.spot_checks.c


def answer_spot_check(school: School, person: Person, session_id: int, result: SpotCheckResult, note: str) -> None:
    """Store the result of the person who looked at a session, with a note, which is required if the session is to be
    explained. Raises ValueError if the check is not theirs or no longer open, or the note is missing."""
    check = get_spot_check(school, person, session_id)
    if check is None or not check.may_answer:
        raise ValueError("This spot check is no longer open, or not yours.")
    if result == SpotCheckResult.TO_EXPLAIN and not note.strip():
        raise ValueError("Write in the note what is to be explained.")
    answer = {"result": result, "note": note.strip() or None}
    by = {"checked_by": person.staff_id, "checked_at": school.now()}
    _store(school, person, session_id, _check.result.is_(None), answer | by)


def reply_to_spot_check(school: School, person: Person, session_id: int, words: str) -> None:
    """Store the explanation of the member of staff who held the session. Raises ValueError if none is asked for, or it
    is blank."""
    check = get_spot_check(school, person, session_id)
    if check is None or not check.may_reply:
        raise ValueError("Nothing of this session is left to explain.")
    if not words.strip():
        raise ValueError("Write a sentence first.")
    values = {"reply": words.strip(), "replied_at": school.now()}
    _store(school, person, session_id, _check.replied_at.is_(None), values)


def _store(
    school: School, person: Person, session_id: int, is_open: ColumnElement[bool], values: dict[str, Any]
) -> None:
    """Change a check if it is still open. Raises ValueError if somebody else has changed it."""
    with school.writing() as connection:
        change = update(tables.spot_checks).where(_check.session_id == session_id, is_open).values(**values)
        if connection.execute(change).rowcount != 1:
            raise ValueError("Somebody else was faster. Open the session again to see its status.")
        school.add_to_trail(connection, person.email, "changed", f"spot check of session {session_id}")
        raise_revision(connection)
