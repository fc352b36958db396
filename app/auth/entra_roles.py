"""The app roles of a sign-in with Entra ID, where roles come from there (ROLES_FROM), and whether the roster has them.

What is confidential, who is alerted and who owns a breach follow the roster, also for people who have not signed in. So
a sign-in gives nobody a role that the roster does not have, and where the two differ the database remembers it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from app.access.people import list_staff
from app.access.policy import Person
from app.formatting import how_many
from app.school import School
from app.settings import SettingsError, get_variable
from app.store import tables
from app.store.writing import set_meta
from app.vocabulary.roles import Role

_KEY = "entra_roles_of_"  # in front of a staff id
_NOTED_EVERY, _COUNTS_FOR = timedelta(hours=1), timedelta(days=1)
_NEEDED = (Role.SENIOR_DEPUTY_HEAD, Role.DSP)  # nobody else receives a concern
_FOLLOWED = (*_NEEDED, Role.COUNSELLOR, Role.HOY, Role.HM)  # confidentiality, alerts and breaches depend on them
_FIX = (
    "What is confidential, who is alerted and who owns breaches follow the roster: bring its roles up to date by "
    "python -m app sync roster, with the groups of each role in [entra_roster.roles] of the settings, or by importing "
    "staff.csv."
)


def takes_roles_from_entra() -> bool:
    """Whether people get the app roles of their sign-in, as far as the roster has them, instead of all of the roster's.
    Raises SettingsError if ROLES_FROM says neither."""
    value = get_variable("ROLES_FROM") or "roster"
    if value not in ("roster", "entra"):
        raise SettingsError(f"ROLES_FROM is {value!r}: give roster, or entra for the app roles of the sign-in.")
    return value == "entra"


def read_claimed_roles(claims: Mapping[str, Any]) -> frozenset[Role]:
    """The app roles of a sign-in that are roles of the program."""
    claimed = claims.get("roles")
    words = claimed if isinstance(claimed, list) else [claimed]
    return frozenset(role for role in Role if role in words)


def note_roles(school: School, person: Person, claimed: frozenset[Role]) -> None:
    """Remember with which roles somebody signed in, as long as they are not those of the roster."""
    key, now = f"{_KEY}{person.staff_id}", school.now()
    noted = next((note for note in _read_notes(school) if note[0] == person.staff_id), None)
    differs = claimed != person.roles
    if noted is None and not differs:
        return
    if noted and differs and noted[1] == claimed and now - noted[2] < _NOTED_EVERY:
        return
    with school.writing() as connection:
        if differs:
            set_meta(connection, key, f"{now.isoformat()} {';'.join(sorted(claimed))}")
        else:
            connection.execute(delete(tables.meta).where(tables.meta.c.key == key))


def describe_missing_roles(school: School) -> str | None:
    """Which roles of Entra the roster does not have, with the fix, so that the program does not start; None if it has
    all that are known, or roles do not come from Entra."""
    if not takes_roles_from_entra() or school.is_untouched():
        return None
    present = {role for person in list_staff(school) for role in person.roles}
    if nobody := [role.label for role in _NEEDED if role not in present]:
        return f"ROLES_FROM is entra, but nobody on the roster is {' or '.join(nobody)}. {_FIX}"
    if missing := _count(school, lambda claimed, stored: claimed - stored):
        return f"Entra ID gave roles at sign-in that the roster does not have: {missing}. {_FIX}"
    return None


def describe_outdated_roles(school: School) -> str | None:
    """Which roles the roster has that Entra no longer gives, with the fix; None if none is known."""
    if not takes_roles_from_entra():
        return None
    outdated = _count(school, lambda claimed, stored: (stored - claimed) & set(_FOLLOWED))
    return f"The roster has roles that Entra ID did not give at sign-in: {outdated}. {_FIX}" if outdated else None


def _count(school: School, differ: Callable[[frozenset[Role], frozenset[Role]], Iterable[Role]]) -> str:
    """How many people differ in which roles, as far as sign-ins of the last day have shown it."""
    stored = {person.staff_id: person.roles for person in list_staff(school)}
    found = [
        role
        for number, claimed, noted_at in _read_notes(school)
        if number in stored and school.now() - noted_at <= _COUNTS_FOR
        for role in differ(claimed, stored[number])
    ]
    counts = ((role, found.count(role)) for role in Role)
    return ", ".join(f"{role.label} ({how_many(number, 'person', 'people')})" for role, number in counts if number)


def _read_notes(school: School) -> Iterator[tuple[int, frozenset[Role], datetime]]:
    """Staff ids, with which roles they signed in, and when."""
    key = tables.meta.c.key
    with school.engine.connect() as connection:
        notes = connection.execute(select(tables.meta).where(key.startswith(_KEY, autoescape=True))).all()
    for note in notes:
        noted_at, _, words = note.value.partition(" ")
        claimed = words.split(";")
        yield (
            int(note.key.removeprefix(_KEY)),
            frozenset(role for role in Role if role in claimed),
            datetime.fromisoformat(noted_at),
        )
