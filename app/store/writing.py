"""Writes rows, and the small facts that the database remembers about itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, delete, insert, select

from app.protocol.frames import micros
from app.store import reading, tables

_AT_ONCE = 5_000  # rows: the memory needed does not grow with their number


def insert_rows(connection: Connection, table: Table, rows: pd.DataFrame | Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; of a frame, the columns that the table has, with blanks as NULL."""
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        connection.execute(insert(table), _list_rows(table, part) if isinstance(part, pd.DataFrame) else list(part))


def _list_rows(table: Table, frame: pd.DataFrame) -> list[dict[str, Any]]:
    known = [name for name in frame.columns if name in table.c]
    columns = [_python_values(frame[name]) for name in known]
    return [dict(zip(known, values, strict=True)) for values in zip(*columns, strict=True)]


def _python_values(column: pd.Series) -> list[Any]:
    """Values of Python's own types, instants as the integers they are stored as, blanks as None."""
    blank = column.isna()
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = pd.Series(micros(column))
    return [None if is_blank else value for value, is_blank in zip(column.tolist(), blank, strict=True)]


def get_meta(connection: Connection, key: str) -> str | None:
    """A fact that the database remembers about itself; None if it is not set."""
    return connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == key))


def set_meta(connection: Connection, key: str, value: str) -> None:
    """Let the database remember a fact about itself."""
    connection.execute(delete(tables.meta).where(tables.meta.c.key == key))
    connection.execute(insert(tables.meta).values(key=key, value=value))


def raise_revision(connection: Connection) -> None:
    """Mark that something was written: what pages have in memory is valid for one revision."""
    set_meta(connection, reading.REVISION, str(reading.get_revision(connection) + 1))
