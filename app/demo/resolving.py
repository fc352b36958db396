"""The fictional school's explanations and resolutions of breaches: most old ones are resolved, some are open."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert, select, update

from app.access.breaches import find_open_breaches, find_owners
from app.access.people import find_person
from app.demo.chance import Chance
from app.school import School
from app.store import tables
from app.store.reading import is_among
from app.vocabulary.terms import BreachEventKind, BreachState, Resolution

_EXPLANATIONS = (
    "The bell rang late and I was still with the class before.",
    "I had to fetch a cable; I was back within a minute or two.",
    "The link in the invitation was the wrong one, so we started again.",
    "I had not seen that it needed writing down; I shall from now on.",
)
_RESOLUTIONS = (
    (Resolution.EXPLAINED, "Seen, and understood."),
    (Resolution.SPOKEN_WITH, "We went through the protocol together."),
    (Resolution.SPOKEN_WITH, "Agreed to open the call five minutes early from now on."),
    (Resolution.TRAINING, "Will join the next training on videoconferencing."),
    (Resolution.OTHER, "The room has a new cable now."),
    (Resolution.OTHER, "Looked at; nothing more is needed from you."),
)


def resolve(school: School, leaders: Iterable[str], chance: Chance) -> None:
    """Explain and resolve most breaches older than a week. The first of the leaders (emails) has a backlog."""
    with school.engine.connect() as connection:
        open_breaches = find_open_breaches(school, connection)
        owners = find_owners(school, connection, open_breaches)
    open_breaches = open_breaches[open_breaches["opened_at"] < pd.Timestamp(school.now() - timedelta(days=7))]
    resolved_by: dict[int, int] = {}
    for place, email in enumerate(leaders):
        person = find_person(school, email)
        assert person is not None
        own = owners.loc[owners["owner_id"] == person.staff_id, "session_id"]
        for session_id in open_breaches.loc[open_breaches["session_id"].isin(own), "session_id"].unique().tolist():
            if session_id not in resolved_by and chance.often(0.4 if place == 0 else 0.95):
                resolved_by[session_id] = person.staff_id
    if resolved_by:
        with school.writing() as connection:
            _resolve(connection, resolved_by, chance)


def _resolve(connection: Connection, resolved_by: dict[int, int], chance: Chance) -> None:
    """Resolve all breaches of some sessions. `resolved_by` has, by session id, the staff id of who resolves them."""
    breach, session = tables.breaches.c, tables.sessions.c
    chosen = is_among(connection, breach.session_id, resolved_by)
    breaches = connection.execute(
        select(tables.breaches, session.staff_id).join(tables.sessions, session.id == breach.session_id).where(chosen)
    ).all()
    by_session: dict[int, tuple[Resolution, str, str | None]] = {}
    events: list[dict[str, Any]] = []
    for row in breaches:
        if row.session_id not in by_session:
            resolution, note = chance.one(_RESOLUTIONS)
            explanation = chance.one(_EXPLANATIONS) if row.staff_id and chance.often(0.5) else None
            by_session[row.session_id] = (resolution, note, explanation)
        resolution, note, explanation = by_session[row.session_id]
        if explanation:
            explained = {"actor_id": row.staff_id, "kind": BreachEventKind.EXPLAINED, "resolution": None}
            at = row.opened_at + timedelta(days=1)
            events.append(explained | {"breach_id": row.id, "occurred_at": at, "text": explanation})
        resolved = {"kind": BreachEventKind.RESOLVED, "resolution": resolution, "text": note}
        at = row.opened_at + timedelta(days=4)
        events.append(resolved | {"actor_id": resolved_by[row.session_id], "breach_id": row.id, "occurred_at": at})
    connection.execute(update(tables.breaches).where(chosen).values(state=BreachState.RESOLVED))
    connection.execute(insert(tables.breach_events), events)
