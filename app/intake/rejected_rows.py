"""The list of refused rows: kept until somebody mends or dismisses one, or a later file brings it right."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from app.records import Rejected
from app.records.logs import reference
from app.settings import Settings
from app.store import reading, tables
from app.vocabulary import RowResolution

# Of these the newest file counts: a row that is refused once more is wrong once more.
_ROSTER = ("schools", "staff", "pupils")
_row = tables.rejected_rows.c

Cells = Mapping[str, str]


def new_rows(connection: Connection, kind: str, source: str, refused: Iterable[Rejected]) -> list[dict[str, Any]]:
    """The refused rows that the list does not hold from an earlier try, ready to be inserted; those of a roster
    that had come right meanwhile wait again."""
    rows = {}
    for one in refused:
        original = json.dumps(one.original, ensure_ascii=False, sort_keys=True, default=str)
        told = f"{kind}|{one.column}|{one.why}|{original}"
        fingerprint = hashlib.sha256(told.encode()).hexdigest()
        rows[fingerprint] = {
            "row": one.row, "column": one.column, "value": one.value, "reason": one.why, "fix": one.mend,
            "kind": kind, "source": source, "original": original, "fingerprint": fingerprint,
        }  # fmt: skip
    mine = reading.chosen(connection, "refused", _row.fingerprint, rows)
    if kind in _ROSTER:
        connection.execute(
            update(tables.rejected_rows)
            .where(mine, _row.resolution == RowResolution.IMPORTED)
            .values(resolved_at=None, resolved_by=None, resolution=None)
        )
    known = set(connection.scalars(select(_row.fingerprint).where(mine)))
    return [row for fingerprint, row in rows.items() if fingerprint not in known]


def resolve_fixed_rows(
    connection: Connection,
    settings: Settings,
    kind: str,
    source: str,
    *,
    taken: Iterable[tuple[int, Cells]],
    refused: Sequence[Rejected],
    calls: Mapping[str, int],
    at: datetime,
    by: int | None,
) -> int:
    """Settle the rows of earlier imports that this one brought right, where that is certain; how many.

    `taken` are the rows taken in by number, `calls` the version of each call (0: of a recording) by its id. It
    is certain where the very same row was taken in, or one of the same log, person, school or call; of a
    register, one about the same pupil in the same place of the same file.
    """
    waiting = connection.execute(
        select(_row.id, _row.source, _row.row, _row.original).where(_row.kind == kind, _row.resolved_at.is_(None))
    ).all()
    if not waiting:
        return 0
    bad = {one.row for one in refused}
    right = {sign for row, cells in taken if row not in bad for sign in _signs(kind, source, row, cells, settings)}
    for one in refused:
        if isinstance(one.original, dict):
            right -= _signs(kind, source, one.row, one.original, settings)
    settled = [
        row.id
        for row in waiting
        if _is_right_call(json.loads(row.original), calls)
        or _signs(kind, row.source, row.row, json.loads(row.original), settings) & right
    ]
    _settle(connection, settled, RowResolution.IMPORTED, at=at, by=by)
    return len(settled)


def _is_right_call(original: Any, calls: Mapping[str, int]) -> bool:
    content = original.get("content") if isinstance(original, dict) else None
    if not calls or not isinstance(content, dict) or content.get("id") not in calls:
        return False
    version = content.get("version", 0)
    return isinstance(version, int) and version <= calls[content["id"]]


def _signs(kind: str, source: str, row: int, original: Any, settings: Settings) -> set[tuple[Any, ...]]:
    """What a row is known again by."""
    if not isinstance(original, dict) or not all(isinstance(cell, str) for cell in original.values()):
        return set()
    cells = {name.strip().lower(): cell.strip() for name, cell in original.items()}
    signs: set[tuple[Any, ...]] = {("cells", *sorted((name, cell) for name, cell in cells.items() if cell))}
    key: tuple[Any, ...] = ()
    if kind == "logs":
        key = (cells.get("ref") or reference(cells, settings),)
    elif kind in _ROSTER:
        key = (cells.get("code" if kind == "schools" else "email", "").lower(),)
    elif kind in ("letters", "consents"):
        key = (source, row, cells.get("pupil_email", "").lower(), cells.get("kind", "").lower())
    return signs | {("key", *key)} if key and all(key) else signs


def resolve_row(connection: Connection, number: int, *, at: datetime, by: int) -> bool:
    """Settle a row that was taken in; whether it still waited."""
    return bool(_settle(connection, [number], RowResolution.FIXED, at=at, by=by))


def _settle(
    connection: Connection, numbers: Collection[int], how: str, *, at: datetime, by: int | None, why: str | None = None
) -> list[int]:
    """Those of the rows that still waited."""
    waits = _row.resolved_at.is_(None), reading.chosen(connection, "settled", _row.id, numbers)
    found = list(connection.scalars(select(_row.id).where(*waits)))
    if found:
        change = update(tables.rejected_rows).where(*waits)
        connection.execute(change.values(resolved_at=at, resolved_by=by, resolution=how, resolution_reason=why))
    return found
