"""What the fictional school's people did about breaches: most of the old ones are resolved, some are still open."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Connection, case, delete, insert, literal, select, type_coerce, update

from app.access.breaches import list_breaches_to_resolve
from app.access.people import find_person
from app.demo.chance import Chance
from app.school import School
from app.store import tables
from app.store.reading import is_among
from app.vocabulary import BreachEventKind, BreachState, Resolution

_EXPLANATIONS = (
    "The bell rang late and I was still with the class before.",
    "I had to fetch a cable; I was back within a minute or two.",
    "The link in the invitation was the wrong one, so we started again.",
    "I had not seen that it needed writing down; I shall from now on.",
)
_SETTLEMENTS = (
    (Resolution.EXPLAINED, "Seen, and understood."),
    (Resolution.SPOKEN_WITH, "We went through the protocol together."),
    (Resolution.SPOKEN_WITH, "Agreed to open the call five minutes early from now on."),
    (Resolution.TRAINING, "Will join the next training on videoconferencing."),
    (Resolution.OTHER, "The room has a new cable now."),
    (Resolution.OTHER, "Looked at; nothing more is needed from you."),
)
_DAY = timedelta(days=1)
_breach = tables.breaches.c


def resolve(school: School, leaders: Iterable[str], chance: Chance) -> None:
    """Explain and resolve most of what is older than a week; the first of the leaders (emails) is behind with it."""
    with school.writing() as connection:
        _date_back(connection, school)
    resolved: dict[int, int] = {}
    for place, email in enumerate(leaders):
        person = find_person(school, email)
        assert person is not None
        rows = list_breaches_to_resolve(school, person)
        for row in rows[rows["opened_at"] < pd.Timestamp(school.now() - 7 * _DAY)].itertuples():
            if row.session_id not in resolved and chance.often(0.4 if place == 0 else 0.95):
                resolved[row.session_id] = person.staff_id
    with school.writing() as connection:
        _resolve(connection, resolved, chance)


def _date_back(connection: Connection, school: School) -> None:
    """Exceptions were opened some hours after their session; none was closed by the order of this import."""
    by_order = select(_breach.id).where(_breach.state == BreachState.CLOSED)
    event = tables.breach_events
    connection.execute(delete(event).where(event.c.breach_id.in_(by_order)))
    connection.execute(delete(tables.breaches).where(_breach.state == BreachState.CLOSED))
    ended = select(type_coerce(tables.sessions.c.ended_at, BigInteger)).where(
        tables.sessions.c.id == _breach.session_id
    )
    later = ended.scalar_subquery() + literal(5 * 3_600_000_000, BigInteger)
    present = literal(int(school.now().timestamp()) * 1_000_000, BigInteger)
    connection.execute(update(tables.breaches).values(opened_at=case((later > present, present), else_=later)))


def _resolve(connection: Connection, resolved: dict[int, int], chance: Chance) -> None:
    mine = is_among(connection, _breach.session_id, resolved)
    events: list[dict[str, Any]] = []
    lives: dict[int, list[dict[str, Any]]] = {}
    session = tables.sessions.c
    found = connection.execute(
        select(tables.breaches, session.staff_id).join(tables.sessions, session.id == _breach.session_id).where(mine)
    )
    for row in found.all():
        if row.session_id not in lives:
            how, words = chance.one(_SETTLEMENTS)
            life = [
                {
                    "actor_id": resolved[row.session_id],
                    "kind": BreachEventKind.RESOLVED,
                    "resolution": how,
                    "text": words,
                    "after": 4 * _DAY,
                }
            ]
            if row.staff_id and chance.often(0.5):
                words = chance.one(_EXPLANATIONS)
                life.insert(
                    0,
                    {
                        "actor_id": row.staff_id,
                        "kind": BreachEventKind.EXPLAINED,
                        "resolution": None,
                        "text": words,
                        "after": _DAY,
                    },
                )
            lives[row.session_id] = life
        for step in lives[row.session_id]:
            event = {name: step[name] for name in ("actor_id", "kind", "resolution", "text")}
            events.append(event | {"breach_id": row.id, "occurred_at": row.opened_at + step["after"]})
    connection.execute(update(tables.breaches).where(mine).values(state=BreachState.RESOLVED))
    if events:
        connection.execute(insert(tables.breach_events), events)
