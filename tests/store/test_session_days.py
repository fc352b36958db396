"""Packed days agree with the sessions, whatever happens to these, and even if somebody forgets to pack."""

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import Connection, String, delete, func, literal, select, update

from app.access.scope import find_counselling, is_counselling, select_past_and_present_counsellors
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.protocol.clauses import CLAUSES
from app.protocol.judge import decode
from app.school import School
from app.store import reading, session_days, tables
from app.vocabulary.terms import Purpose
from tests import people
from tests.conftest import SchoolWith

pytestmark = pytest.mark.usefixtures("story_clock")

EVER = (date(2020, 1, 1), date(2030, 1, 1))
_session = tables.sessions.c


def fill(school: School, folder: Path) -> None:
    logs = [
        people.log("teacher", "aled", "2026-11-03T10:00", ref="L1", private_recording="yes"),
        people.log("musician", "bethan", "2026-11-03T08:30", ref="L2", purpose="music"),
        people.log("teacher", "bethan", "2026-11-04T10:00", ref="L3", purpose="nothing that there is"),
    ]
    assert import_logs(school, people.table(folder / "logs.csv", logs)).added == 3
    import_calls(
        school,
        people.calls(
            folder / "calls.json", people.call("c1", "2026-11-05T10:00", {"teacher": (0, 31), "aled": (1, 30)})
        ),
    )


@pytest.fixture
def busy(school_with: SchoolWith) -> School:
    return school_with(fill)


def read_sessions(connection: Connection) -> pd.DataFrame:
    """What `session_days.read` returns, read from the sessions themselves."""
    names = ["id", "day", "minute", "staff_id", "school", "department", "purpose", "one_to_one", "status", "disputed"]
    query = select(*(_session[name] for name in names), _session.log_id, _session.codes)
    rows = reading.read_frame(connection, query.where(~_session.confidential).order_by(_session.day, _session.minute))
    outcomes = decode(rows.pop("codes"))
    rows["log_id"] = rows["log_id"].notna()
    rows["staff_id"] = rows["staff_id"].fillna(0)
    rows["purpose"] = rows["purpose"].map(lambda purpose: purpose if purpose in {*Purpose, None} else Purpose.OTHER)
    return pd.concat([rows.rename(columns={"id": "session_id", "log_id": "has_log"}), outcomes], axis=1)


def compare_rows(connection: Connection) -> int:
    """Check that packed days and sessions agree; the number of rows."""
    packed, plain = session_days.read(connection, *EVER), read_sessions(connection)
    assert set(packed.columns) == set(plain.columns)
    as_words = [frame[list(packed.columns)].astype(object).where(frame.notna(), None) for frame in (packed, plain)]
    pd.testing.assert_frame_equal(*(frame.reset_index(drop=True) for frame in as_words), check_dtype=False)
    return len(packed)


def count_empty(connection: Connection) -> int:
    return (
        connection.scalar(
            select(func.count()).select_from(tables.session_days).where(tables.session_days.c.packed.is_(None))
        )
        or 0
    )


def test_read_agrees_with_the_sessions(busy: School) -> None:
    with busy.engine.connect() as connection:
        assert compare_rows(connection) == 4
        assert count_empty(connection) == 0
        assert session_days.read(connection, date(2026, 11, 4), date(2026, 11, 4))["minute"].tolist() == [600]
        nothing = session_days.read(connection, date(2026, 12, 4), date(2026, 12, 4))
    assert len(nothing) == 0
    assert list(nothing.columns[-len(CLAUSES) :]) == list(CLAUSES)


def test_read_agrees_with_sessions_that_changed_and_were_not_packed(busy: School) -> None:
    first = select(func.min(_session.id)).scalar_subquery()
    with busy.writing() as connection:
        connection.execute(update(tables.sessions).where(_session.purpose == "music").values(status="incomplete"))
        assert (count_empty(connection), compare_rows(connection)) == (1, 4)
        connection.execute(update(tables.sessions).where(_session.purpose == "music").values(day=date(2026, 11, 6)))
        assert (count_empty(connection), compare_rows(connection)) == (2, 4)
        session_days.pack(connection)
        assert (count_empty(connection), compare_rows(connection)) == (0, 4)
        for table, key in ((tables.session_pupils, "session_id"), (tables.session_calls, "session_id")):
            connection.execute(delete(table).where(table.c[key] == first))
        connection.execute(delete(tables.sessions).where(_session.id == first))
        assert (count_empty(connection), compare_rows(connection)) == (1, 3)
        session_days.pack(connection)
        assert (count_empty(connection), compare_rows(connection)) == (0, 3)


def test_read_ignores_a_day_that_was_packed_with_other_columns(busy: School) -> None:
    other = pa.table({"session_id": [1, 2], "status": ["compliant", "breach"]})
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, other.schema) as writer:
        writer.write_table(other)
    with busy.writing() as connection:
        connection.execute(update(tables.session_days).values(packed=stream.getvalue().to_pybytes()))
        assert (count_empty(connection), compare_rows(connection)) == (0, 4)


def test_counselling_among_agrees_with_the_database(school: School) -> None:
    words = ["counselling", "Counselling", "music", "MUSIC", "academic", "counseling", "", None]
    with school.engine.connect() as connection:
        counsellors = connection.scalars(select_past_and_present_counsellors()).all()
        rows = pd.DataFrame(
            [(word, staff) for word in words for staff in (0, *counsellors, max(counsellors) + 1)],
            columns=["purpose", "staff_id"],
        )
        by_database = [
            bool(connection.scalar(select(is_counselling(literal(word, String), literal(staff)))))
            for word, staff in rows.itertuples(index=False)
        ]
    assert find_counselling(rows["purpose"].astype("category"), rows["staff_id"], counsellors).tolist() == by_database
    assert set(by_database) == {True, False}
