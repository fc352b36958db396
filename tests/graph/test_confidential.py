"""No count of a sync tells of a call with a counsellor in it."""

import pytest

from app.graph.sync import read_sync_state
from app.school import School
from tests.graph.conftest import ago, ids, lesson, run
from tests.graph.standin import StandIn
from tests.people import found


@pytest.mark.parametrize("comes_at", [0, 1])
def test_sync_counts_no_call_of_a_counsellor(school: School, graph: StandIn, comes_at: int) -> None:
    """It comes with others, or alone; the run after the next lists it again, and then it has changed."""
    secret = {"counsellor": (0, 30), "aled": (1, 29)}
    open_calls = [lesson(f"c{number}", ago(days=2, hours=number)) for number in range(3)]
    told = []
    for number in range(4):
        if number == 0:
            graph.add(*open_calls)
        if number == comes_at:
            graph.add(lesson("secret", ago(days=1), **secret))
        if number == 3:
            graph.add(lesson("secret", ago(days=1), 2, **secret))
        run(school)
        told.append(found(read_sync_state(school).last_run).counts)
    assert "secret" in ids(school)
    first, *later = ({name: n for name, n in counts.items() if n} for counts in told)
    assert first == {"listed": 3, "fetched": 3, "added": 3}
    assert later == [{"listed": 3}] * 3
