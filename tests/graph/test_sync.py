"""The state of the sync: how it stands, what was lost, and what its check finds."""

from datetime import timedelta

import pytest

from app.clock import now
from app.graph.sync import check_graph, read_sync_state
from app.school import School
from tests.conftest import SETTINGS
from tests.graph.conftest import move_back, run
from tests.graph.standin import Fault, StandIn


@pytest.mark.parametrize(
    ("days", "level", "said"),
    [
        (0.5, "none", "up to date"),
        (2, "yellow", "will be lost, unless"),
        (26, "red", "unless"),
        (40, "red", "every day"),
    ],
)
def test_a_gap_is_shown_as_a_warning(school: School, graph: StandIn, days: float, level: str, said: str) -> None:
    run(school)
    move_back(school, days=days)
    state = read_sync_state(school)
    assert (state.level, said in state.words) == (level, True)
    losing = (now() - timedelta(days=days - 30)).astimezone(SETTINGS.zone).date()
    if level != "none":
        assert f"{losing.day} {losing:%B %Y}" in state.words


def test_lost_records_stay_listed(school: School, graph: StandIn) -> None:
    run(school)
    move_back(school, days=40)
    done = run(school)
    (lost,) = done.errors
    first = (now() - timedelta(days=40)).astimezone(SETTINGS.zone)
    assert lost.startswith(f"Calls from {first:%d %B %Y} to ")
    run(school)
    assert read_sync_state(school).level == "none"
    assert read_sync_state(school).words == f"The sync is up to date. {lost}"


def test_state_reports_a_missing_registration(school: School) -> None:
    state = read_sync_state(school)
    assert (state.configured, state.level, state.quarantined) == (False, "none", 0)
    assert "No sync is configured" in state.words


def test_check_names_missing_permissions(school: School, graph: StandIn) -> None:
    assert all(well for well, _, _ in check_graph(school)[:2])
    graph.always = {r"callRecords\?": Fault(403, "ForbiddenError", "Missing role")}
    ((well, words, fix),) = check_graph(school)
    assert not well
    assert "Missing role" in words
    assert "CallRecords.Read.All" in fix
