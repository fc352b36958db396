"""Which key every sealed value in the database stands under, and sealing everything with the newest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, Table, Text, bindparam, select, tuple_, type_coerce, update

from app.store import tables
from app.store.encryption import NEWEST, Sealed, SealedBytes, newly_sealed, stands_under

_AT_ONCE = 1000


@dataclass(frozen=True)
class Standing:
    """How many of a table's sealed values stand under which key: `newest`, `older` (another of ENCRYPTION_KEYS),
    `no_key` (readable by anybody), `lost` (a key that ENCRYPTION_KEYS does not hold)."""

    table: str
    newest: int = 0
    older: int = 0
    no_key: int = 0
    lost: int = 0

    def __add__(self, other: "Standing") -> "Standing":
        figures = (getattr(self, name) + getattr(other, name) for name in ("newest", "older", "no_key", "lost"))
        return Standing("all", *figures)


def standing(connection: Connection, some: bool = False) -> list[Standing]:
    """One for each table that holds anything sealed, but for concerns about conduct, of which no number tells.
    Every value is read and opened, some 5,000 a second; or only a thousand of each kind, the first by their key,
    which tell whether there is anything to rotate."""
    found: dict[str, dict[str, int]] = {}
    for table, column in _sealed_columns():
        if table in tables.CONDUCT:
            continue
        for part in islice(_parts(connection, table, column), 1 if some else None):
            for _, kept in part:
                under = stands_under(_bytes(kept))
                counts = found.setdefault(table.name, {})
                counts[under] = counts.get(under, 0) + 1
    return [Standing(table, **counts) for table, counts in found.items()]


_TOLD_APART = {"call_originals": "call records", "sync_quarantine": "call records", "rejected_rows": "rejected rows"}


def in_hundreds(found: Sequence[Standing]) -> list[Standing]:
    """What `standing` found, so that it tells of no single record: narratives, notes and drafts together, for
    how many there are of one kind is nobody's to know, and every figure rounded up to a hundred."""
    groups: dict[str, Standing] = {}
    for one in found:
        name = _TOLD_APART.get(one.table, "narratives, notes and drafts")
        groups[name] = groups.get(name, Standing(name)) + one
    return [
        Standing(name, *(-(-number // 100) * 100 for number in (one.newest, one.older, one.no_key, one.lost)))
        for name, one in groups.items()
    ]


def seal_again(connection: Connection) -> int:
    """Seal with the newest key what is not, also what was kept before there was one; how many values. Those of
    concerns about conduct are not counted: no number tells of them."""
    return sum(
        _column(connection, table, column) * (table not in tables.CONDUCT) for table, column in _sealed_columns()
    )


def _sealed_columns() -> Iterator[tuple[Table, Column[Any]]]:
    for table in tables.metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, Sealed | SealedBytes):
                yield table, column


def _parts(
    connection: Connection, table: Table, column: Column[Any]
) -> Iterator[list[tuple[tuple[Any, ...], str | bytes]]]:
    """The values of one column as they stand, past the sealing of its type, each with its primary key."""
    key = list(table.primary_key)
    query = select(*key, type_coerce(column, _plain(column)).label("kept")).where(column.is_not(None)).order_by(*key)
    rows = connection.execute(query.limit(_AT_ONCE)).all()
    while rows:
        yield [(tuple(row[:-1]), row.kept) for row in rows]
        after = tuple_(*key) > tuple_(
            *(bindparam(None, value, type_=k.type) for k, value in zip(key, rows[-1], strict=False))
        )
        rows = connection.execute(query.where(after).limit(_AT_ONCE)).all()


def _column(connection: Connection, table: Table, column: Column[Any]) -> int:
    names = [f"key_{part.name}" for part in table.primary_key]
    change = (
        update(table)
        .where(*(part == bindparam(name) for part, name in zip(table.primary_key, names, strict=True)))
        .values({column.name: bindparam("again", type_=_plain(column))})
    )
    number = 0
    for part in _parts(connection, table, column):
        rows = [
            dict(zip(names, key, strict=True)) | {"again": _again(kept)}
            for key, kept in part
            if stands_under(_bytes(kept)) != NEWEST
        ]
        if rows:
            connection.execute(change, rows)
        number += len(rows)
    return number


def _plain(column: Column[Any]) -> LargeBinary | Text:
    return LargeBinary() if isinstance(column.type, SealedBytes) else Text()


def _bytes(kept: str | bytes) -> bytes:
    return kept if isinstance(kept, bytes) else kept.encode()


def _again(kept: str | bytes) -> str | bytes:
    return newly_sealed(kept) if isinstance(kept, bytes) else newly_sealed(kept.encode()).decode()
