"""Nothing readable remains in the files of a database whose values are encrypted, and only its owner reads copies."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, select, text

from app.__main__ import cli
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.school import School, open_school
from app.store import tables
from app.store.backup import backup
from app.store.database import open_database
from app.store.encryption import generate_key
from tests import people
from tests.store import version_0_1_0

pytestmark = pytest.mark.usefixtures("story_clock")

NOTE = "Aled seemed withdrawn and would not say why"
PURPOSE = "talk about the custody hearing"
FILE = "log about Aled.csv"
SECRETS = (NOTE, PURPOSE, FILE, "Aled Pugh", people.email("aled"), people.entra("aled"))


@pytest.fixture
def school_with_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> School:
    """An embedded database in which a note was stored before there was a key."""
    url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    monkeypatch.setenv("DATABASE_URL", url)
    school = open_school(url)
    people.move_in(school, tmp_path)
    row = people.log("teacher", "aled", "2026-11-03T10:00", ref="L1", notes=NOTE, purpose=PURPOSE)
    assert import_logs(school, people.table(tmp_path / FILE, [row])).added == 1
    call = people.call("c1", "2026-11-03T10:00:00", {"teacher": (0, 30), "aled": (1, 29)})
    assert import_calls(school, people.calls(tmp_path / "calls.json", call)).added == 1
    for file in (FILE, "letters.csv", "calls.json"):
        (tmp_path / file).unlink()
    assert {secret for _, secret in _find_secrets(tmp_path)} == set(SECRETS)
    return school


def _find_secrets(folder: Path) -> list[tuple[str, str]]:
    """What the files of a folder hold: the file and the secret."""
    contents = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    return [(name, secret) for name, content in contents.items() for secret in SECRETS if secret.encode() in content]


def test_keys_rotate_leaves_no_word_in_the_files(
    school_with_note: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", generate_key())
    for _ in range(2):  # the second finds nothing to encrypt, and still cleans up
        assert CliRunner().invoke(cli, ["keys", "rotate"]).exit_code == 0
        assert _find_secrets(tmp_path) == []


def test_backup_is_readable_by_its_owner_alone(school_with_note: School, tmp_path: Path) -> None:
    backup(school_with_note.engine, tmp_path / "copy.sqlite")
    assert stat.S_IMODE((tmp_path / "copy.sqlite").stat().st_mode) == 0o600


def test_open_database_hides_an_adult_whom_an_earlier_version_added_to_a_concern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", version_0_1_0.KEY)
    url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    version_0_1_0.create_database(url)
    old = create_engine(url)
    with old.begin() as connection:
        added = "(id, concern_id, at, kind, told) values (99, 1, 1795843014021212, 'named', 6)"
        connection.execute(text(f"insert into conduct_events {added}"))
    old.dispose()
    engine, event = open_database(url), tables.conduct_events.c
    with engine.connect() as connection:
        events = connection.execute(select(event.recipient_id, event.content).where(event.kind == "named")).all()
        as_stored = connection.execute(text("select content from conduct_events where id = 99")).scalar_one()
    assert [tuple(row) for row in events] == [(None, '{"staff_id": 6}')]
    assert as_stored[0] == "g"
    engine.dispose()
