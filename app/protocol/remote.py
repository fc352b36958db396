"""Which pupils are in remote learning, and which of them a period or a slot is for."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from app.protocol.frames import Ints, Mask, Versions, days_since_1970, ids
from app.settings import RemotePeriod, Slot
from app.vocabulary.words import fold, read_year


def find_concerned(
    pupils: Versions, schools: Sequence[str] = (), years: Sequence[str] = (), houses: Sequence[str] = ()
) -> Mask:
    """Which versions of pupils are in one of some schools (codes), years and houses, of whichever are named. The last
    place, for a pupil without a version, is true if none are."""
    in_school, in_house = pupils.is_one_of("school", schools, fold), pupils.is_one_of("house", houses, fold)
    return in_school & in_house & pupils.is_one_of("year_group", years, _fold_year)


def is_for_pupil(slot: Slot, school: str, year_group: str) -> bool:
    """Whether a slot is for a pupil of a school and year."""
    in_school = not slot.schools or fold(school) in map(fold, slot.schools)
    return in_school and (not slot.years or _fold_year(year_group) in map(_fold_year, slot.years))


def _fold_year(text: str) -> str:
    return fold(read_year(text))


def is_remote(periods: Sequence[RemotePeriod], own: pd.DataFrame, pupils: Versions, pupil_id: Ints, day: Ints) -> Mask:
    """Whether each of some pupils was in remote learning on a day (days since 1970): in one of the `periods`, as the
    roster had them on that day, or in one of their `own` (`remote_pupils` of the evidence)."""
    row = pupils.rows(pupil_id, day)
    remote = np.zeros(len(day), bool)
    for period in periods:
        first, last = np.array([period.from_, period.to], "datetime64[D]").view(np.int64)
        concerned = find_concerned(pupils, period.schools, period.years, period.houses)
        remote |= (day >= first) & (day <= last) & concerned[row]
    asked = pd.DataFrame({"place": np.arange(len(day)), "pupil_id": pupil_id, "day": day})
    days = {"first": days_since_1970(own["from_day"]), "last": days_since_1970(own["to_day"])}
    both = asked.merge(pd.DataFrame({"pupil_id": ids(own["pupil_id"])} | days), on="pupil_id")
    remote[both.loc[(both["day"] >= both["first"]) & (both["day"] <= both["last"]), "place"]] = True
    return remote
