"""Finds staff by account, for sign-in, and by role, for the demonstration."""

from sqlalchemy import ColumnElement, Connection, and_, exists, not_, or_, select, true

from app.access.policy import Person
from app.school import School
from app.store import reading, tables
from app.store.versions import is_there_on, valid_versions
from app.store.writing import get_meta
from app.vocabulary.roles import Role


def find_person(school: School, email: str) -> Person | None:
    """The member of staff with this email; None if the roster has none, or they have left. A former email finds
    nobody."""
    return next(iter(_find_people(school, tables.staff.c.email == email.strip().lower())), None)


def find_account(school: School, entra_id: str, email: str) -> Person | None:
    """The member of staff whose account this is; None if the roster has none, or they have left.

    The Entra id decides. The email counts only for somebody of whom the roster has no Entra id, and only of an account
    whose Entra id, if it has one, is nobody else's: it may belong to somebody else, who was given the address.
    """
    address, account = email.strip().lower(), entra_id.strip().lower()
    staff, others = tables.staff.c, tables.staff.alias().c
    known = exists().where(others.entra_id == account)
    by_address = and_(staff.email == address, staff.entra_id.is_(None), not_(known))
    person = next(iter(_find_people(school, or_(staff.entra_id == account, by_address))), None)
    return None if person and account and _is_pupils(school, account, person) else person


def _is_pupils(school: School, account: str, person: Person) -> bool:
    """Whether an Entra id, by which or by whose address a member of staff was found, is a pupil's."""
    with school.engine.connect() as connection:
        if connection.scalar(select(tables.staff.c.entra_id).where(tables.staff.c.id == person.staff_id)) == account:
            return False
        return account in set(connection.scalars(select(tables.pupils.c.entra_id)))


def list_staff(school: School) -> list[Person]:
    """All members of staff on the roster today."""
    return _find_people(school, true())


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
    everybody = sorted(list_staff(school), key=lambda p: (len(p.roles), p.email not in usual, p.email))
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
