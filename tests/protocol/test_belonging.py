"""Which call an attendance report or a room without staff belongs to."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.protocol.belonging import find_followed, find_records
from app.protocol.calls import Calls
from app.protocol.evidence import Evidence, empty
from app.settings import load_settings

SETTINGS = load_settings().model_copy(update={"tenant_id": "school"})
TEN = pd.Timestamp("2026-03-03T10:00Z")


def rows(name: str, *given: dict[str, Any]) -> pd.DataFrame:
    blank = empty(name)
    return pd.DataFrame(list(given), columns=blank.columns).astype(blank.dtypes)


def make_calls(*given: dict[str, Any]) -> Calls:
    """Calls of a member of staff with a pupil; `at` has the minutes after ten at which each began and ended."""
    calls, stays = [], []
    for call in given:
        start, end = (TEN + pd.Timedelta(minutes=minute) for minute in call["at"])
        usual = {"type": "groupCall", "source": "record", "organiser_tenant": "school", "organiser_staff_id": 1}
        calls.append(usual | {"started_at": start, "ended_at": end} | call)
        stays.append({"call_id": call["call_id"], "person": "p", "pupil_id": 1, "joined_at": start, "left_at": end})
    return Calls(Evidence(calls=rows("calls", *calls), stays=rows("stays", *stays)), SETTINGS)


REPORT = {"call_id": "r", "source": "attendance", "at": (0, 30)}


@pytest.mark.parametrize(
    ("record", "report", "is_found"),
    [
        ({"join_key": "k"}, {"join_key": "k", "organiser_staff_id": 2}, True),
        ({"join_key": "k"}, {"join_key": "other"}, True),
        ({"join_key": "k", "organiser_staff_id": None, "organiser_id": "A"}, {"organiser_staff_id": None}, False),
        ({"organiser_staff_id": None, "organiser_id": "A"}, {"organiser_staff_id": None, "organiser_id": "a"}, True),
        ({"join_key": "k", "at": (30, 40)}, {"join_key": "k"}, False),
        ({"organiser_staff_id": 2}, {}, False),
    ],
)
def test_find_records_asks_for_the_link_or_the_organiser_and_a_pupil(
    record: dict[str, Any], report: dict[str, Any], is_found: bool
) -> None:
    calls = make_calls({"call_id": "c", "at": (5, 20)} | record, REPORT | report)
    assert find_records(calls).tolist() == [-1, 0 if is_found else -1]


def test_find_records_takes_the_longest_overlap_then_the_nearest_start_then_the_lowest_id() -> None:
    def found(*times: tuple[int, int]) -> int:
        records = [{"call_id": f"c{9 - i}", "join_key": "k", "at": at} for i, at in enumerate(times)]
        return int(find_records(make_calls(*records, REPORT | {"join_key": "k"}))[-1])

    assert found((0, 10), (12, 30)) == 1
    assert found((10, 20), (5, 15)) == 1
    assert found((5, 15), (5, 15)) == 1


def test_find_records_of_call_records_alone() -> None:
    assert find_records(make_calls({"call_id": "a", "at": (0, 9)}, {"call_id": "b", "at": (0, 9)})).tolist() == [-1, -1]


def followed(*calls: tuple[str | None, tuple[int, int]], day: list[int] | None = None) -> int:
    """What the last call, a room, followed of the others; each with its link and times."""
    made = make_calls(*({"call_id": f"c{9 - i}", "join_key": k, "at": at} for i, (k, at) in enumerate(calls)))
    is_room = np.arange(len(calls)) == len(calls) - 1
    return int(find_followed(made, is_room, ~is_room, np.array(day or [0] * len(calls)))[-1])


def test_find_followed_takes_the_call_that_ended_last() -> None:
    assert followed(("k", (0, 30)), ("k", (40, 50)), ("k", (60, 70))) == 1
    assert followed(("k", (0, 50)), ("k", (30, 40)), ("k", (60, 70))) == 0
    assert followed(("k", (0, 50)), ("k", (10, 50)), ("k", (50, 70))) == 1  # the lowest id of equals


def test_find_followed_asks_for_the_same_link_on_the_same_day() -> None:
    assert followed(("k", (0, 30)), ("other", (60, 70))) == -1
    assert followed((None, (0, 30)), (None, (60, 70))) == -1
    assert followed(("k", (0, 30)), ("k", (60, 70)), day=[0, 1]) == -1


def test_find_followed_leaves_out_a_room_beside_a_call() -> None:
    assert followed(("k", (0, 30)), ("k", (50, 90)), ("k", (60, 70))) == -1
    assert followed(("k", (0, 30)), ("k", (80, 90)), ("k", (60, 70))) == 0


def test_find_followed_never_lets_two_rooms_follow_each_other() -> None:
    at_once = make_calls(*({"call_id": name, "join_key": "k", "at": (40, 40)} for name in "ab"))
    both = np.ones(2, bool)
    assert find_followed(at_once, both, both, np.zeros(2, np.int64)).tolist() == [-1, -1]
    assert followed(("k", (0, 30)), ("k", (40, 70)), ("k", (40, 40))) == 0


def test_calls_leave_out_listed_people_who_have_a_stay() -> None:
    calls = make_calls({"call_id": "c", "at": (0, 30)})
    evidence = Evidence(
        calls=calls.frame, stays=calls.stays[list(empty("stays").columns)].astype(empty("stays").dtypes)
    )
    listed = rows(
        "listed", {"call_id": "c", "person": "p", "pupil_id": 1}, {"call_id": "c", "person": "s", "staff_id": 3}
    )
    assert Calls(replace(evidence, listed=listed), SETTINGS).listed["person"].tolist() == ["s"]
