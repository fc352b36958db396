"""Everything is moved to another kind of database unchanged, or nothing is."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update

from app.access.people import find_person
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.intake.calls import import_calls
from app.intake.files import import_logs, import_table
from app.operations.verification import verify
from app.reports.outcomes_csv import iter_outcomes
from app.school import School, open_school
from app.store import tables
from app.store.database import DatabaseError
from app.store.encryption import generate_key
from app.store.transfer import transfer
from tests import people, running

pytestmark = pytest.mark.usefixtures("story_clock")

EVER = (date(1900, 1, 1), date(2100, 1, 1))


@pytest.fixture
def lived_in(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> School:
    """With something in most tables, encrypted."""
    monkeypatch.setenv("ENCRYPTION_KEYS", generate_key())
    logs = [
        people.log("teacher", "aled", "2026-11-03T10:00", ref="L1", notes="naïve “words” 🙁", private_recording="yes"),
        people.log("musician", "bethan", "2026-11-03T11:00", concern="yes", concern_summary="words"),
        people.log("teacher", "nobody", "2026-11-03T12:00"),
    ]
    import_logs(school, people.table(tmp_path / "logs.csv", logs))
    record = people.call("c1", "2026-11-03T10:00", {"teacher": (0, 31), "aled": (1, 30)})
    import_calls(school, people.calls(tmp_path / "calls.json", record))
    return school


@pytest.fixture
def elsewhere(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], str]:
    """Gives the address of a new database of the other kind."""
    if database_kind == "postgresql":
        return lambda: f"sqlite:///{tmp_path / 'moved.sqlite'}"
    create: Callable[[], str] = request.getfixturevalue("postgresql")
    return create


def test_transfer_moves_everything_and_the_school_can_go_on(lived_in: School, elsewhere: Callable[[], str]) -> None:
    url = elsewhere()
    messages: list[str] = []
    rows = transfer(lived_in.engine, url, verify, messages.append)
    assert rows["logs"] == 2
    assert rows["quarantine"] == rows["concerns"] == rows["calls"] == 1
    assert len(messages) == len(tables.metadata.sorted_tables) - 1  # the days are packed there
    there = School(open_school(url).engine, lived_in.settings)
    assert list(iter_outcomes(there, EVER)) == list(iter_outcomes(lived_in, EVER))
    teacher = people.found(find_person(there, people.email("teacher")))
    session = list_sessions(there, teacher, EVER)["session_id"].iloc[0]
    view = people.found(get_session(there, teacher, int(session)))
    assert people.found(view.log)["notes"] == "naïve “words” 🙁"
    head = b"email,name,school,department,roles\n"
    assert import_table(there, "staff", ("staff.csv", head + b"new@habs.example,New,SEN,Art,teacher\n")).added == 1
    with there.engine.connect() as connection:
        assert verify(connection)["audit"] == rows["audit"] + 1
    with pytest.raises(DatabaseError, match="not empty"):
        transfer(lived_in.engine, url, verify, messages.append)
    there.engine.dispose()


def test_transfer_leaves_nothing_if_the_audit_trail_was_altered_or_the_target_is_not_empty(
    lived_in: School, elsewhere: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with lived_in.writing() as connection:  # somebody altered the trail, past its triggers
        if connection.dialect.name == "postgresql":
            connection.execute(text("alter table audit disable trigger all"))
        else:
            connection.execute(text("drop trigger audit_no_update"))
        connection.execute(update(tables.audit).where(tables.audit.c.id == 1).values(subject="another"))
    url = elsewhere()
    with pytest.raises(DatabaseError, match="Entry 1 does not fit"):
        transfer(lived_in.engine, url, verify, lambda words: None)
    there = open_school(url)
    with there.engine.connect() as connection:
        assert not connection.scalar(select(func.count()).select_from(tables.staff))
        assert not connection.scalar(select(func.count()).select_from(tables.audit))
    with there.engine.begin() as connection:
        connection.execute(insert(tables.schools).values(code="SEN", name="S", senior=True, email_domain="x.example"))
    with pytest.raises(DatabaseError, match="schools holds rows"):
        transfer(lived_in.engine, url, verify, lambda words: None)
    there.engine.dispose()


def test_move_command_moves_and_reports_it(lived_in: School, elsewhere: Callable[[], str]) -> None:
    source, url = lived_in.engine.url.render_as_string(hide_password=False), elsewhere()
    done = running.run(source, "move", "--to", url)
    assert (done.returncode, "were transferred and verified" in done.stdout) == (0, True), done.stderr
    assert len(json.loads(running.run(url, "outcomes", "--format", "json").stdout)) == 2 * 23
    assert running.run(source, "move", "--to", source).returncode == 2


@pytest.mark.parametrize("tables_moved", [25, pytest.param(1, marks=pytest.mark.slow)])
def test_a_killed_move_leaves_the_target_whole_or_empty_and_the_source_unchanged(
    lived_in: School, elsewhere: Callable[[], str], tables_moved: int
) -> None:
    source, url = lived_in.engine.url.render_as_string(hide_password=False), elsewhere()
    before = list(iter_outcomes(lived_in, EVER))
    moving = running.start(source, "move", "--to", url)
    for _ in range(tables_moved):
        assert "every row as it was" in moving.stderr.readline()
    moving.kill()
    moving.communicate()
    there = School(open_school(url).engine, lived_in.settings)
    with there.engine.connect() as connection:
        is_empty = not connection.execute(select(tables.staff)).first()
    if is_empty:
        transfer(lived_in.engine, url, verify, lambda words: None)
    assert list(iter_outcomes(there, EVER)) == list(iter_outcomes(lived_in, EVER)) == before
    there.engine.dispose()
