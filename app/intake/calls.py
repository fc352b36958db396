"""Call records of Microsoft Graph that are sessions, and that there are recordings of them."""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, insert, select, update

from app.intake.transaction import ImportResult, span, take_in
from app.judging.rejudge import Touched, remove_sessions
from app.records import Rejected, UnreadableFile
from app.records.calls import READER, Call, Found, Unreadable, iter_json, read_call
from app.records.recordings import Recording, read_recording
from app.records.roster import Roster
from app.school import School
from app.store import reading, session_days, tables
from app.store.writing import insert_rows

T = TypeVar("T", Call, Recording)

_AT_ONCE = 500  # call records read before they are written
_COMPRESSION = 3  # of originals: half the time of level 6, and still a sixth of the size


def import_calls(
    school: School, path: str | Path, by: int | None = None, progress: Callable[[int], None] | None = None
) -> ImportResult:
    """Call records of Microsoft Graph: a file or a folder, in the forms of `iter_json`."""
    path = _there(path)

    def work(connection: Connection, result: ImportResult) -> Touched:
        touched = Touched()
        roster = reading.roster(connection)
        for part in _parts(iter_json(path)):
            calls = list(_read_each(part, read_call, result))
            keep_calls(connection, school, calls, roster, result, touched)
            if progress:
                progress(result.read)
        return touched

    return take_in(school, "calls", path.name, by, work)


def import_recordings(school: School, path: str | Path, by: int | None = None) -> ImportResult:
    """Recordings of Microsoft Graph, in the forms of `iter_json`."""
    path = _there(path)

    def work(connection: Connection, result: ImportResult) -> Touched:
        touched = Touched()
        for part in _parts(iter_json(path)):
            keep_recordings(connection, list(_read_each(part, read_recording, result)), result, touched)
        return touched

    return take_in(school, "recordings", path.name, by, work)


def _there(path: str | Path) -> Path:
    path = Path(path)
    if not path.exists():
        raise UnreadableFile(f"{path} is not there; give a file or a folder that is.")
    return path


def _parts(found: Iterator[Found]) -> Iterator[list[Found]]:
    while part := list(islice(found, _AT_ONCE)):
        yield part


def _read_each(part: Iterable[Found], read: Callable[[Any], T], result: ImportResult) -> Iterator[T]:
    """What can be read; the rest is refused, whole, with its reason."""
    for found in part:
        result.read += 1
        why = found.why
        if why is None:
            try:
                one = read(found.content)
                result.calls[one.id] = max(getattr(one, "version", 0), result.calls.get(one.id, 0))
                yield one
                continue
            except Unreadable as error:
                why = str(error)
        original = {"where": found.where, "content": found.content if found.content is not None else found.raw}
        mend = f"mend or fetch again what stands in {found.where}"
        result.refused.append(Rejected(found.number, None, None, why, mend, original))


def keep_calls(
    connection: Connection,
    school: School,
    calls: Sequence[Call],
    roster: Roster,
    result: ImportResult,
    touched: Touched,
) -> None:
    """Keep call records: those that are sessions, and of each the highest version. A call that a later
    version shows to be no session goes; nothing of a call that is none is ever stored."""
    newest = _newest(calls)
    result.unchanged += len(calls) - len(newest)
    kept = tables.calls.c
    mine = reading.chosen(connection, "known_calls", kept.id, newest)
    query = select(kept.id, kept.version, kept.started_at, kept.ended_at).where(mine)
    known = {row.id: row for row in connection.execute(query)}
    dropped_before = _dropped_before(connection, newest)
    new: list[Call] = []
    replaced: list[str] = []
    demoted: list[str] = []
    dropped: dict[str, int] = {}
    for call in newest.values():
        before = known.get(call.id)
        # The version that was dropped may come again: the roster may know its people by now.
        if (before is not None and call.version <= before.version) or call.version < dropped_before.get(call.id, 0):
            result.unchanged += 1
            continue
        if before is not None:
            replaced.append(call.id)
            touched.times.append(span(before.started_at, before.ended_at))
        if not _is_session(call, roster):
            result.dropped += 1
            if call.version != dropped_before.get(call.id):
                dropped[call.id] = call.version
            if before is not None:
                demoted.append(call.id)
            continue
        new.append(call)
        touched.times.append(span(call.started_at, call.ended_at))
        result.changed += before is not None
        result.added += before is None
    _remove_read(connection, replaced)
    _remove_calls(connection, demoted)
    _insert_calls(connection, school, new, roster, set(replaced))
    _remember_dropped(connection, dropped)


def _newest(calls: Iterable[Call]) -> dict[str, Call]:
    """Of each call the first with the highest version, by id."""
    newest: dict[str, Call] = {}
    for call in calls:
        if call.id not in newest or call.version > newest[call.id].version:
            newest[call.id] = call
    return newest


def _dropped_before(connection: Connection, calls: Iterable[str]) -> dict[str, int]:
    """The version in which each of the calls was no session, by call id."""
    ids = {_digest(call_id): call_id for call_id in calls}
    gone = tables.calls_dropped
    rows = connection.execute(select(gone).where(reading.chosen(connection, "dropped_calls", gone.c.key, ids)))
    return {ids[row.key]: row.version for row in rows}


def _remember_dropped(connection: Connection, calls: Mapping[str, int]) -> None:
    """Of calls that are no sessions the version alone, by a digest of the id."""
    gone = tables.calls_dropped
    rows = [{"key": _digest(call_id), "version": version} for call_id, version in calls.items()]
    before = reading.chosen(connection, "dropped_calls", gone.c.key, [row["key"] for row in rows])
    connection.execute(delete(gone).where(before))
    insert_rows(connection, gone, rows)


def _digest(call_id: str) -> str:
    return hashlib.sha256(call_id.encode(errors="replace")).hexdigest()


def _is_session(call: Call, roster: Roster) -> bool:
    """Whether at least one pupil of the roster and another person took part, and they were not pupils
    alone."""
    people = {stay.person: roster.ids(stay.entra_id, stay.upn) for stay in call.stays}
    pupils = {pupil for _, pupil in people.values() if pupil is not None}
    return bool(pupils) and any(pupil is None for _, pupil in people.values())


def _remove_read(connection: Connection, calls: Sequence[str]) -> None:
    """Take away what was read from calls."""
    for table in (tables.call_originals, tables.call_stays, tables.call_videos, tables.call_listed):
        connection.execute(delete(table).where(reading.chosen(connection, "gone_calls", table.c.call_id, calls)))


def _remove_calls(connection: Connection, calls: Sequence[str]) -> None:
    """Take calls away that turned out to be no sessions, and the sessions that they alone made up."""
    of_call, session = tables.session_calls, tables.sessions
    mine = select(of_call.c.session_id).where(reading.chosen(connection, "gone_calls", of_call.c.call_id, calls))
    sessions = connection.scalars(select(session.c.id).where(session.c.id.in_(mine), session.c.log_id.is_(None))).all()
    connection.execute(delete(of_call).where(reading.chosen(connection, "gone_calls", of_call.c.call_id, calls)))
    remove_sessions(connection, sessions)
    session_days.pack(connection)
    connection.execute(delete(tables.calls).where(reading.chosen(connection, "gone_calls", tables.calls.c.id, calls)))


def _insert_calls(
    connection: Connection, school: School, calls: Sequence[Call], roster: Roster, known: set[str]
) -> None:
    now = school.now()
    rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
    for call in calls:
        organiser, _ = roster.ids(call.organiser_id, call.organiser_upn)
        rows[tables.calls].append(
            {
                "id": call.id, "version": call.version, "type": call.type, "started_at": call.started_at,
                "ended_at": call.ended_at, "organiser_id": call.organiser_id, "organiser_tenant": call.organiser_tenant,
                "organiser_staff_id": organiser, "channel": call.channel, "reader": READER, "stored_at": now,
            }
        )  # fmt: skip
        rows[tables.call_originals].append({"call_id": call.id, "original": zlib.compress(call.original, _COMPRESSION)})
        for stay in call.stays:
            staff_id, pupil_id = roster.ids(stay.entra_id, stay.upn)
            rows[tables.call_stays].append(
                {**vars(stay), "call_id": call.id, "staff_id": staff_id, "pupil_id": pupil_id}
            )
        rows[tables.call_videos] += [vars(video) | {"call_id": call.id} for video in call.videos]
        for listed in call.listed:
            staff_id, pupil_id = roster.ids(listed.entra_id, listed.upn)
            rows[tables.call_listed].append(
                vars(listed) | {"call_id": call.id, "staff_id": staff_id, "pupil_id": pupil_id}
            )
    for row in rows[tables.calls]:
        if row["id"] in known:
            connection.execute(update(tables.calls).where(tables.calls.c.id == row["id"]).values(row))
    rows[tables.calls] = [row for row in rows[tables.calls] if row["id"] not in known]
    for table, values in rows.items():
        insert_rows(connection, table, values)


def keep_recordings(
    connection: Connection, recordings: Sequence[Recording], result: ImportResult, touched: Touched
) -> None:
    """Keep that there are recordings. One that came before its call is found when the call comes."""
    newest = {recording.id: recording for recording in recordings}
    kept = tables.recordings
    known = {
        row.id: row._asdict()
        for row in connection.execute(select(kept).where(reading.chosen(connection, "recordings", kept.c.id, newest)))
    }
    for recording in newest.values():
        if known.get(recording.id) == vars(recording):
            result.unchanged += 1
            continue
        result.changed += recording.id in known
        result.added += recording.id not in known
        connection.execute(delete(kept).where(kept.c.id == recording.id))
        connection.execute(insert(kept).values(vars(recording)))
        for row in (known.get(recording.id), vars(recording)):
            touched.sessions |= _sessions_recorded(connection, row) if row else set()
    result.unchanged += len(recordings) - len(newest)


def _sessions_recorded(connection: Connection, recording: Mapping[str, Any]) -> set[int]:
    of_call, call = tables.session_calls.c, tables.calls.c
    query = select(of_call.session_id).join(tables.calls, call.id == of_call.call_id)
    if recording["call_id"] is not None:
        return set(connection.scalars(query.where(call.id == recording["call_id"])))
    at = recording["created_at"]
    return set(
        connection.scalars(
            query.where(call.organiser_id == recording["organiser_id"], call.started_at <= at, call.ended_at >= at)
        )
    )
