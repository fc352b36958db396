"""Processes that start on a database of an earlier version, or are killed while they upgrade or copy it."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect

from app.store import audit_log, database
from app.store.backup import backup, copy_checked
from app.store.database import open_database
from app.store.encryption import generate_key
from tests.running import fork
from tests.store.test_upgrades import assert_all_there, read_rows
from tests.store.version_0_1_0 import create_database

_PROCESSES = 6
_KILLS = [3, pytest.param(40, marks=pytest.mark.slow)]


def open_and_close(url: str, seconds: float | None = None) -> None:
    """Open a database; `seconds`: how long a writer waits for the lock."""
    if seconds is not None:
        database._BUSY_SECONDS = seconds  # type: ignore[assignment]
    open_database(url).dispose()


def copy_again_and_again(url: str, folder: str) -> None:
    engine = open_database(url)
    for number in range(10_000):
        backup(engine, Path(folder) / f"{number}.sqlite")
        (Path(folder) / f"{number}.sqlite").unlink()


def back_up_killed_while_writing(url: str, file: str) -> None:
    """Back up, and be killed by the first write to the file, or to what takes its place, beyond 50 kB."""

    def limit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith(file):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    engine = open_database(url)
    sys.addaudithook(limit)
    backup(engine, Path(file))


def back_up_with_a_pause(url: str, file: str, pause: "Connection[Any, Any]") -> None:
    """Back up, and pause before the copy beside the database is read, to be encrypted."""
    opened = count(1)

    def wait(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and "school.sqlite." in str(arguments[0]) and next(opened) == 2:
            pause.send("paused")
            pause.recv()

    engine = open_database(url)
    sys.addaudithook(wait)
    backup(engine, Path(file))


@pytest.fixture(scope="module")
def old_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database of 0.1.0, which nobody changes, as a backup that is restored: without a write-ahead
    log."""
    file = tmp_path_factory.mktemp("old") / "school.sqlite"
    create_database(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("pragma journal_mode=delete")
    return file


@pytest.fixture
def backup_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_KEYS", generate_key())


@pytest.fixture
def old_file(old_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(old_database, tmp_path))


def _open_at_once(url: str) -> list[int | None]:
    """Open a database in several processes at the same time; their exit statuses."""
    started = [fork(open_and_close, url) for _ in range(_PROCESSES)]
    for process in started:
        process.join(120)
    return [process.exitcode for process in started]


def test_open_database_of_several_processes_upgrades_and_copies_once(old_file: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{old_file}"
    before = read_rows(url)
    assert _open_at_once(url) == [0] * _PROCESSES
    assert len(list(tmp_path.glob("school-version-*"))) == 1
    assert_all_there(before, read_rows(url))


@pytest.mark.postgresql
def test_open_database_of_several_processes_upgrades_and_copies_a_schema_once(postgresql: Callable[..., str]) -> None:
    url = postgresql(copy_of="postgresql:///template0")
    create_database(url)
    before = read_rows(url)
    assert _open_at_once(url) == [0] * _PROCESSES
    engine = create_engine(url)
    copies = [name for name in inspect(engine).get_schema_names() if name.startswith("version_")]
    engine.dispose()
    assert len(copies) == 1
    assert_all_there(before, read_rows(url))


def test_open_database_waits_for_an_upgrade_that_takes_longer_than_any_write(old_file: Path) -> None:
    with closing(sqlite3.connect(old_file, isolation_level=None)) as upgrading:
        upgrading.execute("pragma journal_mode=wal")
        upgrading.execute("begin immediate")
        waiting = fork(open_and_close, f"sqlite:///{old_file}", database._BUSY_SECONDS_OF_SQLITE - 9.8)
        waiting.join(12)  # a write gives up after ten seconds and a bit
        assert waiting.is_alive()
        upgrading.execute("rollback")
    waiting.join(60)
    assert waiting.exitcode == 0


def _seconds_of(url: str) -> float:
    began = monotonic()
    process = fork(open_and_close, url)
    process.join()
    return monotonic() - began


@pytest.mark.parametrize("kills", _KILLS)
def test_open_database_killed_while_it_upgrades_loses_nothing(old_database: Path, tmp_path: Path, kills: int) -> None:
    before = read_rows(f"sqlite:///{old_database}")
    seconds = _seconds_of(f"sqlite:///{shutil.copy(old_database, tmp_path / 'first.sqlite')}")
    chance = random.Random(21)
    for number in range(kills):
        folder = tmp_path / str(number)
        folder.mkdir()
        url = f"sqlite:///{shutil.copy(old_database, folder)}"
        process = fork(open_and_close, url)
        process.join(chance.uniform(0, seconds))
        process.kill()
        process.join()
        engine = open_database(url)
        assert_all_there(before, read_rows(url))
        for part in folder.glob("*.part-*"):  # of a copy that was about to begin, which may be another process's
            assert part.stat().st_size == 0
            os.utime(part, (0, 0))
        backup(engine, tmp_path / f"an-hour-later-{number}.sqlite")
        engine.dispose()
        assert not list(folder.glob("*.part-*"))
        for copy in folder.glob("school-version-*"):
            assert read_rows(f"sqlite:///{copy}") == before


@pytest.mark.parametrize("is_encrypted", [False, True])
@pytest.mark.parametrize("kills", _KILLS)
def test_backup_killed_at_any_moment_leaves_nothing_once_another_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int, is_encrypted: bool
) -> None:
    if is_encrypted:
        monkeypatch.setenv("BACKUP_KEYS", generate_key())
    url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    open_database(url).dispose()
    chance = random.Random(21)
    for number in range(kills):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = fork(copy_again_and_again, url, str(folder))
        while process.is_alive() and not any(folder.iterdir()):
            process.join(0.01)
        process.join(chance.uniform(0, 0.2))
        process.kill()
        process.join()
        for file in list(folder.glob("*.sqlite")):
            copy_checked(file, folder / "whole.sqlite")
        for part in [*folder.iterdir(), *tmp_path.glob("*.part-*")]:
            os.utime(part, (0, 0))  # the next one is not made in the same hour
        engine = open_database(url)
        backup(engine, folder / "copy.sqlite")
        engine.dispose()
        assert not [*folder.glob("*.part-*"), *tmp_path.glob("*.part-*")]
        copy_checked(folder / "copy.sqlite", folder / "plain.sqlite")
        copy = open_database(f"sqlite:///{folder / 'plain.sqlite'}")
        with copy.connect() as connection:
            assert audit_log.verify(connection)[1] is None
        copy.dispose()


def test_backup_leaves_alone_what_another_process_is_writing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    part = tmp_path / "other.sqlite.part-0123abcd"
    engine = open_database(url)
    with closing(sqlite3.connect(part, isolation_level=None)) as writing:
        writing.execute("create table t (x)")
        writing.execute("begin immediate")
        backup(engine, tmp_path / "1.sqlite")
        assert part.exists()
    backup(engine, tmp_path / "2.sqlite")
    engine.dispose()
    assert not part.exists()


@pytest.mark.usefixtures("backup_key")
def test_backup_killed_while_it_writes_leaves_nothing_of_that_name(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'school.sqlite'}", tmp_path / "copies" / "2026-11-26.sqlite"
    file.parent.mkdir()
    engine = open_database(url)
    process = fork(back_up_killed_while_writing, url, str(file))
    process.join()
    assert process.exitcode == -signal.SIGXFSZ
    assert not file.exists()
    backup(engine, file)
    engine.dispose()
    copy_checked(file, tmp_path / "plain.sqlite")


@pytest.mark.usefixtures("backup_key")
def test_two_backups_at_once_are_both_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    engine = open_database(url)
    ours, theirs = Pipe()
    process = fork(back_up_with_a_pause, url, str(tmp_path / "1.copy"), theirs)
    theirs.close()
    assert ours.recv() == "paused"
    backup(engine, tmp_path / "2.copy")
    ours.send("go on")
    process.join()
    assert process.exitcode == 0
    engine.dispose()
    for name in ("1.copy", "2.copy"):
        copy_checked(tmp_path / name, tmp_path / "plain.sqlite")
    assert not list(tmp_path.glob("*.part-*"))
