"""Which concerns a person may open, and which of them they follow up, as conditions that stand in every query.

A concern about conduct is the DSPs' and the Senior Deputy Head's, less anybody it names: once named means never to
see it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select, true

from app.access.policy import Person, roles_with, scopes
from app.access.scope import holds_any, of_school
from app.school import School
from app.store import tables
from app.store.concerns import CONDUCT, Register
from app.store.versions import valid_on, valid_versions
from app.vocabulary import Resource, Scope


def concerns_open_to(school: School, person: Person, register: Register) -> ColumnElement[bool]:
    """The concerns of a register that a person may open, as a condition on its concerns."""
    followed = _followed_by(school, person, register)
    if Scope.SHARED in scopes(person, register.resource):
        return or_(followed, tables.concerns.c.id.in_(_shared_with(person)))
    return followed


def _followed_by(school: School, person: Person, register: Register) -> ColumnElement[bool]:
    """Those that they may open and change: a DSP who leads a year only reads what another school shares with them."""
    if register is CONDUCT:
        return _conduct_open_to(person)
    granted = scopes(person, Resource.CONCERNS)
    if Scope.ALL in granted:
        return true()
    if Scope.OWN_SCHOOL in granted:
        return tables.concerns.c.id.in_(of_school(person.school, school.today()).correlate(None))
    return false()


def find_followed(school: School, connection: Connection, person: Person, register: Register) -> set[int]:
    return set(connection.scalars(select(register.concerns.c.id).where(_followed_by(school, person, register))))


def _shared_with(person: Person) -> Any:
    """The concerns of which the last word on sharing with the person is that it is."""
    event = tables.concern_events.c
    of_sharing = and_(event.recipient_id == person.staff_id, event.kind.in_(("shared", "unshared")))
    last = select(func.max(event.id)).where(of_sharing).group_by(event.concern_id)
    return select(event.concern_id).where(event.id.in_(last), event.kind == "shared").correlate(None)


def _conduct_open_to(person: Person) -> ColumnElement[bool]:
    """The concerns about conduct that a person may open, as a condition on `conduct_concerns`."""
    granted = scopes(person, Resource.CONDUCT_CONCERNS)
    return does_not_name(person) if Scope.NOT_NAMING_THEM in granted else false()


def does_not_name(person: Person) -> ColumnElement[bool]:
    named = tables.conduct_named.c
    naming = select(named.concern_id).where(named.staff_id == person.staff_id).correlate(None)
    return tables.conduct_concerns.c.id.not_in(naming)


def find_dsps(connection: Connection, pupil_ids: Sequence[int], day: date) -> Sequence[int]:
    """The staff ids of those who have the concerns of the schools that pupils are in, on a day: the DSPs."""
    pupil, staff = valid_versions(tables.pupil_versions), valid_versions(tables.staff_versions)
    schools = select(pupil.c.school).where(pupil.c.pupil_id.in_(pupil_ids), valid_on(pupil, day))
    dsps = holds_any(staff.c.roles, roles_with(Resource.CONCERNS, Scope.OWN_SCHOOL))
    query = select(staff.c.staff_id).where(valid_on(staff, day), dsps, staff.c.school.in_(schools))
    return connection.scalars(query.order_by(staff.c.staff_id)).all()


def find_conduct_team(connection: Connection, concern_id: int, day: date) -> Sequence[int]:
    """The staff ids of those who may see a concern about conduct on a day: whom it does not name of the DSPs and
    Senior Deputy Heads."""
    staff, name = valid_versions(tables.staff_versions), tables.conduct_named.c
    named = select(name.staff_id).where(name.concern_id == concern_id, name.staff_id.is_not(None))
    team = holds_any(staff.c.roles, roles_with(Resource.CONDUCT_CONCERNS, Scope.NOT_NAMING_THEM))
    query = select(staff.c.staff_id).where(valid_on(staff, day), team, staff.c.staff_id.not_in(named))
    return connection.scalars(query.order_by(staff.c.staff_id)).all()
