"""Accounts, groups and deleted accounts of a stand-in for Microsoft Entra, in the documented shapes."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Engine, select

from app.school import School
from app.settings import EntraRoster
from app.store import tables
from tests import people

Answer = list[dict[str, Any]] | dict[str, Any] | None


def account(who: str, **other: Any) -> dict[str, Any]:
    """Somebody's account, by the short name."""
    of_staff = people.STAFF.get(who)
    name = people.PUPILS[who][0] if who in people.PUPILS else who.title()
    return {
        "id": people.entra(who),
        "displayName": name,
        "mail": people.email(who) if of_staff else None,
        "userPrincipalName": people.email(who),
        "department": of_staff[1] if of_staff else None,
        "accountEnabled": True,
        "userType": "Member",
        "employeeLeaveDateTime": None,
    } | other


@dataclass
class Group:
    """A group; `members` are Entra ids, also those of groups and devices inside it."""

    members: list[str]
    visibility: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Entra:
    """`users` and `deleted` as Graph lists them, `groups` by name; several of one name in a list of their own."""

    users: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    same_name: dict[str, Group] = field(default_factory=dict)
    deleted: list[dict[str, Any]] = field(default_factory=list)

    def user(self, who: str) -> dict[str, Any]:
        """Somebody's account, to be changed."""
        return next(one for one in self.users if one["id"] == people.entra(who))

    def remove(self, who: str) -> None:
        self.users.remove(self.user(who))

    def move(self, who: str, *, out_of: str = "", into: str = "") -> None:
        """Take somebody out of a group, or put them into one."""
        if out_of:
            self.groups[out_of].members.remove(people.entra(who))
        if into:
            self.groups[into].members.append(people.entra(who))

    def answer(self, path: str, query: dict[str, list[str]]) -> Answer:
        """The entries of a list, the object, or None if there is nothing at the path below /v1.0."""
        if path == "/users":
            return [_select(user, query) for user in self.users]
        if path == "/directory/deletedItems/microsoft.graph.user":
            return [_select(user, query) for user in self.deleted]
        if path == "/groups":
            (name,) = re.findall(r"^displayName eq '(.*)'$", query["$filter"][0])
            wanted = name.replace("''", "'")
            found = [groups[wanted] for groups in (self.groups, self.same_name) if wanted in groups]
            return [{"id": group.id, "visibility": group.visibility} for group in found]
        if match := re.fullmatch(r"/groups/([^/]+)(/transitiveMembers)?", path):
            group = next((one for one in self.groups.values() if one.id == match[1]), None)
            if group is None:
                return None
            if not match[2]:
                return {"id": group.id, "visibility": group.visibility}
            return [{"@odata.type": "#microsoft.graph.user", "id": member} for member in group.members]
        return None


def _select(user: dict[str, Any], query: dict[str, list[str]]) -> dict[str, Any]:
    assert 1 <= int(query["$top"][0]) <= 999
    return {name: user.get(name) for name in query["$select"][0].split(",")}


def fill(entra: Entra) -> None:
    """The school of `tests.people`, with a group for every role, year, house, school and tutor."""
    entra.users = [account(who) for who in (*people.STAFF, *people.PUPILS)]
    members: dict[str, list[str]] = {"All staff": list(people.STAFF), "All pupils": list(people.PUPILS)}

    def add(group: str, who: str) -> None:
        members.setdefault(group, []).append(who)

    for who, (school, _, roles, years, houses) in people.STAFF.items():
        words = [f"Role {role}" for role in roles.split(";")] + [f"Year {year}" for year in filter(None, [years])]
        for group in (school, *words, *(f"House {house}" for house in filter(None, [houses]))):
            add(group, who)
    for who, (_, school, year, house, tutor) in people.PUPILS.items():
        for group in (school, f"Year {year}", f"House {house}", f"Tutees of {tutor}"):
            add(group, who)
        if tutor not in members[f"Tutees of {tutor}"]:
            add(f"Tutees of {tutor}", tutor)
    entra.groups = {group: Group(ids(who)) for group, who in members.items()}


def ids(who: Iterable[str]) -> list[str]:
    return [people.entra(one) for one in who]


def settings(entra: Entra, **other: Any) -> dict[str, Any]:
    """`entra_roster` of the settings for the groups of `fill`."""

    def of(kind: str) -> dict[str, str]:
        return {name.removeprefix(f"{kind} "): name for name in entra.groups if name.startswith(f"{kind} ")}

    return {
        "staff": "All staff",
        "pupils": ["All pupils"],
        "schools": {"SEN": "SEN", "PREP": "PREP"},
        "roles": of("Role"),
        "year_groups": of("Year"),
        "houses": of("House"),
        "tutor_groups": [name for name in entra.groups if name.startswith("Tutees")],
    } | other


def with_settings(school: School, held: Entra, **other: Any) -> School:
    """The school with the settings of `settings`."""
    wanted = EntraRoster.model_validate(settings(held, **other))
    return replace(school, settings=school.settings.model_copy(update={"entra_roster": wanted}))


def roster(engine: Engine) -> list[str]:
    """Everything on the roster."""
    with engine.connect() as connection:
        return sorted(
            repr(row._asdict())
            for table in (tables.staff, tables.pupils, tables.staff_versions, tables.pupil_versions)
            for row in connection.execute(select(*[c for c in table.c if table.c.keys()[0] == "id" or c.name != "id"]))
        )


def facts(engine: Engine, who: str) -> dict[str, Any]:
    """The newest facts of somebody."""
    kind = "staff" if who in people.STAFF else "pupil"
    versions = tables.staff_versions if kind == "staff" else tables.pupil_versions
    owner = tables.staff if kind == "staff" else tables.pupils
    query = select(owner.c.entra_id, owner.c.email, versions).join(versions, versions.c[f"{kind}_id"] == owner.c.id)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(versions.c.from_day)).mappings()
        return next(dict(row) for row in reversed(list(rows)) if row["entra_id"] == people.entra(who))
