"""A stand-in for Microsoft Graph, the environment that makes the program ask it, and helpers for the tests."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from app.clock import now
from app.graph.client import Client
from app.graph.fetching import synchronise
from app.graph.registration import read_registration
from app.graph.roster import RosterSync, sync_roster
from app.graph.runs import Run
from app.intake.people import RosterOptions
from app.school import School
from app.store import tables
from tests import people
from tests.graph.entra import Entra, fill, with_settings
from tests.graph.standin import StandIn


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    folder = tmp_path / "graph"
    folder.mkdir()
    with StandIn(folder) as standin:
        for name, value in standin.environment.items():
            monkeypatch.setenv(name, value)
        yield standin


def ago(**time: float) -> datetime:
    return (now() - timedelta(**time)).replace(microsecond=0, tzinfo=None)


def lesson(call_id: str, start: datetime, /, version: Any = 1, **who: Any) -> dict[str, Any]:
    """A call of a teacher with a pupil, unless others are named, as the stand-in lists it."""
    record = people.call(call_id, start.isoformat(), who or {"teacher": (0, 30), "aled": (1, 29)}, version)
    people_listed = [
        {"id": people.entra(one), "identity": {"user": {"id": people.entra(one)}}}
        for one in who or ("teacher", "aled")
        if one in people.STAFF | people.PUPILS
    ]
    return record | {
        "modalities": ["audio", "video"],
        "lastModifiedDateTime": (start + timedelta(hours=version)).isoformat() + "Z",
        "joinWebUrl": None,
        "participants_v2": people_listed,
    }


def term(count: int) -> list[dict[str, Any]]:
    """Calls of the last twenty days: of five, three are sessions, one is of staff alone, one of strangers."""
    kinds: list[dict[str, tuple[float, float]]] = [
        {"teacher": (0, 30), "aled": (1, 29)},
        {"musician": (0, 40), "carys": (0, 39), "dai": (2, 35)},
        {"teacher": (0, 20), "sdh": (0, 20)},
        {"tutor": (0, 15), "bethan": (-1, 16)},
        {"nobody": (0, 10), "noone": (0, 10)},
    ]
    gap = timedelta(days=20) / count
    return [
        lesson(f"call-{number:05}", ago(days=20) + number * gap, **kinds[number % len(kinds)])
        for number in range(count)
    ]


class Clock:
    """Time that passes only when somebody sleeps; `slept` are the seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


def asking(clock: Clock | None = None) -> Client:
    """A client that does not really wait."""
    clock = clock or Clock()
    registered = read_registration()
    assert registered is not None
    return Client(registered, clock=clock, sleep=clock.sleep)


def run(school: School, **how: Any) -> Run:
    return synchronise(school, client=asking(), **how)


def stored(engine: Engine) -> dict[str, list[str]]:
    """What is in the store about calls, apart from numbers and times that the storing gave."""
    given = {"id", "stored_at", "session_id", "attempts", "rejected_at"}
    named = {"calls": "id", "recordings": "id"}
    found = {}
    with engine.connect() as connection:
        for table in (
            tables.calls,
            tables.call_originals,
            tables.call_stays,
            tables.call_videos,
            tables.call_listed,
            tables.recordings,
            tables.sessions,
            tables.session_calls,
            tables.session_pupils,
            tables.quarantine,
        ):
            columns = [c for c in table.c if c.name not in given or named.get(table.name) == c.name]
            found[table.name] = sorted(map(repr, connection.execute(select(*columns))))
    return found


def ids(school: School) -> dict[str, int]:
    with school.engine.connect() as connection:
        return dict(connection.execute(select(tables.calls.c.id, tables.calls.c.version)).all())


def move_back(school: School, **time: float) -> None:
    """As if all runs had been so long ago."""
    with school.writing() as connection:
        for row in connection.execute(select(tables.sync_runs)).all():
            earlier = {
                name: getattr(row, name) - timedelta(**time)
                for name in ("started_at", "ended_at", "from_at", "to_at", "complete_until")
                if getattr(row, name)
            }
            connection.execute(update(tables.sync_runs).where(tables.sync_runs.c.id == row.id).values(earlier))


def recording(name: str, call_id: str | None, created: datetime, by: str = "teacher") -> dict[str, Any]:
    return {
        "id": name,
        "callId": call_id,
        "createdDateTime": created.isoformat() + "Z",
        "meetingOrganizer": {"user": {"id": people.entra(by)}},
        "recordingContentUrl": "https://nowhere.example/content",
    }


@pytest.fixture
def entra(graph: StandIn) -> Entra:
    """Microsoft Entra with the accounts and groups of the school of `tests.people`."""
    fill(graph.entra)
    return graph.entra


def sync_entra(school: School, held: Entra, options: RosterOptions | None = None, **other: Any) -> RosterSync:
    """What `sync_roster` did with the settings of the groups in Entra, some of them replaced."""
    return sync_roster(with_settings(school, held, **other), options or RosterOptions(), client=asking())
