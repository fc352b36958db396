"""The quarantine: everything that was rejected, from files and from the sync, whole and encrypted, with the reason.

A row stays until somebody fixes or dismisses it, or a later file corrects it; a record of the sync until it can be
read, or somebody dismisses it.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, delete, func, select, update

from app.intake.result import ImportResult
from app.records.evidence.graph_objects import read_lower
from app.records.logs import find_ref
from app.records.people.roster import ROSTER_TABLES
from app.settings import Settings
from app.store import reading, tables
from app.store.quarantined import digest, put_fetched
from app.store.writing import insert_rows
from app.vocabulary.terms import RowResolution
from app.vocabulary.words import fold

_OF_A_ROW = ("row", "column", "value", "reason", "fix")
_entry = tables.quarantine.c
_is_fetched = _entry.row.is_(None)

Identity = tuple[Any, ...]  # something by which a row is recognised in another file


@dataclass(frozen=True)
class RejectedRecord:
    """A record that the sync fetched, or an entry of a list, that cannot be read. `content` is what arrived, None if
    nothing did. `key` recognises it the next time; of a call record it is the call's id."""

    kind: str  # calls or recordings
    key: str
    reason: str
    content: bytes | None
    is_call: bool = False


def reject_entry(kind: str, entry: Any, reason: str) -> RejectedRecord:
    """The rejected record of an entry of a list, which is recognised by its digest."""
    content = json.dumps(entry)
    return RejectedRecord(kind, digest(content), reason, content.encode())


def quarantine_rows(connection: Connection, result: ImportResult, now: datetime) -> int:
    """Put the rejected rows of an import into quarantine, and reopen those of a roster that had been fixed. Returns
    the number of new rows."""
    if not result.rejected:
        return 0
    kind, table = result.kind, tables.quarantine
    stored_reasons: dict[str | None, set[str]] = defaultdict(set)
    for column, reason in connection.execute(
        select(_entry.column, _entry.reason).where(_entry.kind == kind).distinct()
    ):
        stored_reasons[column].add(reason)
    rows: dict[str, dict[str, Any]] = {}
    current_fingerprint: dict[str, str] = {}  # maps old fingerprints to current ones
    for rejected in result.rejected:
        original = json.dumps(rejected.original, ensure_ascii=False, sort_keys=True, default=str)
        fingerprint = digest(f"{kind}|{rejected.column}|{rejected.reason}|{original}")
        # An earlier version may have stored the same row with its reason worded differently.
        for reason in stored_reasons[rejected.column]:
            current_fingerprint[digest(f"{kind}|{rejected.column}|{reason}|{original}")] = fingerprint
        row = vars(rejected)
        rows[fingerprint] = {name: row[name] for name in _OF_A_ROW} | {
            "kind": kind,
            "source": "/".join(filter(None, (result.source, rejected.file))),
            "call_id": _find_call_id(rejected.original) if kind == "calls" else None,
            "original": original.encode(),
            "fingerprint": fingerprint,
            "rejected_at": now,
            "attempts": 1,
        }
    current_fingerprint |= {fingerprint: fingerprint for fingerprint in rows}
    stored = reading.is_among(connection, _entry.fingerprint, current_fingerprint)
    if kind in ROSTER_TABLES:  # the newest file wins: a fixed row that is rejected again is open again
        reopened = update(table).where(stored, _entry.resolution == RowResolution.IMPORTED)
        connection.execute(reopened.values(resolved_at=None, resolved_by=None, resolution=None))
    for fingerprint in connection.scalars(select(_entry.fingerprint).where(stored)):
        rows.pop(current_fingerprint[fingerprint], None)
    insert_rows(connection, table, list(rows.values()))
    return len(rows)


def quarantine_record(connection: Connection, record: RejectedRecord, now: datetime) -> None:
    """Put a record of the sync into quarantine, or count another attempt."""
    values = {"reason": record.reason, "original": record.content, "rejected_at": now}
    put_fetched(connection, record.kind, record.key, values, is_call=record.is_call)


def count_fetched(connection: Connection) -> int:
    """The number of records that the sync fetched and that are still open."""
    return connection.scalar(select(func.count()).where(_is_fetched, _entry.resolved_at.is_(None))) or 0


def list_calls_to_retry(connection: Connection, before: datetime, *, everything: bool) -> list[str]:
    """The ids of the open calls last tried before a time: those of which the sync has nothing, or all, also those of
    files."""
    query = select(_entry.call_id).where(
        _entry.call_id.is_not(None), _entry.resolved_at.is_(None), _entry.rejected_at < before
    )
    return list(connection.scalars((query if everything else query.where(_entry.original.is_(None))).distinct()))


def get_call_content(connection: Connection, call_id: str) -> tuple[bytes, bool]:
    """What is in quarantine of a call record, empty if nothing arrived, and whether the sync fetched it: from a file it
    is only taken if the sync has nothing."""
    query = select(_entry.row, _entry.original).where(_is_of_call(connection, [call_id]), _entry.resolved_at.is_(None))
    row = connection.execute(query.order_by(_entry.row.is_not(None), _entry.id.desc()).limit(1)).first()
    if row is None or row.row is None:
        return (row.original or b"" if row else b""), True
    return json.dumps(json.loads(row.original).get("content")).encode(), False


def settle_calls(connection: Connection, calls: Mapping[str, int], at: datetime, actor_id: int | None = None) -> int:
    """Clear the quarantine of calls that could be read after all, given with their versions: delete what the sync
    fetched, since they may not be sessions, and resolve the records of files. Returns their number."""
    deleted = connection.execute(delete(tables.quarantine).where(_is_fetched, _is_of_call(connection, calls))).rowcount
    query = select(_entry.id, _entry.original).where(
        ~_is_fetched, _is_of_call(connection, calls), _entry.resolved_at.is_(None)
    )
    read = [row.id for row in connection.execute(query) if _is_call_read(json.loads(row.original), calls)]
    return deleted + len(resolve(connection, read, RowResolution.IMPORTED, at=at, actor_id=actor_id))


def _is_of_call(connection: Connection, calls: Collection[str]) -> ColumnElement[bool]:
    return reading.is_among(
        connection, func.lower(_entry.call_id, type_=String(200)), [call_id.lower() for call_id in calls]
    )


def delete_reports(connection: Connection, report_ids: Collection[str]) -> None:
    """Delete what the sync fetched of attendance reports that could be read after all."""
    fingerprints = [digest(f"sync|attendance|{report_id}") for report_id in report_ids]
    read = reading.is_among(connection, _entry.fingerprint, fingerprints)
    connection.execute(delete(tables.quarantine).where(_is_fetched, read))


def delete_unlisted(connection: Connection, before: datetime) -> None:
    """Delete records other than calls and reports that Graph no longer lists: those last tried before a time."""
    unlisted = _entry.call_id.is_(None), _entry.kind != "attendance", _entry.rejected_at < before
    connection.execute(delete(tables.quarantine).where(_is_fetched, *unlisted))


def find_fixed(connection: Connection, settings: Settings, result: ImportResult) -> list[int]:
    """The ids of open rows that an import certainly fixed: it used the very same row, or one about the same log,
    person, school or call; in a register, one about the same pupil in the same place of the same file."""
    kind, source = result.kind, result.source
    if not (result.rows or result.calls):
        return []
    open_rows = connection.execute(
        select(_entry.id, _entry.source, _entry.row, _entry.original).where(
            _entry.kind == kind, ~_is_fetched, _entry.resolved_at.is_(None)
        )
    ).all()
    if not open_rows:
        return []
    bad = {rejected.row for rejected in result.rejected}
    right: set[Identity] = set()
    for number, cells in result.rows:
        if number not in bad:
            right |= _identify(kind, source, number, cells, settings)
    for rejected in result.rejected:
        right -= _identify(kind, source, rejected.row, rejected.original, settings)
    return [
        row.id
        for row in open_rows
        if _is_call_read(original := json.loads(row.original), result.calls)
        or _identify(kind, row.source, row.row, original, settings) & right
    ]


def _find_call_id(original: Any) -> str | None:
    """The id of a rejected record of a file."""
    content = original.get("content") if isinstance(original, dict) else None
    record = content if isinstance(content, dict) else {}
    return read_lower(record.get("id") or record.get("Id"), 100)


def _is_call_read(original: Any, calls: Mapping[str, int]) -> bool:
    if isinstance(original, dict) and original.get("report") in calls:
        return True
    content = original.get("content") if isinstance(original, dict) else None
    if not isinstance(content, dict):
        return False
    own_id = content.get("id") or content.get("Id")
    known = calls.get(own_id, calls.get(own_id.lower())) if isinstance(own_id, str) else None
    version = content.get("version") or content.get("Version") or 0
    return known is not None and isinstance(version, int) and version <= known


def _identify(kind: str, source: str, row: int, original: Any, settings: Settings) -> set[Identity]:
    """The keys by which a row is recognised: all its cells, and its subject."""
    if not isinstance(original, Mapping) or not all(isinstance(cell, str) for cell in original.values()):
        return set()
    cells = {name.strip().lower(): cell.strip() for name, cell in original.items()}
    identities: set[Identity] = {("cells", *sorted((name, cell) for name, cell in cells.items() if cell))}
    key: Identity = ()
    if kind == "logs":
        key = (find_ref(cells, settings),)
    elif kind == "schools":
        key = (cells.get("code", "").lower(),)
    elif kind in ROSTER_TABLES:  # somebody else may have the address
        key = (cells.get("email", "").lower(), fold(cells.get("name", "")))
    elif kind in ("letters", "consents"):
        key = (source, row, cells.get("pupil_email", "").lower(), cells.get("kind", "").lower())
    return identities | {("key", *key)} if key and all(key) else identities


def resolve(
    connection: Connection,
    ids: Collection[int],
    resolution: RowResolution,
    *,
    at: datetime,
    actor_id: int | None,
    reason: str | None = None,
) -> list[int]:
    """Resolve those of the entries that are still open. Returns their ids."""
    still_open = update(tables.quarantine).where(
        _entry.resolved_at.is_(None), reading.is_among(connection, _entry.id, ids)
    )
    change = still_open.values(resolved_at=at, resolved_by=actor_id, resolution=resolution, resolution_reason=reason)
    return list(connection.scalars(change.returning(_entry.id)))
