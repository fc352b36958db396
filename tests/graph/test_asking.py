"""Asking optional sources: whoever refuses is remembered, asked no more within a day, and ends no run."""

import pytest

from app.graph.sources import Source, SourceState, describe_refusal, read_states
from app.graph.sync import read_sync_state
from app.school import School
from tests import people
from tests.clock import Clock
from tests.graph.conftest import ago, lesson, recording, run
from tests.graph.standin import BROKEN, Fault, StandIn

REFUSED = Fault(403, "ForbiddenError", "No application access policy found for this app.")
ORGANISERS = ("teacher", "musician", "tutor", "hoy9", "hm")


def states(school: School) -> dict[Source, SourceState]:
    with school.engine.connect() as connection:
        return read_states(connection)


def one_call_each(graph: StandIn) -> None:
    for who in ORGANISERS:
        graph.add(lesson(f"of-{who}", ago(days=1), **{who: (0, 30), "aled": (0, 30)}))


def test_ask_people_asks_a_source_that_refuses_no_more_within_a_day(
    school: School, graph: StandIn, clock: Clock
) -> None:
    one_call_each(graph)
    graph.always = {"onlineMeetings": REFUSED}
    done = run(school)
    assert (done.added, done.rejected, len(graph.asked_for("onlineMeetings"))) == (5, 3, 3)
    assert len(graph.asked_for("adhocCalls")) == 5
    assert states(school)[Source.RECORDINGS].refused_at is not None
    run(school)
    assert len(graph.asked_for("onlineMeetings")) == 3
    clock.later(hours=25)
    graph.always = {}
    run(school)
    assert len(graph.asked_for("onlineMeetings")) == 3 + 5
    state = states(school)[Source.RECORDINGS]
    assert (state.refused_at, state.people_refused, state.message) == (None, 0, "")


def test_ask_people_leaves_out_only_those_for_whom_a_source_refuses(school: School, graph: StandIn) -> None:
    one_call_each(graph)
    start = ago(days=1)
    graph.recordings = {people.entra(who): [recording(f"r {who}", f"of-{who}", start, who)] for who in ORGANISERS}
    graph.recordings[people.entra("tutor")] = REFUSED
    assert run(school).recordings == 4
    state = states(school)[Source.RECORDINGS]
    assert (state.refused_at, state.people_refused) == (None, 1)
    words, fix = describe_refusal(school, state)
    assert "for 1 person (403 ForbiddenError: No application access policy" in words
    assert "OnlineMeetingRecording.Read.All" in fix
    graph.asked.clear()
    run(school)
    assert len(graph.asked_for("onlineMeetings")) == 4


def test_run_with_retry_asks_a_source_again_that_refused(school: School, graph: StandIn) -> None:
    one_call_each(graph)
    graph.always = {"onlineMeetings": REFUSED}
    run(school)
    graph.always = {}
    graph.asked.clear()
    run(school, retry=True)
    assert len(graph.asked_for("onlineMeetings")) == 5


@pytest.mark.parametrize("fault", [BROKEN, Fault(429, headers=(("Retry-After", "3600"),)), Fault(404, "NotFound")])
def test_read_source_lets_a_run_succeed_without_a_source_that_fails(
    school: School, graph: StandIn, fault: Fault
) -> None:
    one_call_each(graph)
    graph.always = {"adhocCalls": fault}
    start = ago(days=1)
    graph.recordings[people.entra("teacher")] = [recording("r1", "of-teacher", start)]
    done = run(school)
    assert (done.added, done.recordings) == (5, 1)
    state = read_sync_state(school)
    assert state.last_run is not None
    assert state.last_run.completed
    assert state.level == "none"


def test_run_stores_recordings_of_calls_that_were_not_scheduled(school: School, graph: StandIn) -> None:
    graph.add(lesson("c1", ago(days=1)), lesson("staff", ago(days=1), teacher=(0, 9), sdh=(0, 9)))
    of_other = [recording(f"other {number}", "staff", ago(days=1)) for number in range(25)]
    graph.adhoc_recordings[people.entra("teacher")] = [*of_other, recording("r1", "c1", ago(days=1))]
    assert run(school).recordings == 1
    assert len(graph.asked_for("adhocCalls")) == 3
    assert run(school).recordings == 0
