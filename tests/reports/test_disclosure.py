"""Small counts in what leaves the school: neither shown nor to be worked out."""

from itertools import product

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formatting import FEW
from app.reports.disclosure import GONE, SHOWN, UNDER, WITHHELD, suppress, suppress_counts
from tests.people import found

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


@given(st.lists(COUNT, max_size=5))
@settings(max_examples=300)
def test_no_count_under_three_can_be_worked_out_from_a_total(counts: list[int]) -> None:
    state = suppress_counts(pd.Series(counts))
    assert state is None or stays_secret(counts, state.tolist())


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
    state = suppress_counts(pd.Series([1, 40, 7, 25]))
    assert state is not None
    assert state.tolist() == [UNDER, SHOWN, WITHHELD, SHOWN]
    assert suppress_counts(pd.Series([2, 2])) is None  # the total says it
    assert found(suppress_counts(pd.Series([5, 6]))).tolist() == [SHOWN, SHOWN]
