"""A copy of the embedded database: whole, proven, and back in its place."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests import people, running
from tests.people import log, table


@pytest.fixture
def moved_in(tmp_path: Path):
    """Runs a command on an embedded database with everybody in it."""
    run = partial(running.run, f"sqlite:///{tmp_path / 'school.sqlite'}")
    assert run("import", "roster", people.roster(tmp_path / "roster")).returncode == 0
    return run


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
