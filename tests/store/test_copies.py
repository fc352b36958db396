"""Copies are encrypted with keys of their own where one is set, and deleted with what they hold."""

import os
import stat
import subprocess
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.demo.filling import fill
from app.operations.retention import find_expired, purge
from app.school import School, open_school
from app.settings import ROOT, SettingsError
from app.store import copies, database
from app.store.backup import backup, restore
from app.store.copies import CopyError, backup_keys, is_encrypted, protect, unprotect
from app.store.database import DatabaseError, open_database, writing
from app.store.encryption import generate_key
from tests import running
from tests.clock import Clock
from tests.conftest import SETTINGS
from tests.running import Run
from tests.store.version_0_1_0 import create_database

OLD, NEW = generate_key(), generate_key()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An embedded database with nothing in it."""
    address = f"sqlite:///{tmp_path / 'school.sqlite'}"
    open_school(address).engine.dispose()
    return address


@pytest.fixture
def run_command(url: str) -> Run:
    return partial(running.run, url)


@pytest.mark.parametrize("size", [0, 1, copies._AT_ONCE - 1, copies._AT_ONCE, copies._AT_ONCE + 1, 3 * copies._AT_ONCE])
def test_unprotect_gives_back_what_protect_was_given(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, file = b"secret word "[: size % 13] + bytes(max(0, size - size % 13)), tmp_path / "copy"
    file.write_bytes(content)
    monkeypatch.setenv("BACKUP_KEYS", OLD)
    protect(file, file)
    assert is_encrypted(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"secret word" not in file.read_bytes()
    monkeypatch.setenv("BACKUP_KEYS", f"{NEW},{OLD}")
    unprotect(file, file)
    assert file.read_bytes() == content
    assert [found.name for found in tmp_path.iterdir()] == ["copy"]


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[: 1 << 20], lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_unprotect_refuses_a_copy_that_was_cut_or_changed(
    damage: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUP_KEYS", NEW)
    file = tmp_path / "copy"
    file.write_bytes(bytes(3 << 20))
    protect(file, file)
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    before = file.read_bytes()
    with pytest.raises(CopyError, match="BACKUP_KEYS"):
        unprotect(file, file)
    assert file.read_bytes() == before


def test_without_a_key_copies_are_as_they_were(tmp_path: Path) -> None:
    assert backup_keys() == ()
    (tmp_path / "file").write_bytes(b"x")
    protect(tmp_path / "file", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"x"
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


def test_backup_and_restore_take_encrypted_copies(
    run_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUP_KEYS", NEW)
    copy = tmp_path / "copy.sqlite"
    assert run_command("backup", copy).returncode == 0
    assert is_encrypted(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert run_command("restore", copy, "--test").returncode == 0
    assert run_command("restore", copy, "--to", tmp_path / "plain.sqlite").returncode == 0
    assert (tmp_path / "plain.sqlite").read_bytes().startswith(b"SQLite format 3")
    assert run_command("restore", copy).returncode == 0
    (old,) = tmp_path.glob("school-before-*")
    assert is_encrypted(old)
    monkeypatch.setenv("BACKUP_KEYS", OLD)
    refused = run_command("restore", copy)
    assert refused.returncode == 2
    assert "BACKUP_KEYS does not hold" in refused.stderr
    assert "Nothing was changed" in refused.stderr
    beside = {file.name for file in tmp_path.iterdir()}
    assert beside <= {
        "copy.sqlite",
        "plain.sqlite",
        old.name,
        "school.sqlite",
        "school.sqlite-wal",
        "school.sqlite-shm",
    }


def test_a_backup_leaves_files_of_others_with_the_names_of_parts(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = [tmp_path / name for name in ("archive.tar.part-00000001", "of mine.part-abcdefgh", "x.part-0123abcd")]
    for file in theirs[:2]:
        file.write_bytes(b"not a database")
    theirs[2].mkdir()
    ours = [tmp_path / f"copy.sqlite.part-0123456{n}" for n in range(3)]
    monkeypatch.setenv("BACKUP_KEYS", NEW)
    protect(theirs[0], ours[0])
    ours[1].touch()
    ours[2].write_bytes(Path(url.removeprefix("sqlite:///")).read_bytes())
    backup(create_engine(url), tmp_path / "1.sqlite")
    assert [file.exists() for file in ours] == [True, True, False]  # others may be writing the first two
    for file in ours[:2]:
        os.utime(file, (0, 0))
    backup(create_engine(url), tmp_path / "2.sqlite")
    assert not any(file.exists() for file in ours)
    assert all(file.exists() for file in theirs)


def test_restore_keeps_a_damaged_database_encrypted(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_KEYS", NEW)
    backup(create_engine(url), tmp_path / "copy.sqlite")
    damaged = {"": b"nothing of a database", "-wal": b"nothing either"}
    for tail, content in damaged.items():
        (tmp_path / f"school.sqlite{tail}").write_bytes(content)
    old = restore(url, tmp_path / "copy.sqlite")
    assert old is not None
    for tail, content in damaged.items():
        kept = old.with_name(old.name + tail)
        assert is_encrypted(kept)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        unprotect(kept, tmp_path / "plain")
        assert (tmp_path / "plain").read_bytes() == content


def test_restore_to_leaves_nothing_on_a_full_disk(
    run_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file may grow beyond 60 kB, as on a full disk."""
    monkeypatch.setenv("BACKUP_KEYS", NEW)
    copy, plain = tmp_path / "copy.sqlite", tmp_path / "plain.sqlite"
    assert run_command("backup", copy).returncode == 0
    words = f"ulimit -f 60; trap '' XFSZ; exec {' '.join(running.PYTHON)} app restore '{copy}' --to '{plain}'"
    done = subprocess.run(["bash", "-c", words], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, "is there room" in done.stderr) == (2, True), done.stderr
    assert not list(tmp_path.glob("plain.sqlite*"))
    assert run_command("restore", copy, "--to", plain).returncode == 0


def test_the_copy_before_an_upgrade_is_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_KEYS", NEW)
    address = f"sqlite:///{tmp_path / 'old.sqlite'}"
    create_database(address)
    open_school(address).engine.dispose()
    (copy,) = tmp_path.glob("old-version-*")
    assert is_encrypted(copy)


@pytest.mark.parametrize("variable", ["ENCRYPTION_KEYS", "BACKUP_KEYS"])
def test_nothing_is_copied_before_an_upgrade_with_a_key_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    address = f"sqlite:///{tmp_path / 'old.sqlite'}"
    create_database(address)
    monkeypatch.setenv(variable, "a key cut short")
    with pytest.raises(SettingsError, match=variable):
        open_database(address)
    assert not list(tmp_path.glob("old-version-*"))
    monkeypatch.delenv(variable)
    open_database(address).dispose()
    assert len(list(tmp_path.glob("old-version-*"))) == 1


def test_purge_deletes_copies_once_they_are_too_old(url: str, tmp_path: Path, clock: Clock) -> None:
    school = open_school(url)
    mine = [
        tmp_path / name for name in ("school.sqlite.txt", "another-before-20200101-000000.sqlite", "school-2.sqlite")
    ]
    for file in mine:
        file.touch()
    backup(school.engine, tmp_path / "copy.sqlite")
    school.engine.dispose()
    restore(url, tmp_path / "copy.sqlite")
    (old,) = tmp_path.glob("school-before-*")
    school = open_school(url)

    def expired() -> list[int | None]:
        return [past.number for past in find_expired(school) if past.what == "copies of the database"]

    assert expired() == [0]
    purge(school)
    assert old.exists()
    clock.set(clock() + timedelta(days=367))
    assert expired() == [1]
    purge(school)
    assert not old.exists()
    assert all(file.exists() for file in mine)
    school.engine.dispose()


@pytest.mark.postgresql
def test_purge_deletes_the_schemas_of_earlier_versions(postgresql: Callable[..., str], clock: Clock) -> None:
    school = School(open_database(postgresql()), SETTINGS)
    with writing(school.engine) as connection:
        database._copy_into_schema(connection, f"version_0013_{clock():%Y%m%d_%H%M%S}")
        connection.execute(text("create schema version_of_ours"))
    purge(school)

    def schemas() -> set[str]:
        with school.engine.connect() as connection:
            found = connection.scalars(text("select nspname from pg_namespace where nspname like 'version%'"))
            return {name[:12] for name in found}

    assert schemas() == {"version_0013", "version_of_o"}
    clock.set(clock() + timedelta(days=367))
    purge(school)
    assert schemas() == {"version_of_o"}
    school.engine.dispose()


def test_restore_mixes_no_school_with_the_demonstration(url: str, tmp_path: Path) -> None:
    demonstration = f"sqlite:///{tmp_path / 'demo.sqlite'}"
    fill(open_school(demonstration), sessions=60)
    backup(create_engine(demonstration), tmp_path / "of demo.sqlite")
    backup(create_engine(url), tmp_path / "of school.sqlite")
    for target, file in ((url, "of demo.sqlite"), (demonstration, "of school.sqlite")):
        with pytest.raises(DatabaseError, match="demonstration"):
            restore(target, tmp_path / file)
    restore(url, tmp_path / "of school.sqlite")
    restore(demonstration, tmp_path / "of demo.sqlite")
