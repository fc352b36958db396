"""The sync as a command: what it says, and that it may be ended or killed at any moment."""

import random
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from app.settings import ROOT
from app.store import tables
from app.store.database import open_database, writing
from tests import people, running
from tests.graph.conftest import ago, lesson, recording, stored, term
from tests.graph.standin import EVERYTHING, SECRET, Fault, StandIn
from tests.running import Running


@pytest.fixture
def command(graph: StandIn, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts `python -m app sync` on the school of an engine."""
    started: list[Running] = []
    text = (ROOT / "data/protocol.toml").read_text(encoding="utf-8")
    file = tmp_path / "protocol.toml"
    file.write_text(text.replace("00000000-0000-0000-0000-000000000000", people.TENANT), encoding="utf-8")

    def start(engine: Engine, *words: str) -> Running:
        database = engine.url.render_as_string(hide_password=False)
        started.append(running.start(database, "sync", *words, PROTOCOL_FILE=str(file), **graph.environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def moved_in(peopled_database: Callable[[], str]) -> Iterator[Callable[[], Engine]]:
    """Makes a school with everybody in it."""
    engines: list[Engine] = []

    def make() -> Engine:
        engines.append(open_database(peopled_database()))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


def test_sync_reports_what_it_did_and_no_secret(
    graph: StandIn, moved_in: Callable[[], Engine], command: Callable[..., Running]
) -> None:
    engine = moved_in()
    graph.add(*term(70))
    process = command(engine)
    out, said = process.communicate()
    assert process.returncode == 0, said
    assert "70 calls listed, 70 fetched: 42 new" in out
    graph.add(lesson("broken", ago(hours=5)))
    graph.raw["broken"] = {"id": "broken", "displayName": "Aled Pugh"}
    process = command(engine)
    out, more = process.communicate()
    assert process.returncode == 1
    assert "--retry" in more
    graph.always = {r"callRecords\?": Fault(403, "ForbiddenError", f"{SECRET} of aled@pupils.habs.example")}
    process = command(engine)
    out, last = process.communicate()
    assert process.returncode == 2
    assert "CallRecords.Read.All" in last
    told = said + more + last
    assert not any(secret in told for secret in (SECRET, "token-", "Aled", "habs.example", "Traceback"))


def test_watch_continues_until_it_is_stopped(
    graph: StandIn, moved_in: Callable[[], Engine], command: Callable[..., Running]
) -> None:
    engine = moved_in()
    graph.add(*term(10))
    process = command(engine, "--watch", "60")
    assert "10 calls listed" in process.stdout.readline()
    process.terminate()
    assert process.wait(20) == 2
    with engine.connect() as connection:
        assert connection.execute(select(tables.leases)).all() == []


def undisturbed(engine: Engine, command: Callable[..., Running]) -> dict[str, Any]:
    process = command(engine)
    _, said = process.communicate()
    assert process.returncode == 0, said
    return stored(engine)


def expire_lease(engine: Engine) -> None:
    """As if the lease of a killed sync had expired."""
    with writing(engine) as connection:
        connection.execute(update(tables.leases).values(expires_at=datetime.fromtimestamp(0, UTC)))


def killed_and_run_again(
    graph: StandIn, engine: Engine, command: Callable[..., Running], moments: list[int], most: int
) -> tuple[dict[str, Any], int]:
    """A sync killed when so many requests have come, a hair later, each time; then one to the end."""
    killed = 0
    chance = random.Random(sum(moments))
    for moment in moments:
        graph.asked.clear()
        process = command(engine)

        def kill(number: int, address: str, process: Running = process, moment: int = moment) -> None:
            if number == moment:
                threading.Timer(chance.random() * 0.05, process.kill).start()

        graph.when_asked = kill
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        expire_lease(engine)
    graph.when_asked = lambda number, address: None
    process = command(engine)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert killed >= most
    return stored(engine), killed


def test_sync_continues_after_it_was_killed(
    graph: StandIn, moved_in: Callable[[], Engine], command: Callable[..., Running]
) -> None:
    graph.add(*term(150))
    expected = undisturbed(moved_in(), command)
    graph.rate, graph.seed = 0.1, 7
    graph.kinds = tuple(
        fault for fault in EVERYTHING if fault.headers or fault.status == 401
    )  # none that is waited for
    got, _ = killed_and_run_again(graph, moved_in(), command, [3, 30, 67, 40, 20], most=4)
    assert got == expected


@pytest.mark.slow
def test_sync_continues_after_it_was_killed_under_every_fault(
    graph: StandIn, moved_in: Callable[[], Engine], command: Callable[..., Running]
) -> None:
    graph.add(*term(600))
    graph.recordings = {people.entra("teacher"): [recording("r", "call-00000", ago(days=20))]}
    expected = undisturbed(moved_in(), command)
    assert len(expected["calls"]) == 360
    graph.rate, graph.seed = 0.05, 11
    chance = random.Random(5)
    moments = [chance.randint(2, 90) for _ in range(30)]
    got, _ = killed_and_run_again(graph, moved_in(), command, moments, most=20)
    assert got == expected
