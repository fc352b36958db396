"""The small tools: people as they were on a day, times as integers; and what a frame must have."""

import numpy as np
import pandas as pd
import pytest

from app.protocol.evidence import Evidence, empty
from app.protocol.frames import Versions, flags, ids, instants, micros, paired

JANUARY, JUNE, BEFORE_1970 = (
    np.datetime64(day, "D").view(np.int64) for day in ("2021-01-05", "2021-06-07", "1969-06-01")
)


def versions() -> Versions:
    rows = [
        (7, "2021-06-07", "June", None),
        (3, "1969-01-01", "Old", "tutor"),
        (7, "2021-01-05", "January", " Tutor ; HOY"),
        (3, "1970-01-01", "New", ""),
        (0, "2021-01-05", "Nought", "x"),
    ]
    frame = pd.DataFrame(rows, columns=["staff_id", "from_day", "name", "roles"], index=[9, 8, 7, 6, 5])
    return Versions(frame.astype({"staff_id": "Int64", "from_day": "datetime64[s]"}), "staff_id")


@pytest.mark.parametrize(
    ("who", "day", "name"),
    [
        (7, JANUARY - 1, "January"),
        (7, JANUARY, "January"),
        (7, JUNE - 1, "January"),
        (7, JUNE, "June"),
        (7, JUNE + 9000, "June"),
        (3, BEFORE_1970, "Old"),
        (3, 0, "New"),
        (3, -200_000, "Old"),
        (0, JUNE, "Nought"),
        (5, JUNE, None),
        (8, JUNE, None),
        (-1, JUNE, None),
        (7, 400_000, "June"),
    ],
)
def test_versions_give_the_person_as_on_the_day(who: int, day: int, name: str | None) -> None:
    known = versions()
    row = known.rows(np.array([who]), np.array([day]))
    assert known.fact("name", row).tolist() == [name]
    assert (row[0] == -1) == (name is None)
    assert known.frame.index.tolist() == [0, 1, 2, 3, 4]


def test_versions_lists_ignores_case_and_is_false_for_nobody() -> None:
    known = versions()
    rows = known.rows(np.array([7, 7, 3, -1]), np.array([JANUARY, JUNE, JUNE, JUNE]))
    assert known.lists("roles", "hoy", "hm")[rows].tolist() == [True, False, False, False]
    assert known.lists("roles", "tutor")[rows].tolist() == [True, False, False, False]
    assert known.lists("roles", "")[rows].tolist() == [False, False, False, False]
    assert known.lists("roles", "tutor").dtype == bool
    assert known.fact("roles", rows).tolist() == [" Tutor ; HOY", None, "", None]
    assert known.fact("staff_id", rows).dtype == object


def test_paired_keeps_the_order() -> None:
    two = [(-1, 2**31 - 1), (0, -(2**31)), (0, -1), (0, 0), (0, 2**31 - 1), (1, -1), (2**31 - 1, -(2**31))]
    as_one = paired(*np.array(two).T)
    assert (np.diff(as_one) > 0).all()


def test_micros_ids_and_flags_are_plain_arrays() -> None:
    times = pd.Series(pd.to_datetime(["2021-01-05T09:00+01:00", None], utc=True)).dt.as_unit("ms")
    there = micros(times)
    assert there.tolist() == [1609833600 * 1_000_000, np.iinfo(np.int64).min]
    assert instants(there).dtype == "datetime64[us, UTC]"
    assert micros(times.dt.tz_convert("Asia/Tokyo")).tolist() == there.tolist()
    assert ids(pd.Series([4, None], dtype="Int64")).tolist() == [4, -1]
    answers = pd.Series([True, False, None], dtype="boolean")
    assert flags(answers).tolist() == [True, False, False]
    assert flags(answers, blank=True).tolist() == [True, False, True]


def test_evidence_names_a_missing_column() -> None:
    with pytest.raises(ValueError, match=r"^logs lacks the columns ended_at, started_at$"):
        Evidence(logs=empty("logs").drop(columns=["started_at", "ended_at"]))
