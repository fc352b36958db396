"""Moving everything from one database to another: from the embedded one to PostgreSQL, or back."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, LargeBinary, Table, Text, func, insert, select, text, type_coerce

from app.store import session_days, tables
from app.store.database import DatabaseError, open_database, writing
from app.store.encryption import EncryptedBytes, EncryptedText
from app.store.tables import Instant, metadata

_AT_ONCE = 2000
Digest = tuple[int, int]  # how many rows, and the sum of their digests: whatever their order, it is the same


def transfer(
    source: Engine, url: str, prove: Callable[[Connection], object], progress: Callable[[str], None]
) -> dict[str, int]:
    """Copy every row to the empty database at `url`, read it back and compare, then `prove` the whole; how many
    rows by table. One transaction there: all of it or nothing. Writers to this database wait until it is done.
    DatabaseError, in words, if the target is not empty or one row is not as it was."""
    target = open_database(url)
    try:
        if str(target.url) == str(source.url):
            raise DatabaseError("That is the database itself; name another one.")
        with writing(source) as there, writing(target) as here:
            if full := [table.name for table in metadata.sorted_tables if _count(here, table)]:
                raise DatabaseError(
                    f"The database to move to is not empty ({full[0]} holds rows): name one that is. "
                    "Nothing was changed."
                )
            moved = {}
            for table in metadata.sorted_tables:
                if table is tables.session_days:
                    continue  # made from the sessions once they are there
                was = _copy(there, here, table)
                if _digest(here, table) != was:
                    raise DatabaseError(f"Rows of {table.name} did not arrive as they were. Nothing was changed.")
                moved[table.name] = was[0]
                progress(f"{table.name}: every row as it was")
            _number_on(here)
            session_days.pack(here)
            prove(here)
        return moved
    finally:
        target.dispose()


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _rows(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows as they stand, past the types that would open or read them."""
    query = select(*(type_coerce(column, _plain(column.type)).label(column.name) for column in table.c))
    result = connection.execute(query, execution_options={"yield_per": _AT_ONCE})
    for part in result.mappings().partitions():
        yield [dict(row) for row in part]


def _plain(kind: Any) -> Any:
    if isinstance(kind, Instant):
        return BigInteger()
    if isinstance(kind, EncryptedBytes):
        return LargeBinary()
    return Text() if isinstance(kind, EncryptedText) else kind


def _copy(there: Connection, here: Connection, table: Table) -> Digest:
    plain = Table(table.name, metadata.__class__(), *(column._copy() for column in table.c))
    for column in plain.c:
        column.type = _plain(column.type)
    digest = (0, 0)
    for rows in _rows(there, table):
        here.execute(insert(plain), rows)
        digest = _added(digest, rows)
    return digest


def _digest(connection: Connection, table: Table) -> Digest:
    digest = (0, 0)
    for rows in _rows(connection, table):
        digest = _added(digest, rows)
    return digest


def _added(digest: Digest, rows: list[dict[str, Any]]) -> Digest:
    number, total = digest
    for row in rows:
        told = repr([bytes(value) if isinstance(value, memoryview) else value for value in row.values()])
        total += int.from_bytes(hashlib.sha256(told.encode(errors="surrogatepass")).digest())
    return number + len(rows), total % 2**256


def _number_on(connection: Connection) -> None:
    """PostgreSQL counts its own ids: on from the largest that came."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        if (column := table.autoincrement_column) is not None:
            sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
            if sequence:
                largest = connection.scalar(select(func.max(column))) or 0
                connection.execute(
                    text("select setval(cast(:sequence as regclass), :number, :used)"),
                    {"sequence": sequence, "number": max(largest, 1), "used": largest > 0},
                )
