"""Small tools for frames: times as integers, distinct rows, people as they were on a day."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NONE = -1  # an id that is blank, a position that there is not


def micros(instants: pd.Series) -> Ints:
    """Instants as microseconds since 1970 in UTC; a blank is the least integer."""
    return np.asarray(instants.dt.as_unit("us").dt.tz_convert(None).to_numpy().view(np.int64))


def instants(micros: Ints) -> pd.Series:
    """Microseconds since 1970 as instants in UTC."""
    return pd.Series(np.asarray(micros).view("datetime64[us]")).dt.tz_localize("UTC")


def ids(column: pd.Series) -> Ints:
    """Ids as plain integers; a blank is NONE."""
    return np.asarray(column.to_numpy(np.int64, na_value=NONE))


def days_since_1970(days: pd.Series) -> Ints:
    """Days as plain integers."""
    return np.asarray(days.to_numpy().astype("datetime64[D]").view(np.int64))


def flags(column: pd.Series, blank: bool = False) -> Bools:
    """Yes and no as plain true and false; a blank is as said."""
    return np.asarray(column.to_numpy(bool, na_value=blank))


def places(index: pd.Index, column: pd.Series) -> npt.NDArray[np.intp]:
    """Where each value of a column stands in an index; -1 where it does not. Rows of the same value mostly
    follow one another, so each such run is looked up once."""
    values = column.to_numpy(object)
    begins = np.ones(len(values), bool)
    begins[1:] = values[1:] != values[:-1]
    return np.asarray(index.get_indexer(pd.Index(values[begins], dtype=object))[np.cumsum(begins) - 1])


def paired(left: Ints, right: Ints) -> Ints:
    """Two numbers of up to 32 bits as one, in order of `left`, then `right`. A key of one column is several times
    faster than one of two."""
    return left * 2**32 + right


def found_in(keys: Ints, wanted: Ints) -> Ints:
    """The first position at which each wanted number stands among the keys, none of which is negative; NONE where it
    does not."""
    order = np.argsort(keys, kind="stable")
    place = np.append(order, NONE)[np.searchsorted(keys, wanted, sorter=order)]
    return np.where(np.append(keys, NONE)[place] == wanted, place, NONE)


def distinct(frame: pd.DataFrame, left: str, right: str) -> pd.DataFrame:
    """The first row for each pair of ids or positions in two columns."""
    return frame[~pd.Series(paired(frame[left].to_numpy(), frame[right].to_numpy())).duplicated().to_numpy()]


def words_in(cell: str | None) -> set[str]:
    """The words of a cell in which ";" separates them, in small letters; none in a blank."""
    return {word.strip() for word in cell.lower().split(";")} if cell else set()


class Versions:
    """People as they were on a day: the version from that day or the last before it, else the first.

    `frame` has the id column `key`, `from_day` and facts. What depends on a version alone is worked
    out once a version, not once a session.
    """

    def __init__(self, frame: pd.DataFrame, key: str) -> None:
        self.frame = frame.sort_values([key, "from_day"], ignore_index=True)
        self._known = ids(self.frame[key])
        self._held = paired(self._known, days_since_1970(self.frame["from_day"]))

    def rows(self, ids: Ints, days: Ints) -> Ints:
        """The row in `frame` of each id on its day (days since 1970); NONE where the id is not known."""
        place = np.searchsorted(self._held, paired(ids, days), side="right") - 1
        known = np.append(self._known, NONE)
        place += known[place] != ids  # before all of somebody's versions, the first
        return np.where((known[place] == ids) & (ids != NONE), place, NONE)

    def fact(self, column: str, rows: Ints) -> npt.NDArray[np.object_]:
        """A column's value at each row; None at NONE or where blank."""
        return np.append(self.frame[column].to_numpy(object, na_value=None), np.array([None]))[rows]

    def lists(self, column: str, *values: str) -> Bools:
        """Which versions have one of the values in a column of ";"-separated words, whatever the case;
        the last place, for a row of NONE, is False."""
        codes, cells = pd.factorize(self.frame[column])
        held = [not words_in(cell).isdisjoint(values) for cell in cells]
        return np.asarray(np.array([*held, False])[np.append(codes, NONE)])
