"""Finds staff by email, for sign-in and for the demonstration."""

from sqlalchemy import ColumnElement, select, true

from app.access.policy import Person
from app.school import School
from app.store import reading, tables
from app.store.versions import valid_on, valid_versions
from app.store.writing import get_meta
from app.vocabulary import Role


def find_person(school: School, email: str) -> Person | None:
    """The member of staff with this email; None if the roster has none."""
    return next(iter(_find_people(school, tables.staff.c.email == email.strip().lower())), None)


def list_demo_people(school: School) -> list[Person]:
    """One person of each role to view the demonstration as, in the order of Role; nobody unless this is the
    demonstration.

    Of several people with a role, the one with the fewest other roles and then with a few calls to log when the
    demonstration was made.
    """
    with school.engine.connect() as connection:
        if get_meta(connection, "demo") is None:
            return []
        usual = (get_meta(connection, "demo_usual") or "").split(";")
    everybody = sorted(_find_people(school, true()), key=lambda p: (len(p.roles), p.email not in usual, p.email))
    chosen: list[Person] = []
    for role in Role:
        chosen += [p for p in everybody if role in p.roles and p not in chosen][:1]
    return chosen


def _find_people(school: School, condition: ColumnElement[bool]) -> list[Person]:
    version = valid_versions(tables.staff_versions)
    query = (
        select(tables.staff.c.email, version)
        .join(version, version.c.staff_id == tables.staff.c.id)
        .where(condition, valid_on(version, school.today()))
        .order_by(tables.staff.c.email)
    )
    with school.engine.connect() as connection:
        return [
            Person(
                staff_id=row.staff_id,
                email=row.email,
                name=row.name,
                school=row.school,
                department=row.department,
                roles=frozenset(role for role in Role if role in _split(row.roles)),
                year_groups=_split(row.year_groups),
                houses=_split(row.houses),
            )
            for row in connection.execute(query)
        ]


def _split(cell: str) -> frozenset[str]:
    return frozenset(item.strip() for item in cell.split(";") if item.strip())


def read_revision(school: School) -> int:
    """A number that every write increases: what was read at one revision is valid until the next.

    What is read may also depend on the person and the day, so the key of a cache needs all three.
    """
    with school.engine.connect() as connection:
        return reading.get_revision(connection)
