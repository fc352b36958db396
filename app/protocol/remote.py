"""Which pupils are in remote learning, and to which pupils a period or a slot applies."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from app.protocol.frames import Ints, Mask, Versions, days_since_1970, ids
from app.settings import RemotePeriod, Slot
from app.vocabulary.words import fold, read_year


def find_concerned(
    pupils: Versions, schools: Sequence[str] = (), years: Sequence[str] = (), houses: Sequence[str] = ()
) -> Mask:
    """For each version of a pupil, whether it is in one of the schools (codes), one of the years and one of the houses;
    an empty list does not restrict. The last element, for a pupil without a version, is true only if all are empty."""
    in_school, in_house = pupils.is_one_of("school", schools, fold), pupils.is_one_of("house", houses, fold)
    return in_school & in_house & pupils.is_one_of("year_group", years, _fold_year)


def is_for_pupil(slot: Slot, school: str, year_group: str) -> bool:
    """Whether a slot is open to pupils of a school (code) and year group."""
    in_school = not slot.schools or fold(school) in map(fold, slot.schools)
    return in_school and (not slot.years or _fold_year(year_group) in map(_fold_year, slot.years))


def _fold_year(text: str) -> str:
    return fold(read_year(text))


def is_remote(periods: Sequence[RemotePeriod], own: pd.DataFrame, pupils: Versions, pupil_id: Ints, day: Ints) -> Mask:
    """Whether each pupil was in remote learning on the day beside their id (days since 1970): in one of the `periods`,
    by their school, year and house on that day, or in one of their `own` (`remote_pupils` of the evidence)."""
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
