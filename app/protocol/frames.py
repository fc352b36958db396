"""Small tools for frames: times as integers, people as they were on a day."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]


def micros(instants: pd.Series) -> Ints:
    """Instants as microseconds since 1970 in UTC; a blank is the least integer."""
    return instants.dt.as_unit("us").dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().view(np.int64)


def instants(micros: Ints) -> pd.Series:
    """Microseconds since 1970 as instants in UTC."""
    return pd.Series(np.asarray(micros).view("datetime64[us]")).dt.tz_localize("UTC")


def as_of(versions: pd.DataFrame, key: str, ids: pd.Series, days: pd.Series) -> pd.DataFrame:
    """The version of each id that held on its day: the last from that day or before, else the first.

    `versions` has `key` and `from_day`; `ids` may hold blanks. Gives the versions' columns, one row
    an id in the order of `ids`, blank where the id is blank or not known.
    """
    versions = versions.sort_values([key, "from_day"], ignore_index=True)
    known = versions[key].to_numpy(np.int64)
    wanted = ids.to_numpy(np.int64, na_value=-1)
    span = 10**6  # days; more than any calendar holds
    held = known * span + _day_number(versions["from_day"])
    place = np.searchsorted(held, wanted * span + _day_number(days), side="right") - 1
    first = np.searchsorted(known, wanted, side="left")
    place = np.maximum(place, first)
    found = (place < len(known)) & (wanted >= 0)
    found[found] = known[place[found]] == wanted[found]
    rows = versions.reindex(np.where(found, place, -1))
    return rows.reset_index(drop=True)


def _day_number(days: pd.Series) -> Ints:
    return days.to_numpy().astype("datetime64[D]").view(np.int64) + 500_000
