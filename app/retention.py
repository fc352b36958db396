"""Taking away what is past its keeping: how long is in the settings, why is in docs/settings.md.

A session that a concern is linked to stays as long as the concern does, and an open concern stays. Letters
to parents and the roster are not touched: a letter of long ago is evidence for a pupil who is still here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import pandas as pd
from sqlalchemy import Column, Connection, delete, or_, select

from app import audit
from app.school import School
from app.store import tables
from app.store.writing import raise_revision

_session, _link = tables.sessions.c, tables.concern_sessions.c


@dataclass(frozen=True)
class Past:
    """What of one kind is past its keeping: everything from before a day, and how many records that is."""

    what: str
    before: date
    number: int


def keeping(school: School) -> dict[str, date]:
    """For each kind of record, as named in the settings, the first day that is kept."""
    today = pd.Timestamp(school.today())
    return {
        kind: (today - pd.DateOffset(years=years)).date()
        for kind, years in school.settings.retention.model_dump().items()
    }


def past_keeping(school: School) -> list[Past]:
    """What `purge` would take away now; nothing is changed."""
    with school.engine.connect() as connection:
        transaction = connection.begin()
        found = _purge(connection, school)
        transaction.rollback()
    return found


def purge(school: School) -> list[Past]:
    """Take away what is past its keeping, all of it or nothing, and say so on the audit trail."""
    with school.writing() as connection:
        found = _purge(connection, school)
        for past in found:
            if past.number and past.what != _AUDIT:  # of itself the trail has said so already
                about = f"{past.what} from before {past.before}"
                audit.add(connection, at=school.now(), by=audit.COMMAND, what="purged", about=about)
        raise_revision(connection)
    return found


_AUDIT = "entries of the audit trail"


def _purge(connection: Connection, school: School) -> list[Past]:
    kept = keeping(school)
    since = {kind: datetime.combine(day, time(), school.settings.zone) for kind, day in kept.items()}
    return [
        Past("closed concerns", kept["concerns"], _concerns(connection, since["concerns"])),
        Past("sessions", kept["sessions"], _sessions(connection, kept["sessions"])),
        Past("parents' consents", kept["sessions"], _consents(connection, kept["sessions"], since["sessions"])),
        Past("original call records", kept["call_originals"], _originals(connection, since["call_originals"])),
        Past("refused rows, drafts and records put aside", kept["unfinished"],
             _unfinished(connection, since["unfinished"])),
        Past(_AUDIT, kept["audit"],
             audit.remove_before(connection, since["audit"], at=school.now(), by=audit.COMMAND)),
    ]  # fmt: skip


def _remove(connection: Connection, column: Column[Any], values: Sequence[Any]) -> int:
    """Delete the rows whose column holds one of the values; how many there were."""
    return sum(connection.execute(delete(column.table).where(column.in_(part))).rowcount for part in _in_parts(values))


def _in_parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """As many at once as every database takes in one statement."""
    return (values[first : first + 500] for first in range(0, len(values), 500))


def _concerns(connection: Connection, since: datetime) -> int:
    """Those that are closed and to which nothing has happened since."""
    event = tables.concern_events.c
    state: dict[int, tuple[bool, datetime]] = {}
    for row in connection.execute(select(event.concern_id, event.kind, event.at).order_by(event.at, event.id)):
        closed = state[row.concern_id][0] if row.concern_id in state else False
        state[row.concern_id] = (row.kind == "closed" or (closed and row.kind != "reopened"), row.at)
    old = [number for number, (closed, last) in state.items() if closed and last < since]
    for table in (tables.concern_events, tables.concern_sessions, tables.concern_pupils):
        _remove(connection, table.c.concern_id, old)
    return _remove(connection, tables.concerns.c.id, old)


def _sessions(connection: Connection, since: date) -> int:
    """With their logs, calls, recordings and exceptions."""
    log, of_call = tables.logs.c, tables.session_calls.c
    linked = or_(
        _session.log_id.in_(select(log.id).join(tables.concern_sessions, _link.log_ref == log.ref)),
        _session.id.in_(select(of_call.session_id).join(tables.concern_sessions, _link.call_id == of_call.call_id)),
    )
    old = connection.scalars(select(_session.id).where(_session.day < since, linked.is_not(True))).all()
    calls = _found(connection, of_call.call_id, of_call.session_id, old)
    refs = _found(connection, log.ref, log.id, _found(connection, _session.log_id, _session.id, old))
    logs = _found(connection, log.id, log.ref, refs)
    exceptions = _found(connection, tables.exceptions.c.id, tables.exceptions.c.session_id, old)
    _remove(connection, tables.exception_events.c.exception_id, exceptions)
    _remove(connection, tables.exceptions.c.id, exceptions)
    for table in (tables.session_pupils, tables.session_calls):
        _remove(connection, table.c.session_id, old)
    number = _remove(connection, _session.id, old)
    for table in (tables.log_pupils, tables.log_invited):
        _remove(connection, table.c.log_id, logs)
    _remove(connection, log.id, logs)
    of_calls = (tables.call_originals, tables.call_stays, tables.call_videos, tables.call_listed, tables.recordings)
    for table in of_calls:
        _remove(connection, table.c.call_id, calls)
    _remove(connection, tables.calls.c.id, calls)
    return number


def _found(connection: Connection, wanted: Column[Any], column: Column[Any], values: Sequence[Any]) -> list[Any]:
    return [
        found
        for part in _in_parts(values)
        for found in connection.scalars(select(wanted).where(column.in_(part), wanted.is_not(None)))
    ]


def _consents(connection: Connection, day: date, since: datetime) -> int:
    """Those that ended before, but for pupils of whom an older session is still kept."""
    consent, among = tables.consents.c, tables.session_pupils.c
    older = select(among.pupil_id).join(tables.sessions, _session.id == among.session_id).where(_session.day < day)
    gone = delete(tables.consents).where(consent.covers_to < since, consent.pupil_id.not_in(older))
    return connection.execute(gone).rowcount


def _originals(connection: Connection, since: datetime) -> int:
    old = select(tables.calls.c.id).where(tables.calls.c.ended_at < since)
    return connection.execute(delete(tables.call_originals).where(tables.call_originals.c.call_id.in_(old))).rowcount


def _unfinished(connection: Connection, since: datetime) -> int:
    imported = select(tables.imports.c.id).where(tables.imports.c.at < since)
    return sum(
        connection.execute(statement).rowcount
        for statement in (
            delete(tables.refused_rows).where(tables.refused_rows.c.import_id.in_(imported)),
            delete(tables.drafts).where(tables.drafts.c.saved_at < since),
            delete(tables.sync_put_aside).where(tables.sync_put_aside.c.last_at < since),
        )
    )
