"""Writes calls into the tables, removes them, and reads their originals again when the reader has improved."""

import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, delete, select, type_coerce, update

from app.judging.fingerprint import READER
from app.judging.rejudge import discard_sessions
from app.records.evidence.calls import Call, is_session, read_call
from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.people.roster import Roster
from app.school import School
from app.store import reading, tables
from app.store.concerns import find_conduct_links
from app.store.encryption import DecryptionError, decrypt, hide_name
from app.store.meeting_links import iter_links, remember_links
from app.store.quarantined import digest, put_fetched
from app.store.writing import insert_rows
from app.vocabulary.terms import CallSource

_AT_ONCE = 500  # calls read before they are written
_COMPRESSION = 3  # of originals: half the time of level 6, and still a sixth of the size


def write_calls(
    connection: Connection, school: School, calls: Sequence[Call], roster: Roster, known: Collection[str]
) -> None:
    """Store calls. Those in `known` are stored already: what was read from them is replaced."""
    now = school.now()
    _remove_read(connection, known)
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
        rows[tables.call_videos] += [
            vars(video) | {"call_id": call.id, "person": hide_name(video.person)} for video in call.videos
        ]
        for table, people in ((tables.call_stays, call.stays), (tables.call_listed, call.listed)):
            for person in people:
                staff_id, pupil_id = roster.find_ids(person.entra_id, person.upn)
                ids = {"call_id": call.id, "staff_id": staff_id, "pupil_id": pupil_id}
                rows[table].append(vars(person) | ids | {"person": hide_name(person.person)})
    for table, values in rows.items():
        insert_rows(connection, table, values)
    remember_links(connection, iter_links(calls, school.settings.tenant_id), now)


def _remove_read(connection: Connection, calls: Collection[str]) -> None:
    """Delete the rows that were read from calls, but not the calls themselves."""
    for table in (tables.call_originals, tables.call_stays, tables.call_videos, tables.call_listed):
        connection.execute(delete(table).where(reading.is_among(connection, table.c.call_id, calls)))


def drop_calls(connection: Connection, school: School, calls: Collection[str]) -> None:
    """Remove stored calls that turned out not to be sessions, and remember that of their version. The sync fetches them
    again if it lists them: they may be sessions again by then."""
    stored = tables.calls.c
    versions = select(stored.id, stored.version).where(reading.is_among(connection, stored.id, calls))
    remember_dropped(connection, {row.id: row.version for row in connection.execute(versions)})
    seen = tables.sync_seen.c.id
    connection.execute(
        delete(tables.sync_seen).where(reading.is_among(connection, seen, [digest(call_id) for call_id in calls]))
    )
    remove_calls(connection, school, calls)


def read_dropped(connection: Connection, calls: Collection[str]) -> dict[str, int]:
    """The version at which each of some calls was found not to be a session, by call id."""
    ids = {digest(call_id): call_id for call_id in calls}
    dropped = tables.calls_dropped
    rows = connection.execute(select(dropped).where(reading.is_among(connection, dropped.c.key, ids)))
    return {ids[row.key]: row.version for row in rows}


def remember_dropped(connection: Connection, calls: Mapping[str, int]) -> None:
    """For calls that are not sessions, given with their versions, store only a digest of the id and the version."""
    dropped = tables.calls_dropped
    rows = [{"key": digest(call_id), "version": version} for call_id, version in calls.items()]
    before = reading.is_among(connection, dropped.c.key, [row["key"] for row in rows])
    connection.execute(delete(dropped).where(before))
    insert_rows(connection, dropped, rows)


def remove_calls(connection: Connection, school: School, calls: Collection[str]) -> None:
    """Delete calls that turned out not to be sessions, and their sessions unless these have a log."""
    if not calls:
        return
    of_call, session = tables.session_calls, tables.sessions
    is_of_calls = reading.is_among(connection, of_call.c.call_id, calls)
    with_calls = session.c.id.in_(select(of_call.c.session_id).where(is_of_calls))
    sessions = connection.scalars(select(session.c.id).where(with_calls, session.c.log_id.is_(None))).all()
    connection.execute(delete(of_call).where(is_of_calls))
    discard_sessions(connection, school, sessions)
    _remove_read(connection, calls)
    connection.execute(delete(tables.calls).where(reading.is_among(connection, tables.calls.c.id, calls)))


def linked_to_concerns(connection: Connection, calls: Collection[str]) -> set[str]:
    """Those of some calls that a concern is linked to, by themselves or by the session that they are of."""
    of_call, of_same, session, log = tables.session_calls, tables.session_calls.alias(), tables.sessions, tables.logs
    query = (
        select(of_call.c.call_id, of_same.c.call_id.label("same"), log.c.ref)
        .join(of_same, of_same.c.session_id == of_call.c.session_id)
        .join(session, session.c.id == of_call.c.session_id)
        .outerjoin(log, log.c.id == session.c.log_id)
        .where(reading.is_among(connection, of_call.c.call_id, calls))
    )
    rows = connection.execute(query).all()
    names = {"call_id": {*calls, *(row.same for row in rows)}, "log_ref": {row.ref for row in rows if row.ref}}
    linked: set[str] = set()
    for name, values in names.items():
        link = tables.concern_sessions.c[name]
        linked.update(connection.scalars(select(link).where(reading.is_among(connection, link, values))))
        linked.update(find_conduct_links(connection, name, values).values())
    return {*linked.intersection(calls), *(row.call_id for row in rows if {row.same, row.ref} & linked)}


def read_originals(connection: Connection, calls: Collection[str]) -> Iterator[tuple[str, bytes | None]]:
    """Yield the ids of some calls with the JSON that they were read from; None if its key is lost. Originals past
    their retention period are not there."""
    stored = tables.call_originals.c
    query = select(stored.call_id, type_coerce(stored.original, LargeBinary))
    for call_id, original in connection.execute(query.where(reading.is_among(connection, stored.call_id, calls))):
        try:
            yield call_id, zlib.decompress(decrypt(original))
        except (DecryptionError, zlib.error):
            yield call_id, None


def read_original(original: bytes | None) -> Call | None:
    """Read a stored original; None if the reader does not accept it."""
    try:
        return _read_again(original)
    except UnreadableObjectError:
        return None


def _read_again(original: bytes | None) -> Call:
    if original is None:
        raise UnreadableObjectError("its stored original cannot be decrypted")
    try:
        record = json.loads(original)
    except (ValueError, RecursionError):
        raise UnreadableObjectError("its stored original is not JSON") from None
    return read_call(record, original)


def reread_originals(connection: Connection, school: School) -> bool:
    """Read again the originals of call records that another reader read. What can no longer be read keeps its rows and
    is put into quarantine. Returns whether there were any."""
    stored = tables.calls.c
    others = select(stored.id).where(stored.reader != READER, stored.source == CallSource.RECORD).order_by(stored.id)
    calls = connection.scalars(others).all()
    roster = reading.read_roster(connection)
    for start in range(0, len(calls), _AT_ONCE):
        reread_calls(connection, school, roster, calls[start : start + _AT_ONCE])
    return bool(calls)


def reread_calls(connection: Connection, school: School, roster: Roster, call_ids: Sequence[str]) -> None:
    """Read the originals of some call records again. Those that are no sessions are dropped, unless a concern is linked
    to them."""
    sessions: list[Call] = []
    dropped: list[str] = []
    linked = linked_to_concerns(connection, call_ids)
    for call_id, original in list(read_originals(connection, call_ids)):
        try:
            call = _read_again(original)
        except UnreadableObjectError as error:
            _quarantine(connection, call_id, f"a newer reader rejects it: {error}", original, school.now())
            continue
        call.id = call_id
        if is_session(call, roster, school.settings.tenant_id):
            sessions.append(call)
        elif call_id not in linked:
            dropped.append(call_id)
    write_calls(connection, school, sessions, roster, {call.id for call in sessions})
    drop_calls(connection, school, dropped)


def _quarantine(connection: Connection, call_id: str, reason: str, original: bytes | None, now: datetime) -> None:
    put_fetched(connection, "calls", call_id, {"reason": reason, "original": original, "rejected_at": now})
