"""Processes that start on a database of an earlier version, or are killed while they upgrade or copy it."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import create_engine, inspect

from app.store import audit_log, database
from app.store.backup import backup
from app.store.database import open_database
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
        open_database(url).dispose()
        assert_all_there(before, read_rows(url))
        assert not list(folder.glob("*.part-*"))
        for copy in folder.glob("school-version-*"):
            assert read_rows(f"sqlite:///{copy}") == before


@pytest.mark.parametrize("kills", _KILLS)
def test_backup_killed_at_any_moment_leaves_nothing_once_another_was_made(tmp_path: Path, kills: int) -> None:
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
        for part in folder.iterdir():
            os.utime(part, (0, 0))  # the next one is not made in the same minute
        engine = open_database(url)
        backup(engine, folder / "copy.sqlite")
        engine.dispose()
        assert not list(folder.glob("*.part-*"))
        copy = open_database(f"sqlite:///{folder / 'copy.sqlite'}")
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
