"""Matching equals one walk through all pairs, the best first, on random logs and calls."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from app.protocol.evidence import empty
from app.protocol.matching import find_pairs, match, recorded_calls

MINUTE = 60_000_000
TOLERANCE = 15
DAY = pd.Timestamp("2026-11-03T09:00Z")

# A log: member of staff, pupils, first minute, length. A call: staff in it, pupils in it, first minute, length.
Log = tuple[int, frozenset[int], int, int]
Call = tuple[frozenset[int], frozenset[int], int, int]
pupils = st.frozensets(st.integers(1, 3), min_size=1, max_size=2)
log = st.tuples(st.integers(1, 2), pupils, st.integers(0, 120), st.integers(1, 60))
call = st.tuples(st.frozensets(st.integers(1, 2), max_size=2), pupils, st.integers(0, 120), st.integers(0, 60))


CALL_ROOM = 99  # in place of staff, it marks a room without staff
ROOM = frozenset({CALL_ROOM})


def at(minute: int) -> pd.Timestamp:
    return DAY + pd.Timedelta(minutes=minute)


def frames(logs: list[Log], calls: list[Call]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    log_rows = [
        {"log_id": i, "ref": f"L{i:02}", "staff_id": s, "started_at": at(a), "ended_at": at(a + n)}
        for i, (s, _, a, n) in enumerate(logs)
    ]
    call_rows = [
        {"call_id": f"c{i:02}", "started_at": at(a), "ended_at": at(a + n)} for i, (_, _, a, n) in enumerate(calls)
    ]
    who = [{"log": i, "pupil_id": p} for i, (_, ps, _, _) in enumerate(logs) for p in sorted(ps)]
    stays = [{"call": i, "staff_id": s, "pupil_id": None} for i, (ss, *_) in enumerate(calls) for s in sorted(ss)] + [
        {"call": i, "staff_id": None, "pupil_id": p} for i, (_, ps, *_) in enumerate(calls) for p in sorted(ps)
    ]

    def typed(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
        blank = empty(name)
        return pd.DataFrame(rows).reindex(columns=blank.columns).astype(blank.dtypes) if rows else blank

    return typed("logs", log_rows), numbered(who, "log"), typed("calls", call_rows), numbered(stays, "call")


def find_calls(logs: list[Log], calls: list[Call], **changed: list[str]) -> pd.DataFrame:
    """The calls of the logs; `changed` gives other log references (`ref`) or call ids (`call_id`)."""
    log_rows, log_pupils, call_rows, people = frames(logs, calls)
    log_rows["ref"] = changed.get("ref", log_rows["ref"])
    call_rows["call_id"] = changed.get("call_id", call_rows["call_id"])
    rooms = np.array([CALL_ROOM in staff for staff, *_ in calls], bool)
    people = people[people["staff_id"] != CALL_ROOM]
    return match(log_rows, log_pupils, call_rows, people, rooms, np.full(len(logs), TOLERANCE * MINUTE))


def numbered(rows: list[dict[str, Any]], key: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[key, "staff_id", "pupil_id"], dtype="Int64").fillna(-1).astype("int64")


def plain_match(logs: list[Log], calls: list[Call]) -> set[tuple[int, int]]:
    pairs = []
    for (i, (staff, who, a, n)), (j, (staff_in, pupils_in, b, m)) in product(enumerate(logs), enumerate(calls)):
        overlap = min(a + n, b + m) - max(a, b)
        if who & pupils_in and (staff in staff_in or not staff_in) and overlap >= -TOLERANCE:
            pairs.append((-max(overlap, 0), abs(a - b), j, i))
    taken: set[tuple[int, int]] = set()
    for _, _, j, i in sorted(pairs):
        if i not in {x for x, _ in taken} and j not in {y for _, y in taken}:
            taken.add((i, j))
    return taken


def plain_joins(logs: list[Log], calls: list[Call]) -> set[tuple[int, int]]:
    """The matched pairs, and then those that join them, always the best of those that could."""
    first = plain_match(logs, calls)
    sessions = {i: [j] for i, j in first}
    left = set(range(len(calls))) - {j for _, j in first}

    def could_join(i: int, j: int) -> bool:
        (by, who, a, n), (staff_in, pupils_in, b, m) = logs[i], calls[j]
        seen_staff, seen_pupils, *_ = calls[sessions[i][0]]
        known = staff_in <= seen_staff and pupils_in <= seen_pupils | who
        meets = bool(who & pupils_in) and (by in staff_in or not staff_in) and (bool(staff_in) or not seen_staff)
        apart = min(max(b - calls[k][2] - calls[k][3], calls[k][2] - b - m) for k in sessions[i])
        return known and meets and min(a + n, b + m) > max(a, b) and apart <= TOLERANCE

    def rank(i: int, j: int) -> tuple[int, int, int, int]:
        (_, _, a, n), (_, _, b, m) = logs[i], calls[j]
        return max(a, b) - min(a + n, b + m), abs(a - b), j, i

    while pairs := [(i, j) for i in sessions for j in left if could_join(i, j)]:
        *_, j, i = min(rank(i, j) for i, j in pairs)
        sessions[i].append(j)
        left.remove(j)
    return {(i, j) for i, joined in sessions.items() for j in joined}


@given(st.lists(log, max_size=5), st.lists(call, max_size=5))
@settings(max_examples=200)
def test_match_equals_a_plain_walk(logs: list[Log], calls: list[Call]) -> None:
    found = find_calls(logs, calls)
    first = found[found["place"] == 0]
    assert set(zip(first["log"], first["call"], strict=True)) == plain_match(logs, calls)
    assert not found["call"].duplicated().any()
    assert set(zip(found["log"], found["call"], strict=True)) == plain_joins(logs, calls)


def joined(logs: list[Log], calls: list[Call]) -> set[tuple[int, int, bool]]:
    found = find_calls(logs, calls)
    return {(r.log, r.call, r.place > 0) for r in found.itertuples()}


ONE, TWO = frozenset({1}), frozenset({2})


def test_match_of_equal_pairs_takes_the_lowest_id() -> None:
    lesson, seen = (1, frozenset({1}), 0, 30), (frozenset({1}), frozenset({1}), 0, 30)
    assert find_calls([lesson], [seen, seen], call_id=["c2", "c1"]).iloc[0].tolist() == [0, 1, 0]
    assert find_calls([lesson, lesson], [seen], ref=["L2", "L1"]).values.tolist() == [[1, 0, 0]]


def test_match_of_a_call_of_no_length_takes_the_nearest_start() -> None:
    """It overlaps neither log, though the first covers it."""
    logs: list[Log] = [(1, frozenset({1}), 0, 60), (2, frozenset({1}), 50, 10)]
    calls: list[Call] = [(frozenset(), frozenset({1}), 45, 0)]
    assert find_calls(logs, calls)[["log", "call"]].to_numpy().tolist() == [[1, 0]]


def test_match_joins_a_dropped_connection() -> None:
    calls = [(ONE, ONE, 0, 20), (ONE, ONE, 23, 7)]
    assert joined([(1, ONE, 0, 30)], calls) == {(0, 0, False), (0, 1, True)}


def test_match_does_not_join_a_call_that_the_log_does_not_cover() -> None:
    assert joined([(1, ONE, 0, 20)], [(ONE, ONE, 0, 20), (ONE, ONE, 23, 7)]) == {(0, 0, False)}


def test_match_does_not_join_a_call_with_other_people() -> None:
    other_pupil = frozenset({1, 2})
    assert joined([(1, ONE, 0, 30)], [(ONE, ONE, 0, 20), (ONE, other_pupil, 23, 7)]) == {(0, 0, False)}


def test_match_does_not_join_a_much_later_call() -> None:
    assert joined([(1, ONE, 0, 90)], [(ONE, ONE, 0, 20), (ONE, ONE, 60, 30)]) == {(0, 1, False)}


def test_match_does_not_join_a_call_without_staff_to_one_with() -> None:
    assert joined([(1, ONE, 0, 30)], [(ONE, ONE, 0, 20), (frozenset(), ONE, 23, 7)]) == {(0, 0, False)}


def test_recorded_calls_finds_a_recording_without_call_id_by_organiser_and_time() -> None:
    calls = pd.DataFrame(
        {
            "call_id": ["a", "b", "c", "d"],
            "organiser_id": ["one", "two", "one", None],
            "started_at": [at(0), at(0), at(60), at(0)],
            "ended_at": [at(30), at(30), at(90), at(30)],
        }
    )
    # The first names its call, whatever its time; the last names nobody.
    recordings = pd.DataFrame(
        {"call_id": ["c", None, None], "organiser_id": ["one", "two", None], "created_at": [at(5), at(5), at(5)]}
    )
    assert recorded_calls(calls, recordings).tolist() == [False, True, True, False]


def test_match_places_joined_calls_in_order_of_time() -> None:
    calls = [(ONE, ONE, 0, 5), (ONE, ONE, 30, 5), (ONE, ONE, 10, 15), (ONE, ONE, 30, 5)]
    found = find_calls([(1, ONE, 0, 40)], calls)
    assert found.sort_values("place")["call"].tolist() == [2, 0, 1, 3]
    assert found["place"].tolist() == [0, 1, 2, 3]


def test_match_joins_a_call_with_a_pupil_whom_only_the_log_names() -> None:
    both = frozenset({1, 2})
    assert joined([(1, both, 0, 30)], [(ONE, ONE, 0, 20), (ONE, TWO, 23, 7)]) == {(0, 0, False), (0, 1, True)}


def test_match_does_not_join_a_call_with_another_member_of_staff() -> None:
    assert joined([(1, ONE, 0, 30)], [(ONE, ONE, 0, 20), (frozenset({1, 2}), ONE, 23, 7)]) == {(0, 0, False)}


def test_match_joins_a_call_without_staff_to_one_without() -> None:
    nobody: frozenset[int] = frozenset()
    assert joined([(1, ONE, 0, 30)], [(nobody, ONE, 0, 20), (nobody, ONE, 23, 7)]) == {(0, 0, False), (0, 1, True)}


def test_match_joins_a_call_to_the_log_that_covers_more() -> None:
    calls = [(ONE, ONE, 0, 30), (ONE, ONE, 40, 30), (ONE, ONE, 32, 6)]
    assert joined([(1, ONE, 0, 34), (1, ONE, 35, 35)], calls) == {(0, 0, False), (1, 1, False), (1, 2, True)}


def test_match_joins_a_call_that_two_logs_cover_alike_to_the_one_with_the_nearest_start() -> None:
    calls = [(ONE, ONE, 0, 30), (ONE, ONE, 40, 30), (ONE, ONE, 32, 6)]
    assert joined([(1, ONE, 0, 40), (1, ONE, 30, 40)], calls) == {(0, 0, False), (1, 1, False), (1, 2, True)}


def test_match_joins_a_call_that_only_one_joined_before_it_brings_near() -> None:
    calls = [(ONE, ONE, 0, 40), (ONE, ONE, 50, 5), (ONE, ONE, 65, 10)]
    assert joined([(1, ONE, 0, 90)], calls) == {(0, 0, False), (0, 1, True), (0, 2, True)}
    assert joined([(1, ONE, 0, 90)], [calls[0], calls[2]]) == {(0, 0, False)}


def test_match_joins_a_room_without_staff_to_a_call_with_staff() -> None:
    assert joined([(1, ONE, 0, 30)], [(ONE, ONE, 0, 20), (ROOM, ONE, 10, 20)]) == {(0, 0, False), (0, 1, True)}


def test_match_joins_the_logging_member_of_staff_to_a_room_without_staff() -> None:
    assert joined([(1, ONE, 0, 40)], [(ROOM, ONE, 0, 30), (ONE, ONE, 30, 10)]) == {(0, 0, False), (0, 1, True)}
    assert joined([(1, ONE, 0, 40)], [(ROOM, ONE, 0, 30), (frozenset({1, 2}), ONE, 30, 10)]) == {(0, 0, False)}


def test_match_joins_across_a_gap_as_long_as_the_tolerance() -> None:
    calls = [(ONE, ONE, 0, 40), (ONE, ONE, 40 + TOLERANCE, 5)]
    assert joined([(1, ONE, 0, 90)], calls) == {(0, 0, False), (0, 1, True)}
    calls = [(ONE, ONE, 0, 40), (ONE, ONE, 41 + TOLERANCE, 5)]
    assert joined([(1, ONE, 0, 90)], calls) == {(0, 0, False)}


def test_find_pairs_grows_in_proportion_to_sessions_of_the_same_two_people() -> None:
    """In one hour, one after the other: each log overlaps its own call alone."""
    for number in (30, 60):
        logs, _, calls, people = frames([(1, frozenset({1}), 0, 1)], [(frozenset({1}), frozenset({1}), 0, 1)])
        starts = DAY + pd.to_timedelta(np.arange(number), unit="min")
        times = {"started_at": starts, "ended_at": starts + pd.Timedelta(seconds=50)}
        names = [f"{place:04}" for place in range(number)]
        every = [0] * number
        log_rows = logs.loc[every].reset_index(drop=True).assign(ref=names, log_id=range(number), **times)
        call_rows = calls.loc[every].reset_index(drop=True).assign(call_id=names, **times)
        in_calls = pd.concat([people.assign(call=place) for place in range(number)], ignore_index=True)
        log_pupils = pd.DataFrame({"log": range(number), "pupil_id": 1})
        pairs = find_pairs(log_rows, log_pupils, call_rows, in_calls, np.full(number, TOLERANCE * MINUTE))
        assert len(pairs) == number
