"""Heads of Year and House who look after nobody: their year or house is missing, or written differently."""

from datetime import date

from sqlalchemy import Connection, not_, select

from app.formatting import how_many
from app.store import tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary.roles import Role


def list_groups_without_pupils(connection: Connection, today: date) -> list[str]:
    """A clause for each year of a Head of Year and house of a Head of House that no pupil of their school is in; none
    for a school without pupils."""
    staff, pupil = valid_versions(tables.staff_versions), valid_versions(tables.pupil_versions)
    pupils = connection.execute(
        select(pupil.c.school, pupil.c.year_group, pupil.c.house).where(valid_on(pupil, today), not_(pupil.c.has_left))
    ).all()
    years = {(row.school, row.year_group.lower()) for row in pupils}
    houses = {(row.school, row.house.lower()) for row in pupils}
    schools = {row.school for row in pupils}
    leaders = connection.execute(
        select(staff.c.school, staff.c.year_groups, staff.c.houses).where(
            valid_on(staff, today), not_(staff.c.has_left), staff.c.school.in_(schools)
        )
    )
    empty: dict[str, None] = {}
    for row in leaders:
        for cell, what, known in ((row.year_groups, "year", years), (row.houses, "house", houses)):
            for name in filter(None, cell.split(";")):
                if (row.school, name.lower()) not in known:
                    empty[f"no pupil of {row.school} is in the {what} {name}, which somebody looks after"] = None
    return list(empty)


def list_leaders_without_groups(connection: Connection, today: date) -> list[str]:
    """A clause for the Heads of Year without a year, and one for the Heads of House without a house."""
    staff = valid_versions(tables.staff_versions)
    rows = connection.execute(
        select(staff.c.roles, staff.c.year_groups, staff.c.houses).where(valid_on(staff, today), not_(staff.c.has_left))
    ).all()
    clauses = []
    for role, column, what in ((Role.HOY, "year_groups", "year"), (Role.HM, "houses", "house")):
        number = sum(role in row.roles.split(";") and not getattr(row, column) for row in rows)
        if number:
            who = how_many(number, f"person with the role {role.label} has", f"people with the role {role.label} have")
            clauses.append(f"{who} no {what}, and so no pupils: give it in the column {column}")
    return clauses
