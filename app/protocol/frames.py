"""Helpers for data frames: times as integers, and people as they were on a day."""

from collections.abc import Callable, Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]

NONE = -1  # a blank id, or the position of something that does not exist


def micros(instants: pd.Series) -> Ints:
    """Instants as microseconds since 1970 in UTC; a blank becomes the smallest integer."""
    return np.asarray(instants.array.as_unit("us").asi8)


def instants(micros: Ints) -> pd.Series:
    """Microseconds since 1970 as instants in UTC."""
    return pd.Series(pd.DatetimeIndex(micros.view("datetime64[us]"), tz="UTC"))


def ids(column: pd.Series) -> Ints:
    """Ids as plain integers; a blank becomes NONE."""
    return np.asarray(column.to_numpy(np.int64, na_value=NONE))


def days_since_1970(days: pd.Series) -> Ints:
    """Days as plain integers, counted from 1 January 1970."""
    return np.asarray(days, "datetime64[D]").view(np.int64)


def flags(column: pd.Series, *, blank: bool = False) -> Mask:
    """A yes/no column as plain true and false; a blank becomes `blank`."""
    return np.asarray(column.to_numpy(bool, na_value=blank))


def paired(left: Ints, right: Ints) -> Ints:
    """Pairs of numbers of up to 32 bits as single numbers, which sort by `left`, then `right`. A key of one column is
    several times as fast as one of two."""
    return left * 2**32 + right


def words_in(cell: str | None) -> set[str]:
    """The words in a cell, which ";" separates, in lower case; empty for a blank cell."""
    return {word.strip() for word in cell.lower().split(";")} if cell else set()


class Versions:
    """People as they were on a day: the last version that began on or before that day, else the first one.

    `frame` has the id column `key`, `from_day` and columns of facts. What depends only on a version is computed once
    for each version, not for each session.
    """

    def __init__(self, frame: pd.DataFrame, key: str) -> None:
        self.frame = frame.sort_values([key, "from_day"], ignore_index=True)
        self._ids = ids(self.frame[key])
        self._keys = paired(self._ids, days_since_1970(self.frame["from_day"]))

    def rows(self, ids: Ints, days: Ints) -> Ints:
        """The row in `frame` for each id on its day (days since 1970); NONE if the id is unknown."""
        place = np.searchsorted(self._keys, paired(ids, days), side="right") - 1
        known = np.append(self._ids, NONE)
        place += known[place] != ids  # a day before a person's first version gets that version
        return np.where((known[place] == ids) & (ids != NONE), place, NONE)

    def fact(self, column: str, rows: Ints) -> Words:
        """The value of a column in each row; None if the row is NONE or the value is blank."""
        return np.append(self.frame[column].to_numpy(object, na_value=None), np.array([None]))[rows]

    def lists(self, column: str, *values: str) -> Mask:
        """For each version, whether it has one of the values (in lower case) in a column of ";"-separated words. A last
        element, which the row NONE selects, is False."""
        return self._test_cells(column, lambda cell: not words_in(cell).isdisjoint(values))

    def is_one_of(self, column: str, names: Collection[str], read: Callable[[str], str]) -> Mask:
        """For each version, whether it has one of the names in a column, compared as `read` returns them; true for all
        if there are no names. A last element, which the row NONE selects, is as for a blank cell."""
        wanted = {read(name) for name in names}
        return self._test_cells(column, lambda cell: not wanted or (cell is not None and read(cell) in wanted))

    def _test_cells(self, column: str, test: Callable[[str | None], bool]) -> Mask:
        """The result of `test` for each version's cell, and as a last element that for a blank cell. Each distinct cell
        is tested once."""
        codes, cells = pd.factorize(self.frame[column])
        answers = np.array([test(cell) for cell in [*cells, None]])
        return np.asarray(answers[np.append(codes, NONE)])
