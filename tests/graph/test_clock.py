"""A clock that is wrong: the sync never believes that it is complete beyond the present, says so, and recovers."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from app.graph.sources import Source, read_states
from app.graph.sync import check_graph, read_sync_state
from app.school import School
from app.store.tables import graph_sources
from tests.clock import Clock
from tests.graph.conftest import ago, ids, lesson, run
from tests.graph.standin import StandIn


def test_a_run_while_the_clock_was_ahead_hides_no_call(school: School, graph: StandIn, clock: Clock) -> None:
    began = clock()
    run(school)
    clock.later(days=10)  # and nothing shows that it is wrong
    run(school)
    clock.set(began + timedelta(hours=1))
    state = read_sync_state(school)
    assert (state.level, state.words.startswith("The clock was ahead: it showed ")) == ("yellow", True)
    graph.add(lesson("after", ago(minutes=30)))
    clock.later(days=4)
    done = run(school)
    assert "after" in ids(school)
    assert [words[:20] for words in done.errors] == ["The clock was ahead:"]
    state = read_sync_state(school)
    assert (state.level, state.words) == ("none", "The sync is up to date.")
    assert run(school).errors == []


def test_a_clock_that_differs_from_graphs_is_found_in_the_run_itself(
    school: School, graph: StandIn, clock: Clock
) -> None:
    began = clock()
    run(school)
    clock.later(days=10)
    graph.clock_ahead = timedelta(days=10)
    assert run(school).errors == ["This machine's clock is 10 days ahead of Microsoft's."]
    clock.set(began + timedelta(days=5))
    graph.clock_ahead = timedelta()
    graph.add(lesson("meanwhile", ago(hours=1)))
    clock.set(began + timedelta(days=11))  # past what the clock showed then
    run(school)
    assert "meanwhile" in ids(school)


@pytest.mark.parametrize("tells", [True, False])
def test_a_clock_that_was_ahead_by_months_loses_no_call(
    school: School, graph: StandIn, clock: Clock, tells: bool
) -> None:
    began = clock()
    run(school)
    clock.later(days=90)
    graph.clock_ahead = timedelta(days=90) if tells else timedelta()
    run(school)
    clock.set(began + timedelta(hours=1))
    graph.clock_ahead = timedelta()
    assert "lost" not in read_sync_state(school).words
    graph.add(lesson("after", ago(minutes=30)))
    clock.later(hours=1)
    run(school)
    assert "after" in ids(school)
    assert read_sync_state(school).words == "The sync is up to date."


def test_a_source_that_refused_while_the_clock_was_ahead_is_asked_again(
    school: School, graph: StandIn, clock: Clock
) -> None:
    refused_at = clock() + timedelta(days=100)
    with school.writing() as connection:
        row = {"source": Source.RECORDINGS, "subject": "", "refused_at": refused_at, "message": "403"}
        connection.execute(insert(graph_sources).values(row))
    graph.add(lesson("c1", ago(days=1)))
    run(school)
    assert graph.asked_for("ecordings")
    with school.engine.connect() as connection:
        assert read_states(connection)[Source.RECORDINGS].refused_at is None


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(), "This machine's clock agrees with Microsoft's."),
        (timedelta(seconds=100), "This machine's clock agrees with Microsoft's."),
        (timedelta(minutes=12), "This machine's clock is 12 minutes ahead of Microsoft's."),
        (timedelta(hours=-5), "This machine's clock is 5 hours behind Microsoft's."),
        (timedelta(days=400), "This machine's clock is 400 days ahead of Microsoft's."),
    ],
)
def test_check_compares_the_clock_with_graphs(
    school: School, graph: StandIn, clock: Clock, ahead: timedelta, expected: str
) -> None:
    graph.clock_ahead = ahead
    findings = {words: (good, fix) for good, words, fix in check_graph(school) if "clock" in words}
    good = expected.endswith("agrees with Microsoft's.")
    assert findings == {expected: (good, "" if good else "Set it, and have a time server keep it right.")}
    assert clock() == school.now()
