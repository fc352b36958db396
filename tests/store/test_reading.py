"""Rows are read as the rules take them, on each kind of database."""

from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import insert, select

from app.school import School
from app.store import tables
from app.store.reading import is_among, read_frame


def test_is_among_finds_numbers_and_text_however_many(school: School) -> None:
    person = tables.staff.c
    with school.engine.connect() as connection:
        ids, emails = zip(*connection.execute(select(person.id, person.email)).all(), strict=True)
        for wanted in ([], ids[:1], ids[:2], [*ids[:2], *range(10**9, 10**9 + 100_000)]):
            found = set(connection.scalars(select(person.id).where(is_among(connection, person.id, wanted))))
            assert found == set(wanted) & set(ids)
        words = {emails[0], 'it\'s "quoted", [1]', "🙁", ""}
        assert connection.scalars(select(person.email).where(is_among(connection, person.email, words))).all() == [
            emails[0]
        ]


def test_frame_gives_each_column_its_type_with_and_without_blanks(school: School) -> None:
    moment, run = datetime(2026, 11, 3, 10, 0, 0, 123456, tzinfo=UTC), tables.sync_runs.c
    ended = {"ended_at": moment, "error": "No answer."}
    known = {"started_at": moment, "from_at": moment, "to_at": moment}
    with school.writing() as connection:
        connection.execute(insert(tables.sync_runs), [known | ended, known | dict.fromkeys(ended)])
        query = select(run.started_at, run.ended_at, run.listed, run.error).order_by(run.id)
        rows, nothing = read_frame(connection, query), read_frame(connection, query.where(run.listed > 0))
        others = [
            read_frame(connection, select(column))
            for column in (tables.imports.c.imported_by, tables.pupil_versions.c.from_day, tables.schools.c.senior)
        ]
    instant = "datetime64[us, UTC]"
    assert rows.dtypes.astype(str).tolist() == [instant, instant, "int64", "object"]
    assert rows["ended_at"].tolist() == [pd.Timestamp(moment), pd.NaT]
    assert rows["error"].tolist() == ["No answer.", None]
    assert nothing.dtypes.astype(str).tolist() == [instant, instant, "int64", "object"]
    assert [str(rows.dtypes.iloc[0]) for rows in others] == ["Int64", "datetime64[s]", "boolean"]
