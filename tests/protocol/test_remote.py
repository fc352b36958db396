"""Which pupils learn from home, and which of them a period or a slot is for."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.protocol.evidence import COLUMNS, empty
from app.protocol.frames import NONE, Versions
from app.protocol.remote import find_concerned, is_for_pupil, is_remote
from app.settings import RemotePeriod, Slot

MONDAY = date(2027, 1, 18)


def pupils(*rows: tuple[int, str, str, str, str]) -> Versions:
    """Versions of pupils: id, first day, school, year, house."""
    columns = ["pupil_id", "from_day", "school", "year_group", "house"]
    frame = pd.DataFrame(rows, columns=columns).assign(name="A pupil")
    return Versions(frame[list(COLUMNS["pupils"])].astype(COLUMNS["pupils"]), "pupil_id")


def days(*several: date) -> Any:
    return np.array(several, "datetime64[D]").view(np.int64)


def period(**more: Any) -> RemotePeriod:
    return RemotePeriod.model_validate({"name": "Snow", "from": MONDAY, "to": MONDAY} | more)


@pytest.mark.parametrize("year", ["9", "Year 9", "09", "Y9", "Blwyddyn 9"])
def test_find_concerned_compares_years_as_the_roster_does(year: str) -> None:
    versions = pupils((1, "2020-09-01", "SEN", "9", "Wye"), (2, "2020-09-01", "SEN", "10", "Wye"))
    assert find_concerned(versions, years=[year]).tolist() == [True, False, False]


def test_find_concerned_asks_for_one_of_each_that_is_named() -> None:
    versions = pupils(
        (1, "2020-09-01", "SEN", "9", "Wye"),
        (2, "2020-09-01", "PREP", "9", "Wye"),
        (3, "2020-09-01", "SEN", "9", "Usk"),
    )
    assert find_concerned(versions).tolist() == [True] * 4
    assert find_concerned(versions, ["sen"], ["9", "10"], ["WYE", "Dore"]).tolist() == [True, False, False, False]


def test_is_remote_takes_pupils_as_they_were_on_the_day() -> None:
    versions = pupils((1, "2020-09-01", "SEN", "9", "Wye"), (1, "2027-01-19", "SEN", "10", "Wye"))
    ids, asked = np.array([1, 1, NONE]), days(MONDAY, date(2027, 1, 19), MONDAY)
    both = [period(to=date(2027, 1, 19), years=["9"])]
    assert is_remote(both, empty("remote_pupils"), versions, ids, asked).tolist() == [True, False, False]
    assert is_remote([period()], empty("remote_pupils"), versions, ids, asked).tolist() == [True, False, True]


def test_is_remote_takes_the_pupils_own_days() -> None:
    versions = pupils((1, "2020-09-01", "SEN", "9", "Wye"), (2, "2020-09-01", "SEN", "9", "Wye"))
    rows = [(1, "2027-01-18", "2027-01-19"), (1, "2027-01-19", "2027-01-20"), (2, "2027-02-01", "2027-02-01")]
    own = pd.DataFrame(rows, columns=list(COLUMNS["remote_pupils"])).astype(COLUMNS["remote_pupils"])
    asked = days(date(2027, 1, 17), MONDAY, date(2027, 1, 19), date(2027, 1, 20), date(2027, 1, 21), MONDAY)
    remote = is_remote([], own, versions, np.array([1, 1, 1, 1, 1, 2]), asked)
    assert remote.tolist() == [False, True, True, True, False, False]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({}, True),
        ({"years": [10]}, True),
        ({"years": ["Year 9"]}, False),
        ({"schools": ["sen"]}, True),
        ({"schools": ["PREP"], "years": [10]}, False),
    ],
)
def test_is_for_pupil_asks_for_school_and_year(groups: dict[str, Any], expected: bool) -> None:
    slot = Slot.model_validate({"name": "C4L", "days": ["thu"], "from": "14:00", "to": "15:00"} | groups)
    assert is_for_pupil(slot, "SEN", "Year 10") is expected
