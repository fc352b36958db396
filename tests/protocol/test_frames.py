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
def test_a_person_is_who_they_were_on_the_day(who: int, day: int, name: str | None) -> None:
    known = versions()
    row = known.rows(np.array([who]), np.array([day]))
    assert known.fact("name", row).tolist() == [name]
    assert (row[0] == -1) == (name is None)
    assert known.frame.index.tolist() == [0, 1, 2, 3, 4]


def test_what_a_version_lists_whatever_the_case_and_nothing_for_nobody() -> None:
    known = versions()
    rows = known.rows(np.array([7, 7, 3, -1]), np.array([JANUARY, JUNE, JUNE, JUNE]))
    assert known.lists("roles", "hoy", "hm")[rows].tolist() == [True, False, False, False]
    assert known.lists("roles", "tutor")[rows].tolist() == [True, False, False, False]
    assert known.lists("roles", "")[rows].tolist() == [False, False, False, False]
    assert known.lists("roles", "tutor").dtype == bool
    assert known.fact("roles", rows).tolist() == [" Tutor ; HOY", None, "", None]
    assert known.fact("staff_id", rows).dtype == object


def test_two_numbers_as_one_keep_their_order() -> None:
    two = [(-1, 2**31 - 1), (0, -(2**31)), (0, -1), (0, 0), (0, 2**31 - 1), (1, -1), (2**31 - 1, -(2**31))]
    as_one = paired(*np.array(two).T)
    assert (np.diff(as_one) > 0).all()


def test_times_and_ids_come_and_go_as_integers() -> None:
    times = pd.Series(pd.to_datetime(["2021-01-05T09:00+01:00", None], utc=True)).dt.as_unit("ms")
    there = micros(times)
    assert there.tolist() == [1609833600 * 1_000_000, np.iinfo(np.int64).min]
    assert instants(there).dtype == "datetime64[us, UTC]"
    assert micros(times.dt.tz_convert("Asia/Tokyo")).tolist() == there.tolist()
    assert ids(pd.Series([4, None], dtype="Int64")).tolist() == [4, -1]
    answers = pd.Series([True, False, None], dtype="boolean")
    assert flags(answers).tolist() == [True, False, False]
    assert flags(answers, blank=True).tolist() == [True, False, True]


def test_a_missing_column_is_named_where_the_frame_is_given() -> None:
    with pytest.raises(ValueError, match=r"^logs lacks the columns ended_at, started_at$"):
        Evidence(logs=empty("logs").drop(columns=["started_at", "ended_at"]))
