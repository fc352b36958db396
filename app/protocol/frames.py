"""Small tools for frames: times as integers, distinct rows, people as they were on a day."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def micros(instants: pd.Series) -> Ints:
    """Instants as microseconds since 1970 in UTC; a blank is the least integer."""
    return instants.dt.as_unit("us").dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().view(np.int64)


def instants(micros: Ints) -> pd.Series:
    """Microseconds since 1970 as instants in UTC."""
    return pd.Series(np.asarray(micros).view("datetime64[us]")).dt.tz_localize("UTC")


def ids(column: pd.Series) -> Ints:
    """Ids as plain integers; a blank is -1."""
    return column.to_numpy(np.int64, na_value=-1)


def days_since_1970(days: pd.Series) -> Ints:
    """Days as plain integers."""
    return days.to_numpy().astype("datetime64[D]").view(np.int64)


def places(index: pd.Index, column: pd.Series) -> npt.NDArray[np.intp]:
    """Where each value of a column stands in an index; -1 where it does not. Rows of the same value mostly
    follow one another, so each such run is looked up once."""
    values = column.to_numpy(object)
    if not len(values):
        return np.empty(0, np.intp)
    begins = np.append(True, values[1:] != values[:-1])
    return index.get_indexer(pd.Index(values[begins], dtype=object))[np.cumsum(begins) - 1]


def distinct(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The distinct rows of some integer columns (none below -1), in the order of their first."""
    values = [frame[column].to_numpy(np.int64) + 1 for column in columns]
    key, room = np.zeros(len(frame), np.int64), 1
    for value in values:
        width = int(value.max(initial=0)) + 1
        key, room = key * width + value, room * width
    if room >= 2**63:
        return frame[columns].drop_duplicates()
    return frame.loc[~pd.Series(key).duplicated().to_numpy(bool), columns]


class Versions:
    """People as they were on a day: the version from that day or the last before it, else the first.

    `frame` has the id column `key`, `from_day` and facts. What depends on a version alone is worked
    out once a version, not once a session.
    """

    def __init__(self, frame: pd.DataFrame, key: str) -> None:
        self.frame = frame.sort_values([key, "from_day"], ignore_index=True)
        self._known = self.frame[key].to_numpy(np.int64)
        self._held = self._known * _SPAN + days_since_1970(self.frame["from_day"]) + _PAST

    def rows(self, ids: Ints, days: Ints) -> Ints:
        """The row in `frame` of each id on its day (days since 1970); -1 where the id is not known."""
        place = np.searchsorted(self._held, ids * _SPAN + days + _PAST, side="right") - 1
        place = np.maximum(place, np.searchsorted(self._known, ids, side="left"))
        found = (place < len(self._known)) & (ids >= 0)
        found[found] = self._known[place[found]] == ids[found]
        return np.where(found, place, -1)

    def fact(self, column: str, rows: Ints) -> npt.NDArray[np.object_]:
        """A column's value at each row; None at -1 or where blank."""
        values = self.frame[column].to_numpy(object, na_value=None)
        return np.concatenate([values, np.array([None], object)])[rows]

    def lists(self, column: str, *values: str) -> Bools:
        """Which versions have one of the values in a column of ";"-separated words, whatever the case;
        the last place, for a row of -1, is False."""
        cells = self.frame[column].fillna("").astype("str").str.lower()
        held = [{word.strip() for word in cell.split(";")} for cell in cells]
        return np.array([not words.isdisjoint(values) for words in held] + [False], bool)


_SPAN = 10**6  # days; more than any calendar holds
_PAST = 500_000  # so that days before 1970 stay above 0
