"""After processes are killed, or write at the same time, what was acknowledged is stored once, and nothing by half."""

import random
from collections import Counter
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from sqlalchemy import select

from app.school import School
from app.store import audit_log, tables
from app.store.backup import backup
from app.store.database import open_database
from tests.conftest import SETTINGS
from tests.running import fork
from tests.store.writer import write


@pytest.fixture
def shared_school(peopled_database: Callable[[], str]) -> tuple[str, School]:
    url = peopled_database()
    return url, School(open_database(url), SETTINGS)


def _start(url: str, folder: Path, names: list[str], *most: int) -> list[ForkServerProcess]:
    return [fork(write, url, name, str(folder / name), *most) for name in names]


def _count_acknowledged(school: School, folder: Path, names: list[str]) -> int:
    """Check that everything that was acknowledged to the processes is stored once; its number."""
    acknowledged = [
        line.split() for name in names if (folder / name).exists() for line in (folder / name).read_text().splitlines()
    ]
    with school.engine.connect() as connection:
        assert audit_log.verify(connection)[1] is None
        logs = Counter(connection.scalars(select(tables.logs.c.ref)))
        judged = set(connection.scalars(select(tables.logs.c.ref).join(tables.sessions)))
        concerns = Counter(connection.scalars(select(tables.concerns.c.ref)))
        summaries = Counter(connection.scalars(select(tables.concerns.c.summary)))
        imported = Counter(connection.scalars(select(tables.imports.c.source)))
        trail = Counter(audit_log.list_entries(connection)["subject"])
    assert set(logs.values()) <= {1}
    assert set(summaries.values()) <= {1}
    assert judged == set(logs)
    for kind, ref in acknowledged:
        if kind == "log":
            assert (logs[ref], trail[f"log {ref}, version 1"]) == (1, 1)
        elif kind == "concern":
            assert (concerns[ref], trail[f"concern {ref}, raised"]) == (1, 1)
        else:
            assert imported[f"{ref}.csv"] == 1
            assert all(logs[f"{ref}-{row}"] == 1 for row in range(5))
    assert trail["logs"] == sum(imported[name] for name in imported if name.endswith(".csv") and "-" in name)
    whole = Counter(ref.rsplit("-", 1)[0] for ref in logs if ref.count("-") == 2)
    assert set(whole.values()) <= {5}  # of an import all or nothing
    entered = [ref for ref in logs if ref.count("-") == 1]
    assert all(trail[f"log {ref}, version 1"] == 1 for ref in entered)
    assert sum(about.startswith("concern ") for about in trail.elements()) == len(concerns)
    return len(acknowledged)


@pytest.mark.parametrize("moments", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_processes_lose_nothing_that_was_acknowledged(
    shared_school: tuple[str, School], tmp_path: Path, moments: int
) -> None:
    url, school = shared_school
    names: list[str] = []
    for batch in range(0, moments, 4):
        some = [f"w{batch + n}" for n in range(4)]
        for name, process in zip(some, _start(url, tmp_path, some), strict=True):
            file, least = tmp_path / name, int(name == "w0")  # one has something acknowledged, however slow it is
            while process.is_alive() and not (file.exists() and file.stat().st_size >= least):
                process.join(0.01)
            process.join(random.random() * 0.5)
            process.kill()
            process.join()
        names += some
    assert _count_acknowledged(school, tmp_path, names)


@pytest.mark.parametrize("writes", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_twenty_writers_lose_nothing_and_a_backup_among_them_is_whole(
    shared_school: tuple[str, School], tmp_path: Path, writes: int
) -> None:
    url, school = shared_school
    names = [f"w{n}" for n in range(20)]
    started = _start(url, tmp_path, names, writes)
    if school.engine.dialect.name == "sqlite":
        started[0].join(3)
        backup(school.engine, tmp_path / "copy.sqlite")
        copy = open_database(f"sqlite:///{tmp_path / 'copy.sqlite'}")
        with copy.connect() as connection:
            assert audit_log.verify(connection)[1] is None
            logs = set(connection.scalars(select(tables.logs.c.ref)))
            assert logs == set(connection.scalars(select(tables.logs.c.ref).join(tables.sessions)))
        copy.dispose()
    for process in started:
        process.join(120)
    assert [process.exitcode for process in started] == [0] * 20
    assert _count_acknowledged(school, tmp_path, names) == 20 * writes
