"""Lists adults and pupils who met one to one repeatedly or out of hours."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import CompoundSelect, Select, func, not_, select, union_all

from app.access.policy import Days, Person, get_scopes, require
from app.access.scope import (
    SESSION,
    in_school_time,
    is_confidential,
    is_during,
    read_frame,
    select_pupils,
    with_staff_name,
)
from app.school import School
from app.store import reading, tables
from app.store.outcomes import decode_outcomes
from app.vocabulary.roles import Resource, Scope
from app.vocabulary.terms import CallPart, Outcome


@dataclass(frozen=True)
class Repeats:
    """Adults and pupils who had one-to-ones as often as `[repeats]` of the settings says, by name.

    - `pairs`: `adult_id`, `pupil_id`, `adult`, `pupil`, `sessions`, `most` (within as many days as are set),
      `out_of_hours`, `unlogged`, `first`, `last`; sessions minutes apart count as one
    - `sessions`: those of the pairs, the newest first: `session_id`, `adult_id`, `pupil_id`, `started_at`, `ended_at`,
      `purpose` (blank: not logged), `out_of_hours`, `logged`
    """

    pairs: pd.DataFrame
    sessions: pd.DataFrame


def list_repeats(school: School, person: Person, days: Days) -> Repeats:
    """The repeated one-to-ones of the days, without confidential sessions. The Senior Deputy Head sees all, DSPs those
    of pupils who are in their school today, and nobody sees their own. Raises NotAllowedError for anybody else.

    One to one: one pupil in the call and no second member of staff; without a call, one pupil in the log. A second
    member whom the log names as invited does not count: nothing shows that they came. Out of hours: outside the hours
    of academic tuition on that day, or at a weekend. Sessions of a pair that lie as near as a log may lie to its call,
    as after a dropped connection, are one meeting: it is out of hours or not logged if one of them is.
    """
    require(person, Resource.REPEATED_ONE_TO_ONES)
    today, limits = school.today(), school.settings.repeats
    pupils = select_pupils(today)
    if Scope.ALL not in get_scopes(person, Resource.REPEATED_ONE_TO_ONES):
        pupils = pupils.where(pupils.selected_columns["school"] == person.school)
    names = read_frame(school, pupils).set_index("pupil_id")["name"]
    with school.engine.connect() as connection:
        candidates = reading.read_frame(connection, _select_candidates(days, today))
        # A room without staff is no one-to-one of its organiser.
        with_staff = decode_outcomes(connection, candidates)["logged"] != Outcome.NOT_APPLICABLE
    rows = _find_one_to_ones(in_school_time(school, candidates[with_staff].drop(columns=["codes", "clause_set_id"])))
    rows = rows[(rows["adult_id"] != person.staff_id) & rows["pupil_id"].isin(names.index)].reset_index(drop=True)
    rows["out_of_hours"] = _is_out_of_hours(school, rows)
    meetings = _unite_to_meetings(school, rows)
    most, most_out = (_count_within(some, limits.days) for some in (meetings, meetings[meetings["out_of_hours"]]))
    pairs = (
        meetings.assign(most=most, most_out=most_out)
        .groupby(["adult_id", "pupil_id"], as_index=False)
        .agg(
            adult=("adult", "first"),
            sessions=("meeting", "size"),
            most=("most", "max"),
            most_out=("most_out", "max"),
            out_of_hours=("out_of_hours", "sum"),
            unlogged=("unlogged", "sum"),
            first=("started_at", "min"),
            last=("last", "max"),
        )
    )
    pairs = pairs[(pairs["most"] >= limits.sessions) | (pairs["most_out"] >= limits.out_of_hours)]
    pairs = pairs.assign(adult=pairs["adult"].fillna("unknown"), pupil=pairs["pupil_id"].map(names))
    of_pairs = rows.drop(columns="adult").merge(pairs[["adult_id", "pupil_id"]], on=["adult_id", "pupil_id"])
    return Repeats(
        pairs.drop(columns="most_out").sort_values(["adult", "pupil"], ignore_index=True),
        of_pairs.sort_values("started_at", ascending=False, ignore_index=True),
    )


def _select_candidates(days: Days, today: date) -> Select[Any]:
    """The sessions of the days with the numbers of staff and pupils in the call, or else in the log, and the id of one
    of each; the `adult` by today's name."""
    of_call, participant = tables.session_calls.c, tables.session_pupils.c
    took_part = _select_took_part().subquery()
    person = took_part.c
    in_call = (
        select(
            of_call.session_id,
            func.count(person.staff_id.distinct()).label("staff"),
            func.count(person.pupil_id.distinct()).label("pupils"),
            func.min(person.staff_id).label("staff_id"),
            func.min(person.pupil_id).label("pupil_id"),
        )
        .join(took_part, person.call_id == of_call.call_id)
        .join(tables.sessions, SESSION.id == of_call.session_id)
        .where(is_during(days), of_call.part == CallPart.SESSION)
        .group_by(of_call.session_id)
        .subquery()
    )
    listed = (
        select(participant.session_id, func.count().label("pupils"), func.min(participant.pupil_id).label("pupil_id"))
        .join(tables.sessions, SESSION.id == participant.session_id)
        .where(is_during(days))
        .group_by(participant.session_id)
        .subquery()
    )
    adult_id = func.coalesce(in_call.c.staff_id, SESSION.staff_id)
    query = (
        select(
            SESSION.id.label("session_id"),
            SESSION.started_at,
            SESSION.ended_at,
            SESSION.purpose,
            SESSION.log_id.is_not(None).label("logged"),
            SESSION.codes,
            SESSION.clause_set_id,
            func.coalesce(in_call.c.staff, 0).label("staff"),
            func.coalesce(func.nullif(in_call.c.pupils, 0), listed.c.pupils).label("pupils"),
            adult_id.label("adult_id"),
            func.coalesce(in_call.c.pupil_id, listed.c.pupil_id).label("pupil_id"),
        )
        .join(listed, listed.c.session_id == SESSION.id)
        .outerjoin(in_call, in_call.c.session_id == SESSION.id)
        .where(is_during(days), not_(is_confidential()))
    )
    return with_staff_name(query, "adult", adult_id, today)


def _select_took_part() -> CompoundSelect[Any]:
    """Who took part in each call, also at unknown times: `call_id`, `staff_id`, `pupil_id`."""
    stay, listed = tables.call_stays.c, tables.call_listed.c
    return union_all(
        select(stay.call_id, stay.staff_id, stay.pupil_id).where(stay.left_at > stay.joined_at),
        select(listed.call_id, listed.staff_id, listed.pupil_id),
    )


def _find_one_to_ones(rows: pd.DataFrame) -> pd.DataFrame:
    one = (rows["pupils"] == 1) & (rows["staff"] <= 1) & rows["adult_id"].notna()
    return rows[one.to_numpy(bool)].drop(columns=["staff", "pupils"]).astype({"adult_id": "int64", "pupil_id": "int64"})


def _is_out_of_hours(school: School, rows: pd.DataFrame) -> np.ndarray:
    hours = {day: school.settings.rules_on(day).academic_hours for day in set(rows["started_at"].dt.date)}
    within = [
        hours[start.date()][0] <= start.time() and end.time() <= hours[start.date()][1] and start.date() == end.date()
        for start, end in zip(rows["started_at"], rows["ended_at"], strict=True)
    ]
    at_weekend = (rows["started_at"].dt.day_of_week >= 5).to_numpy(bool)
    return np.asarray(~np.array(within, bool) | at_weekend, bool)


def _unite_to_meetings(school: School, rows: pd.DataFrame) -> pd.DataFrame:
    """The meetings that sessions of pairs make up: `meeting` (a number), `adult_id`, `pupil_id`, `adult`, `started_at`,
    `last` (when its last session started), `out_of_hours`, `unlogged`."""
    pair = ["adult_id", "pupil_id"]
    rows = rows.sort_values([*pair, "started_at", "session_id"], ignore_index=True)
    ended = rows["ended_at"].dt.tz_convert("UTC").groupby([rows[name] for name in pair]).cummax()
    gap = rows["started_at"] - ended.groupby([rows[name] for name in pair]).shift()
    near = [timedelta(minutes=school.settings.rules_on(day).match_minutes) for day in rows["started_at"].dt.date]
    follows = gap <= pd.Series(near, index=rows.index, dtype="timedelta64[us]")
    rows = rows.assign(meeting=(~follows).cumsum(), unlogged=~rows["logged"].astype(bool))
    return rows.groupby("meeting", as_index=False).agg(
        adult_id=("adult_id", "first"),
        pupil_id=("pupil_id", "first"),
        adult=("adult", "first"),
        started_at=("started_at", "first"),
        last=("started_at", "last"),
        out_of_hours=("out_of_hours", "any"),
        unlogged=("unlogged", "any"),
    )


def _count_within(rows: pd.DataFrame, days: int) -> pd.Series:
    """For each meeting, how many its adult and pupil had in the last `days` days, including this one."""
    pair = rows.groupby(["adult_id", "pupil_id"]).ngroup().to_numpy(np.int64)
    day = rows["started_at"].dt.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    at = pair * 10**6 + day  # days since 1970: always fewer than 10**6
    in_order = np.sort(at)
    first = np.searchsorted(in_order, at - days, side="right")
    begins = np.searchsorted(in_order, pair * 10**6, side="left")
    upto = np.searchsorted(in_order, at, side="right")
    return pd.Series(upto - np.maximum(first, begins), index=rows.index)
