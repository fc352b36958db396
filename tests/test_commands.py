"""The commands as ICT staff, schedulers and scripts use them."""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests import people
from tests.people import call, calls, email, log, table

ROOT = Path(__file__).parent.parent


@pytest.fixture
def run(tmp_path: Path):
    """Runs a command in a process of its own on a database of its own."""

    def command(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app", *map(str, words)],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'school.sqlite'}"} | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return command


@pytest.fixture
def moved_in(run, tmp_path: Path):
    assert run("import", "roster", people.roster(tmp_path / "roster")).returncode == 0
    return run


def test_refused_rows_are_named_without_what_they_say(moved_in, tmp_path: Path) -> None:
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


def test_outcomes_come_as_csv_and_as_json(moved_in, tmp_path: Path) -> None:
    rows = [
        log("teacher", "aled", "2026-11-03T10:00", ref="L1", purpose="=1+1"),
        log("counsellor", "bethan", "2026-11-04T10:00", ref="L2", purpose="counselling"),
    ]
    moved_in("import", "logs", table(tmp_path / "logs.csv", rows))
    moved_in(
        "import",
        "calls",
        calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", {"teacher": (0, 31), "aled": (1, 30)})),
    )
    told = json.loads(moved_in("outcomes", "--format", "json").stdout)
    assert len(told) == 2 * 23
    assert {(row["log_ref"], row["call_id"]) for row in told} == {("L1", "c1"), ("L2", "")}
    assert told[0]["started_at"] == "2026-11-03T10:01:00+00:00"
    assert told[0]["staff_email"] == email("teacher")
    assert told[0]["disputed"] is False
    assert {row["reason"] for row in told if row["log_ref"] == "L2" and row["outcome"] != "not_applicable"} == {
        "Counselling is confidential: the reason is for the counsellor."
    }
    lines = list(csv.DictReader(io.StringIO(moved_in("outcomes").stdout)))
    assert [line["clause"] for line in lines] == [row["clause"] for row in told]
    assert lines[0]["purpose"] == "'=1+1"
    assert lines[0]["disputed"] == "no"
    some = json.loads(moved_in("outcomes", "--format", "json", "--from", "2026-11-04", "--to", "2026-11-04").stdout)
    assert {row["log_ref"] for row in some} == {"L2"}


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (("import", "logs", "nowhere.csv"), {}, "cannot be read"),
        (("import", "calls", "nowhere"), {}, "not there"),
        (("import", "roster", "nowhere"), {}, "no folder"),
        (("outcomes",), {"PROTOCOL_FILE": "nowhere.toml"}, "PROTOCOL_FILE"),
        (("outcomes",), {"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        (("outcomes",), {"DATABASE_URL": "postgresql+psycopg://localhost:1/nothing"}, "cannot be reached"),
        (("sync",), {"GRAPH_CLIENT_ID": ""}, "GRAPH_"),
        (("check",), {}, "python -m app import roster"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(run, words: tuple, environment: dict, said: str) -> None:
    done = run(*words, **environment)
    assert done.returncode == 2
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_wrong_settings_name_the_entry_and_its_mend(run, tmp_path: Path) -> None:
    text = (ROOT / "data" / "protocol.toml").read_text(encoding="utf-8")
    broken = tmp_path / "protocol.toml"
    broken.write_text(text.replace('["08:30", "17:30"]', '["17:30", "08:30"]'), encoding="utf-8")
    done = run("outcomes", PROTOCOL_FILE=str(broken))
    assert done.returncode == 2
    assert "academic_hours: the end is before the start" in done.stderr


def test_changed_settings_judge_again(moved_in, tmp_path: Path) -> None:
    moved_in("import", "logs", table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T17:10", 15, ref="L1")]))

    def hours(**environment: str) -> str:
        rows = json.loads(moved_in("outcomes", "--format", "json", **environment).stdout)
        return next(row["outcome"] for row in rows if row["clause"] == "academic-hours")

    assert hours() == "met"
    text = (ROOT / "data" / "protocol.toml").read_text(encoding="utf-8")
    stricter = tmp_path / "protocol.toml"
    stricter.write_text(text.replace('"17:30"', '"17:00"'), encoding="utf-8")
    assert hours(PROTOCOL_FILE=str(stricter)) == "breach"
    with sqlite3.connect(tmp_path / "school.sqlite") as database:
        assert database.execute("select status from sessions").fetchone() == ("breach",)


def test_a_killed_import_leaves_all_or_nothing(moved_in, tmp_path: Path) -> None:
    """Killed at ten moments of an import of 400 logs: the database holds all of them or none."""
    rows = [
        log("teacher", "aled", f"2026-{1 + n // 25 % 9:02}-{1 + n % 25:02}T{8 + n // 225:02}:00", ref=f"L{n}")
        for n in range(400)
    ]
    file = table(tmp_path / "logs.csv", rows)
    counts = []
    for moment in range(10):
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "import", "logs", str(file)],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'school.sqlite'}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(0.7 + 0.18 * moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        with sqlite3.connect(tmp_path / "school.sqlite") as database:
            logs, sessions = (
                database.execute(f"select count(*) from {name}").fetchone()[0] for name in ("logs", "sessions")
            )
        assert (logs, sessions) in ((0, 0), (400, 400))
        counts.append(logs)
        if logs:  # begin again, so that every moment is one of an import that has something to do
            (tmp_path / "school.sqlite").unlink()
            for tail in ("-wal", "-shm"):
                (tmp_path / f"school.sqlite{tail}").unlink(missing_ok=True)
            moved_in("import", "roster", tmp_path / "roster")
    assert moved_in("import", "logs", file).returncode == 0


def test_a_copy_is_whole_and_comes_back(moved_in, tmp_path: Path) -> None:
    moved_in("import", "logs", table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    copy = tmp_path / "copy.sqlite"
    assert moved_in("backup", copy).returncode == 0
    assert moved_in("backup", copy).returncode == 2  # never over another
    moved_in("import", "logs", table(tmp_path / "m.csv", [log("teacher", "aled", "2026-11-04T10:00", ref="L2")]))
    assert moved_in("restore", copy).returncode == 0
    refs = {row["log_ref"] for row in json.loads(moved_in("outcomes", "--format", "json").stdout)}
    assert refs == {"L1"}
    cut = tmp_path / "cut.sqlite"
    cut.write_bytes(copy.read_bytes()[:20_000])
    damaged = moved_in("restore", cut)
    assert damaged.returncode == 2
    assert "Nothing was changed" in damaged.stderr


def test_a_database_of_a_newer_version_is_refused(moved_in, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "school.sqlite") as database:
        database.execute("update alembic_version set version_num = '9999'")
    done = moved_in("outcomes")
    assert done.returncode == 2
    assert "newer version" in done.stderr


def test_the_demonstration_never_goes_beside_real_data(moved_in) -> None:
    done = moved_in("demo", "--sessions", "100")
    assert done.returncode == 2
    assert "not empty" in done.stderr
