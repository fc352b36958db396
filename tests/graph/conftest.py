"""A stand-in for Microsoft Graph, and the environment that makes the program ask it."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import now
from app.graph.client import Client
from app.graph.registration import read_registration
from tests import people
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
