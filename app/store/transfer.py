"""Moves everything from one database to another: from the embedded one to PostgreSQL, or back."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select

from app.store import session_days, tables
from app.store.database import DatabaseError, open_database, writing

_AT_ONCE = 2000
_WRITTEN_AT_START = (tables.protocol_entries, tables.meta)  # the protocol of the settings file


def transfer(
    source: Engine, url: str, prove: Callable[[Connection], object], progress: Callable[[str], None]
) -> dict[str, int]:
    """Copy every row to the empty database at `url`, read it back and compare, then `prove` the whole. Returns the
    number of rows by table. One transaction there: all of it or nothing. Writers to this database wait until it is
    done. Raises DatabaseError if the target is not empty or a row differs."""
    target = open_database(url)
    try:
        if str(target.url) == str(source.url):
            raise DatabaseError("That is the database itself; name another one.")
        with writing(source) as old, writing(target) as new:
            _check_empty(new)
            moved = {}
            for table in tables.metadata.sorted_tables:
                if table is tables.session_days:
                    continue  # packed from the sessions at the end
                for rows in _iter_rows(old, table):
                    new.execute(insert(tables.as_stored(table)), rows)
                number, _ = digest = _compute_digest(old, table)
                if _compute_digest(new, table) != digest:
                    raise DatabaseError(f"Rows of {table.name} did not arrive as they were. Nothing was changed.")
                moved[table.name] = number
                progress(f"{table.name}: every row as it was")
            _continue_ids(new)
            session_days.pack(new)
            prove(new)
        return moved
    finally:
        target.dispose()


def _check_empty(connection: Connection) -> None:
    """DatabaseError if the database holds anything but what opening a new one writes, which is deleted."""
    for table in tables.metadata.sorted_tables:
        if table in _WRITTEN_AT_START:
            continue
        if connection.scalar(select(func.count()).select_from(table)):
            raise DatabaseError(
                f"The database to move to is not empty ({table.name} holds rows): name one that is. "
                "Nothing was changed."
            )
    for table in _WRITTEN_AT_START:
        connection.execute(delete(table))


def _iter_rows(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows as they are stored, part by part."""
    result = connection.execute(select(tables.as_stored(table)), execution_options={"yield_per": _AT_ONCE})
    for part in result.mappings().partitions():
        yield [dict(row) for row in part]


def _compute_digest(connection: Connection, table: Table) -> tuple[int, int]:
    """The number of rows and the sum of their hashes, which does not depend on the order of the rows."""
    number, total = 0, 0
    for rows in _iter_rows(connection, table):
        for row in rows:
            content = repr(list(row.values())).encode(errors="surrogatepass")
            total += int.from_bytes(hashlib.sha256(content).digest())
        number += len(rows)
    return number, total


def _continue_ids(connection: Connection) -> None:
    """Let PostgreSQL, which counts ids itself, continue from the largest that was copied."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            largest = func.max(column)
            connection.execute(select(func.setval(sequence, func.coalesce(largest, 1), largest.is_not(None))))
