"""Counts how many values each key encrypts, and re-encrypts everything with the newest."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, Table, bindparam, select, tuple_, update
from sqlalchemy.exc import DBAPIError

from app.keys import encryption_keys
from app.store import changes, tables
from app.store.audit_keys import is_keyed, keep_keys
from app.store.database import DatabaseError, empty_write_ahead_log
from app.store.encryption import (
    EncryptedBytes,
    EncryptedNumber,
    EncryptedText,
    EncryptedUnlessListed,
    KeyStatus,
    decrypt,
    encrypt,
    hide_name,
    is_hidden,
    key_status,
)

_AT_ONCE = 1000


@dataclass(frozen=True)
class KeyCounts:
    """The numbers of a table's encrypted values by KeyStatus."""

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
    reveal. Every value is decrypted; of a `sample` only the first thousand of each column, which
    is enough to tell whether there is anything to rotate."""
    counts: defaultdict[str, Counter[KeyStatus]] = defaultdict(Counter)
    for table, column in _iter_encrypted_columns():
        if table not in tables.CONDUCT_TABLES:
            for rows in islice(_iter_stored_values(connection, table, column), 1 if sample else None):
                counts[table.name].update(key_status(_split(row.stored)[1]) for row in rows)
    return [KeyCounts(name, *(counted[status] for status in KeyStatus)) for name, counted in counts.items()]


_NARRATIVES = "narratives, notes and drafts"
_COUNTED_APART = dict.fromkeys(("call_originals", "call_stays", "call_listed"), "call records") | {
    "former_emails": "names and addresses",
    "pupil_versions": "names and addresses",
    "pupils": "names and addresses",
    "quarantine": "rejected rows",
}


def round_counts(counts: Sequence[KeyCounts]) -> list[KeyCounts]:
    """The result of `count_by_key` without revealing any single record: narratives, notes and drafts together, since
    their numbers are confidential, all groups whether they hold anything or not, nothing of the values that use the
    newest key, and every other figure rounded up to a hundred."""
    groups = {name: KeyCounts(name) for name in (_NARRATIVES, *_COUNTED_APART.values())}
    for of_table in counts:
        name = _COUNTED_APART.get(of_table.table, _NARRATIVES)
        groups[name] += replace(of_table, newest=0)
    return [
        KeyCounts(name, *(-(-number // 100) * 100 for number in astuple(counts)[1:])) for name, counts in groups.items()
    ]


def is_key_lost(connection: Connection) -> bool:
    """Whether the newest pupil's address is encrypted with a key that is not set: then hardly a page can be shown."""
    pupil = tables.as_stored(tables.pupils).c
    newest = connection.scalar(select(pupil.email).order_by(pupil.id.desc()).limit(1))
    return newest is not None and key_status(newest.encode()) == KeyStatus.LOST


def reencrypt_all(connection: Connection) -> bool:
    """Re-encrypt every value not yet encrypted with the newest key, including plain text. Returns whether there was
    one, concerns about conduct aside, since nothing may reveal them."""
    if is_keyed(connection):
        keep_keys(connection, encrypt_again=True)  # of the audit trail
    changes.forget(connection)  # what the last import changed may be encrypted with an older key
    _hide_people(connection)
    changed = [table for table, column in _iter_encrypted_columns() if _reencrypt(connection, table, column)]
    return any(table not in tables.CONDUCT_TABLES for table in changed)


def remove_traces(engine: Engine) -> None:
    """Leave nothing in the database's files of values as they were before `reencrypt_all`: free pages, the write-ahead
    log, dead rows. DatabaseError if others use the database for too long."""
    try:
        if engine.dialect.name == "sqlite":
            is_empty = empty_write_ahead_log(engine)
            with engine.connect() as connection:
                connection.connection.cursor().execute("vacuum")  # past SQLAlchemy, which would begin first
            if not (is_empty and empty_write_ahead_log(engine)):
                raise sqlite3.OperationalError
        else:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for table in tables.metadata.sorted_tables:
                    connection.exec_driver_sql(f'vacuum full "{table.name}"')
    except (sqlite3.Error, DBAPIError):
        raise DatabaseError(
            "Everything is encrypted with the newest key, but what was there before could not be removed from the "
            "database's files, because they are in use, full or another's. Stop the program and run this again."
        ) from None


def _iter_encrypted_columns() -> Iterator[tuple[Table, str]]:
    for table in tables.metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, EncryptedText | EncryptedNumber | EncryptedBytes):
                yield table, column.name


def _iter_stored_values(connection: Connection, table: Table, column: str) -> Iterator[Sequence[Row[Any]]]:
    """The values of one column as they are stored, a thousand rows at a time: the primary key, then `stored`."""
    of = tables.as_stored(table).c
    key = [of[part.name] for part in table.primary_key]
    query: Select[Any] = select(*key, of[column].label("stored")).where(of[column].is_not(None)).order_by(*key)
    if isinstance(table.c[column].type, EncryptedUnlessListed):
        query = query.where(of[column].startswith(EncryptedUnlessListed.MARK))
    query = query.limit(_AT_ONCE)
    rows = connection.execute(query).all()
    while rows:
        yield rows
        rows = connection.execute(query.where(tuple_(*key) > tuple_(*rows[-1][:-1]))).all()


def _reencrypt(connection: Connection, table: Table, column: str) -> bool:
    """Re-encrypt the values of one column that need it. Returns whether there was one."""
    of = tables.as_stored(table)
    names = [part.name for part in table.primary_key]
    change = update(of).where(*(of.c[name] == bindparam(f"key_{name}") for name in names))
    change = change.values({column: bindparam("reencrypted")})
    any_changed = False
    for rows in _iter_stored_values(connection, table, column):
        changed = []
        for row in rows:
            mark, stored = _split(row.stored)
            if key_status(stored) != KeyStatus.NEWEST:
                content = encrypt(decrypt(stored))
                reencrypted = content if isinstance(row.stored, bytes) else mark + content.decode()
                key = {f"key_{name}": value for name, value in zip(names, row, strict=False)}
                changed.append(key | {"reencrypted": reencrypted})
        if changed:
            connection.execute(change, changed)
            any_changed = True
    return any_changed


def _split(stored: str | bytes) -> tuple[str, bytes]:
    """The mark of a value of EncryptedUnlessListed, empty for others, and what `encrypt` returned."""
    if isinstance(stored, bytes):
        return "", stored
    mark = EncryptedUnlessListed.MARK if stored.startswith(EncryptedUnlessListed.MARK) else ""
    return mark, stored.removeprefix(mark).encode()


def _hide_people(connection: Connection) -> None:
    """Hide who the people in calls are if that was stored without a key."""
    for table in (tables.call_stays, tables.call_videos, tables.call_listed):
        key = list(table.primary_key)
        rows = connection.execute(select(*key, table.c.person.label("shown"))).all()
        change = update(table).where(*(column == bindparam(f"key_{column.name}") for column in key))
        changed = [
            {f"key_{column.name}": value for column, value in zip(key, row, strict=False)}
            | {"hidden": hide_name(row.shown)}
            for row in rows
            if not is_hidden(row.shown)
        ]
        if changed and encryption_keys():
            connection.execute(change.values(person=bindparam("hidden")), changed)
