"""A role is one entry: everything else about it follows, in a school that already has data."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app.intake.files import import_logs, import_roster
from app.school import School
from app.settings import ROOT
from app.store.database import open_database
from tests import people
from tests.conftest import SETTINGS
from tests.running import PYTHON

ENTRY = """
    HEAD_OF_DRAMA = RoleEntry(
        "head_of_drama",
        "Head of Drama",
        grants={Resource.OVERVIEW: Scope.WITHOUT_NAMES, Resource.SESSIONS: Scope.HOUSES},
        first_page=Page.OVERVIEW,
    )
"""
FIRST_ENTRY = "    SENIOR_DEPUTY_HEAD = RoleEntry("


@pytest.fixture
def database(peopled_database: Callable[[], str], tmp_path: Path) -> str:
    """The address of a database with the roster and two sessions, one of them with a pupil of Monnow."""
    url = peopled_database()
    school = School(open_database(url), SETTINGS)
    logs = [people.log("teacher", "aled", "2026-09-09T10:00"), people.log("teacher", "bethan", "2026-09-10T10:00")]
    assert import_logs(school, people.table(tmp_path / "logs.csv", logs)).added == 2
    school.engine.dispose()
    return url


@pytest.fixture
def new_roster(tmp_path: Path) -> Path:
    """The folder of a roster that gives a member of staff the new role, for the house Monnow."""
    folder = people.roster(tmp_path / "new_roster")
    staff = folder / "staff.csv"
    rows = staff.read_text(encoding="utf-8")
    assert rows.count("music_teacher,,,") == 1
    staff.write_text(rows.replace("music_teacher,,,", "music_teacher;head_of_drama,,Monnow,"), encoding="utf-8")
    return folder


def _program_with_entry(folder: Path) -> Path:
    """A copy of the program that differs by the entry alone."""
    for name in ("app", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    roles = folder / "app" / "vocabulary" / "roles.py"
    source = roles.read_text(encoding="utf-8")
    assert source.count(FIRST_ENTRY) == 1
    roles.write_text(source.replace(FIRST_ENTRY, ENTRY.lstrip("\n") + FIRST_ENTRY), encoding="utf-8")
    return folder


def _follow(program: Path, database: str, new_roster: Path) -> dict[str, object]:
    found = subprocess.run(
        [*PYTHON, "tests.access.follow_role", database, new_roster, people.email("musician")],
        cwd=program,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert found.returncode == 0, found.stderr
    return dict(json.loads(found.stdout))


def test_import_roster_rejects_a_role_without_an_entry(database: str, new_roster: Path) -> None:
    school = School(open_database(database), SETTINGS)
    assert sum(len(result.rejected) for result in import_roster(school, new_roster)) == 1
    school.engine.dispose()


def test_role_entry_gives_a_new_role_its_import_pages_permissions_and_labels(
    database: str, new_roster: Path, tmp_path: Path
) -> None:
    assert _follow(_program_with_entry(tmp_path / "program"), database, new_roster) == {
        "rejected": 0,
        "roles": ["head_of_drama", "music_teacher"],
        "post": "Head of Drama",
        "first_page": "overview",
        "pages": ["overview", "sessions", "log", "plan", "concerns", "parents", "protocol"],
        "pupils": ["Aled Pugh"],
        "overview": 2,
        "names": 0,
        "table": ["sessions | Head of Drama | those of their houses", "overview | Head of Drama | all, without names"],
    }
