"""Finds staff by account, for sign-in, and by role, for the demonstration."""

from sqlalchemy import ColumnElement, Connection, and_, exists, not_, or_, select, true

from app.access.policy import Person
from app.school import School
from app.store import reading, tables
from app.store.versions import is_there_on, valid_versions
from app.store.writing import get_meta
from app.vocabulary.roles import Role


def find_person(school: School, email: str, entra_id: str = "") -> Person | None:
    """The member of staff with this Entra id, else with this email; None if the roster has none, or they have left.

    A former email finds nobody. With an Entra id that is not theirs, an email finds nobody either: the account may be
    somebody else's, who was given the address.
    """
    address, account = email.strip().lower(), entra_id.strip().lower()
    is_theirs = tables.staff.c.email == address
    if account:
        known = exists().where(tables.staff.alias().c.entra_id == account)
        by_address = and_(is_theirs, tables.staff.c.entra_id.is_(None), not_(known))
        is_theirs = or_(tables.staff.c.entra_id == account, by_address)
    person = next(iter(_find_people(school, is_theirs)), None)
    return None if person and account and _is_pupils(school, account, person) else person


def _is_pupils(school: School, account: str, person: Person) -> bool:
    """Whether an Entra id, by which or by whose address a member of staff was found, is a pupil's."""
    with school.engine.connect() as connection:
        if connection.scalar(select(tables.staff.c.entra_id).where(tables.staff.c.id == person.staff_id)) == account:
            return False
        return account in set(connection.scalars(select(tables.pupils.c.entra_id)))


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


def list_addresses(connection: Connection) -> list[tuple[int, str]]:
    """The present and former addresses of staff, each with its owner's number."""
    former = tables.former_emails.c
    queries = (
        select(tables.staff.c.id, tables.staff.c.email),
        select(former.staff_id, former.email).where(former.staff_id.is_not(None)),
    )
    return [(number, address) for query in queries for number, address in connection.execute(query)]


def _find_people(school: School, condition: ColumnElement[bool]) -> list[Person]:
    version = valid_versions(tables.staff_versions)
    query = (
        select(tables.staff.c.email, version)
        .join(version, version.c.staff_id == tables.staff.c.id)
        .where(condition, is_there_on(version, school.today()))
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
