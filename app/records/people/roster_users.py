"""The users of a School Data Sync v2.1 or OneRoster 1.1 or 1.2 folder: who they are, with their roles and contacts.

OneRoster 1.1 gives roles and schools in users.csv, the others in roles.csv. School Data Sync gives contacts in
relationships.csv, OneRoster in the column agentSourcedIds of the pupil, the contact or both.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from app.records.addresses import split_list
from app.records.fields import YES_NO
from app.records.rows import InvalidCellError
from app.records.tables.sheets import TableFile
from app.records.tables.tabular import Expected, Table, read_table
from app.vocabulary.words import fold

_LEFT = "tobedeleted"
_STATUSES = ("", "active", _LEFT)
_USERS = Expected(
    (
        *(
            "sourcedId",
            "status",
            "enabledUser",
            "orgSourcedIds",
            "role",
            "username",
            "givenName",
            "familyName",
            "email",
        ),
        *("activeDirectoryMatchId", "agentSourcedIds", "grades", "primaryOrgSourcedId"),
    ),
    ("sourcedId", "givenName", "familyName"),
)
_ROLES = Expected(
    ("userSourcedId", "orgSourcedId", "role", "status", "roleType", "isPrimary", "grade", "endDate", "roleEndDate"),
    ("userSourcedId", "orgSourcedId", "role"),
)
_ORGS = Expected(
    ("sourcedId", "status", "name", "type", "identifier", "parentSourcedId"), ("sourcedId", "name", "type")
)
_RELATIONSHIPS = Expected(*[("userSourcedId", "relationshipUserSourcedId", "relationshipRole")] * 2)
_MANIFEST = Expected(*[("propertyName", "value")] * 2)
_READ = {column for table in (_USERS, _ROLES, _ORGS, _RELATIONSHIPS) for column in table.columns}

GUARDIANS = ("parent", "guardian")
_WHOLE = ("", "bulk", "absent")  # what the manifest says of a file that is not a list of changes


@dataclass(frozen=True)
class Role:
    """A role of a user at some orgs. `where` names its row, if that is not the user's."""

    word: str
    orgs: tuple[str, ...]
    grades: tuple[str, ...]
    is_primary: bool
    where: str = ""


@dataclass
class User:
    """A user.

    - `number`, `cells`, `faults`: the row in users.csv: its number, its cells by heading, and what is wrong with it
    - `roles`: the current roles
    - `had_roles`: whether roles.csv lists any roles, current or not
    - `guardians`: for a pupil, the ids of the guardians, as keys
    """

    number: int
    cells: Mapping[str, str]
    faults: list[InvalidCellError]
    roles: list[Role] = field(default_factory=list)
    had_roles: bool = False
    guardians: dict[str, None] = field(default_factory=dict)

    @property
    def has_left(self) -> bool:
        """Whether the file marks the user as left."""
        return fold(self.cells.get("status", "")) == _LEFT

    def find_unknown_word(self) -> str | None:
        """The column, of status and enabledUser, whose value is invalid, so that it is not known whether the user is
        still there; None if both are valid."""
        if fold(self.cells.get("status", "")) not in _STATUSES:
            return "status"
        is_enabled = fold(self.cells.get("enabledUser", ""))
        return "enabledUser" if is_enabled and is_enabled not in YES_NO and not self.has_left else None

    @property
    def name(self) -> str:
        """The given name and the family name."""
        return " ".join(filter(None, (self.cells["givenName"], self.cells["familyName"])))

    def list_addresses(self) -> list[str]:
        """The possible addresses of the account, starting with the one used to sign in."""
        is_sds = "activeDirectoryMatchId" in self.cells
        columns = ("activeDirectoryMatchId", "username", "email") if is_sds else ("email", "username")
        return [self.cells[column] for column in columns if "@" in self.cells.get(column, "")]

    def list_words(self) -> list[str]:
        """The words of the current roles, without repeats."""
        return list(dict.fromkeys(fold(role.word) for role in self.roles))


@dataclass(frozen=True)
class Org:
    """A school or another organisation. `parent` is the id of the one that it belongs to."""

    number: int
    id: str
    name: str
    identifier: str
    is_school: bool
    parent: str


@dataclass(frozen=True)
class Folder:
    """What a folder says: users and orgs by id; the ids of all whom relationships.csv names as related to somebody;
    whether it is the whole list, and whether it names guardians. `headings` says what it calls the columns of the
    roster; `notes` report what was not used."""

    users: dict[str, User]
    orgs: dict[str, Org]
    related: set[str]
    is_whole: bool
    has_guardians: bool
    headings: dict[str, str]
    notes: list[str]

    def find_school(self, org_id: str) -> Org | None:
        """The school that an org is, or belongs to; None if there is none."""
        org = self.orgs.get(org_id)
        for _ in self.orgs:
            if org is None or org.is_school:
                break
            org = self.orgs.get(org.parent)
        return org if org and org.is_school else None


def read_folder(files: Mapping[str, TableFile], today: date) -> Folder:
    """Read the files of a folder, by their names in lower case. UnreadableFileError if one cannot be used."""
    notes: list[str] = []
    modes = _read_manifest(files)
    table = read_table(files["users.csv"], _USERS)
    users = _read_users(table, notes)
    related: set[str] = set()
    if "roles.csv" in files:
        _add_roles(users, read_table(files["roles.csv"], _ROLES), today, notes)
    else:
        _add_own_roles(users)
    if "relationships.csv" in files:
        related = _add_relationships(users, read_table(files["relationships.csv"], _RELATIONSHIPS), notes)
    has_guardians = _add_agents(users) or "relationships.csv" in files
    orgs = {org.id: org for org in _iter_orgs(read_table(files["orgs.csv"], _ORGS))}
    is_whole = all(modes.get(name, "") in _WHOLE for name in ("users", "roles"))
    return Folder(users, orgs, related, is_whole, has_guardians, _list_headings(table.columns), notes)


def _list_headings(columns: Collection[str]) -> dict[str, str]:
    return {
        "email": "username" if "activeDirectoryMatchId" in columns else "email",
        "name": "givenName + familyName",
        "school": "orgSourcedIds" if "orgSourcedIds" in columns else "orgSourcedId of roles.csv",
        "year_group": "grades" if "grades" in columns else "grade of roles.csv",
        "contact_emails": "email of the guardians",
        "enableduser": "enabledUser",
    }


def _read_manifest(files: Mapping[str, TableFile]) -> dict[str, str]:
    """How each file is given, by its name without ".csv": "bulk", "delta" or "absent"."""
    if "manifest.csv" not in files:
        return {}
    rows = _iter_rows(read_table(files["manifest.csv"], _MANIFEST))
    return {fold(cells["propertyName"]).removeprefix("file."): fold(cells["value"]) for _, cells, _ in rows}


def _iter_rows(table: Table) -> Iterator[tuple[int, dict[str, str], list[InvalidCellError]]]:
    """For each row: its number, its cells with "" for missing ones, and what is wrong with those that are read."""
    for place, (number, cells) in enumerate(table.rows):
        faults = [fault for fault in table.faults.get(place, ()) if fault.column is None or fault.column in _READ]
        yield number, dict.fromkeys(table.columns, "") | cells, faults


def _read_users(table: Table, notes: list[str]) -> dict[str, User]:
    users: dict[str, User] = {}
    for number, cells, faults in _iter_rows(table):
        known = users.get(cells["sourcedId"])
        if known and known.cells == cells:
            notes.append(f"users.csv, row {number} repeats row {known.number}")
            continue
        if known or not cells["sourcedId"]:
            reason = f"is also the id of row {known.number}" if known else "is blank"
            faults.append(InvalidCellError(reason, "give each user one row with an id of its own", "sourcedId"))
        users[cells["sourcedId"] if not known else f"{cells['sourcedId']} in row {number}"] = User(
            number, cells, faults
        )
    return users


def _add_own_roles(users: Mapping[str, User]) -> None:
    """Give users the roles that OneRoster 1.1 has in users.csv."""
    for user in users.values():
        word, orgs = user.cells.get("role", ""), split_list(user.cells.get("orgSourcedIds"))
        if word:
            user.roles.append(Role(word, orgs, split_list(user.cells.get("grades")), is_primary=False))


def _add_roles(users: Mapping[str, User], table: Table, today: date, notes: list[str]) -> None:
    for number, cells, faults in _iter_rows(table):
        user = users.get(cells["userSourcedId"])
        if user is None:
            notes.append(f"roles.csv, row {number}, column userSourcedId: names nobody of users.csv")
            continue
        for fault in faults:
            where = f"{fault.column} of roles.csv, row {number}" if fault.column else f"roles.csv, row {number}"
            user.faults.append(InvalidCellError(fault.reason, fault.fix, where))
        user.had_roles = True
        if fold(cells.get("status", "")) == _LEFT or _has_ended(cells, number, user, today):
            continue
        is_primary = fold(cells.get("isPrimary", "")) == "true" or fold(cells.get("roleType", "")) == "primary"
        grades = split_list(cells.get("grade")) or split_list(user.cells.get("grades"))
        orgs = (cells["orgSourcedId"],) if cells["orgSourcedId"] else ()
        user.roles.append(Role(cells["role"], orgs, grades, is_primary, f"roles.csv, row {number}"))


def _has_ended(cells: Mapping[str, str], number: int, user: User, today: date) -> bool:
    """Whether a role has ended. A day that cannot be read is added to the user's faults."""
    column = "roleEndDate" if cells.get("roleEndDate") else "endDate"
    text = cells.get(column, "")
    try:
        return bool(text) and date.fromisoformat(text[:10]) < today
    except ValueError:
        where = f"{column} of roles.csv, row {number}"
        user.faults.append(InvalidCellError("is not a day", "write it as 2026-07-31, or leave it blank", where))
        return False


def _add_relationships(users: Mapping[str, User], table: Table, notes: list[str]) -> set[str]:
    """Give pupils their guardians. Returns the ids of all who are related to somebody."""
    related = set()
    for number, cells, _ in _iter_rows(table):
        for column in ("userSourcedId", "relationshipUserSourcedId"):
            if cells[column] not in users:
                notes.append(f"relationships.csv, row {number}, column {column}: names nobody of users.csv")
        if cells["userSourcedId"] in users and fold(cells["relationshipRole"]) in GUARDIANS:
            users[cells["userSourcedId"]].guardians[cells["relationshipUserSourcedId"]] = None
        related.add(cells["relationshipUserSourcedId"])
    return related


def _add_agents(users: Mapping[str, User]) -> bool:
    """Give pupils the guardians whom OneRoster names, in the pupil's row or the guardian's. Returns whether the folder
    has guardians."""
    children: dict[str, list[str]] = defaultdict(list)
    guardians = [user_id for user_id, user in users.items() if set(user.list_words()) & set(GUARDIANS)]
    for guardian in guardians:
        for child in split_list(users[guardian].cells.get("agentSourcedIds")):
            children[child].append(guardian)
    known = set(guardians)
    for user_id, user in users.items():
        named = [agent for agent in split_list(user.cells.get("agentSourcedIds")) if agent in known]
        if user_id not in known:
            user.guardians |= dict.fromkeys([*named, *children[user_id]])
    return bool(guardians)


def _iter_orgs(table: Table) -> Iterator[Org]:
    for number, cells, _ in _iter_rows(table):
        if fold(cells.get("status", "")) != _LEFT:
            is_school = fold(cells["type"]) == "school"
            identifier, parent = cells.get("identifier", ""), cells.get("parentSourcedId", "")
            yield Org(number, cells["sourcedId"], cells["name"], identifier, is_school, parent)
