"""Rooms equal one walk through the calls of each session, on random calls."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.rooms import number_rooms

GRACE = 2

# A call: session, start, length.
calls = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 10)), max_size=12)


def frame(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    columns = ["session", "start", "end"]
    found = pd.DataFrame([(session, start, start + length) for session, start, length in rows], columns=columns)
    return found.astype("int64").assign(grace=GRACE, call_id=[f"c{i:02}" for i in range(len(rows))])


def plain_rooms(rows: list[tuple[int, int, int]]) -> list[int]:
    numbers = [0] * len(rows)
    rooms: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for i in sorted(range(len(rows)), key=lambda i: (rows[i][1], i)):
        session, start, length = rows[i]
        number = 0
        while any(
            min(end, start + length) - max(begin, start) > GRACE for begin, end in rooms.get((session, number), [])
        ):
            number += 1
        rooms.setdefault((session, number), []).append((start, start + length))
        numbers[i] = number
    return numbers


@given(calls)
def test_number_rooms_equals_a_plain_walk(rows: list[tuple[int, int, int]]) -> None:
    assert number_rooms(frame(rows)).tolist() == plain_rooms(rows)


def test_number_rooms_of_calls_that_begin_together_goes_by_their_ids() -> None:
    both = frame([(0, 0, 10), (0, 0, 10)]).assign(call_id=["b", "a"])
    assert number_rooms(both).tolist() == [1, 0]


def test_number_rooms_of_no_calls() -> None:
    assert number_rooms(frame([])).tolist() == []
