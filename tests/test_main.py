"""The commands as ICT staff, schedulers and scripts use them."""

import csv
import io
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from app.settings import ROOT, load_settings
from tests import people, running
from tests.people import call, calls, email, log, table
from tests.records.evidence.reports import LESSON, download
from tests.running import Run

pytestmark = pytest.mark.usefixtures("story_clock")


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def run(database: str) -> Run:
    """Run a command in its own process on its own database."""
    return partial(running.run, database)


@pytest.fixture
def moved_in(run: Run, tmp_path: Path) -> Run:
    assert run("import", "roster", people.roster(tmp_path / "roster")).returncode == 0
    return run


def test_import_attendance_asks_for_the_order_of_dates(moved_in: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    file.write_bytes(download(datetime(2026, 11, 10, 10, tzinfo=UTC), LESSON))
    asked = moved_in("import", "attendance", file)
    assert (asked.returncode, asked.stdout) == (1, "report.csv: 1 read, 0 new, 0 changed, 0 known, 1 rejected\n")
    assert "row 4, column Start time" in asked.stderr
    assert "--dates mdy" in asked.stderr
    done = moved_in("import", "attendance", file, "--dates", "mdy")
    assert (done.returncode, done.stdout) == (0, "report.csv: 1 read, 1 new, 0 changed, 0 known, 0 rejected\n")
    assert "resolved 1 earlier rejection" in done.stderr


def test_rejected_rows_are_listed_without_their_content(moved_in: Run, tmp_path: Path) -> None:
    rows = [
        log("teacher", "aled", "2026-11-03T10:00", ref="L1"),
        log("teacher", "aled", "2026-11-03T11:00", ref="L2") | {"pupil_emails": "secret.child@elsewhere.example"},
    ]
    done = moved_in("import", "logs", table(tmp_path / "logs.csv", rows))
    assert done.returncode == 1
    assert "1 new" in done.stdout
    assert "row 3, column pupil_emails" in done.stderr
    assert "import the roster" in done.stderr
    assert "secret" not in done.stderr + done.stdout


def test_import_says_in_a_dry_run_what_it_would_change_and_changes_nothing(moved_in: Run, tmp_path: Path) -> None:
    folder = people.roster(tmp_path / "next year")
    pupils = (folder / "pupils.csv").read_text().replace("Bethan Rees,SEN,9", "Bethan Rees,SEN,10")
    (folder / "pupils.csv").write_text(pupils + "nia@pupils.habs.example,Nia New,SEN,7,Wye,,\n")
    for _ in range(2):
        dry = moved_in("import", "roster", folder, "--dry-run")
        assert dry.returncode == 0
        assert "pupils.csv, row 6: new: nia@pupils.habs.example\n" in dry.stdout
        assert f"Bethan Rees ({email('bethan')}): year_group: from 9 to 10\n" in dry.stdout
        assert "Dry run: nothing was changed. No past session is affected.\n" in dry.stdout
    assert "pupils.csv: 5 read, 1 new, 1 changed, 3 known, 0 rejected" in moved_in("import", "roster", folder).stdout
    file = calls(tmp_path / "calls.json", call("c1", "2026-11-03T10:00", {"teacher": (0, 30), "aled": (0, 30)}))
    for options in (("--dry-run",), ()):
        assert "1 read, 1 new" in moved_in("import", "calls", file, *options).stdout


def test_import_reads_answers_to_a_form_by_a_mapping(moved_in: Run, tmp_path: Path) -> None:
    answers = [
        {"Timestamp": "x", "Email Address": email(by), "Pupils": email("aled"), "Purpose": "Music lesson;"}
        | {"Date": "03/11/2026", "Start time": "14.05", "End time": end}
        for by, end in (("musician", "14.35"), ("musician", "13.35"), ("nobody@habs.example", "14.35"))
    ]
    file = table(tmp_path / "answers.csv", answers)
    refused = moved_in("import", "logs", file)
    assert refused.returncode == 2
    assert "It can be read with --mapping “Google Forms”." in refused.stderr
    done = moved_in("import", "logs", file, "--mapping", "google forms")
    assert (done.returncode, done.stdout) == (1, "answers.csv: 3 read, 1 new, 0 changed, 0 known, 2 rejected\n")
    assert "answers.csv, row 3, column Date + End time: is not after the start" in done.stderr
    assert "answers.csv, row 4, column Email Address: is not on the roster of staff" in done.stderr
    judged = csv.DictReader(io.StringIO(moved_in("outcomes").stdout))
    assert {row["purpose"] for row in judged} == {"music"}


def test_outcomes_are_written_as_csv_and_json(moved_in: Run, tmp_path: Path) -> None:
    rows = [
        log("teacher", "aled", "2026-11-03T10:00", ref="L1", purpose="=1+1"),
        log("counsellor", "bethan", "2026-11-04T10:00", ref="L2", purpose="counselling"),
        log("teacher", "bethan", "2026-11-04T11:00", ref="L3"),
    ]
    moved_in("import", "logs", table(tmp_path / "logs.csv", rows))
    moved_in(
        "import",
        "calls",
        calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", {"teacher": (0, 31), "aled": (1, 30)})),
    )
    told = json.loads(moved_in("outcomes", "--format", "json").stdout)
    assert len(told) == 2 * 23
    assert {(row["log_ref"], row["call_id"]) for row in told} == {("L1", "c1"), ("L3", "")}
    assert told[0]["started_at"] == "2026-11-03T10:01:00+00:00"
    assert told[0]["staff_email"] == email("teacher")
    assert told[0]["disputed"] is False
    lines = list(csv.DictReader(io.StringIO(moved_in("outcomes").stdout)))
    assert [line["clause"] for line in lines] == [row["clause"] for row in told]
    assert lines[0]["purpose"] == "'=1+1"
    assert lines[0]["disputed"] == "no"
    some = json.loads(moved_in("outcomes", "--format", "json", "--from", "2026-11-04", "--to", "2026-11-04").stdout)
    assert {row["log_ref"] for row in some} == {"L3"}


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (("import", "logs", "nowhere.csv"), {}, "cannot be read"),
        (("import", "calls", "nowhere"), {}, "does not exist"),
        (("import", "roster", "nowhere"), {}, "neither a folder nor a .zip"),
        (("outcomes",), {"PROTOCOL_FILE": "nowhere.toml"}, "PROTOCOL_FILE"),
        (("outcomes",), {"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        (("outcomes",), {"DATABASE_URL": "postgresql+psycopg://localhost:1/nothing"}, "cannot be reached"),
        (("sync",), {"GRAPH_CLIENT_ID": ""}, "GRAPH_"),
        (("check",), {}, "python -m app import roster"),
    ],
)
def test_commands_report_errors_in_words(
    run: Run, words: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    done = run(*words, **environment)
    assert done.returncode == 2
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_wrong_settings_name_the_entry_and_its_fix(run: Run, tmp_path: Path) -> None:
    text = (ROOT / "data" / "protocol.toml").read_text(encoding="utf-8")
    broken = tmp_path / "protocol.toml"
    broken.write_text(text.replace('["08:30", "17:30"]', '["17:30", "08:30"]'), encoding="utf-8")
    done = run("outcomes", PROTOCOL_FILE=str(broken))
    assert done.returncode == 2
    assert "academic_hours: the end is before the start" in done.stderr


def ask(database: str, statement: str) -> tuple[Any, ...]:
    """The first row that a statement returns."""
    engine = create_engine(database)
    with engine.begin() as connection:
        row = tuple(connection.execute(text(statement)).one())
    engine.dispose()
    return row


def test_changed_settings_judge_again(moved_in: Run, database: str, tmp_path: Path) -> None:
    """Another settings file is in force once it is imported; from then on it is read again when it is edited."""
    moved_in("import", "logs", table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T17:10", 15, ref="L1")]))

    def hours(**environment: str) -> str:
        rows = json.loads(moved_in("outcomes", "--format", "json", **environment).stdout)
        return next(str(row["outcome"]) for row in rows if row["clause"] == "academic-hours")

    assert hours() == "met"
    text = (ROOT / "data" / "protocol.toml").read_text(encoding="utf-8")
    stricter = tmp_path / "protocol.toml"
    stricter.write_text(text.replace('"17:30"', '"17:00"'), encoding="utf-8")
    file = str(stricter)
    assert hours(PROTOCOL_FILE=file) == "met"
    checked = moved_in("check", PROTOCOL_FILE=file)
    assert "rules of the settings file differ from the protocol in force" in checked.stdout
    assert moved_in("protocol", "import", file, PROTOCOL_FILE=file).stdout.endswith("1 breach opened, 0 closed\n")
    assert hours() == hours(PROTOCOL_FILE=file) == "breach"
    assert ask(database, "select status from sessions") == ("breach",)
    stricter.write_text(text, encoding="utf-8")
    assert hours(PROTOCOL_FILE=file) == "met"


def test_protocol_export_writes_what_import_reads(moved_in: Run, tmp_path: Path) -> None:
    file = tmp_path / "exported.toml"
    file.write_text(moved_in("protocol", "export").stdout, encoding="utf-8")
    assert load_settings(file) == load_settings(ROOT / "data" / "protocol.toml")
    assert moved_in("protocol", "import", file).stdout.endswith("0 breaches opened, 0 closed\n")
    file.write_text('name = "x"', encoding="utf-8")
    refused = moved_in("protocol", "import", file)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "timezone: missing; add the entry" in refused.stderr


def test_a_killed_import_leaves_all_or_nothing(
    new_database: Callable[[], str], moved_in: Run, database: str, tmp_path: Path
) -> None:
    """Killed at ten moments of an import of 200 logs: the database holds all of them or none."""

    def moved_in_again() -> str:
        database = new_database()
        assert running.run(database, "import", "roster", tmp_path / "roster").returncode == 0
        return database

    rows = [
        log("teacher", "aled", f"2026-{1 + n // 25 % 9:02}-{1 + n % 25:02}T{8 + n // 225:02}:00", ref=f"L{n}")
        for n in range(200)
    ]
    file = table(tmp_path / "logs.csv", rows)
    undisturbed, begun = moved_in_again(), time.monotonic()
    assert running.run(undisturbed, "import", "logs", file).returncode == 0
    whole = time.monotonic() - begun
    for moment in range(10):
        process = running.start(database, "import", "logs", file)
        if process.wait(whole * (moment + 0.5) / 10) is None:
            process.kill()
            process.wait()
        kept = ask(database, "select (select count(*) from logs), (select count(*) from sessions)")
        assert kept in ((0, 0), (200, 200))
        if kept != (0, 0):  # begin again, so that each import has something to do
            database = moved_in_again()
    assert running.run(database, "import", "logs", file).returncode == 0


def test_a_database_of_a_newer_version_is_refused(moved_in: Run, database: str) -> None:
    ask(database, "update alembic_version set version_num = '9999' returning version_num")
    done = moved_in("outcomes")
    assert done.returncode == 2
    assert "newer version" in done.stderr


def test_demo_refuses_a_database_with_real_data(moved_in: Run) -> None:
    done = moved_in("demo", "--sessions", "100")
    assert done.returncode == 2
    assert "not empty" in done.stderr
