"""Databases of earlier versions come up to date with all their data, and are copied before."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, inspect, select, text

from app.intake.files import import_logs
from app.operations.verification import verify
from app.protocol.clauses import CLAUSES
from app.school import School
from app.store import database, session_days
from app.store.database import DatabaseError, open_database, writing
from app.store.outcomes import current_clause_set
from app.store.tables import metadata, sessions
from app.store.transfer import transfer
from tests import people
from tests.conftest import SETTINGS
from tests.running import PYTHON, ROOT, run
from tests.store.older import FOLDER, at_version, fill

MOVED = {  # a column of an earlier version: where its values are now
    ("consents", "obtained_at"): ("consent_events", "occurred_at"),
    ("consents", "given_by"): ("consent_events", "parent"),
    ("consents", "slt_informed_at"): ("consent_events", "occurred_at"),
}
TABLES = {  # of an earlier version: its name now
    "exceptions": "breaches",
    "exception_events": "breach_events",
    "refused_rows": "rejected_rows",
    "sync_put_aside": "sync_quarantine",
}
_EVENT = {"at": "occurred_at", "by": "actor_id", "told": "recipient_id"}
COLUMNS = {  # of an earlier version, by its table's name now: their names now
    "alerts": {
        "to": "recipient_id", "about": "subject", "words": "body", "next_try_at": "next_attempt_at",
        "tries": "attempts", "trouble": "error",
    },
    "audit": {"at": "occurred_at", "by": "actor", "what": "action", "about": "subject"},
    "breach_events": {"exception_id": "breach_id", "how": "resolution"} | _EVENT,
    "concern_events": _EVENT,
    "conduct_events": _EVENT,
    "conduct_sessions": {"told": "description"},
    "consent_events": {"strikes": "struck_event_id", "why": "reason"} | _EVENT,
    "imports": {"at": "imported_at", "by": "imported_by", "refused": "rejected"},
    "letters_struck": {"at": "struck_at", "by": "struck_by", "why": "reason"},
    "logs": {"why": "correction_reason"},
    "rejected_rows": {
        "why": "reason", "mend": "fix", "settled_at": "resolved_at", "settled_by": "resolved_by",
        "settled_how": "resolution", "settled_why": "resolution_reason",
    },
    "sync_quarantine": {"why": "reason", "first_at": "first_seen_at", "last_at": "last_seen_at", "tries": "attempts"},
    "sync_runs": {"put_aside": "quarantined", "refused": "rejected", "trouble": "error"},
}  # fmt: skip
VERSIONS = sorted(file.stem for file in FOLDER.glob("*.sql"))


@pytest.fixture(params=VERSIONS)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The file of a database of an earlier version."""
    return _load(request.param, tmp_path)


def _load(version: str, folder: Path) -> Path:
    file = folder / "school.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((FOLDER / f"{version}.sql").read_text(encoding="utf-8"))
    return file


def _rows(file: Path) -> dict[str, list[dict[str, object]]]:
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        names = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        return {
            name.removesuffix("_version"): [dict(row) for row in connection.execute(f'select * from "{name}"')]
            for name in names
        }


def test_every_row_of_an_earlier_version_is_there_and_a_copy_as_it_was(older: Path) -> None:
    before = _rows(older)
    engine = open_database(f"sqlite:///{older}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    after = _rows(older)
    assert sum(map(len, before.values())) > 40
    for old_name, rows in before.items():
        name = TABLES.get(old_name, old_name)
        for old_row in rows if name != "alembic" else []:
            row = {COLUMNS.get(name, {}).get(column, column): value for column, value in old_row.items()}
            stays = {column: value for column, value in row.items() if (name, column) not in MOVED}
            assert any(stays.items() <= now.items() for now in after[name]), (name, row)
            for column in row.keys() - stays.keys():
                table, now = MOVED[name, column]
                assert row[column] in [there[now] for there in after[table]], (name, row)
    copies = list(older.parent.glob("school-version-*.sqlite"))
    if older_than_the_program := before["alembic"] != after["alembic"]:
        assert _rows(copies[0]) == before
    assert len(copies) == older_than_the_program
    open_database(f"sqlite:///{older}").dispose()
    assert list(older.parent.glob("school-version-*")) == copies  # once, and never of a new one


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_outcomes_of_an_earlier_version_are_read_by_its_clauses(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, clauses: None
) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{_load('0013', tmp_path)}"
    else:
        url = request.getfixturevalue("postgresql")(copy_of="postgresql:///template0")
        at_version(url, "0013")
        fill(url)
    engine = create_engine(url)
    with engine.begin() as connection:  # the twelfth clause of that version was not kept
        connection.execute(text("update sessions set codes = '00000000000200000000000', confidential = (1 = 0)"))
    engine.dispose()
    engine = open_database(url)
    days = (date(2020, 11, 1), date(2020, 11, 30))
    with engine.connect() as connection:
        rows = session_days.read(connection, *days)
    assert rows["dress"].tolist() == ["breach", "breach"]
    assert set(rows[[name for name in CLAUSES if name != "dress"]].to_numpy().ravel()) == {"met"}
    del CLAUSES["dress"]
    with writing(engine) as connection:  # beside that of the earlier version
        assert current_clause_set(connection) not in connection.scalars(select(sessions.c.clause_set_id)).all()
        assert "dress" not in session_days.read(connection, *days)
    engine.dispose()


def _all(url: str, schema: str) -> dict[str, list[tuple[object, ...]]]:
    """The rows of every table of a schema, in some order that is the same for the same rows."""
    engine, there = create_engine(url), MetaData()
    there.reflect(engine, schema=schema)
    with engine.connect() as connection:
        found = {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in there.tables.values()
        }
    engine.dispose()
    return found


def test_a_schema_of_postgresql_has_what_was_there_before(postgresql: Callable[..., str]) -> None:
    url = postgresql(copy_of="postgresql:///template0")
    at_version(url, "0009")
    fill(url)
    before = _all(url, "public")
    assert sum(map(len, before.values())) > 40
    for _ in range(2):
        engine = open_database(url)
        copies = [name for name in inspect(engine).get_schema_names() if name.startswith("version_")]
        engine.dispose()
        assert len(copies) == 1  # once, and never of a new one
        assert copies[0].startswith("version_0009_")
        assert _all(url, copies[0]) == before
    after = _all(url, "public")
    assert {TABLES.get(name, name): len(rows) for name, rows in before.items()}.items() <= {
        name: len(rows) for name, rows in after.items()
    }.items()


def test_a_schema_of_postgresql_moves_into_a_database_of_its_own(
    postgresql: Callable[..., str], tmp_path: Path
) -> None:
    school = School(open_database(postgresql()), SETTINGS)
    people.move_in(school, tmp_path)
    with writing(school.engine) as connection:
        database._copy_into_schema(connection, "version_0009_x")
    import_logs(school, people.table(tmp_path / "later.csv", [people.log("teacher", "aled", "2026-11-03T10:00")]))
    copied = school.engine.url.update_query_dict({"options": "-csearch_path=version_0009_x"})
    target = f"sqlite:///{tmp_path / 'out.sqlite'}"
    there = open_database(copied.render_as_string(hide_password=False))
    rows = transfer(there, target, verify, lambda _: None)
    assert rows["staff"] == len(people.STAFF)
    assert rows["logs"] == 0  # what came later
    for engine in (there, school.engine):
        engine.dispose()


def test_where_the_copy_finds_no_room_nothing_is_changed(tmp_path: Path) -> None:
    file = _load("0001", tmp_path)
    before = _rows(file)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    ignore = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    opening = f"from app.store.database import open_database; open_database('sqlite:///{file}')"
    done = subprocess.run(
        [sys.executable, "-c", f"{limit}; {ignore}; {opening}"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "DatabaseError" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert _rows(file) == before
    assert not list(tmp_path.glob("*.part"))
    open_database(f"sqlite:///{file}").dispose()
    assert _rows(file).keys() > {TABLES.get(name, name) for name in before}


def test_a_migration_that_stops_half_way_leaves_the_earlier_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _load("0003", tmp_path)
    before = _rows(file)
    broken = tmp_path / "migrations"
    shutil.copytree(database._MIGRATIONS, broken)
    last = max(broken.glob("versions/[0-9]*.py"))
    last.write_text(last.read_text().replace("def upgrade() -> None:", "def upgrade() -> None:\n    op.execute('x')"))
    monkeypatch.setattr(database, "_MIGRATIONS", broken)
    with pytest.raises(DatabaseError):
        open_database(f"sqlite:///{file}")
    assert _rows(file) == before
    monkeypatch.undo()
    open_database(f"sqlite:///{file}").dispose()
    assert _rows(file).keys() > {TABLES.get(name, name) for name in before}


def test_a_database_that_may_only_be_read_is_said_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "read"
    folder.mkdir()
    file = folder / "school.sqlite"
    open_database(f"sqlite:///{file}").dispose()
    was = file.read_bytes()
    file.chmod(0o444)
    folder.chmod(0o555)
    # Root may write everywhere, but without this.
    as_anybody = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]
    done = subprocess.run(
        [*(as_anybody if os.geteuid() == 0 else []), *PYTHON, "app", "demo", "--sessions", "100"],
        cwd=ROOT, env=os.environ | {"DATABASE_URL": f"sqlite:///{file}"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    folder.chmod(0o755)
    assert done.returncode == 2
    assert "The database cannot be written: let the program's user write to its file and folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert file.read_bytes() == was


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = run(f"sqlite:///{tmp_path / 'file' / 'school.sqlite'}", "outcomes")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
