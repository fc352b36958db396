"""Who has read and understood the protocol: each version once, from the day on which it came into force.

Asked are all who work with sessions: those who hold them by their roles or have held one, and those whose role reads
the sessions of others or their figures. An ICT administrator without another role is asked only after holding a
session. Counselling counts for nobody, so that the list does not show who had a session of it. The day on which it
came into force identifies a version, because its name may be corrected.
"""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import ColumnElement, Select, and_, exists, not_, or_, select

from app.access.policy import Person, require
from app.access.scope import SESSION, in_school_time, is_confidential
from app.school import School
from app.settings import Version
from app.store import reading, tables
from app.store.versions import is_there_on, list_contains, valid_versions
from app.vocabulary.roles import Resource, Role, Scope

_confirmation = tables.confirmations.c


@dataclass(frozen=True)
class Confirmed:
    """How many of the staff who are asked have confirmed the version in force."""

    version: Version
    confirmed: int
    asked: int


def find_version_to_confirm(school: School, person: Person) -> Version | None:
    """The version in force that the person is still to confirm; None if there is none."""
    version = school.settings.version_on(school.today())
    if version is None:
        return None
    own = select(_confirmation.id).where(
        _confirmation.staff_id == person.staff_id, _confirmation.version_from == version.from_
    )
    with school.engine.connect() as connection:
        if connection.scalar(own) is not None:
            return None
        by_role = not person.roles or any(_works_with_sessions(role) for role in person.roles)
        return version if by_role or connection.scalar(select(_has_held_a_session(person.staff_id))) else None


def list_confirmations(school: School, person: Person) -> pd.DataFrame:
    """All who are asked to confirm the version in force, by name: `staff_id`, `name`, `department`, `confirmed_at`
    (blank: not yet). Empty before the first version."""
    require(person, Resource.CONFIRMATIONS, Scope.ALL)
    return _read_confirmations(school)


def count_confirmations(school: School, person: Person) -> Confirmed | None:
    """How many have confirmed the version in force; None before the first version."""
    require(person, Resource.CONFIRMATIONS)
    version = school.settings.version_on(school.today())
    if version is None:
        return None
    rows = _read_confirmations(school)
    return Confirmed(version, int(rows["confirmed_at"].notna().sum()), len(rows))


def _read_confirmations(school: School) -> pd.DataFrame:
    version = school.settings.version_on(school.today())
    staff = _select_asked(school).subquery()
    is_of_version = and_(
        _confirmation.staff_id == staff.c.staff_id, _confirmation.version_from == (version.from_ if version else None)
    )
    query = (
        select(staff, _confirmation.confirmed_at)
        .outerjoin(tables.confirmations, is_of_version)
        .order_by(staff.c.name, staff.c.staff_id)
    )
    with school.engine.connect() as connection:
        rows = in_school_time(school, reading.read_frame(connection, query))
    return rows if version else rows.iloc[:0]


def _select_asked(school: School) -> Select[tuple[int, str, str]]:
    """The staff who are asked today: `staff_id`, `name`, `department`."""
    staff = valid_versions(tables.staff_versions)
    roles = [list_contains(staff.c.roles, role) for role in Role if _works_with_sessions(role)]
    is_asked = or_(staff.c.roles == "", *roles, _has_held_a_session(staff.c.staff_id))
    return select(staff.c.staff_id, staff.c.name, staff.c.department).where(
        is_there_on(staff, school.today()), is_asked
    )


def _works_with_sessions(role: Role) -> bool:
    """Whether a role holds sessions, reads those of others, or reads their figures."""
    holds = role.has_pupils or role is Role.COUNSELLOR
    return holds or bool({Resource.SESSIONS, Resource.OVERVIEW} & role.grants.keys())


def _has_held_a_session(staff_id: ColumnElement[int] | int) -> ColumnElement[bool]:
    return exists().where(SESSION.staff_id == staff_id, not_(is_confidential()))
