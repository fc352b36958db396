"""The list of rejected rows: each stays until somebody fixes or dismisses it, or a later file brings it right."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from app.records.logs import find_ref
from app.records.rows import RejectedRow
from app.settings import Settings
from app.store import reading, tables
from app.vocabulary import RowResolution

# Of these the newest file counts: a row that was right in between and is rejected again is wrong again.
_ROSTER = ("schools", "staff", "pupils")
_row = tables.rejected_rows.c

Cells = Mapping[str, str]
Identity = tuple[Any, ...]  # something by which a row is recognised in another file


def list_new(connection: Connection, kind: str, source: str, rejected: Iterable[RejectedRow]) -> list[dict[str, Any]]:
    """The rejected rows that the list does not have from an earlier try, ready to be inserted; those of a roster that
    had been right in between are open again."""
    stored_reasons: dict[str | None, set[str]] = defaultdict(set)
    for column, reason in connection.execute(select(_row.column, _row.reason).where(_row.kind == kind).distinct()):
        stored_reasons[column].add(reason)
    rows: dict[str, dict[str, Any]] = {}
    same: dict[str, str] = {}  # the fingerprint that a row may be stored under: its own
    for one in rejected:
        original = json.dumps(one.original, ensure_ascii=False, sort_keys=True, default=str)
        own = _fingerprint(kind, one.column, one.reason, original)
        # A version before may have stored the same row with its reason in other words.
        same |= {_fingerprint(kind, one.column, reason, original): own for reason in stored_reasons[one.column]}
        rows[own] = {
            "kind": kind,
            "source": source,
            "row": one.row,
            "column": one.column,
            "value": one.value,
            "reason": one.reason,
            "fix": one.fix,
            "original": original,
            "fingerprint": own,
        }
    stored = reading.is_among(connection, _row.fingerprint, same)
    if kind in _ROSTER:
        connection.execute(
            update(tables.rejected_rows)
            .where(stored, _row.resolution == RowResolution.IMPORTED)
            .values(resolved_at=None, resolved_by=None, resolution=None)
        )
    for fingerprint in connection.scalars(select(_row.fingerprint).where(stored)):
        rows.pop(same[fingerprint], None)
    return list(rows.values())


def _fingerprint(kind: str, column: str | None, reason: str, original: str) -> str:
    return hashlib.sha256(f"{kind}|{column}|{reason}|{original}".encode()).hexdigest()


def find_fixed(
    connection: Connection,
    settings: Settings,
    kind: str,
    source: str,
    *,
    used: Iterable[tuple[int, Cells]],
    rejected: Sequence[RejectedRow],
    calls: Mapping[str, int],
) -> list[int]:
    """The ids of open rows that an import certainly fixed.

    `used` are the rows that could be used, by number, `calls` the version of each call (0: of a recording) by its id.
    It is certain if the very same row was used, or one about the same log, person, school or call; in a register, one
    about the same pupil in the same place of the same file.
    """
    open_rows = connection.execute(
        select(_row.id, _row.source, _row.row, _row.original).where(_row.kind == kind, _row.resolved_at.is_(None))
    ).all()
    if not open_rows:
        return []
    bad = {one.row for one in rejected}
    right = {one for row, cells in used if row not in bad for one in _identify(kind, source, row, cells, settings)}
    for one in rejected:
        right -= _identify(kind, source, one.row, one.original, settings)
    return [
        row.id
        for row in open_rows
        if _is_call_read(original := json.loads(row.original), calls)
        or _identify(kind, row.source, row.row, original, settings) & right
    ]


def _is_call_read(original: Any, calls: Mapping[str, int]) -> bool:
    content = original.get("content") if isinstance(original, dict) else None
    if not calls or not isinstance(content, dict) or content.get("id") not in calls:
        return False
    version = content.get("version", 0)
    return isinstance(version, int) and version <= calls[content["id"]]


def _identify(kind: str, source: str, row: int, original: Any, settings: Settings) -> set[Identity]:
    """What a row is recognised by: all its cells, and what it is about."""
    if not isinstance(original, Mapping) or not all(isinstance(cell, str) for cell in original.values()):
        return set()
    cells = {name.strip().lower(): cell.strip() for name, cell in original.items()}
    identities: set[Identity] = {("cells", *sorted((name, cell) for name, cell in cells.items() if cell))}
    key: Identity = ()
    if kind == "logs":
        key = (find_ref(cells, settings),)
    elif kind in _ROSTER:
        key = (cells.get("code" if kind == "schools" else "email", "").lower(),)
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
    """Resolve those of the rows that are still open; their ids."""
    still_open = _row.resolved_at.is_(None), reading.is_among(connection, _row.id, ids)
    found = list(connection.scalars(select(_row.id).where(*still_open)))
    if found:
        change = update(tables.rejected_rows).where(*still_open)
        connection.execute(
            change.values(resolved_at=at, resolved_by=actor_id, resolution=resolution, resolution_reason=reason)
        )
    return found
