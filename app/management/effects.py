"""The effect of a change by the leadership on sessions that were already judged."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, not_, select

from app.access.scope import is_confidential
from app.formatting import how_many
from app.store import tables
from app.vocabulary.terms import BreachState

_breach = tables.breaches.c


@dataclass(frozen=True)
class Effect:
    """How many breaches a change opened and closed, and how many past sessions show a breach because of it."""

    opened: int
    closed: int
    sessions: int

    def describe(self) -> str:
        """The effect as sentences; "" if there is none."""
        shows = how_many(self.sessions, "past session now shows a breach.", "past sessions now show a breach.")
        closed = how_many(self.closed, "breach was closed.", "breaches were closed.")
        return " ".join(words for words, number in ((shows, self.sessions), (closed, self.closed)) if number)


def measure_effect(
    connection: Connection, judge_again: Callable[[], None], sessions: ColumnElement[bool] | None = None
) -> Effect:
    """Call `judge_again`, and compare the open breaches before and after: all of them, or those of the sessions that
    meet a condition."""
    was_open = _list_open(connection, sessions)
    judge_again()
    is_open = _list_open(connection, sessions)
    opened = is_open.keys() - was_open.keys()
    newly = {is_open[number] for number in opened} - set(was_open.values())
    return Effect(len(opened), len(was_open.keys() - is_open.keys()), len(newly))


def _list_open(connection: Connection, sessions: ColumnElement[bool] | None) -> dict[int, int]:
    """The session id of each open breach, by the breach's id."""
    query = select(_breach.id, _breach.session_id).join(tables.sessions, tables.sessions.c.id == _breach.session_id)
    query = query.where(_breach.state == BreachState.OPEN, not_(is_confidential()))
    if sessions is not None:
        query = query.where(sessions)
    return {row.id: row.session_id for row in connection.execute(query)}
