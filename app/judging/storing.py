"""Stores judged sessions. What is stored already is not written again: most of what is judged again has not changed."""

from collections.abc import Collection
from typing import Any

import pandas as pd
from sqlalchemy import Boolean, Column, Connection, Date, Integer, Table, delete, select

from app.protocol.frames import micros
from app.store import reading, tables
from app.store.writing import insert_rows

_session, _of_call, _participant = tables.sessions, tables.session_calls, tables.session_pupils
_PARTS = ((_participant, _participant.c.session_id), (_of_call, _of_call.c.session_id), (_session, _session.c.id))


def replace_sessions(
    connection: Connection, before: Collection[int], sessions: pd.DataFrame, calls: pd.DataFrame, pupils: pd.DataFrame
) -> None:
    """Store judged sessions in place of those whose ids are `before`. `sessions` has an `id`, `calls` and `pupils` a
    `session_id`. The caller must then repack the days (`app.store.session_days`)."""
    frames = dict(zip((_participant, _of_call, _session), (pupils, calls, sessions), strict=True))
    changed: set[int] = set()
    for table, key in _PARTS:
        stored = reading.read_frame(connection, select(table).where(reading.is_among(connection, key, before)))
        changed |= _find_changed(table, stored, frames[table], key.name)
    remove_sessions(connection, changed & set(before))
    for table, key in reversed(_PARTS):
        rows = frames[table]
        rows = rows[rows[key.name].isin(changed)]
        insert_rows(connection, table, rows.assign(day=rows["day"].dt.date) if table is _session else rows)


def _find_changed(table: Table, stored: pd.DataFrame, rows: pd.DataFrame, key: str) -> set[int]:
    """The sessions of which the stored rows of a table are not the same as the new ones."""
    both = pd.DataFrame(
        {
            column.name: pd.concat([_unify(column, frame[column.name]) for frame in (stored, rows)], ignore_index=True)
            for column in table.c
        }
    )
    return set(both.loc[~both.duplicated(keep=False), key].tolist())


def _unify(column: Column[Any], values: pd.Series) -> pd.Series:
    """Values of a column in one type, from wherever they come."""
    if isinstance(column.type, tables.Instant):
        return pd.Series(micros(values))
    if isinstance(column.type, Boolean | Integer):
        return values.astype("Int64")
    if isinstance(column.type, Date):
        return values.astype("datetime64[s]")
    return values.astype(object).where(values.notna(), None)


def remove_sessions(connection: Connection, sessions: Collection[int]) -> None:
    """Remove sessions. The caller must then repack their days (`app.store.session_days`)."""
    for table, key in _PARTS:
        connection.execute(delete(table).where(reading.is_among(connection, key, sessions)))
