"""Counts what is encrypted with which key, and encrypts everything with the newest."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, Table, Text, bindparam, select, tuple_, type_coerce, update

from app.store import tables
from app.store.encryption import EncryptedBytes, EncryptedText, KeyStatus, decrypt, encrypt, key_status

_AT_ONCE = 1000
Stored = str | bytes  # an encrypted value as the database has it


@dataclass(frozen=True)
class KeyCounts:
    """How many of a table's encrypted values are of which KeyStatus."""

    table: str
    newest: int = 0
    older: int = 0
    no_key: int = 0
    lost: int = 0

    def __add__(self, other: "KeyCounts") -> "KeyCounts":
        _, *mine = astuple(self)
        _, *theirs = astuple(other)
        return KeyCounts(self.table, *map(sum, zip(mine, theirs, strict=True)))


def count_by_key(connection: Connection, *, sample: bool = False) -> list[KeyCounts]:
    """The counts of each table that holds encrypted values, except those of concerns about conduct, which no figure may
    reveal. Every value is decrypted, some 5,000 a second; of a `sample` only the first thousand of each column, which
    is enough to tell whether there is anything to rotate."""
    counts: dict[str, KeyCounts] = {}
    for table, column in _encrypted_columns():
        if table in tables.CONDUCT:
            continue
        for rows in islice(_stored_values(connection, table, column), 1 if sample else None):
            for _, stored in rows:
                one = KeyCounts(table.name, **{key_status(_to_bytes(stored)).value: 1})
                counts[table.name] = counts.get(table.name, KeyCounts(table.name)) + one
    return list(counts.values())


_COUNTED_APART = {"call_originals": "call records", "sync_quarantine": "call records", "rejected_rows": "rejected rows"}


def round_counts(counts: Sequence[KeyCounts]) -> list[KeyCounts]:
    """The result of `count_by_key` without revealing any single record: narratives, notes and drafts together, since
    their numbers are confidential, and every figure rounded up to a hundred."""
    groups: dict[str, KeyCounts] = {}
    for one in counts:
        name = _COUNTED_APART.get(one.table, "narratives, notes and drafts")
        groups[name] = groups.get(name, KeyCounts(name)) + one
    return [
        KeyCounts(name, *(-(-number // 100) * 100 for number in astuple(counts)[1:])) for name, counts in groups.items()
    ]


def reencrypt_all(connection: Connection) -> int:
    """Encrypt with the newest key what is not, plain values included. Returns how many values; those of concerns about
    conduct are not counted, since no figure may reveal them."""
    return sum(
        _reencrypt(connection, table, column) * (table not in tables.CONDUCT) for table, column in _encrypted_columns()
    )


def _encrypted_columns() -> Iterator[tuple[Table, Column[Any]]]:
    for table in tables.metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, EncryptedText | EncryptedBytes):
                yield table, column


def _stored_values(
    connection: Connection, table: Table, column: Column[Any]
) -> Iterator[list[tuple[tuple[Any, ...], Stored]]]:
    """The values of one column as they are stored, each with its primary key, a thousand at a time."""
    key = list(table.primary_key)
    stored = type_coerce(column, _plain_type(column)).label("stored")
    query = select(*key, stored).where(column.is_not(None)).order_by(*key).limit(_AT_ONCE)
    rows = connection.execute(query).all()
    while rows:
        yield [(tuple(row[:-1]), row.stored) for row in rows]
        last = [bindparam(None, value, type_=part.type) for part, value in zip(key, rows[-1], strict=False)]
        rows = connection.execute(query.where(tuple_(*key) > tuple_(*last))).all()


def _reencrypt(connection: Connection, table: Table, column: Column[Any]) -> int:
    names = [f"key_{part.name}" for part in table.primary_key]
    change = (
        update(table)
        .where(*(part == bindparam(name) for part, name in zip(table.primary_key, names, strict=True)))
        .values({column.name: bindparam("reencrypted", type_=_plain_type(column))})
    )
    number = 0
    for part in _stored_values(connection, table, column):
        rows = []
        for key, stored in part:
            if key_status(_to_bytes(stored)) != KeyStatus.NEWEST:
                content = encrypt(decrypt(_to_bytes(stored)))
                reencrypted = content if isinstance(stored, bytes) else content.decode()
                rows.append(dict(zip(names, key, strict=True)) | {"reencrypted": reencrypted})
        if rows:
            connection.execute(change, rows)
        number += len(rows)
    return number


def _plain_type(column: Column[Any]) -> LargeBinary | Text:
    return LargeBinary() if isinstance(column.type, EncryptedBytes) else Text()


def _to_bytes(stored: Stored) -> bytes:
    return stored if isinstance(stored, bytes) else stored.encode()
