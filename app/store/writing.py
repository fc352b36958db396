"""Writing rows, and the small facts that the store remembers."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, delete, insert, select

from app.protocol.frames import micros
from app.store import reading, tables


def insert_rows(connection: Connection, table: Table, rows: pd.DataFrame | Sequence[Mapping[str, Any]]) -> None:
    """Insert rows in one go; of a frame the columns that the table has, blanks as NULL."""
    if isinstance(rows, pd.DataFrame):
        known = [name for name in rows.columns if name in table.c]
        columns = [_plain(rows[name]) for name in known]
        rows = [dict(zip(known, values, strict=True)) for values in zip(*columns, strict=True)]
    if rows:
        connection.execute(insert(table), list(rows))


def _plain(column: pd.Series) -> list[Any]:
    """Values as Python's own, instants as the integers they are kept as, blanks as None."""
    blank = column.isna().to_numpy(bool)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = pd.Series(micros(column))
    return [None if none else value for value, none in zip(column.tolist(), blank, strict=True)]


def get_meta(connection: Connection, key: str) -> str | None:
    """A small fact about the store itself."""
    return connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == key))


def set_meta(connection: Connection, key: str, value: str) -> None:
    """Keep a small fact about the store itself."""
    connection.execute(delete(tables.meta).where(tables.meta.c.key == key))
    connection.execute(insert(tables.meta).values(key=key, value=value))


def raise_revision(connection: Connection) -> None:
    """Say that something was written: what the pages hold in memory hangs on this number."""
    set_meta(connection, reading.REVISION, str(reading.revision(connection) + 1))
