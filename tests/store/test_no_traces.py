"""Nothing readable remains in the files of a database whose values are encrypted, and only its owner reads copies."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.__main__ import cli
from app.intake.files import import_logs
from app.school import School, open_school
from app.store.backup import backup
from app.store.encryption import generate_key
from tests import people

pytestmark = pytest.mark.usefixtures("story_clock")

NOTE = "Aled seemed withdrawn and would not say why"


@pytest.fixture
def school_with_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> School:
    """An embedded database in which a note was stored before there was a key."""
    url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    monkeypatch.setenv("DATABASE_URL", url)
    school = open_school(url)
    people.move_in(school, tmp_path)
    row = people.log("teacher", "aled", "2026-11-03T10:00", ref="L1", notes=NOTE)
    assert import_logs(school, people.table(tmp_path / "logs.csv", [row])).added == 1
    (tmp_path / "logs.csv").unlink()
    assert _holds_note(tmp_path)
    return school


def _holds_note(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if file.is_file() and NOTE.encode() in file.read_bytes()]


def test_keys_rotate_leaves_no_word_in_the_files(
    school_with_note: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", generate_key())
    for _ in range(2):  # the second finds nothing to encrypt, and still cleans up
        assert CliRunner().invoke(cli, ["keys", "rotate"]).exit_code == 0
        assert _holds_note(tmp_path) == []


def test_backup_is_readable_by_its_owner_alone(school_with_note: School, tmp_path: Path) -> None:
    backup(school_with_note.engine, tmp_path / "copy.sqlite")
    assert stat.S_IMODE((tmp_path / "copy.sqlite").stat().st_mode) == 0o600
