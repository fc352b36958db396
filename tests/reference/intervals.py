"""Periods of time, as pairs of instants."""

from collections.abc import Iterable

Stretch = tuple[int, int]


def unite(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time as periods that do not overlap, in order."""
    united: list[Stretch] = []
    for start, end in sorted(stretches):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        elif end > start:
            united.append((start, end))
    return united


def subtract(stretches: Iterable[Stretch], others: Iterable[Stretch]) -> list[Stretch]:
    """The time in `stretches` that is in none of `others`."""
    left, taken = [], unite(others)
    for start, end in unite(stretches):
        position = start
        for other_start, other_end in taken:
            if other_end <= position or other_start >= end:
                continue
            if other_start > position:
                left.append((position, other_start))
            position = max(position, other_end)
        if position < end:
            left.append((position, end))
    return left


def intersect(stretches: Iterable[Stretch], others: Iterable[Stretch]) -> list[Stretch]:
    """The time that is in both."""
    both = list(unite(others))
    pairs = ((max(a, c), min(b, d)) for a, b in unite(stretches) for c, d in both)
    return [(start, end) for start, end in pairs if start < end]


def measure(stretches: Iterable[Stretch]) -> int:
    """The total length of the time in these periods."""
    return sum(end - start for start, end in unite(stretches))


def overlap(one: Stretch, other: Stretch) -> int:
    """The length of the overlap of two periods; if negative, the gap between them."""
    return min(one[1], other[1]) - max(one[0], other[0])
