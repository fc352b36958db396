"""A copy of the embedded database is whole, is tested, and can be restored."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from app.settings import ROOT
from tests import people, running
from tests.people import log, table
from tests.running import Run

pytestmark = pytest.mark.usefixtures("story_clock")


@pytest.fixture
def run_command(tmp_path: Path) -> Run:
    """Runs a command on an embedded database with everybody in it."""
    run = partial(running.run, f"sqlite:///{tmp_path / 'school.sqlite'}")
    assert run("import", "roster", people.roster(tmp_path / "roster")).returncode == 0
    return run


def test_restore_brings_a_copy_back_and_refuses_a_damaged_one(run_command: Run, tmp_path: Path) -> None:
    run_command("import", "logs", table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    copy = tmp_path / "copy #1, 100%?.sqlite"
    assert run_command("backup", copy).returncode == 0
    assert run_command("backup", copy).returncode == 2  # never over another
    run_command("import", "logs", table(tmp_path / "m.csv", [log("teacher", "aled", "2026-11-04T10:00", ref="L2")]))
    assert run_command("restore", copy).returncode == 0
    refs = {row["log_ref"] for row in json.loads(run_command("outcomes", "--format", "json").stdout)}
    assert refs == {"L1"}
    beside = {file.name for file in tmp_path.iterdir() if ".sqlite" in file.name and file.suffix != ".sqlite"}
    assert beside <= {"school.sqlite-wal", "school.sqlite-shm"}
    cut = tmp_path / "cut.sqlite"
    cut.write_bytes(copy.read_bytes()[:20_000])
    damaged = run_command("restore", cut)
    assert damaged.returncode == 2
    assert "Nothing was changed" in damaged.stderr


def test_restore_test_leaves_the_copy_unchanged_and_shows_its_day(run_command: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    assert run_command("backup", copy).returncode == 0
    assert "no backup has been tested yet" in run_command("check").stdout
    before = copy.read_bytes()
    done = run_command("restore", copy, "--test")
    assert (done.returncode, "is unchanged" in done.stdout) == (0, True), done.stderr
    assert copy.read_bytes() == before
    assert "a backup was tested on" in run_command("check").stdout


def test_restore_refuses_a_copy_with_an_altered_trail(run_command: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    run_command("backup", copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("drop trigger audit_no_update")
        connection.execute("update audit set subject = 'another' where id = 2")
    for words in (("restore", copy), ("restore", copy, "--test")):
        done = run_command(*words)
        assert done.returncode == 2
        assert "Entry 2 does not fit" in done.stderr
    assert run_command("audit", "verify").returncode == 0


def test_restore_replaces_a_damaged_database_and_keeps_its_file(run_command: Run, tmp_path: Path) -> None:
    copy, database = tmp_path / "copy.sqlite", tmp_path / "school.sqlite"
    run_command("backup", copy)
    damaged = b"nothing of a database"
    database.write_bytes(damaged)
    assert "damaged" in run_command("audit", "verify").stderr
    assert run_command("restore", copy).returncode == 0
    assert run_command("audit", "verify").returncode == 0
    (kept,) = tmp_path.glob("school-before-*.sqlite")
    assert kept.read_bytes() == damaged


def test_import_reports_a_full_disk_and_loses_nothing(run_command: Run, tmp_path: Path) -> None:
    """No file may grow beyond 60 kB, as on a full disk."""
    rows = [log("teacher", "aled", f"2026-11-{n % 20 + 1:02}T{n // 20 + 8:02}:00", ref=f"L{n}") for n in range(200)]
    file, database = table(tmp_path / "l.csv", rows), tmp_path / "school.sqlite"
    command = f"ulimit -f 60; trap '' XFSZ; exec {' '.join(running.PYTHON)} app import logs {file}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": f"sqlite:///{database}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert "disk" in done.stderr
    assert "Traceback" not in done.stderr
    assert run_command("audit", "verify").returncode == 0
    assert "200 new" in run_command("import", "logs", file).stdout
