"""A copy of the embedded database: whole, proven, and back in its place."""

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
def moved_in(tmp_path: Path) -> Run:
    """Runs a command on an embedded database with everybody in it."""
    run = partial(running.run, f"sqlite:///{tmp_path / 'school.sqlite'}")
    assert run("import", "roster", people.roster(tmp_path / "roster")).returncode == 0
    return run


def test_a_copy_is_whole_and_comes_back(moved_in: Run, tmp_path: Path) -> None:
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


def test_a_copy_proves_that_it_could_be_restored_and_the_day_is_shown(moved_in: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    assert moved_in("backup", copy).returncode == 0
    assert "no backup has been tested yet" in moved_in("check").stdout
    before = copy.read_bytes()
    done = moved_in("restore", copy, "--test")
    assert (done.returncode, "all unchanged" in done.stdout) == (0, True), done.stderr
    assert copy.read_bytes() == before
    assert "a backup was tested on" in moved_in("check").stdout


def test_a_copy_with_an_altered_trail_is_not_restored(moved_in: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    moved_in("backup", copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("drop trigger audit_no_update")
        connection.execute("update audit set subject = 'another' where id = 2")
    for words in (("restore", copy), ("restore", copy, "--test")):
        done = moved_in(*words)
        assert done.returncode == 2
        assert "Entry 2 does not fit" in done.stderr
    assert moved_in("audit", "verify").returncode == 0


def test_a_damaged_database_is_kept_as_it_lies_and_the_copy_takes_its_place(moved_in: Run, tmp_path: Path) -> None:
    copy, database = tmp_path / "copy.sqlite", tmp_path / "school.sqlite"
    moved_in("backup", copy)
    damaged = b"nothing of a database"
    database.write_bytes(damaged)
    assert "damaged" in moved_in("audit", "verify").stderr
    assert moved_in("restore", copy).returncode == 0
    assert moved_in("audit", "verify").returncode == 0
    (kept,) = tmp_path.glob("school-before-*.sqlite")
    assert kept.read_bytes() == damaged


def test_a_full_disk_is_said_in_words_and_nothing_is_lost(moved_in: Run, tmp_path: Path) -> None:
    """No file may grow beyond 60 kB: as on a disk without room."""
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
    assert moved_in("audit", "verify").returncode == 0
    assert "200 new" in moved_in("import", "logs", file).stdout
