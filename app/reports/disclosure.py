"""Hides small counts in reports, even from readers who subtract the counts that are shown from a total.

A count under three is shown as "under 3". If hidden counts could be worked out from a column's known total, more counts
are withheld, until each hidden count could be 0, 1 or 2 (or only 1 or 2, if a row with 0 would not be in the table).
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.formatting import FEW, percent

SHOWN, UNDER, WITHHELD, GONE = "shown", "under", "withheld", "gone"
HIDDEN = f"under {FEW}"  # the text for a small count
_Counts = npt.NDArray[np.float64]


def suppress(rows: pd.DataFrame, *, lowest: int = 1) -> pd.Series | None:
    """How each row of a table with `passed`, `total` and perhaps `sessions` may be shown to readers who know the sums
    of its columns. None if no part of the table may be shown. `lowest`: 1 if `total` and `sessions` are at least 1 in
    every row, so that a row with 0 would not be there; 0 if every row is there, whatever it counts.

    - SHOWN: as it is
    - UNDER: it has fewer than three breaches, so `passed` is hidden, and the share is only given as "over"
    - WITHHELD: `passed` and the share are hidden, to protect other rows
    - GONE: nothing of the row is shown
    """
    state = np.full(len(rows), SHOWN, object)
    broken = (rows["total"] - rows["passed"]).to_numpy(float)
    whole = [rows[name].to_numpy(float) for name in ("sessions", "total") if name in rows]
    few = np.min([*whole, rows["passed"].to_numpy(float)], axis=0) < FEW
    state[few] = GONE
    while not all(_is_safe(counts, state, lowest) for counts in whole):
        if not _hide_another(whole[0], state, GONE, lowest):
            return None
    state[(state == SHOWN) & (broken < FEW)] = UNDER
    while not _is_safe(broken, state):
        if not _hide_another(broken, state, WITHHELD):
            return None
    return pd.Series(state, rows.index)


def suppress_split(first: pd.Series, second: pd.Series, rest: pd.Series) -> list[pd.Series] | None:
    """The same for counts, some of which are split in two ways: `first` and `second` have the same sum. The sum of all
    counts (one of the splits and the `rest`) is known to readers. Returns the states of the three, each SHOWN, UNDER or
    WITHHELD; None if nothing may be shown."""
    values = [counts.to_numpy(float) for counts in (first, second, rest)]
    states = [_find_small(counts) for counts in (first, second, rest)]
    while not _is_split_safe(values, states):
        left = [(counts[i], g, i) for g, counts in enumerate(values) for i in np.flatnonzero(states[g] == SHOWN)]
        if not left:
            return None
        for _, group, place in sorted(left):
            states[group][place] = WITHHELD
            if _is_split_safe(values, states) or (group, place) == max(left)[1:]:
                break
            states[group][place] = SHOWN
    return [pd.Series(state, counts.index) for state, counts in zip(states, (first, second, rest), strict=True)]


def suppress_counts(counts: pd.Series) -> pd.Series | None:
    """How each count of a column whose total is known may be shown: SHOWN, UNDER or WITHHELD. None if none may be."""
    values, state = counts.to_numpy(float), _find_small(counts)
    while not _is_safe(values, state):
        if not _hide_another(values, state, WITHHELD):
            return None
    return pd.Series(state, counts.index)


def _find_small(counts: pd.Series) -> npt.NDArray[np.object_]:
    return np.where(counts < FEW, UNDER, SHOWN).astype(object)


def _is_split_safe(values: list[_Counts], states: list[npt.NDArray[np.object_]]) -> bool:
    """Whether no small count in any of the three groups follows from the total and what is shown of the others."""
    total = values[0].sum() + values[2].sum()
    first, second, rest = (
        (low.sum(), high.sum()) for low, high in (_find_limits(*each) for each in zip(values, states, strict=True))
    )
    left = total - rest[1], total - rest[0]  # what the rest leaves for either split
    split = max(first[0], second[0]), min(first[1], second[1])
    sums = [
        (max(second[0], left[0]), min(second[1], left[1])),
        (max(first[0], left[0]), min(first[1], left[1])),
        (total - split[1], total - split[0]),
    ]
    return all(_is_safe(*each) for each in zip(values, states, [0, 0, 0], sums, strict=True))


def _hide_another(counts: _Counts, state: npt.NDArray[np.object_], word: str, lowest_gone: int = 0) -> bool:
    """Hide the smallest shown count that makes the table safe, else the largest one. False if no count is shown."""
    left = np.flatnonzero(state == SHOWN)
    for place in left[np.argsort(counts[left], kind="stable")]:
        state[place] = word
        if _is_safe(counts, state, lowest_gone) or place == left[np.argmax(counts[left])]:
            return True
        state[place] = SHOWN
    return False


def _is_safe(
    counts: _Counts, state: npt.NDArray[np.object_], lowest_gone: int = 0, sums: tuple[float, float] | None = None
) -> bool:
    """Whether every hidden count under three could still be any number up to 2, from `lowest_gone` in a row that is
    GONE, else from 0. Readers are assumed to know the states and the sum of all counts; or only the limits of the sum,
    if `sums` (lowest, highest) is given."""
    low, high = sums or (counts.sum(), counts.sum())
    least, most = _find_limits(counts, state, lowest_gone)
    for i in np.flatnonzero((counts < FEW) & (state != SHOWN)):
        others = np.arange(len(counts)) != i
        if high - least[others].sum() < FEW - 1 or low - most[others].sum() > least[i]:
            return False
    return True


def _find_limits(counts: _Counts, state: npt.NDArray[np.object_], lowest_gone: int = 0) -> tuple[_Counts, _Counts]:
    """The lowest and the highest value that each count can have, judged by its state."""
    least = np.select([state == SHOWN, state == WITHHELD, state == GONE], [counts, FEW, lowest_gone], 0.0)
    most = np.select([state == SHOWN, state == UNDER], [counts, FEW - 1.0], np.inf)
    return least, most


def format_part(number: int, total: int) -> str:
    """A part of a total as text: "41 of 230 (17.8%)", "under 3 of 230", "all but under 3 of 230"; "under 3" if the
    total is."""
    if total < FEW:
        return HIDDEN
    if number < FEW:
        return f"{HIDDEN} of {total:,}"
    if total - number < FEW:
        return f"all but {HIDDEN} of {total:,}"
    return f"{number:,} of {total:,} ({percent(number / total)})"


def format_count(number: int) -> str:
    """A count as text: "2,409", or "under 3"."""
    return f"{number:,}" if number >= FEW else HIDDEN


def find_lower_bound(total: int) -> float | None:
    """The share that is exceeded if fewer than three of `total` checks are breaches, rounded down to whole per cent.
    None if there are fewer than 20 checks."""
    return None if total < 20 else float((total - FEW) * 100 // total) / 100
