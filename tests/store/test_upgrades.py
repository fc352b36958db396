"""A database of version 0.1.0 is copied and upgraded with all its data; one that cannot be used is left as it is."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, create_engine, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from app.demo.calendar import create_demo_settings
from app.intake.files import import_logs
from app.operations.verification import verify
from app.protocol.clauses import CLAUSES
from app.school import School, open_school
from app.settings import ROOT, load_settings
from app.store import audit_log, database, session_days, tables
from app.store.database import DatabaseError, open_database, writing
from app.store.outcomes import current_clause_set
from app.store.quarantined import FETCH_AGAIN
from app.store.tables import metadata, sessions
from app.store.transfer import transfer
from app.vocabulary.terms import BreachState, Resolution, RowResolution
from tests import people
from tests.conftest import SETTINGS
from tests.running import run
from tests.store.version_0_1_0 import KEY, create_database

TABLES = {"exceptions": "breaches", "exception_events": "breach_events"}  # of 0.1.0: its name now
_EVENT = {"at": "occurred_at", "by": "actor_id", "told": "recipient_id"}
COLUMNS = {  # of 0.1.0, by the table's name now: the column's name now
    "alerts": {
        "to": "recipient_id",
        "about": "subject",
        "words": "body",
        "next_try_at": "next_attempt_at",
        "tries": "attempts",
        "trouble": "error",
    },
    "audit": {"at": "occurred_at", "by": "actor", "what": "action", "about": "subject"},
    "breach_events": {"exception_id": "breach_id", "how": "resolution"} | _EVENT,
    **dict.fromkeys(("concern_events", "conduct_events"), _EVENT),
    "conduct_sessions": {"told": "description"},
    "consent_events": {"strikes": "struck_event_id", "why": "reason"} | _EVENT,
    "imports": {"at": "imported_at", "by": "imported_by", "refused": "rejected"},
    "letters_struck": {"at": "struck_at", "by": "struck_by", "why": "reason"},
    "logs": {"why": "correction_reason"},
    "sync_runs": {"put_aside": "quarantined", "refused": "rejected", "trouble": "error"},
}
WORDS = {  # of 0.1.0, by table and column now: the words now
    ("alerts", "state"): {"handed": "waiting"},
    ("breaches", "state"): {"settled": "resolved", "kept": "closed"},
    ("breach_events", "kind"): {"settled": "resolved", "kept": "closed"},
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def create_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the address of a database without a table, on each kind of database; a new one each time."""
    if request.param == "sqlite":
        numbers = count()
        return lambda: f"sqlite:///{tmp_path / f'school{next(numbers)}.sqlite'}"
    create = request.getfixturevalue("postgresql")
    return lambda: create(copy_of="postgresql:///template0")


@pytest.fixture
def old_url(create_url: Callable[[], str]) -> str:
    """The address of a database of 0.1.0, on each kind of database."""
    url = create_url()
    create_database(url)
    return url


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """The file of a database of 0.1.0."""
    file = tmp_path / "school.sqlite"
    create_database(f"sqlite:///{file}")
    return file


Rows = dict[str, list[dict[str, Any]]]  # by table


def read_rows(url: str, schema: str | None = None) -> Rows:
    engine, found = create_engine(url), MetaData()
    found.reflect(engine, schema=schema)
    with engine.connect() as connection:
        rows = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in found.tables.values()
        }
    engine.dispose()
    return rows


def _expected_quarantine(before: Rows) -> Iterator[dict[str, Any]]:
    """What became of the two tables of 0.1.0 with rows and records that were rejected."""
    imported_at = {row["id"]: row["at"] for row in before["imports"]}
    for row in before["refused_rows"]:
        same = {name: row[name] for name in ("kind", "source", "row", "column", "value", "fingerprint")}
        how = {"mended": "fixed", "came right": "imported"}.get(row["settled_how"], row["settled_how"])
        yield same | {
            "call_id": None,
            "reason": row["why"],
            "fix": row["mend"],
            "original": row["original"].encode(),
            "rejected_at": imported_at[row["import_id"]],
            "attempts": 1,
            "resolved_at": row["settled_at"],
            "resolved_by": row["settled_by"],
            "resolution": how,
            "resolution_reason": row["settled_why"],
        }
    for row in before["sync_put_aside"]:
        kind = {"call": "calls", "entry": "calls"}.get(row["kind"], "recordings")
        fingerprint = sha256(f"sync|{kind}|{row['ref']}".encode()).hexdigest()
        names = ("row", "column", "value", "resolved_at", "resolved_by", "resolution", "resolution_reason")
        yield dict.fromkeys(names) | {
            "kind": kind,
            "source": "sync",
            "call_id": row["ref"] if row["kind"] == "call" else None,
            "reason": row["why"],
            "fix": FETCH_AGAIN,
            "original": row["content"],
            "fingerprint": fingerprint,
            "rejected_at": row["last_at"],
            "attempts": row["tries"],
        }


_ENCRYPTION = importlib.import_module("app.store.migrations.versions.0018_version_0_3_0_encryption")
_OF_CONDUCT = [("conduct_named", "staff_id"), ("conduct_sessions", "log_ref"), ("conduct_sessions", "call_id")]
_OTHERS = [(table, column) for table, columns in _ENCRYPTION._ENCRYPTED.items() for column in columns]
_NEWLY_ENCRYPTED = {*_OTHERS, *_ENCRYPTION._LISTED, *_OF_CONDUCT}


def _decrypt_new(table: str, column: str, value: Any) -> Any:
    """A value as it was before version 0.3.0 encrypted its column."""
    kind: Any = metadata.tables[table].c[column].type
    return kind.process_result_value(value, None) if (table, column) in _NEWLY_ENCRYPTED else value


def assert_all_there(before: Rows, after: Rows) -> None:
    """Every row of 0.1.0 is there once, with every value, and none was added to its tables."""
    for old_table, rows in before.items():
        if old_table in ("alembic_version", "refused_rows", "sync_put_aside"):
            continue
        table = TABLES.get(old_table, old_table)
        names = {column: COLUMNS.get(table, {}).get(column, column) for column in rows[0]}
        expected = [
            {name: WORDS.get((table, name), {}).get(row[column], row[column]) for column, name in names.items()}
            for row in rows
        ]
        found = [{name: _decrypt_new(table, name, row[name]) for name in names.values()} for row in after[table]]
        assert sorted(map(repr, found)) == sorted(map(repr, expected)), table
    rejected = [sorted(entry.items()) for entry in _expected_quarantine(before)]
    stored = [{name: _decrypt_new("quarantine", name, row[name]) for name in row} for row in after["quarantine"]]
    quarantine = [[item for item in sorted(row.items()) if item[0] != "id"] for row in stored]
    assert sorted(map(repr, quarantine)) == sorted(map(repr, rejected))


def _schema(url: str) -> dict[str, Any]:
    """What a database consists of, by table. The order of columns may differ, and on SQLite the names of keys, which
    nothing asks for there."""
    engine = create_engine(url)
    found, is_sqlite = inspect(engine), engine.dialect.name == "sqlite"

    def keys(rows: list[Any]) -> list[str]:
        return sorted(repr({k: v for k, v in row.items() if not (is_sqlite and k == "name")}) for row in rows)

    def describe(index: Any) -> str:
        options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
        return repr(index | {"dialect_options": options})

    schema: dict[str, Any] = {
        table: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(table)},
            "primary key": keys([found.get_pk_constraint(table)]),
            "foreign keys": keys(found.get_foreign_keys(table)),
            "unique": sorted(map(repr, found.get_unique_constraints(table))),
            "indexes": sorted(map(describe, found.get_indexes(table))),
        }
        for table in found.get_table_names()
    }
    triggers = (
        "select name, sql from sqlite_master where type = 'trigger'"
        if is_sqlite
        else "select tgname, pg_get_triggerdef(t.oid) || prosrc from pg_trigger t join pg_proc p on p.oid = tgfoid "
        "where not tgisinternal"
    )
    with engine.connect() as connection:
        rows = connection.execute(text(triggers)).all()
    schema["triggers"] = {name: " ".join(sql.replace('"', "").lower().split()) for name, sql in rows}
    engine.dispose()
    return schema


def test_open_database_upgrades_to_the_schema_of_a_new_database(old_url: str, create_url: Callable[[], str]) -> None:
    new_url = create_url()
    for url in (old_url, new_url):
        engine = open_database(url)
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        engine.dispose()
    new, upgraded = _schema(new_url), _schema(old_url)
    assert len(new) == len(metadata.tables) + 2  # the version, the triggers
    assert len(new["triggers"]) >= 6
    assert upgraded == new


def test_open_database_keeps_every_row_and_copies_the_file_before(old_file: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{old_file}"
    before = read_rows(url)
    assert all(before.values())  # something in every table
    open_database(url).dispose()
    assert_all_there(before, read_rows(url))
    (copy,) = tmp_path.glob("school-version-0013-*.sqlite")
    assert read_rows(f"sqlite:///{copy}") == before
    open_database(url).dispose()
    assert list(tmp_path.glob("school-version-*")) == [copy]  # once, and never of a new one


@pytest.mark.postgresql
def test_open_database_keeps_every_row_and_copies_the_schema_before(postgresql: Callable[..., str]) -> None:
    url = postgresql(copy_of="postgresql:///template0")
    create_database(url)
    before = read_rows(url)
    for _ in range(2):
        engine = open_database(url)
        copies = [name for name in inspect(engine).get_schema_names() if name.startswith("version_")]
        engine.dispose()
        assert len(copies) == 1  # once, and never of a new one
        assert copies[0].startswith("version_0013_")
        assert read_rows(url, copies[0]) == before
    assert_all_there(before, read_rows(url))


@pytest.mark.parametrize("revision", ["0001", "0012"])
def test_open_database_refuses_one_from_before_0_1_0(old_url: str, revision: str) -> None:
    engine = create_engine(old_url)
    with engine.begin() as connection:
        connection.execute(text(f"update alembic_version set version_num = '{revision}'"))
    engine.dispose()
    before = read_rows(old_url)
    with pytest.raises(DatabaseError, match=r"Open it once with version 0\.1\.0"):
        open_database(old_url)
    done = run(old_url, "outcomes")
    assert done.returncode == 2
    assert "Open it once with version 0.1.0" in done.stderr
    assert "Traceback" not in done.stderr
    assert read_rows(old_url) == before


def test_outcomes_of_0_1_0_are_read_by_its_clauses(old_url: str, clauses: None) -> None:
    engine = create_engine(old_url)
    with engine.begin() as connection:  # the twelfth clause of that version is a breach
        connection.execute(text("update sessions set codes = '00000000000200000000000', confidential = (1 = 0)"))
    engine.dispose()
    engine = open_database(old_url)
    days = (date(2026, 11, 1), date(2026, 11, 30))
    with engine.connect() as connection:
        rows = session_days.read(connection, *days)
    assert rows["dress"].tolist() == ["breach"] * 8
    assert set(rows[[name for name in CLAUSES if name != "dress"]].to_numpy().ravel()) == {"met"}
    del CLAUSES["dress"]
    with writing(engine) as connection:  # beside that of 0.1.0
        assert current_clause_set(connection) not in connection.scalars(select(sessions.c.clause_set_id)).all()
        assert "dress" not in session_days.read(connection, *days)
    engine.dispose()


def test_open_database_reads_what_0_1_0_wrote(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    engine = open_database(old_url)
    with engine.connect() as connection:

        def values(column: Column[Any]) -> list[Any]:
            return list(connection.scalars(select(column).order_by(*column.table.primary_key)))

        assert audit_log.verify(connection) == (33, None)
        assert values(tables.logs.c.notes)[:3] == [None, "The picture froze twice.", "For nobody else."]
        assert values(tables.logs.c.correction_reason)[-2:] == ["Looked again.", "It was another pupil."]
        assert values(tables.breaches.c.state).count(BreachState.OPEN) == 3
        assert set(values(tables.breaches.c.state)) == set(BreachState)
        assert values(tables.breach_events.c.resolution).count(Resolution.SPOKEN_WITH) == 2
        assert set(values(tables.breach_events.c.text)) == {None, "The bell rang late.", "We spoke about it."}
        assert set(values(tables.quarantine.c.resolution)) == {None, *RowResolution}
        assert [text for text in values(tables.quarantine.c.resolution_reason) if text] == ["Entered by hand."]
        assert values(tables.letters_struck.c.reason) == ["A slip."]
        assert "It was her mother." in values(tables.consent_events.c.reason)
        assert "Cried and would not say why." in values(tables.concerns.c.summary)
        assert values(tables.conduct_concerns.c.summary) == ["Writes to pupils late at night."]
        assert values(tables.conduct_sessions.c.description)[0].startswith("Tue 3 Nov")
        assert json.loads(values(tables.drafts.c.content)[0])["purpose"] == "music"
        *rows, fetched = values(tables.quarantine.c.original)
        assert fetched == b'{"id": "c7"}'
        assert all(json.loads(row) for row in rows)
    with pytest.raises(DBAPIError, match="only ever added to"), writing(engine) as connection:
        connection.execute(update(tables.conduct_events).values(actor_id=1))
    with pytest.raises(DBAPIError, match="only ever added to"), writing(engine) as connection:
        connection.execute(update(tables.audit).values(subject="another"))
    with writing(engine) as connection:
        connection.execute(update(tables.sessions).values(disputed=True))  # its triggers empty the packed days
    engine.dispose()


def test_open_database_writes_answers_as_files_are_read_now(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    old = create_engine(old_url)
    with old.begin() as connection:
        connection.execute(text("update logs set platform = 'Microsoft Teams', room = 'The music room'"))
    old.dispose()
    engine = open_database(old_url)
    with engine.connect() as connection:
        answers = connection.execute(select(tables.logs.c.platform, tables.logs.c.room)).all()
    assert {tuple(answer) for answer in answers} == {("teams", "The music room")}
    engine.dispose()


@pytest.mark.parametrize("day", [date(2026, 11, 28), date(2027, 2, 14), date(2027, 8, 15)])
def test_open_school_gives_a_demonstration_of_0_1_0_its_own_settings(old_url: str, day: date) -> None:
    engine = create_engine(old_url)
    with engine.begin() as connection:
        connection.execute(insert(tables.meta).values(key="demo", value=day.isoformat()))
    engine.dispose()
    school = open_school(old_url)
    ours = create_demo_settings(load_settings(), day)
    assert (school.settings.name, school.settings.tenant_id) == (ours.name, ours.tenant_id)
    for periods in ("terms", "remote_learning"):  # their days: the names of terms have changed since
        stored, expected = getattr(school.settings, periods), getattr(ours, periods)
        assert [(period.from_, period.to) for period in stored] == [(period.from_, period.to) for period in expected]
    school.engine.dispose()


def test_transfer_moves_the_copy_in_a_schema_into_a_database_of_its_own(
    postgresql: Callable[..., str], tmp_path: Path
) -> None:
    school = School(open_database(postgresql()), SETTINGS)
    people.move_in(school, tmp_path)
    with writing(school.engine) as connection:
        database._copy_into_schema(connection, "version_0013_x")
    import_logs(school, people.table(tmp_path / "later.csv", [people.log("teacher", "aled", "2026-11-03T10:00")]))
    copied = school.engine.url.update_query_dict({"options": "-csearch_path=version_0013_x"})
    target = f"sqlite:///{tmp_path / 'out.sqlite'}"
    there = open_database(copied.render_as_string(hide_password=False))
    rows = transfer(there, target, verify, lambda _: None)
    assert rows["staff"] == len(people.STAFF)
    assert rows["logs"] == 0  # what came later
    for engine in (there, school.engine):
        engine.dispose()


def test_open_database_changes_nothing_where_the_copy_finds_no_room(old_file: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{old_file}"
    before = read_rows(url)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    ignore = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    opening = f"from app.store.database import open_database; open_database('{url}')"
    done = subprocess.run(
        [sys.executable, "-c", f"{limit}; {ignore}; {opening}"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "DatabaseError" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert read_rows(url) == before
    assert not list(tmp_path.glob("*.part-*"))
    open_database(url).dispose()
    assert_all_there(before, read_rows(url))


def test_open_database_changes_nothing_where_a_migration_fails(
    old_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{old_file}"
    before = read_rows(url)
    broken = tmp_path / "migrations"
    shutil.copytree(database._MIGRATIONS, broken)
    last = max(broken.glob("versions/[0-9]*.py"))
    failing = "def upgrade() -> None:\n    do()\n    op.execute('x')\n\n\ndef do() -> None:"
    last.write_text(last.read_text().replace("def upgrade() -> None:", failing))
    monkeypatch.setattr(database, "_MIGRATIONS", broken)
    with pytest.raises(DatabaseError):
        open_database(url)
    assert read_rows(url) == before
    assert not list(tmp_path.glob("school-version-*"))  # every attempt would leave one
    monkeypatch.undo()
    open_database(url).dispose()
    assert_all_there(before, read_rows(url))
