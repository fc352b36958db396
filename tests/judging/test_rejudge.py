"""Judging again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from app.intake.files import import_logs
from app.judging.rejudge import EVERYTHING, Affected, rejudge
from app.judging.upkeep import refresh
from app.school import School
from app.store import changes, tables
from tests import people


def test_refresh_announces_judging_everything_again_and_only_that(school: School) -> None:
    steps = []

    @contextmanager
    def announcing() -> Iterator[None]:
        steps.append("begun")
        yield
        steps.append("done")

    refresh(school)
    refresh(school, announcing)
    assert steps == []
    elsewhere = school.settings.model_copy(update={"timezone": "Europe/Paris"})
    for _ in range(2):
        refresh(replace(school, settings=elsewhere), announcing)
    assert steps == ["begun", "done"]


@pytest.mark.usefixtures("story_clock")
def test_rejudge_writes_only_sessions_that_changed(school: School, tmp_path: Path) -> None:
    rows = [people.log("teacher", "aled", f"2026-11-0{day}T10:00", ref=f"L{day}") for day in (3, 4)]
    assert import_logs(school, people.table(tmp_path / "logs.csv", rows)).added == 2
    log, session = tables.logs.c, tables.sessions.c
    with school.writing() as connection:
        tables.start_recording(connection)
        rejudge(connection, school, Affected(times=[EVERYTHING]))
        own = [change for change in changes.read_changes(connection) if change.table is tables.sessions]
        assert own == []
        changed = connection.scalars(select(log.id).where(log.ref == "L4")).one()
        connection.execute(tables.logs.update().where(log.id == changed).values(recorded=True))
        number = connection.scalars(select(session.id).where(session.log_id == changed)).one()
        rejudge(connection, school, Affected(times=[EVERYTHING]))
        own = [change for change in changes.read_changes(connection) if change.table is tables.sessions]
        assert [change.key for change in own] == [(number,)]
        tables.stop_recording(connection)
