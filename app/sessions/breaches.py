"""Explaining and resolving the breaches of a session."""

from sqlalchemy import select

from app.access.breaches import get_session_breaches
from app.access.policy import Person
from app.judging.breaches import change_state
from app.school import School
from app.store import tables
from app.store.writing import raise_revision
from app.vocabulary.terms import BreachEventKind, BreachState, Resolution

_breach = tables.breaches.c


class BreachNotOpenError(Exception):
    """The breach is no longer open, or the person may not explain or resolve it."""


def explain_breaches(school: School, person: Person, session_id: int, words: str) -> None:
    """Add an explanation by the member of staff who held the session to its open breaches. Raises
    BreachNotOpenError."""
    ids = get_session_breaches(school, person, session_id).to_explain
    _record(school, person, session_id, ids, BreachState.OPEN, BreachEventKind.EXPLAINED, text=words.strip())


def resolve_breaches(school: School, person: Person, session_id: int, how: Resolution, words: str) -> None:
    """Resolve all open breaches of a session together, as their owner, with a note. Raises BreachNotOpenError."""
    ids = get_session_breaches(school, person, session_id).to_resolve
    event = {"resolution": how, "text": words.strip() or None}
    _record(school, person, session_id, ids, BreachState.RESOLVED, BreachEventKind.RESOLVED, **event)


def _record(
    school: School, person: Person, session_id: int, ids: list[int], state: str, kind: str, **event: str | None
) -> None:
    with school.writing() as connection:
        still_open = _breach.id.in_(ids) & (_breach.state == BreachState.OPEN)
        current = connection.scalars(select(_breach.id).where(still_open)).all()
        if not current or len(current) < len(ids):
            raise BreachNotOpenError(
                "This breach is no longer open, or not yours. Open the session again to see its status."
            )
        change_state(connection, current, state, school.now(), kind, actor_id=person.staff_id, **event)
        school.add_to_trail(connection, person.email, "changed", f"breaches of session {session_id}")
        raise_revision(connection)
