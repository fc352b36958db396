"""Which sessions a person may open, as conditions for every query of sessions."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, false, func, not_, or_, select, true

from app.access.policy import COUNSELLING, OTHER_PURPOSES, Days, Person, get_scopes
from app.school import School
from app.store import reading, tables
from app.store.versions import is_there_on, list_contains, valid_on, valid_versions
from app.vocabulary.roles import Resource, Role, Scope

SESSION = tables.sessions.c
PUPIL_FACTS = ("name", "school", "year_group", "house")


def select_past_and_present_counsellors() -> Select[Any]:
    """The ids of staff who are or were counsellors: a new one may have begun before the roster said so."""
    version = tables.staff_versions.c
    return select(version.staff_id).where(list_contains(version.roles, Role.COUNSELLOR)).correlate(None)


def is_confidential() -> ColumnElement[bool]:
    """Whether a session is counselling, or may be."""
    return or_(SESSION.confidential, is_counselling(SESSION.purpose, SESSION.staff_id))


def is_counselling(purpose: ColumnElement[Any], staff_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Counselling, a counsellor's call that is not logged, or one whose purpose the counsellor misspelt."""
    purpose = func.lower(func.coalesce(purpose, ""))
    return or_(
        purpose == COUNSELLING,
        and_(func.coalesce(staff_id, 0).in_(select_past_and_present_counsellors()), purpose.not_in(OTHER_PURPOSES)),
    )


def find_counselling(purpose: pd.Series, staff_id: pd.Series, counsellors: Sequence[int]) -> pd.Series:
    """For each row, whether it is counselling as in `is_counselling`; `purpose` is categorical."""
    words = purpose.map(str.lower, na_action="ignore")
    return words.isin([COUNSELLING]) | (staff_id.isin(counsellors) & ~words.isin(OTHER_PURPOSES))


def _is_counselling_by_others() -> ColumnElement[bool]:
    return and_(
        func.lower(SESSION.purpose) == COUNSELLING, SESSION.staff_id.not_in(select_past_and_present_counsellors())
    )


def is_open_to(person: Person, today: date) -> ColumnElement[bool]:
    """The sessions that a person may open, as a condition on `sessions`."""
    granted = get_scopes(person, Resource.SESSIONS)
    of_others: list[ColumnElement[bool]] = [false()]
    if Scope.ALL in granted:
        of_others = [true()]
    else:
        if granted & {Scope.YEAR_GROUPS, Scope.HOUSES}:
            of_others.append(_is_of_pupils_led_by(person))
        if Scope.LINKED_TO_CONCERN in granted:
            of_others.append(_is_linked_to_concern(person.school, today))
    visible = or_(SESSION.staff_id == person.staff_id, and_(not_(is_confidential()), or_(*of_others)))
    if Scope.NOT_BY_COUNSELLORS in get_scopes(person, Resource.COUNSELLING_SESSIONS):
        return or_(visible, _is_counselling_by_others())
    return visible


def _is_of_pupils_led_by(person: Person) -> ColumnElement[bool]:
    """Sessions with the pupils whom a person looks after, and those conducted by these pupils' tutors; pupils and
    tutors as on the session's day."""
    pupil, participant = valid_versions(tables.pupil_versions), tables.session_pupils.c
    led = and_(is_led_by(person, Resource.SESSIONS, pupil), valid_on(pupil, SESSION.day))
    # Only `sessions` comes from the outer query, which may join other pupils. One `exists` in the other, and no join:
    # a database would look for each of the pupils in the session, instead of for its few participants among the pupils.
    is_led = exists(select(pupil.c.pupil_id).where(pupil.c.pupil_id == participant.pupil_id, led))
    is_led = is_led.correlate(tables.session_pupils, tables.sessions)
    with_pupils = select(participant.pupil_id).where(participant.session_id == SESSION.id, is_led)
    by_tutors = select(pupil.c.pupil_id).where(pupil.c.tutor_id == SESSION.staff_id, led, not_(pupil.c.has_left))
    return or_(*(exists(query.correlate(tables.sessions)) for query in (with_pupils, by_tutors)))


def is_led_by(person: Person, resource: Resource, pupil: Subquery) -> ColumnElement[bool]:
    """Whether a pupil is in a year or house that the person looks after in their school and may see of a resource;
    true of every pupil if they may see all of the resource."""
    granted = get_scopes(person, resource)
    if Scope.ALL in granted:
        return true()
    conditions: list[ColumnElement[bool]] = [false()]
    looked_after = ((Scope.YEAR_GROUPS, "year_group", person.year_groups), (Scope.HOUSES, "house", person.houses))
    for scope, column, words in looked_after:
        if scope in granted:
            cell = pupil.c[column]
            conditions.append(or_(cell.in_(words), func.lower(cell).in_([word.lower() for word in words])))
    return and_(pupil.c.school == person.school, or_(*conditions))


def select_concern_ids_of_school(code: str, today: date) -> Select[Any]:
    """The ids of concerns about a pupil who is at the school today."""
    pupil, about = valid_versions(tables.pupil_versions), tables.concern_pupils.c
    return (
        select(about.concern_id)
        .join(pupil, pupil.c.pupil_id == about.pupil_id)
        .where(pupil.c.school == code, valid_on(pupil, today))
    )


def _is_linked_to_concern(code: str, today: date) -> ColumnElement[bool]:
    """Sessions linked to a concern about a pupil of a school."""
    link = tables.concern_sessions.c
    links = select(link.log_ref, link.call_id).where(link.concern_id.in_(select_concern_ids_of_school(code, today)))
    return is_linked(links.with_only_columns(link.log_ref), links.with_only_columns(link.call_id))


def is_linked(log_refs: Any, call_ids: Any) -> ColumnElement[bool]:
    """Whether a session's log, or one of its calls, is in some references or ids (lists or queries)."""
    log, call = tables.logs.c, tables.session_calls.c
    by_log = select(log.id).where(log.ref.in_(log_refs))
    by_call = select(call.session_id).where(call.call_id.in_(call_ids))
    return or_(SESSION.log_id.in_(by_log.correlate(None)), SESSION.id.in_(by_call.correlate(None)))


def is_during(days: Days) -> ColumnElement[bool]:
    """The sessions of some days, as a condition on `sessions`."""
    return SESSION.day.between(*days)


def find_start_and_end(school: School, days: Days) -> tuple[datetime, datetime]:
    """When the first of some days begins, and when the last one has ended."""
    zone = school.settings.zone
    return datetime.combine(days[0], time(), zone), datetime.combine(days[1] + timedelta(days=1), time(), zone)


def with_staff_name(
    query: Select[Any], label: str, staff_id: ColumnElement[Any], day: ColumnElement[date] | date
) -> Select[Any]:
    """A query with the name of a member of staff, as on a day, as one more column; blank if there is none."""
    staff = valid_versions(tables.staff_versions)
    named = query.add_columns(staff.c.name.label(label))
    return named.outerjoin(staff, and_(staff.c.staff_id == staff_id, valid_on(staff, day)))


def select_staff(day: date, roles: Iterable[Role]) -> Select[Any]:
    """The staff who have one of some roles on a day: `staff_id`, `name`, `school`, `year_groups`, `houses`."""
    staff = valid_versions(tables.staff_versions)
    query = select(staff.c.staff_id, staff.c.name, staff.c.school, staff.c.year_groups, staff.c.houses)
    has_role = or_(false(), *(list_contains(staff.c.roles, role) for role in roles))
    return query.where(is_there_on(staff, day), has_role).order_by(staff.c.staff_id)


def select_pupils(day: date, *, with_leavers: bool = True) -> Select[Any]:
    """Every pupil as on a day: `pupil_id`, `email`, `name`, `school`, `year_group`, `house`."""
    pupil = valid_versions(tables.pupil_versions)
    return (
        select(pupil.c.pupil_id, tables.pupils.c.email, *(pupil.c[name] for name in PUPIL_FACTS))
        .join(tables.pupils, tables.pupils.c.id == pupil.c.pupil_id)
        .where(valid_on(pupil, day) if with_leavers else is_there_on(pupil, day))
    )


def read_frame(school: School, query: Select[Any]) -> pd.DataFrame:
    """A query's rows, with times in school time."""
    with school.engine.connect() as connection:
        return in_school_time(school, reading.read_frame(connection, query))


def read_frame_by_name(school: School, query: Select[Any], name: str = "name") -> pd.DataFrame:
    """A query's rows, as `read_frame` reads them, by the name of a pupil, which is encrypted in the database."""
    return sort_by_name(read_frame(school, query), name)


def sort_by_name(frame: pd.DataFrame, name: str = "name") -> pd.DataFrame:
    """Rows by the name of a pupil; equal names by address or else number."""
    others = [column for column in ("email", "pupil_id") if column in frame]
    return frame.sort_values([name, *others], kind="stable", ignore_index=True)


def join_values(ids: pd.Series, rows: pd.DataFrame, key: str, column: str = "name", by: str = ", ") -> list[str]:
    """For each id, the values of a column of its rows, joined; "" if it has no rows."""
    joined = rows.groupby(key)[column].agg(by.join).to_dict()
    return [joined.get(i, "") for i in ids]


def in_school_time(school: School, frame: pd.DataFrame) -> pd.DataFrame:
    """Convert a frame's times to school time, in place, and return it."""
    for column in frame.select_dtypes("datetimetz"):
        frame[column] = frame[column].dt.tz_convert(school.settings.timezone)
    return frame
