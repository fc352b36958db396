"""The pupils whom a person looks after: as their tutor, HOY or HM, or as Senior Deputy Head. No concerns."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Select, or_, select

from app.access.policy import Days, Person, require
from app.access.scope import PUPIL_FACTS, is_led_by, read_frame, read_frame_by_name, with_staff_name
from app.access.sessions import list_session_pupils, list_sessions, list_unlogged_calls
from app.school import School
from app.store import tables
from app.store.versions import is_there_on, valid_on, valid_versions
from app.vocabulary.roles import Resource


@dataclass(frozen=True)
class Pupil:
    """A pupil as on today; `tutor` is a name, "" if there is none."""

    pupil_id: int
    name: str
    school: str
    year_group: str
    house: str
    tutor: str


def list_pupils(school: School, person: Person) -> pd.DataFrame:
    """The pupils at the school whom the person looks after, by name: `pupil_id`, `name`, `school`, `year_group`,
    `house`, `tutor_id`, `tutor` (name; both blank if there is none)."""
    require(person, Resource.PUPILS)
    return read_frame_by_name(school, _select_pupils(school, person, with_leavers=False))


def get_pupil(school: School, person: Person, pupil_id: int) -> Pupil | None:
    """A pupil, also one who has left, whom the person looks after; else None."""
    require(person, Resource.PUPILS)
    query = _select_pupils(school, person, with_leavers=True)
    rows = read_frame(school, query.where(tables.pupils.c.id == pupil_id))
    for row in rows.fillna({"tutor": ""}).itertuples():
        return Pupil(pupil_id, row.name, row.school, row.year_group, row.house, row.tutor)
    return None


def _select_pupils(school: School, person: Person, *, with_leavers: bool) -> Select[Any]:
    pupil, today = valid_versions(tables.pupil_versions), school.today()
    query = (
        select(pupil.c.pupil_id, *(pupil.c[name] for name in PUPIL_FACTS), pupil.c.tutor_id)
        .join(tables.pupils, tables.pupils.c.id == pupil.c.pupil_id)
        .where(valid_on(pupil, today) if with_leavers else is_there_on(pupil, today))
        .where(or_(is_led_by(person, Resource.PUPILS, pupil), pupil.c.tutor_id == person.staff_id))
    )
    return with_staff_name(query, "tutor", pupil.c.tutor_id, today)


def list_pupils_with_counts(school: School, person: Person, days: Days) -> pd.DataFrame:
    """The pupils of `list_pupils` with the sessions of some days that the person may open: `sessions`, and how many of
    them have a breach (`breaches`)."""
    pupils, sessions = list_pupils(school, person), list_sessions(school, person, days)
    each = list_session_pupils(school, person, days).merge(sessions[["session_id", "status"]], on="session_id")
    each["breach"] = each["status"] == "breach"
    counts = each.groupby("pupil_id").agg(sessions=("session_id", "nunique"), breaches=("breach", "sum"))
    return _add_counts(pupils, counts, "pupil_id")


def list_tutors(school: School, person: Person, days: Days) -> pd.DataFrame:
    """The tutors of the pupils of `list_pupils`, less the person: `staff_id`, `name`, `pupils` (number), `sessions` of
    some days that the person may open, `breaches` (sessions with one), `unlogged`."""
    pupils, sessions = list_pupils(school, person), list_sessions(school, person, days)
    known = pupils[pupils["tutor_id"].notna() & (pupils["tutor_id"] != person.staff_id)]
    tutors = known.groupby("tutor_id").agg(name=("tutor", "first"), pupils=("pupil_id", "size")).reset_index()
    tutors = tutors.rename(columns={"tutor_id": "staff_id"}).astype({"staff_id": "int64"})
    sessions["breach"] = sessions["status"] == "breach"
    counts = sessions.groupby("staff_id").agg(
        sessions=("session_id", "size"), breaches=("breach", "sum"), unlogged=("unlogged", "sum")
    )
    return _add_counts(tutors, counts, "staff_id").sort_values("name").reset_index(drop=True)


def _add_counts(rows: pd.DataFrame, counts: pd.DataFrame, key: str) -> pd.DataFrame:
    """Rows with the counts of their keys, 0 where there are none."""
    found = rows.merge(counts, left_on=key, right_index=True, how="left")
    return found.fillna(dict.fromkeys(counts.columns, 0)).astype(dict.fromkeys(counts.columns, "int64"))


def count_unlogged_by_person(school: School, person: Person, days: Days) -> pd.DataFrame:
    """Who has not logged their calls of some days, most overdue calls first: `staff_id`, `staff_name` (both blank:
    nobody on the roster), `unlogged`, `overdue` (the time to log has ended), `oldest` (start)."""
    calls = list_unlogged_calls(school, person, days)
    calls["late"] = calls["due_at"].isna() | (calls["due_at"] <= pd.Timestamp(school.now()))
    counts = calls.groupby(["staff_id", "staff_name"], dropna=False).agg(
        unlogged=("session_id", "size"), overdue=("late", "sum"), oldest=("started_at", "min")
    )
    return counts.reset_index().sort_values(["overdue", "unlogged", "oldest"], ascending=[False, False, True])
