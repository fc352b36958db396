"""Which concerns a person may open, and which of them they follow up, as conditions for every query.

The DSPs and the Senior Deputy Head may open a concern about conduct, except anybody whom it names. Whoever was once
named never sees it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select, true

from app.access.policy import Person, get_scopes, list_roles_with
from app.access.scope import select_concern_ids_of_school, select_staff
from app.school import School
from app.store import tables
from app.store.concerns import CONDUCT, Register, list_named
from app.store.versions import valid_on, valid_versions
from app.vocabulary.roles import Resource, Scope


def concerns_open_to(school: School, person: Person, register: Register) -> ColumnElement[bool]:
    """The concerns of a register that a person may open, as a condition on its concerns."""
    followed = _is_followed_by(school, person, register)
    if Scope.SHARED in get_scopes(person, register.resource):
        return or_(followed, tables.concerns.c.id.in_(_select_shared_with(person)))
    return followed


def _is_followed_by(school: School, person: Person, register: Register) -> ColumnElement[bool]:
    """The concerns that a person may open and change: a DSP who leads a year can only read what another school shares
    with them."""
    granted = get_scopes(person, register.resource)
    if register is CONDUCT:
        return does_not_name(school, person) if Scope.NOT_NAMING_THEM in granted else false()
    if Scope.ALL in granted:
        return true()
    if Scope.OWN_SCHOOL in granted:
        return tables.concerns.c.id.in_(select_concern_ids_of_school(person.school, school.today()).correlate(None))
    return false()


def find_followed(school: School, connection: Connection, person: Person, register: Register) -> set[int]:
    return set(connection.scalars(select(register.concerns.c.id).where(_is_followed_by(school, person, register))))


def _select_shared_with(person: Person) -> Any:
    """The concerns that are shared with the person, by the last event about sharing."""
    event = tables.concern_events.c
    of_sharing = and_(event.recipient_id == person.staff_id, event.kind.in_(("shared", "unshared")))
    last = select(func.max(event.id)).where(of_sharing).group_by(event.concern_id)
    return select(event.concern_id).where(event.id.in_(last), event.kind == "shared").correlate(None)


def does_not_name(school: School, person: Person) -> ColumnElement[bool]:
    with school.engine.connect() as connection:
        naming = [concern_id for concern_id, staff_id in list_named(connection) if staff_id == person.staff_id]
    return tables.conduct_concerns.c.id.not_in(naming)


def find_dsps(connection: Connection, pupil_ids: Sequence[int], day: date) -> Sequence[int]:
    """The staff ids of the DSPs, on a day, of the schools that some pupils are in."""
    pupil = valid_versions(tables.pupil_versions)
    schools = select(pupil.c.school).where(pupil.c.pupil_id.in_(pupil_ids), valid_on(pupil, day))
    dsps = select_staff(day, list_roles_with(Resource.CONCERNS, Scope.OWN_SCHOOL))
    return connection.scalars(dsps.where(dsps.selected_columns["school"].in_(schools))).all()


def find_conduct_team(connection: Connection, concern_id: int, day: date) -> Sequence[int]:
    """The staff ids of those who may see a concern about conduct on a day: the DSPs and Senior Deputy Heads whom it
    does not name."""
    named = {staff_id for _, staff_id in list_named(connection, concern_id)}
    team = select_staff(day, list_roles_with(Resource.CONDUCT_CONCERNS, Scope.NOT_NAMING_THEM))
    return connection.scalars(team.where(team.selected_columns["staff_id"].not_in(named))).all()
