"""Presence by one sort equals a plain walk over every second, on random calls."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.protocol import presence

SECOND = 1_000_000

# A stay: session, first second, length, staff or not. Few seconds and few sessions, so that stays
# touch, nest, repeat and leave gaps.
stay = st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 12), st.booleans())
stays = st.lists(stay, max_size=14)


def columns(rows: list[tuple[int, int, int, bool]]) -> tuple[np.ndarray, ...]:
    group = np.array([r[0] for r in rows], np.int64)
    start = np.array([r[1] for r in rows], np.int64) * SECOND
    end = np.array([r[1] + r[2] for r in rows], np.int64) * SECOND
    return group, start, end, np.array([r[3] for r in rows], bool)


def in_second(rows: list[tuple[int, int, int, bool]], group: int, second: int, staff: bool) -> bool:
    return any(g == group and s <= second < s + length and f == staff for g, s, length, f in rows)


def find_without_staff(groups: int, rows: list[tuple[int, int, int, bool]]) -> presence.Stretches:
    group, start, end, is_staff = columns(rows)
    came = presence.first_of(groups, group[is_staff], start[is_staff])
    return presence.find_without_staff(came, group, start, end, is_staff)


def in_seconds(found: presence.Stretches, group: int) -> list[tuple[int, int]]:
    """The stretches of one group."""
    rows = zip(found.group, found.start, found.end, strict=True)
    return [(int(start) // SECOND, int(end) // SECOND) for of, start, end in rows if of == group]


def plain_alone(rows: list[tuple[int, int, int, bool]], group: int, came: int | None) -> list[tuple[int, int]]:
    """Second by second: a pupil is there, no staff is, and staff came before."""
    stretches: list[tuple[int, int]] = []
    if came is None:
        return stretches
    for second in range(50):
        if second >= came and in_second(rows, group, second, False) and not in_second(rows, group, second, True):
            if stretches and stretches[-1][1] == second:
                stretches[-1] = (stretches[-1][0], second + 1)
            else:
                stretches.append((second, second + 1))
    return stretches


@given(stays)
def test_alone_equals_a_plain_walk(rows: list[tuple[int, int, int, bool]]) -> None:
    rows = [r for r in rows if r[2] > 0]
    found = find_without_staff(3, rows)
    for group in range(3):
        came = min((s for g, s, _, f in rows if g == group and f), default=None)
        assert in_seconds(found, group) == plain_alone(rows, group, came)


@given(stays, st.lists(st.none() | st.integers(-5, 40), min_size=3, max_size=3))
def test_find_without_staff_counts_from_any_time(
    rows: list[tuple[int, int, int, bool]], since: list[int | None]
) -> None:
    rows = [r for r in rows if r[2] > 0]
    came = np.array([presence.NEVER if time is None else time * SECOND for time in since])
    found = presence.find_without_staff(came, *columns(rows))
    for group in range(3):
        assert in_seconds(found, group) == plain_alone(rows, group, since[group])


@given(stays)
def test_time_during_equals_a_plain_walk(rows: list[tuple[int, int, int, bool]]) -> None:
    session, start, end, is_part = columns(rows)
    kinds = [(session[kind], start[kind], end[kind]) for kind in (~is_part, is_part)]
    whole, both = presence.time_during(3, *kinds)
    assert whole.dtype == both.dtype == np.int64
    for group in range(3):
        there = [s for s in range(50) if in_second(rows, group, s, False)]
        assert whole[group] == len(there) * SECOND
        assert both[group] == sum(in_second(rows, group, s, True) for s in there) * SECOND


@given(stays, st.randoms())
def test_alone_does_not_depend_on_order_and_repetition(rows: list[tuple[int, int, int, bool]], random: Random) -> None:
    rows = [r for r in rows if r[2] > 0]
    again = rows + rows[:3]
    random.shuffle(again)
    one, two = find_without_staff(3, rows), find_without_staff(3, again)
    assert (one.group == two.group).all()
    assert (one.start == two.start).all()
    assert (one.end == two.end).all()


def test_alone_does_not_overflow_over_years() -> None:
    year = 365 * 24 * 3600 * SECOND
    group = np.repeat(np.arange(200_000), 2)
    start, end = np.zeros(400_000, np.int64), np.full(400_000, 3 * year)
    start[1::2] = year
    staff = np.tile([True, False], 200_000)
    end[::2] = 2 * year
    found = presence.find_without_staff(np.zeros(200_000, np.int64), group, start, end, staff)
    assert len(found.group) == 200_000
    assert (found.end - found.start == year).all()


def test_alone_ends_a_stretch_with_its_session() -> None:
    rows = [(0, 0, 10, True), (0, 0, 20, False), (1, 0, 20, True), (1, 0, 30, False)]
    found = find_without_staff(2, rows)
    assert found.group.tolist() == [0, 1]
    assert (found.start // SECOND).tolist() == [10, 20]
    assert (found.end // SECOND).tolist() == [20, 30]


def test_find_without_staff_counts_from_the_given_time_in_groups_without_staff() -> None:
    group, joined, left, is_staff = columns([(0, 5, 10, False), (1, 5, 10, False), (2, 15, 5, False)])
    came = np.array([-(2**62), presence.NEVER, 0])
    found = presence.find_without_staff(came, group, joined, left, is_staff)
    assert found.group.tolist() == [0, 2]
    assert (found.start // SECOND).tolist() == [5, 15]
    assert (found.end // SECOND).tolist() == [15, 20]
