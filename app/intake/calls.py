"""Imports Microsoft Graph's call records, of which only sessions are stored, and the existence of recordings."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from app.intake.demonstration import check_not_demonstration
from app.intake.result import ImportResult
from app.intake.transaction import Run, Work, carry_out_for_good, prepare_import, span
from app.judging.call_rows import (
    linked_to_concerns,
    read_dropped,
    read_original,
    read_originals,
    remember_dropped,
    remove_calls,
    write_calls,
)
from app.judging.rejudge import Affected
from app.records.evidence.attendance_lines import refuse_attendance_report
from app.records.evidence.calls import Call, is_preferred, is_session, read_call
from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.evidence.json_files import FoundObject, iter_objects
from app.records.evidence.recordings import Recording, read_recording
from app.records.people.roster import Roster
from app.records.rows import RejectedRow, UnreadableFileError
from app.school import School
from app.store import reading, tables
from app.vocabulary.terms import CallSource

T = TypeVar("T", Call, Recording)

_AT_ONCE = 500  # call records read before they are written


def import_calls(
    school: School, path: str | Path, actor_id: int | None = None, progress: Callable[[int], None] | None = None
) -> ImportResult:
    """Import Microsoft Graph's call records from a file or a folder, in any form that `iter_objects` reads."""
    return _import(school, "calls", path, actor_id, progress)


def import_recordings(school: School, path: str | Path, actor_id: int | None = None) -> ImportResult:
    """Import Microsoft Graph's recordings, in any form that `iter_objects` reads."""
    return _import(school, "recordings", path, actor_id)


def _import(
    school: School, kind: str, path: str | Path, actor_id: int | None, progress: Callable[[int], None] | None = None
) -> ImportResult:
    return carry_out_for_good(school, prepare_records(school, kind, path, actor_id, progress))[0]


def prepare_records(
    school: School,
    kind: str,
    path: str | Path,
    actor_id: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """The import of `calls` or `recordings`, ready to be run once."""
    check_not_demonstration(school, kind)
    path = check_exists(path)
    refuse_attendance_report(path)
    work = create_record_work(school, iter_objects(path), progress)
    return prepare_import(school, ImportResult(kind, path.name, actor_id), work)


def create_record_work(
    school: School, objects: Iterator[FoundObject], progress: Callable[[int], None] | None = None
) -> Work:
    """The work of importing call records or recordings, whichever the result names."""

    def work(connection: Connection, result: ImportResult) -> Affected:
        affected = Affected()
        roster = reading.read_roster(connection)
        for part in iter_parts(follow_pages(objects, result)):
            if result.kind == "calls":
                store_calls(connection, school, list(_read_each(part, _read_call, result)), roster, result, affected)
            else:
                store_recordings(connection, list(_read_each(part, _read_recording, result)), result, affected)
            if progress:
                progress(result.read)
        return affected

    return work


def check_exists(path: str | Path) -> Path:
    """The path. UnreadableFileError if there is nothing."""
    path = Path(path)
    if not path.exists():
        raise UnreadableFileError(f"{path} does not exist; give a file or a folder that does.")
    return path


def follow_pages(objects: Iterable[FoundObject], result: ImportResult) -> Iterator[FoundObject]:
    """The objects of an import, without pages that have none. At the end the result says which pages have a next link;
    unless the last page of a list is there too, what it leads to counts as not read."""
    continued: dict[str, None] = {}
    has_last = False
    for item in objects:
        if item.has_more:
            continued[item.file] = None
        has_last = has_last or item.has_more is False
        if not item.is_blank:
            yield item
    if continued:
        words = f"a next link leads to more records than are in {', '.join(continued)}"
        if has_last:
            result.notes.append(f"{words}: import those pages as well")
        else:
            result.unread.append(f"{result.source}: {words}, and they were not read: import those pages as well.")


def iter_parts(objects: Iterator[FoundObject]) -> Iterator[list[FoundObject]]:
    """The objects in parts that are stored together."""
    while part := list(islice(objects, _AT_ONCE)):
        yield part


def _read_call(item: FoundObject) -> Call:
    return read_call(item.content, item.original)


def _read_recording(item: FoundObject) -> Recording:
    return read_recording(item.content, item.context)


def _read_each(part: Iterable[FoundObject], read: Callable[[FoundObject], T], result: ImportResult) -> Iterator[T]:
    """Yield the records that can be read; reject the others, unshortened, with the reason."""
    for item in part:
        result.read += 1
        try:
            if item.reason:
                raise UnreadableObjectError(item.reason, item.fix)
            record = read(item)
        except UnreadableObjectError as error:
            original = {"where": item.file, "content": item.content if item.content is not None else item.raw}
            fix = error.fix or "correct it, or fetch it again"
            file = item.file if item.file != result.source else None
            result.rejected.append(RejectedRow(item.number, None, None, str(error), fix, original, file))
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
    """Store call records: those that are sessions, and of each the highest version, or of two records of one version
    the one that holds more. A call that a later version shows not to be a session goes, unless a concern is linked to
    it; of a call that is not one only a digest of its id and its version are kept, so that no older version is imported
    later."""
    newest = _choose_newest(calls)
    stored = tables.calls.c
    query = select(stored.id, stored.version, stored.started_at, stored.ended_at)
    known_calls = connection.execute(query.where(reading.is_among(connection, stored.id, newest)))
    known = {row.id: row for row in known_calls}
    dropped_before = read_dropped(connection, newest)
    tenant = school.settings.tenant_id
    later, equal = [], []
    for call in newest.values():
        before = known.get(call.id)
        # A dropped version is read again, since the roster may know its people by now.
        if (before is None or call.version > before.version) and call.version >= dropped_before.get(call.id, 0):
            later.append(call)
        elif before is not None and call.version == before.version and call.source is CallSource.RECORD:
            equal.append(call)
    new = [call for call in [*later, *_iter_fuller(connection, equal)] if is_session(call, roster, tenant)]
    dropped = [call for call in later if not is_session(call, roster, tenant)]
    kept = linked_to_concerns(connection, known.keys() & {call.id for call in dropped})
    dropped = [call for call in dropped if call.id not in kept]
    for call in new + dropped:
        if (before := known.get(call.id)) is not None:
            affected.times.append(span(before.started_at, before.ended_at))
    affected.times += [span(call.started_at, call.ended_at) for call in new]
    replaced = {call.id for call in new if call.id in known}
    result.note_keys("changed", replaced)
    result.note_keys("added", [call.id for call in new if call.id not in replaced])
    others = Counter(call.id for call in calls) - Counter(call.id for call in new + dropped)
    result.note_keys("unchanged", others.elements())
    result.unchanged += len(calls) - len(new) - len(dropped)
    result.dropped += len(dropped)
    result.changed += len(replaced)
    result.added += len(new) - len(replaced)
    remove_calls(connection, school, [call.id for call in dropped if call.id in known])
    write_calls(connection, school, new, roster, replaced)
    remember_dropped(
        connection, {call.id: call.version for call in dropped if call.version != dropped_before.get(call.id)}
    )


def _iter_fuller(connection: Connection, calls: Sequence[Call]) -> Iterator[Call]:
    """Those of some calls that count rather than the stored record of the same version, or replace one that the reader
    no longer accepts."""
    by_id = {call.id: call for call in calls}
    for call_id, original in read_originals(connection, by_id):
        call = by_id[call_id]
        if original == call.original:
            continue
        before = read_original(original)
        if before is None or is_preferred(call, before):
            yield call


def _choose_newest(calls: Iterable[Call]) -> dict[str, Call]:
    """The highest version of each call, by id; of equals the one that holds more."""
    newest: dict[str, Call] = {}
    for call in calls:
        before = newest.get(call.id)
        if (
            before is None
            or call.version > before.version
            or (call.version == before.version and is_preferred(call, before))
        ):
            newest[call.id] = call
    return newest


def store_recordings(
    connection: Connection, recordings: Sequence[Recording], result: ImportResult, affected: Affected
) -> None:
    """Store that there are recordings. One that arrives before its call is matched when the call arrives."""
    newest: dict[str, Recording] = {}
    for recording in recordings:
        newest[recording.id] = _add_known(recording, newest.get(recording.id))
    stored = tables.recordings
    rows = connection.execute(select(stored).where(reading.is_among(connection, stored.c.id, newest)))
    known = {row.id: Recording(**row._asdict()) for row in rows}
    sessions = select(tables.session_calls.c.session_id).join(tables.calls)
    for new in newest.values():
        before = known.get(new.id)
        recording = _add_known(new, before)
        name = "unchanged" if recording == before else "changed" if before else "added"
        setattr(result, name, getattr(result, name) + 1)
        result.note_keys(name, [recording.id])
        if recording == before:
            continue
        connection.execute(delete(stored).where(stored.c.id == recording.id))
        connection.execute(insert(stored).values(vars(recording)))
        for version in filter(None, (before, recording)):
            affected.sessions |= set(connection.scalars(sessions.where(_is_recorded(version))))
    result.unchanged += len(recordings) - len(newest)
    again = Counter(recording.id for recording in recordings) - Counter(newest.keys())
    result.note_keys("unchanged", again.elements())


def _add_known(recording: Recording, before: Recording | None) -> Recording:
    """A recording with what was known of it, such as where it is stored, if it does not say so itself."""
    if before is None:
        return recording
    return replace(
        recording, **{name: known for name, known in vars(before).items() if getattr(recording, name) is None}
    )


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
