"""The sessions that an undone import affected: they are judged again, with the numbers that they had before it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from app.intake.recognition import list_sessions_since
from app.intake.timeline import EVER
from app.judging import spot_checks
from app.judging.rejudge import Affected, rejudge
from app.judging.storing import remove_sessions
from app.school import School
from app.store import reading, tables
from app.store.changes import Change, Row

_session, _link = tables.sessions.c, tables.session_calls.c
_EVERYTHING = (-(2**62), 2**62)


@dataclass(frozen=True)
class Detached:
    """Sessions that were removed because they hold a row of the import, and their links with calls, as stored."""

    sessions: dict[int, Row]
    calls: dict[str, Row]


def detach_sessions(connection: Connection, own: Sequence[Change]) -> Detached:
    """Remove the sessions that refer to rows of an import, so that these can go."""
    added: dict[str, set[Any]] = defaultdict(set)
    for change in own:
        if change.before is None:
            added[change.table.name].add(change.key[0])
    calls = {call for change in own for call in _list_calls(change)}
    of_pupils = select(tables.session_pupils.c.session_id)
    queries = (
        select(_session.id).where(reading.is_among(connection, _session.log_id, added["logs"])),
        select(_session.id).where(reading.is_among(connection, _session.staff_id, added["staff"])),
        of_pupils.where(reading.is_among(connection, tables.session_pupils.c.pupil_id, added["pupils"])),
        select(_link.session_id).where(reading.is_among(connection, _link.call_id, calls)),
    )
    numbers = {number for query in queries for number in connection.scalars(query)}
    sessions, links = tables.as_stored(tables.sessions), tables.as_stored(tables.session_calls)
    of_numbers = select(sessions).where(reading.is_among(connection, sessions.c.id, numbers))
    linked = select(links).where(reading.is_among(connection, links.c.session_id, numbers))
    detached = Detached(
        {row["id"]: dict(row) for row in connection.execute(of_numbers).mappings()},
        {row["call_id"]: dict(row) for row in connection.execute(linked).mappings()},
    )
    remove_sessions(connection, numbers)
    return detached


def _list_calls(change: Change) -> Iterator[str]:
    """The call that a change is about."""
    if change.table is tables.calls:
        yield change.key[0]
    elif "call_id" in change.table.c and change.table not in (tables.concern_sessions, tables.quarantine):
        for row in (change.before, change.after):
            if row and row["call_id"] is not None:
                yield row["call_id"]


def restore_sessions(connection: Connection, recorded: Sequence[Change], detached: Detached) -> None:
    """Bring back the sessions that there were before an import, so that they keep their numbers when they are judged
    again; nothing else of them needs to be right."""
    sessions = detached.sessions | _read_first(recorded, tables.sessions.name, "id")
    links = detached.calls | _read_first(recorded, tables.session_calls.name, "call_id")
    existing = set(connection.scalars(select(_session.id).where(reading.is_among(connection, _session.id, sessions))))
    wanted_logs = {row["log_id"] for row in sessions.values() if row["log_id"] is not None}
    log_ids = select(tables.logs.c.id).where(reading.is_among(connection, tables.logs.c.id, wanted_logs))
    taken = select(_session.log_id).where(reading.is_among(connection, _session.log_id, wanted_logs))
    free_logs = set(connection.scalars(log_ids)) - set(connection.scalars(taken))
    call_ids = select(tables.calls.c.id).where(reading.is_among(connection, tables.calls.c.id, links))
    linked = select(_link.call_id).where(reading.is_among(connection, _link.call_id, links))
    free_calls = set(connection.scalars(call_ids)) - set(connection.scalars(linked))
    links = {call: row for call, row in links.items() if call in free_calls}
    with_calls = {row["session_id"] for row in links.values()}
    restored = []
    for number, row in sessions.items():
        log_id = row["log_id"] if row["log_id"] in free_logs else None
        if number not in existing and (log_id is not None or number in with_calls):
            restored.append(row | {"log_id": log_id, "staff_id": None})
    numbers = existing | {row["id"] for row in restored}
    if restored:
        connection.execute(insert(tables.as_stored(tables.sessions)), restored)
    if kept := [row for row in links.values() if row["session_id"] in numbers]:
        connection.execute(insert(tables.as_stored(tables.session_calls)), kept)


def find_sessions_before(recorded: Sequence[Change]) -> set[int]:
    """The numbers of the sessions that an import changed and did not make itself."""
    added = {change.key[0] for change in recorded if change.table is tables.logs and change.before is None}
    first = _read_first(recorded, tables.sessions.name, "id")
    return {number for number, row in first.items() if row["log_id"] not in added}


def _read_first(recorded: Sequence[Change], table: str, key: str) -> dict[Any, Row]:
    """The rows of a table as they were before an import, by a column."""
    rows: dict[Any, Row] = {}
    for change in recorded:
        if change.table.name == table and change.before is not None:
            rows.setdefault(change.before[key], change.before)
    return rows


def judge_undone(connection: Connection, school: School, recorded: Sequence[Change], detached: Detached) -> None:
    """Judge again what an import had affected, after its rows were put back."""
    before = _read_first(recorded, tables.sessions.name, "id")
    times = [(row["started_at"], row["ended_at"]) for row in [*detached.sessions.values(), *before.values()]]
    people: dict[str, set[int]] = {"pupil_id": set(), "staff_id": set()}
    for change in recorded:
        row = (change.before or {}) | (change.after or {})
        if change.table in (tables.logs, tables.calls):
            times.append((row["started_at"], row["ended_at"]))
        elif change.table is tables.schools and change.before is not None:
            times.append(_EVERYTHING)
        for column, table in (("pupil_id", tables.pupils), ("staff_id", tables.staff)):
            number = row["id"] if change.table is table else row.get(column)
            if number is not None:
                people[column].add(number)
    sessions = set(connection.scalars(select(_session.id).where(reading.is_among(connection, _session.id, before))))
    for key, numbers in people.items():
        sessions |= list_sessions_since(connection, key, numbers, EVER)
    rejudge(connection, school, Affected(times, sessions))
    spot_checks.draw(connection, school, _find_touched(detached))
    _delete_breaches(connection, {*detached.sessions, *before})


def _find_touched(detached: Detached) -> spot_checks.Touched:
    """Who held the sessions that were removed, and when."""
    rows = detached.sessions.values()
    staff_ids = frozenset(row["staff_id"] for row in rows if row["staff_id"])
    return spot_checks.Touched(staff_ids, frozenset(row["day"] for row in rows))


def _delete_breaches(connection: Connection, sessions: set[int]) -> None:
    """Delete what was opened since for sessions that there are no more; nobody has written about it."""
    there = set(connection.scalars(select(_session.id).where(reading.is_among(connection, _session.id, sessions))))
    breach = tables.breaches.c
    of_gone = select(breach.id).where(reading.is_among(connection, breach.session_id, sessions - there))
    gone = connection.scalars(of_gone).all()
    events = reading.is_among(connection, tables.breach_events.c.breach_id, gone)
    connection.execute(delete(tables.breach_events).where(events))
    connection.execute(delete(tables.breaches).where(reading.is_among(connection, breach.id, gone)))
