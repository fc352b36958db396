"""Sealing everything that is in the database with the newest key."""

from sqlalchemy import Connection, LargeBinary, Table, Text, bindparam, select, type_coerce, update

from app.store import tables
from app.store.vault import Sealed, SealedBytes, newly_sealed

_AT_ONCE = 1000


def seal_again(connection: Connection) -> int:
    """Seal every sealed value with the newest key, also those kept before there was one; how many."""
    return sum(
        _column(connection, table, column.name)
        for table in tables.metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, Sealed | SealedBytes)
    )


def _column(connection: Connection, table: Table, name: str) -> int:
    """One column, read and written as it stands, past the sealing of its type."""
    column, key = table.c[name], list(table.primary_key)
    plain = LargeBinary() if isinstance(column.type, SealedBytes) else Text()
    rows = connection.execute(
        select(*key, type_coerce(column, plain).label("kept")).where(column.is_not(None)).order_by(*key)
    ).all()
    change = (
        update(table)
        .where(*(part == bindparam(f"key_{part.name}") for part in key))
        .values({name: bindparam("again", type_=plain)})
    )
    for first in range(0, len(rows), _AT_ONCE):
        connection.execute(
            change,
            [
                {f"key_{part.name}": row._mapping[part.name] for part in key} | {"again": _again(row.kept)}
                for row in rows[first : first + _AT_ONCE]
            ],
        )
    return len(rows)


def _again(kept: str | bytes) -> str | bytes:
    return newly_sealed(kept) if isinstance(kept, bytes) else newly_sealed(kept.encode()).decode()
