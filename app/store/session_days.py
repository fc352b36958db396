"""Packs the sessions of each day into one row, so that three years of them can be read in the time of a few queries.

A row of `session_days` holds what figures need of a day's sessions, as Arrow's own bytes: no pupil, no note, no reason,
and no confidential session. The database itself empties the row of a day when one of its sessions is added, changed or
deleted (`tables.triggers`). A day that is empty, or was packed with other columns, clauses or outcomes than today's, is
read from the sessions, so the result is right whether or not the day has been repacked.
"""

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, bindparam, delete, not_, select, update

from app.protocol.clauses import CLAUSES
from app.protocol.judge import OUTCOME
from app.protocol.outcomes import OUTCOMES
from app.store import reading, tables
from app.store.outcomes import decode_outcomes
from app.vocabulary.terms import Purpose

_day, _session = tables.session_days.c, tables.sessions.c
_WORDS = pa.dictionary(pa.int32(), pa.string())
_FACTS = {
    "session_id": pa.int64(),
    "minute": pa.int16(),
    "staff_id": pa.int64(),
    "school": _WORDS,
    "department": _WORDS,
    "purpose": _WORDS,
    "one_to_one": pa.bool_(),
    "status": _WORDS,
    "disputed": pa.bool_(),
    "has_log": pa.bool_(),
}


def _build_schema() -> pa.Schema:
    """The columns of a packed day: facts, and for each clause the position of its outcome in OUTCOMES."""
    return pa.schema(_FACTS | dict.fromkeys(CLAUSES, pa.int8()))


def _compute_mark(schema: pa.Schema) -> bytes:
    """The beginning of a packed day, which shows whether its columns and outcomes are today's."""
    words = [*schema.names, *map(str, schema.types), *OUTCOMES]
    return hashlib.sha256(";".join(words).encode()).digest()


def pack(connection: Connection) -> None:
    """Pack the days that are empty, in the transaction that emptied them."""
    is_empty, schema = _day.packed.is_(None), _build_schema()
    mark = _compute_mark(schema)
    rows = _read_sessions(connection, _session.day.in_(select(_day.day).where(is_empty)))
    with_sessions = select(_session.day).where(not_(_session.confidential))
    connection.execute(delete(tables.session_days).where(is_empty, _day.day.not_in(with_sessions)))
    packed = [{"of_day": day, "packed": mark + _write(part)} for day, part in _iter_days(rows, schema)]
    if packed:
        connection.execute(update(tables.session_days).where(_day.day == bindparam("of_day")), packed)


def _iter_days(rows: pd.DataFrame, schema: pa.Schema) -> Iterator[tuple[date, pa.Table]]:
    """Each day with its sessions, of rows in order of their days."""
    columns = [(_to_numpy(rows[field.name], field.type), field.type) for field in schema]
    start = 0
    for day, number in rows.groupby("day").size().items():
        arrays = [_to_arrow(values[start : start + number], kind) for values, kind in columns]
        yield day.date(), pa.Table.from_arrays(arrays, schema=schema)
        start += number


def _to_numpy(column: pd.Series, kind: pa.DataType) -> npt.NDArray[Any]:
    if kind == _WORDS:
        return np.asarray(column.astype(object).where(column.notna(), None))
    return np.asarray(column, kind.to_pandas_dtype())


def _to_arrow(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Values of a day, with no word that only other days have."""
    return pa.array(values, pa.string()).dictionary_encode() if kind == _WORDS else pa.array(values, kind)


def _write(table: pa.Table) -> bytes:
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    written: bytes = stream.getvalue().to_pybytes()
    return written


def read(connection: Connection, first: date, last: date) -> pd.DataFrame:
    """One row a session of the days from `first` to `last`, without confidential ones, in order of `day`, `minute`,
    `session_id`.

    Columns: these, `staff_id` (0: unknown), `school`, `department`, `purpose` (blank: not logged), `status`
    (all categorical), `one_to_one`, `disputed`, `has_log`, and an `OUTCOMES` categorical for each clause.
    """
    schema = _build_schema()
    mark = _compute_mark(schema)
    rows = connection.execute(select(_day.day, _day.packed).where(_day.day.between(first, last))).all()
    packed = [row for row in rows if row.packed is not None and row.packed[: len(mark)] == mark]
    parts = {row.day: pa.ipc.open_stream(memoryview(row.packed)[len(mark) :]).read_all() for row in packed}
    if others := [row.day for row in rows if row.day not in parts]:
        sessions = _read_sessions(connection, _session.day.in_(others))
        parts |= dict(_iter_days(sessions, schema))
    parts = dict(sorted(parts.items()))
    whole = pa.concat_tables([schema.empty_table(), *parts.values()]).unify_dictionaries().combine_chunks()
    frame = {"day": np.repeat(np.array(list(parts), "datetime64[s]"), [part.num_rows for part in parts.values()])}
    for name in schema.names:
        column = whole[name].to_pandas()
        frame[name] = pd.Categorical.from_codes(column, dtype=OUTCOME, validate=False) if name in CLAUSES else column
    return pd.DataFrame(frame, copy=False)


def _read_sessions(connection: Connection, condition: ColumnElement[bool]) -> pd.DataFrame:
    columns = (
        _session.id.label("session_id"),
        _session.day,
        _session.minute,
        _session.staff_id,
        _session.school,
        _session.department,
        _session.purpose,
        _session.one_to_one,
        _session.status,
        _session.disputed,
        _session.log_id.is_not(None).label("has_log"),
        _session.codes,
        _session.clause_set_id,
    )
    frame = reading.read_frame(connection, select(*columns).where(condition, not_(_session.confidential)))
    # pandas sorts in a fraction of the time that a database takes.
    frame = frame.sort_values(["day", "minute", "session_id"], ignore_index=True)
    outcomes = decode_outcomes(connection, frame)
    frame["staff_id"] = frame["staff_id"].fillna(0)
    listed = frame["purpose"].isna() | frame["purpose"].isin(list(Purpose))
    frame["purpose"] = frame["purpose"].where(listed, Purpose.OTHER)  # what somebody typed is encrypted elsewhere
    return frame.assign(**{name: outcomes[name].cat.codes for name in CLAUSES})
