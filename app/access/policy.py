"""Who may see what: the roles' grants in `app.vocabulary.roles`, asked for a person."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from app.vocabulary.roles import STAFF_GRANTS, Page, Resource, Role, Scope
from app.vocabulary.terms import Purpose

Days = tuple[date, date]  # from the first to the last, both included

# The only clause of somebody else's counselling that is shown: the others depend on who took part, or on registers of
# these pupils, so that an entry there would tell of them.
SHOWN_OF_COUNSELLING = "purpose-allowed"

COUNSELLING = Purpose.COUNSELLING
OTHER_PURPOSES = (Purpose.MUSIC, Purpose.ACADEMIC, Purpose.PASTORAL)

UNDER = 3  # no smaller number of counselling sessions is ever shown


class NotAllowedError(Exception):
    """The person may not ask this; the message names the resource and no person."""


@dataclass(frozen=True)
class Person:
    """A member of staff as the roster knows them today. `year_groups` and `houses` are those that
    they look after as HOY or HM, in their own school."""

    staff_id: int
    email: str
    name: str
    school: str
    department: str
    roles: frozenset[Role]
    year_groups: frozenset[str]
    houses: frozenset[str]


def list_grants(resource: Resource) -> Iterator[tuple[Role | None, Scope]]:
    """Who may see how much of a resource: each role with its scope; None: every member of staff."""
    if resource in STAFF_GRANTS:
        yield None, STAFF_GRANTS[resource]
    yield from ((role, role.grants[resource]) for role in Role if resource in role.grants)


def list_roles_with(resource: Resource, *scopes: Scope) -> list[Role]:
    """The roles that are granted one of the scopes of a resource; without scopes, any of them."""
    return [role for role, scope in list_grants(resource) if role and (scope in scopes or not scopes)]


def get_scopes(person: Person, resource: Resource) -> set[Scope]:
    """How much of a resource the person may see, by each of their roles; empty: nothing."""
    return {scope for role, scope in list_grants(resource) if role is None or role in person.roles}


def require(person: Person, resource: Resource, scope: Scope | None = None) -> None:
    """Raise NotAllowedError unless the person may see some of a resource, or has this scope of it."""
    granted = get_scopes(person, resource)
    if not granted or (scope and scope not in granted):
        raise NotAllowedError(f"You do not have access to {resource.label}.")


def may_open(person: Person, page: Page) -> bool:
    """Whether the person may open a page."""
    return bool(get_scopes(person, page.resource))


def get_first_page(person: Person) -> Page:
    """The page that opens first: the first in the navigation that one of the person's roles names."""
    named = {role.first_page for role in Role if role in person.roles}
    return next((page for page in Page if page in named), Page.LOG)


def describe_post(person: Person, roles: Iterable[Role] = Role, *, welsh: bool = False) -> str:
    """A person's post at the school, by the first of some roles that they have: "Head of Year 9", "Tutor"."""
    role = next((role for role in roles if role in person.roles), None)
    if role is None:
        return "Aelod o staff" if welsh else "Member of staff"
    looked_after = sorted({Role.HOY: person.year_groups, Role.HM: person.houses}.get(role, ()))
    post, joint = (role.welsh, " a ") if welsh else (role.label, " and ")
    return f"{post} {joint.join(looked_after)}".strip()
