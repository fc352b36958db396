"""Processes of two versions of the program on one database, during an upgrade."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import ROOT
from tests import people, running

pytestmark = pytest.mark.usefixtures("story_clock")


def test_an_older_program_stops_once_a_newer_one_has_judged(
    new_database: Callable[[], str], newer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = new_database()
    rows = [people.log("teacher", "aled", "2026-11-03T17:10", 15, ref="L1")]
    logs = people.table(tmp_path / "logs.csv", rows)
    assert running.run(database, "import", "roster", people.roster(tmp_path / "roster")).returncode == 0
    assert running.run(database, "import", "logs", logs).returncode == 0

    monkeypatch.setenv("DATABASE_URL", database)
    command = [*running.PYTHON, "app", "outcomes"]
    upgraded = subprocess.run(command, cwd=newer, capture_output=True, text=True, check=False)
    assert (upgraded.returncode, upgraded.stderr) == (0, "")

    rows = [people.log("teacher", "aled", "2026-11-04T17:10", 15, ref="L2")]
    later = people.table(tmp_path / "later.csv", rows)
    for words in (("outcomes",), ("import", "logs", str(later))):
        old = running.run(database, *words)
        assert old.returncode == 2
        assert "A newer version of the program has already checked the sessions" in old.stderr
    again = subprocess.run(command, cwd=newer, capture_output=True, text=True, check=False)
    assert again.stdout == upgraded.stdout


def test_a_process_judges_by_the_program_it_has_loaded(tmp_path: Path) -> None:
    """Newer files are installed while it runs: its fingerprint stays that of what it does."""
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("*.sqlite*"))
    words = (
        "from pathlib import Path\n"
        "from app.judging.fingerprint import rules_fingerprint\n"
        "from app.settings import load_settings\n"
        "settings = load_settings()\n"
        "before = rules_fingerprint(settings)\n"
        "rule = Path('app/protocol/frames.py')\n"
        "rule.write_text(rule.read_text(encoding='utf-8') + '\\n\\nMORE = 1\\n', encoding='utf-8')\n"
        "print(before == rules_fingerprint(settings))\n"
    )
    done = subprocess.run([sys.executable, "-c", words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
