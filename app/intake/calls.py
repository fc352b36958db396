"""Imports Microsoft Graph's call records, of which only sessions are stored, and the existence of recordings."""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select, update

from app.intake.meeting_links import iter_links, remember_links
from app.intake.result import ImportResult
from app.intake.transaction import run_import, span
from app.judging.rejudge import Affected, remove_sessions
from app.records.attendance_lines import refuse_attendance_report
from app.records.calls import READER, Call, read_call
from app.records.graph_objects import UnreadableObjectError
from app.records.json_files import FoundObject, iter_objects
from app.records.recordings import Recording, read_recording
from app.records.roster import Roster
from app.records.rows import RejectedRow, UnreadableFileError
from app.school import School
from app.store import reading, session_days, tables
from app.store.writing import insert_rows

T = TypeVar("T", Call, Recording)

_AT_ONCE = 500  # call records read before they are written
_COMPRESSION = 3  # of originals: half the time of level 6, and still a sixth of the size


def import_calls(
    school: School, path: str | Path, actor_id: int | None = None, progress: Callable[[int], None] | None = None
) -> ImportResult:
    """Import Microsoft Graph's call records from a file or a folder, in any form that `iter_objects` reads."""
    path = check_exists(path)
    refuse_attendance_report(path)

    def work(connection: Connection, result: ImportResult) -> Affected:
        affected = Affected()
        roster = reading.read_roster(connection)
        for part in iter_parts(iter_objects(path)):
            calls = list(_read_each(part, read_call, result))
            store_calls(connection, school, calls, roster, result, affected)
            if progress:
                progress(result.read)
        return affected

    return run_import(school, ImportResult("calls", path.name, actor_id), work)


def import_recordings(school: School, path: str | Path, actor_id: int | None = None) -> ImportResult:
    """Import Microsoft Graph's recordings, in any form that `iter_objects` reads."""
    path = check_exists(path)
    refuse_attendance_report(path)

    def work(connection: Connection, result: ImportResult) -> Affected:
        affected = Affected()
        for part in iter_parts(iter_objects(path)):
            store_recordings(connection, list(_read_each(part, read_recording, result)), result, affected)
        return affected

    return run_import(school, ImportResult("recordings", path.name, actor_id), work)


def check_exists(path: str | Path) -> Path:
    """The path. UnreadableFileError if there is nothing."""
    path = Path(path)
    if not path.exists():
        raise UnreadableFileError(f"{path} does not exist; give a file or a folder that does.")
    return path


def iter_parts(objects: Iterator[FoundObject]) -> Iterator[list[FoundObject]]:
    """The objects in parts that are stored together."""
    while part := list(islice(objects, _AT_ONCE)):
        yield part


def _read_each(part: Iterable[FoundObject], read: Callable[[Any], T], result: ImportResult) -> Iterator[T]:
    """Yield the records that can be read; reject the others, unshortened, with the reason."""
    for item in part:
        result.read += 1
        try:
            if item.reason:
                raise UnreadableObjectError(item.reason)
            record = read(item.content)
        except UnreadableObjectError as error:
            original = {"where": item.file, "content": item.content if item.content is not None else item.raw}
            fix = f"correct it in {item.file}, or fetch it again"
            result.rejected.append(RejectedRow(item.number, None, None, str(error), fix, original))
        else:
            result.calls[record.id] = max(getattr(record, "version", 0), result.calls.get(record.id, 0))
            yield record


def store_calls(
    connection: Connection,
    school: School,
    calls: Sequence[Call],
    roster: Roster,
    result: ImportResult,
    affected: Affected,
) -> None:
    """Store call records: those that are sessions, and of each the highest version. A call that a later
    version shows not to be a session goes; of a call that is not one only a digest of its id and its version are kept,
    so that no older version is imported later."""
    newest = _newest(calls)
    stored = tables.calls.c
    query = select(stored.id, stored.version, stored.started_at, stored.ended_at)
    known_calls = connection.execute(query.where(reading.is_among(connection, stored.id, newest)))
    known = {row.id: row for row in known_calls}
    dropped_before = _dropped_before(connection, newest)
    new: list[Call] = []
    dropped: list[Call] = []
    for call in newest.values():
        before = known.get(call.id)
        # A dropped version is read again, since the roster may know its people by now.
        if (before is None or call.version > before.version) and call.version >= dropped_before.get(call.id, 0):
            (new if _is_session(call, roster) else dropped).append(call)
    for call in new + dropped:
        if (before := known.get(call.id)) is not None:
            affected.times.append(span(before.started_at, before.ended_at))
    affected.times += [span(call.started_at, call.ended_at) for call in new]
    replaced = [call.id for call in new if call.id in known]
    demoted = [call.id for call in dropped if call.id in known]
    result.unchanged += len(calls) - len(new) - len(dropped)
    result.dropped += len(dropped)
    result.changed += len(replaced)
    result.added += len(new) - len(replaced)
    _remove_read(connection, replaced + demoted)
    _remove_calls(connection, demoted)
    _insert_calls(connection, school, new, roster, set(replaced))
    _remember_dropped(
        connection, {call.id: call.version for call in dropped if call.version != dropped_before.get(call.id)}
    )


def _newest(calls: Iterable[Call]) -> dict[str, Call]:
    """The highest version of each call, by id; the first of equals."""
    newest: dict[str, Call] = {}
    for call in calls:
        if call.id not in newest or call.version > newest[call.id].version:
            newest[call.id] = call
    return newest


def _dropped_before(connection: Connection, calls: Iterable[str]) -> dict[str, int]:
    """The version at which each of the calls was found not to be a session, by call id."""
    ids = {_digest(call_id): call_id for call_id in calls}
    dropped_calls = tables.calls_dropped
    rows = connection.execute(select(dropped_calls).where(reading.is_among(connection, dropped_calls.c.key, ids)))
    return {ids[row.key]: row.version for row in rows}


def _remember_dropped(connection: Connection, calls: Mapping[str, int]) -> None:
    """For calls that are not sessions, store only a digest of the id and the version."""
    dropped_calls = tables.calls_dropped
    rows = [{"key": _digest(call_id), "version": version} for call_id, version in calls.items()]
    before = reading.is_among(connection, dropped_calls.c.key, [row["key"] for row in rows])
    connection.execute(delete(dropped_calls).where(before))
    insert_rows(connection, dropped_calls, rows)


def _digest(call_id: str) -> str:
    return hashlib.sha256(call_id.encode(errors="replace")).hexdigest()


def _is_session(call: Call, roster: Roster) -> bool:
    """Whether at least one pupil on the roster took part, and at least one person who is not such a pupil."""
    people = {stay.person: roster.find_ids(stay.entra_id, stay.upn) for stay in call.stays}
    pupils = {pupil for _, pupil in people.values() if pupil is not None}
    return bool(pupils) and any(pupil is None for _, pupil in people.values())


def _remove_read(connection: Connection, calls: Sequence[str]) -> None:
    """Delete the rows that were read from calls, but not the calls themselves."""
    for table in (tables.call_originals, tables.call_stays, tables.call_videos, tables.call_listed):
        connection.execute(delete(table).where(reading.is_among(connection, table.c.call_id, calls)))


def _remove_calls(connection: Connection, calls: Sequence[str]) -> None:
    """Delete calls that turned out not to be sessions, and their sessions unless these have a log."""
    of_call, session = tables.session_calls, tables.sessions
    is_of_calls = reading.is_among(connection, of_call.c.call_id, calls)
    with_calls = session.c.id.in_(select(of_call.c.session_id).where(is_of_calls))
    sessions = connection.scalars(select(session.c.id).where(with_calls, session.c.log_id.is_(None))).all()
    connection.execute(delete(of_call).where(is_of_calls))
    remove_sessions(connection, sessions)
    session_days.pack(connection)
    connection.execute(delete(tables.calls).where(reading.is_among(connection, tables.calls.c.id, calls)))


def _insert_calls(
    connection: Connection, school: School, calls: Sequence[Call], roster: Roster, known: set[str]
) -> None:
    now = school.now()
    rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
    rows[tables.calls] = []  # inserted first, because the other tables refer to it
    for call in calls:
        organiser, _ = roster.find_ids(call.organiser_id, call.organiser_upn)
        row = {name: value for name, value in vars(call).items() if name in tables.calls.c}
        row |= {"organiser_staff_id": organiser, "reader": READER, "stored_at": now}
        if call.id in known:
            connection.execute(update(tables.calls).where(tables.calls.c.id == call.id).values(row))
        else:
            rows[tables.calls].append(row)
        rows[tables.call_originals].append({"call_id": call.id, "original": zlib.compress(call.original, _COMPRESSION)})
        rows[tables.call_videos] += [vars(video) | {"call_id": call.id} for video in call.videos]
        for table, people in ((tables.call_stays, call.stays), (tables.call_listed, call.listed)):
            for person in people:
                staff_id, pupil_id = roster.find_ids(person.entra_id, person.upn)
                rows[table].append(vars(person) | {"call_id": call.id, "staff_id": staff_id, "pupil_id": pupil_id})
    for table, values in rows.items():
        insert_rows(connection, table, values)
    remember_links(connection, iter_links(calls, school.settings.tenant_id), now)


def store_recordings(
    connection: Connection, recordings: Sequence[Recording], result: ImportResult, affected: Affected
) -> None:
    """Store that there are recordings. One that arrives before its call is matched when the call arrives."""
    newest = {recording.id: recording for recording in recordings}
    stored = tables.recordings
    rows = connection.execute(select(stored).where(reading.is_among(connection, stored.c.id, newest)))
    known = {row.id: Recording(**row._asdict()) for row in rows}
    sessions = select(tables.session_calls.c.session_id).join(tables.calls)
    for recording in newest.values():
        before = known.get(recording.id)
        if recording == before:
            result.unchanged += 1
            continue
        result.changed += before is not None
        result.added += before is None
        connection.execute(delete(stored).where(stored.c.id == recording.id))
        connection.execute(insert(stored).values(vars(recording)))
        for version in filter(None, (before, recording)):
            affected.sessions |= set(connection.scalars(sessions.where(_is_recorded(version))))
    result.unchanged += len(recordings) - len(newest)


def _is_recorded(recording: Recording) -> ColumnElement[bool]:
    """Whether a recording is of a call."""
    call, at = tables.calls.c, recording.created_at
    if recording.call_id is not None:
        return call.id == recording.call_id
    return and_(call.organiser_id == recording.organiser_id, call.started_at <= at, call.ended_at >= at)


def is_of_stored_call(connection: Connection, recording: Recording) -> bool:
    """Whether a recording is known, or of a call that is stored."""
    known = select(tables.recordings.c.id).where(tables.recordings.c.id == recording.id)
    of_call = select(tables.calls.c.id).where(_is_recorded(recording))
    return connection.execute(known.union_all(of_call).limit(1)).first() is not None
