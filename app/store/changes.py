"""What the last import changed, row by row, so that it can be undone; and putting the rows back."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    LargeBinary,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from app.store import tables

Row = dict[str, Any]  # as stored: instants as integers, encrypted values encrypted
Key = tuple[Any, ...]  # the values of a table's primary key

_changes = tables.import_changes
_AT_ONCE = 500


@dataclass(frozen=True)
class Change:
    """A row of a table before and after a change; None: it was added, or deleted."""

    table: Table
    before: Row | None
    after: Row | None

    @property
    def key(self) -> Key:
        """The row's primary key, which never changes."""
        return get_key(self.table, self.after or self.before or {})


def get_key(table: Table, row: Row) -> Key:
    """The primary key of a table's row."""
    return tuple(row[column.name] for column in table.primary_key)


@contextmanager
def recording(connection: Connection) -> Iterator[None]:
    """Write down every change of an import made within. What was written down of the import before it goes, if there
    was an import."""
    number, imported = _changes.c.id, tables.imports.c.id
    last_change, last_import = (connection.scalar(select(func.max(column))) or 0 for column in (number, imported))
    tables.start_recording(connection)
    yield
    tables.stop_recording(connection)
    imported_now = (connection.scalar(select(func.max(imported))) or 0) > last_import
    connection.execute(delete(_changes).where(number <= last_change if imported_now else number > last_change))


def forget(connection: Connection) -> None:
    """Forget what the last import changed: it can no longer be undone."""
    connection.execute(delete(_changes))


def read_changes(connection: Connection, of: Table | None = None, *, later_than: int = 0) -> list[Change]:
    """The changes of the last import, perhaps only those of one table or those `later_than` one with a number, in
    order; none if it cannot be undone."""
    query = select(_changes).where(_changes.c.id > later_than).order_by(_changes.c.id)
    if of is not None:
        query = query.where(_changes.c.table_name == of.name)
    return [
        Change(table := tables.metadata.tables[row.table_name], _decode(table, row.before), _decode(table, row.after))
        for row in connection.execute(query)
    ]


def net_changes(changes: Sequence[Change]) -> list[Change]:
    """One change for each row: as it was before all of them, and after. Rows that end as they began are left out."""
    first: dict[tuple[str, Key], Change] = {}
    last: dict[tuple[str, Key], Change] = {}
    for change in changes:
        first.setdefault((change.table.name, change.key), change)
        last[change.table.name, change.key] = change
    net = [Change(change.table, change.before, last[key].after) for key, change in first.items()]
    return [change for change in net if change.before != change.after]


def read_rows(connection: Connection, table: Table, keys: Collection[Key]) -> dict[Key, Row]:
    """The rows of a table with some primary keys, as stored."""
    of, found, wanted = tables.as_stored(table), {}, list(keys)
    key = [of.c[column.name] for column in table.primary_key]
    for n in range(0, len(wanted), _AT_ONCE):
        is_wanted = (
            tuple_(*key).in_(wanted[n : n + _AT_ONCE])
            if len(key) > 1
            else key[0].in_([value for (value,) in wanted[n : n + _AT_ONCE]])
        )
        for row in connection.execute(select(of).where(is_wanted)).mappings():
            found[get_key(table, dict(row))] = dict(row)
    return found


def reverse(connection: Connection, changes: Sequence[Change]) -> None:
    """Reverse changes, the last first, so that no row ever lacks what it refers to."""
    kinds = groupby(reversed(changes), lambda change: (change.table, change.before is None, change.after is None))
    for (table, was_added, was_deleted), group in kinds:
        of = tables.as_stored(table)
        same = [of.c[column.name] == bindparam(f"key_{column.name}") for column in table.primary_key]
        rows = []
        for change in group:
            names = [f"key_{column.name}" for column in table.primary_key]
            key = {} if was_deleted else dict(zip(names, change.key, strict=True))
            rows.append(key | (change.before or {}))
        if was_added:
            connection.execute(delete(of).where(*same), rows)
        elif was_deleted:
            connection.execute(insert(of), rows)
        else:
            for row in rows:
                values = {name: value for name, value in row.items() if not name.startswith("key_")}
                keys = {name: value for name, value in row.items() if name.startswith("key_")}
                connection.execute(update(of).where(*same).values(values), keys)


def _decode(table: Table, content: str | None) -> Row | None:
    """A row from JSON; None stays None."""
    if content is None:
        return None
    row = json.loads(content)
    of = tables.as_stored(table)
    return {name: _decode_cell(of.c[name], value) for name, value in row.items()}


def _decode_cell(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, Boolean):
        return bool(value)
    if isinstance(column.type, Date):
        return date.fromisoformat(value)
    if isinstance(column.type, LargeBinary):
        return bytes.fromhex(value.removeprefix("\\x")) or None
    return value
