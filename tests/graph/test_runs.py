"""The runs of the sync: how far back each reaches, and which counts as a success."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.clock import now
from app.graph.errors import StoppedError
from app.graph.sync import read_sync_state
from app.school import School
from tests.graph.conftest import ago, ids, lesson, move_back, run
from tests.graph.standin import BROKEN, StandIn


def windows(graph: StandIn) -> list[timedelta]:
    """How far back each listing reached."""
    return [now() - datetime.fromisoformat(a.partition("ge%20")[2][:20]) for a in graph.asked_for(r"Records\?")]


def about(days: float) -> Any:
    return pytest.approx(timedelta(days=days), abs=timedelta(minutes=10))


def test_the_first_sync_covers_thirty_days_and_the_next_three(school: School, graph: StandIn) -> None:
    run(school)
    run(school)
    run(school, days=7)
    run(school, days=30)
    assert windows(graph) == [about(30), about(3), about(7), about(30)]
    assert max(windows(graph)) < timedelta(days=30)  # Graph may refuse to list what it does not keep


def test_a_shorter_period_does_not_hide_a_gap(school: School, graph: StandIn) -> None:
    run(school)
    move_back(school, days=10)
    graph.add(lesson("between", ago(days=5)))
    run(school, days=2)
    assert read_sync_state(school).level == "yellow"
    run(school)
    assert windows(graph)[-1] == about(13)
    assert "between" in ids(school)
    assert read_sync_state(school).level == "none"


def test_a_failed_run_does_not_count_as_a_success(school: School, graph: StandIn) -> None:
    graph.always = {r"callRecords\?": BROKEN}
    with pytest.raises(StoppedError):
        run(school)
    state = read_sync_state(school)
    assert state.words.startswith("No sync has succeeded yet")
    assert state.last_run is not None
    assert "500" in state.last_run.error
    graph.always = {}
    run(school)
    assert windows(graph)[-1] == about(30)
