"""Small counts in what leaves the school: neither shown nor to be worked out."""

from collections.abc import Iterator
from itertools import product

import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.formatting import FEW
from app.reports.disclosure import GONE, SHOWN, UNDER, WITHHELD, suppress, suppress_split

COUNT = st.integers(0, 9)
# Kept, not kept, sessions; a table has no row without any.
ROW = st.tuples(COUNT, COUNT, st.integers(1, 5)).filter(lambda row: row[0] + row[1] > 0)


def possible(counts: list[int], state: list[str], least: int) -> dict[int, set[int]]:
    """For each hidden count, what it could be for somebody who knows the total, the counts shown and the words, and
    that a row that is gone counted `least` or more."""
    hidden = [i for i, word in enumerate(state) if word != SHOWN]
    total = sum(counts[i] for i in hidden)
    ways = {UNDER: range(FEW), WITHHELD: range(FEW, total + 1), GONE: range(least, total + 1)}
    found: dict[int, set[int]] = {i: set() for i in hidden}
    for guess in product(*(ways[state[i]] for i in hidden[:-1])):
        last = total - sum(guess)
        if hidden and last in ways[state[hidden[-1]]]:
            for i, number in zip(hidden, (*guess, last), strict=True):
                found[i].add(number)
    return found


def stays_secret(counts: list[int], state: list[str], least: int = 0) -> bool:
    found = possible(counts, state, least)
    return all(n >= FEW or (i in found and found[i] >= set(range(least, FEW))) for i, n in enumerate(counts))


Split = tuple[list[int], list[int], list[int]]
WAYS = st.lists(COUNT, min_size=2, max_size=3)


@st.composite
def splits(draw: st.DrawFn) -> Split:
    """Counts of a group, the same group split into two others, and counts beside it."""
    first = draw(WAYS)
    part = draw(st.integers(0, sum(first)))
    return first, [part, sum(first) - part], draw(st.lists(COUNT, min_size=1, max_size=3))


def guesses(counts: list[int], state: list[str], most: int) -> Iterator[tuple[int, ...]]:
    """What the counts could be by their states alone."""
    words = {UNDER: range(FEW), WITHHELD: range(FEW, most + 1)}
    return product(*(words.get(word, [count]) for count, word in zip(counts, state, strict=True)))


@given(splits())
@settings(max_examples=150)
@example(([1, 0, 0], [1, 0], [20, 30]))
@example(([10, 20], [27, 3], [1, 0, 0]))
@example(([10, 20], [27, 3], [2, 9, 4]))
@example(([4, 4], [4, 4], [0, 0, 8]))
def test_no_count_under_three_can_be_worked_out_from_two_splits_and_a_total(split: Split) -> None:
    states = suppress_split(*map(pd.Series, split))
    if states is None:
        return
    words = [state.tolist() for state in states]
    total = sum(split[0]) + sum(split[2])
    ways: list[dict[int, list[tuple[int, ...]]]] = []
    for counts, state in zip(split, words, strict=True):
        by_sum: dict[int, list[tuple[int, ...]]] = {}
        for guess in guesses(counts, state, total):
            by_sum.setdefault(sum(guess), []).append(guess)
        ways.append(by_sum)
    sums = [n for n in ways[0] if n in ways[1] and total - n in ways[2]]
    for group, counts in enumerate(split):
        possible_sums = [total - n for n in sums] if group == 2 else sums
        for place, count in enumerate(counts):
            could_be = {guess[place] for n in possible_sums for guess in ways[group][n]}
            assert count >= FEW or could_be >= set(range(FEW))


@given(st.lists(ROW, max_size=4))
@settings(max_examples=300)
def test_no_count_under_three_can_be_worked_out_from_a_table(rows: list[tuple[int, int, int]]) -> None:
    table = pd.DataFrame(
        {"passed": [r[0] for r in rows], "broken": [r[1] for r in rows], "sessions": [r[2] for r in rows]}
    )
    table["total"] = table["passed"] + table["broken"]
    state = suppress(table)
    if state is None:
        return
    whole = state.where(state == GONE, SHOWN).tolist()  # of these two, only what is gone is hidden
    assert stays_secret(table["sessions"].tolist(), whole, least=1)
    assert stays_secret(table["total"].tolist(), whole, least=1)
    assert stays_secret(table["broken"].tolist(), state.tolist())
    assert (table.loc[state != GONE, "passed"] >= FEW).all()


def test_suppress_hides_another_row_where_two_of_one_session_each_would_be_worked_out() -> None:
    table = pd.DataFrame({"passed": [10, 10, 40, 60], "total": [10, 10, 44, 66], "sessions": [1, 1, 4, 6]})
    state = suppress(table)
    assert state is not None
    assert state.tolist()[:3] == [GONE, GONE, GONE]


def test_a_second_count_is_withheld_beside_a_single_small_one() -> None:
    states = suppress_split(pd.Series([40, 25]), pd.Series([1, 64]), pd.Series([8, 9]))
    assert states is not None
    assert [state.tolist() for state in states] == [[SHOWN, SHOWN], [UNDER, WITHHELD], [SHOWN, SHOWN]]
    assert suppress_split(pd.Series([2, 2]), pd.Series([2, 2]), pd.Series([2])) is None  # the total says it
