"""Helpers for frames: times as integers, people as they were on a day."""

from collections.abc import Callable, Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]

NONE = -1  # a blank id, or the position of what is not there


def micros(instants: pd.Series) -> Ints:
    """Instants as microseconds since 1970 in UTC; a blank is the least integer."""
    return np.asarray(instants.dt.as_unit("us").dt.tz_convert(None)).view(np.int64)


def instants(micros: Ints) -> pd.Series:
    """Microseconds since 1970 as instants in UTC."""
    return pd.Series(micros.view("datetime64[us]")).dt.tz_localize("UTC")


def ids(column: pd.Series) -> Ints:
    """Ids as plain integers; a blank is NONE."""
    return np.asarray(column.to_numpy(np.int64, na_value=NONE))


def days_since_1970(days: pd.Series) -> Ints:
    """Days as plain integers."""
    return np.asarray(days, "datetime64[D]").view(np.int64)


def flags(column: pd.Series, *, blank: bool = False) -> Mask:
    """Yes and no as plain true and false; `blank` is what a blank counts as."""
    return np.asarray(column.to_numpy(bool, na_value=blank))


def paired(left: Ints, right: Ints) -> Ints:
    """Pairs of numbers of up to 32 bits as single numbers, in order of `left`, then `right`. A key of one column is
    several times as fast as one of two."""
    return left * 2**32 + right


def words_in(cell: str | None) -> set[str]:
    """The words of a cell in which ";" separates them, in small letters; none in a blank."""
    return {word.strip() for word in cell.lower().split(";")} if cell else set()


class Versions:
    """People as they were on a day: the version from that day or the last before it, else the first.

    `frame` has the id column `key`, `from_day` and facts. What depends only on a version is computed once for each
    version, not for each session.
    """

    def __init__(self, frame: pd.DataFrame, key: str) -> None:
        self.frame = frame.sort_values([key, "from_day"], ignore_index=True)
        self._ids = ids(self.frame[key])
        self._keys = paired(self._ids, days_since_1970(self.frame["from_day"]))

    def rows(self, ids: Ints, days: Ints) -> Ints:
        """The row in `frame` of each id on its day (days since 1970); NONE where the id is not known."""
        place = np.searchsorted(self._keys, paired(ids, days), side="right") - 1
        known = np.append(self._ids, NONE)
        place += known[place] != ids  # a day before a person's first version gets that version
        return np.where((known[place] == ids) & (ids != NONE), place, NONE)

    def fact(self, column: str, rows: Ints) -> Words:
        """A column's value at each row; None at NONE or where blank."""
        return np.append(self.frame[column].to_numpy(object, na_value=None), np.array([None]))[rows]

    def lists(self, column: str, *values: str) -> Mask:
        """Which versions have one of the values in a column of ";"-separated words, whatever the case;
        the last place, for a row of NONE, is False."""
        return self._test_cells(column, lambda cell: not words_in(cell).isdisjoint(values))

    def is_one_of(self, column: str, names: Collection[str], read: Callable[[str], str]) -> Mask:
        """Which versions have one of the names in a column, compared as `read` gives them; all if there are no names.
        The last place is for a row of NONE, as if it were blank."""
        wanted = {read(name) for name in names}
        return self._test_cells(column, lambda cell: not wanted or (cell is not None and read(cell) in wanted))

    def _test_cells(self, column: str, test: Callable[[str | None], bool]) -> Mask:
        """The answer for each version's cell, asked once for each distinct one; in the last place that for a blank."""
        codes, cells = pd.factorize(self.frame[column])
        answers = np.array([test(cell) for cell in [*cells, None]])
        return np.asarray(answers[np.append(codes, NONE)])
