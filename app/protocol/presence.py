"""Works out who was in the call, and when: for the intervals of many sessions at once, by a single sort.

Times are integers (microseconds); groups, such as rooms, are integers from 0. An interval may be listed twice, overlap
another one of the same person, or be one of several devices: all that counts is whether at least one covers an instant.
"""

from dataclasses import dataclass

import numpy as np

from app.protocol.frames import Ints, Mask

NEVER = 2**62  # far beyond all times; a time can be added or subtracted without overflow


@dataclass(frozen=True)
class Segments:
    """Stretches of time in which nothing changes, in order of group and time. `a` and `b` say whether an interval of
    the first and of the second kind covers the stretch."""

    group: Ints
    start: Ints
    end: Ints
    a: Mask
    b: Mask


def cut_into_segments(group: Ints, start: Ints, end: Ints, is_b: Mask) -> Segments:
    """Cut the intervals (start, end] of each group into stretches in which nothing changes.

    Each interval is of kind b if `is_b`, else of kind a. Intervals of no length have no effect.
    """
    groups = np.concatenate([group, group])
    times = np.concatenate([start, end])
    order = np.lexsort((times, groups))
    groups, times = groups[order], times[order]
    # The steps of each group add up to 0, so a single running count serves all groups.
    step = np.repeat([1, -1], len(group))[order]
    of_b = np.concatenate([is_b, is_b])[order]
    count_b = np.cumsum(np.where(of_b, step, 0))
    count_a = np.cumsum(step) - count_b
    lasting = np.flatnonzero((groups[1:] == groups[:-1]) & (times[1:] > times[:-1]))
    return Segments(groups[lasting], times[lasting], times[lasting + 1], count_a[lasting] > 0, count_b[lasting] > 0)


def first_of(n: int, group: Ints, time: Ints) -> Ints:
    """The earliest time of each of n groups; NEVER if a group has none."""
    first = np.full(n, NEVER)
    np.minimum.at(first, group, time)
    return first


def last_of(n: int, group: Ints, time: Ints) -> Ints:
    """The latest time of each of n groups; -NEVER if a group has none."""
    last = np.full(n, -NEVER)
    np.maximum.at(last, group, time)
    return last


@dataclass(frozen=True)
class Stretches:
    """Stretches of time, each in one group and ending after it starts."""

    group: Ints
    start: Ints
    end: Ints


def find_without_staff(came: Ints, group: Ints, joined: Ints, left: Ints, is_staff: Mask) -> Stretches:
    """Every stretch with a pupil and without any staff, after staff had come.

    The other arrays have one value for each stay, which is that of a member of staff if `is_staff`, else of a pupil.
    `came` has for each group the time from which stretches count, NEVER if none does. While pupils come and go, a
    stretch continues as long as at least one is there.
    """
    n = len(came)
    # Skip the groups in which the first member of staff left after every pupil, as is usual.
    first = is_staff & (joined == came[group])
    outstayed = last_of(n, group[first], left[first]) >= last_of(n, group[~is_staff], left[~is_staff])
    rows = np.flatnonzero(~outstayed[group] & (came[group] != NEVER))
    cut = cut_into_segments(group[rows], joined[rows], left[rows], is_staff[rows])
    rows = np.flatnonzero(cut.a & ~cut.b & (cut.end > came[cut.group]))
    of, end = cut.group[rows], cut.end[rows]
    start = np.maximum(cut.start[rows], came[of])
    begins = np.ones(len(rows), bool)
    begins[1:] = (of[1:] != of[:-1]) | (start[1:] != end[:-1])
    ends = np.append(begins[1:], True)[: len(rows)]
    return Stretches(of[begins], start[begins], end[ends])


Intervals = tuple[Ints, Ints, Ints]  # the group, start and end of each


def select(intervals: Intervals, groups: Mask) -> Intervals:
    """The intervals whose group is true in `groups`."""
    group, start, end = intervals
    chosen = groups[group]
    return group[chosen], start[chosen], end[chosen]


def join(some: Intervals, others: Intervals) -> Intervals:
    """Both lists of intervals as one."""
    group, start, end = (np.concatenate(columns) for columns in zip(some, others, strict=True))
    return group, start, end


def time_during(n: int, whole: Intervals, part: Intervals) -> tuple[Ints, Ints]:
    """For each of n groups: how long it is covered by an interval of `whole`, and how long at the same time by one of
    `part`."""
    group, start, end = join(whole, part)
    is_part = np.repeat([False, True], [len(whole[0]), len(part[0])])
    cut = cut_into_segments(group, start, end, is_part)
    length = cut.end - cut.start
    covered = np.zeros(n, np.int64)
    both = np.zeros(n, np.int64)
    np.add.at(covered, cut.group[cut.a], length[cut.a])
    np.add.at(both, cut.group[cut.a & cut.b], length[cut.a & cut.b])
    return covered, both
