"""A School Data Sync or OneRoster folder as the tables of the roster.

What these formats do not say comes from the school's own files in the same folder, which have the columns of the
roster's tables: which schools are senior (`schools.csv`), posts (`staff.csv`), houses and tutors (`pupils.csv`).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.formatting import how_many
from app.records.people.roster import ROSTER_TABLES
from app.records.people.roster_users import GUARDIANS, Folder, Org, User, read_folder
from app.records.rows import InvalidCellError, RowNumber, UnreadableFileError
from app.records.tables.sheets import TableFile
from app.records.tables.tabular import Expected, Table, read_table
from app.vocabulary.roles import Role
from app.vocabulary.words import fold

MARKS = ("users.csv", "orgs.csv")  # the files by which such a folder is recognised
_FILES = (
    *("manifest", "orgs", "users", "roles", "classes", "enrollments", "courses", "academicsessions", "demographics"),
    *("relationships", "userflags", "userprofiles", "userresources", "resources", "classresources", "courseresources"),
    *("categories", "lineitems", "lineitemlearningobjectiveids", "lineitemscoreids", "results", "scorescales"),
    *("resultlearningobjectiveids", "resultscoreids"),
)
FILES = tuple(f"{name}.csv" for name in _FILES)
_STAFF = frozenset(
    (
        *("teacher", "aide", "administrator", "proctor", "principal", "counselor", "districtadministrator"),
        *("siteadministrator", "systemadministrator", "chair", "professor", "researcher", "adjunct", "affiliate"),
        *("occupationaltherapist", "physicaltherapist", "speechtherapist", "visiontherapist", "paraprofessional"),
        *("specialservices", "advisor", "nurse", "officestaff", "lecturer", "itadmin", "faculty", "staff"),
        *("teacherassistant", "assistant", "instructor", "substitute", "coach"),
    )
)
_NOBODY = (*GUARDIANS, "relative", "alumni", "other")  # neither pupils nor staff
_PUPIL = "student"
# Added to a column's name, so that it is not one of `roster.FOREIGN`: an invalid word does not say that somebody has
# left.
_IN_FOLDER = " in the folder"
_OF_FOLDER = ("email", "name", "school", "year_group")
_OWN_NEED = {"schools": ("code", "senior"), "staff": ("email",), "pupils": ("email",)}


@dataclass(frozen=True)
class Export:
    """What a folder gives.

    - `tables`: the tables of the roster, by kind
    - `left`: the addresses of people whom it marks as left
    - `unclear`: the addresses of people who may be pupils or staff, or may have left
    - `is_whole`: whether it is the whole list, not one of changes
    """

    tables: dict[str, Table]
    left: frozenset[str]
    unclear: frozenset[str]
    is_whole: bool


def is_roster_folder(names: Collection[str]) -> bool:
    """Whether a folder with files of these names, in lower case, is a School Data Sync or OneRoster folder."""
    return all(name in names for name in MARKS)


def read_export(files: Mapping[str, TableFile], schools: Mapping[str, str], today: date) -> Export:
    """The tables of a folder. `files` has lower-case names; `schools` are the names of the schools on the roster, by
    code. UnreadableFileError if a file cannot be used, or nothing says whether a school is senior."""
    own = {kind: _read_own(kind, files[f"{kind}.csv"]) for kind in _OWN_NEED if f"{kind}.csv" in files}
    folder = read_folder(files, today)
    return _Tables(folder, own, schools).build()


@dataclass(frozen=True)
class _Row:
    """A row of one of the school's own files: its number, its cells and what is wrong with them."""

    number: int
    cells: dict[str, str]
    faults: list[InvalidCellError]


@dataclass(frozen=True)
class _Own:
    """One of the school's own files: its columns besides the key, its rows by key, and notes on what was not read."""

    name: str
    columns: tuple[str, ...]
    rows: dict[str, _Row]
    notes: tuple[str, ...]


def _read_own(kind: str, file: TableFile) -> _Own:
    key = _OWN_NEED[kind][0]
    table = read_table(file, Expected(ROSTER_TABLES[kind].columns, _OWN_NEED[kind]))
    rows: dict[str, _Row] = {}
    for place, (number, cells) in enumerate(table.rows):
        faults, name = [*table.faults.get(place, ())], fold(cells.get(key, ""))
        if name in rows:
            faults.append(InvalidCellError(f"is in row {rows[name].number} already", "keep one of the rows", key))
            name = f"{name}, row {number}"
        rows[name] = _Row(number, cells, faults)
    known = ROSTER_TABLES[kind].columns
    unknown = table.list_unknown(known)
    notes = (*table.notes, *([f"{table.name}: unknown columns passed over: {', '.join(unknown)}"] if unknown else ()))
    return _Own(table.name, tuple(column for column in table.columns if column in known and column != key), rows, notes)


def _match_schools(folder: Folder, own: _Own | None, known: Mapping[str, str]) -> dict[str, str]:
    """By org id, the code of each school that has pupils or staff. UnreadableFileError names those without one."""
    words: dict[str, str] = {}
    for code, name in known.items():
        words |= {fold(name): code, fold(code): code}
    for row in own.rows.values() if own else ():
        words |= {fold(word): row.cells["code"] for word in (row.cells.get("name"), row.cells.get("code")) if word}
    codes: dict[str, str] = {}
    missing = []
    for org in _list_used_schools(folder):
        found = [words[fold(word)] for word in (org.id, org.identifier, org.name) if fold(word) in words]
        if found:
            codes[org.id] = found[0]
        else:
            missing.append(f"{org.name} (orgs.csv, row {org.number})")
    if missing:
        raise UnreadableFileError(
            f"The folder does not say whether a school is senior, and these are not on the roster yet: "
            f"{', '.join(missing)}. Put a file schools.csv beside the others, with the columns code and senior "
            "(yes/no) and a row for each: as code its sourcedId or identifier, or a code of your own with the school's "
            "name in a column name. Roles and departments come from a file staff.csv, houses and tutors from "
            "pupils.csv. Nothing was changed."
        )
    return codes


def _list_used_schools(folder: Folder) -> list[Org]:
    """The schools that have pupils or staff."""
    used = [
        school
        for user in folder.users.values()
        if not user.has_left and _is_on_roster(user)
        for role in user.roles
        for org in role.orgs
        if (school := folder.find_school(org))
    ]
    return list({school.id: school for school in used}.values())


def _is_on_roster(user: User) -> bool:
    return bool(set(user.list_words()) & {*_STAFF, _PUPIL})


class _Tables:
    """Makes the tables of a folder."""

    def __init__(self, folder: Folder, own: Mapping[str, _Own], schools: Mapping[str, str]) -> None:
        self.folder, self.own = folder, own
        self.codes = _match_schools(folder, own.get("schools"), schools)
        self.rows: dict[str, list[tuple[int, dict[str, str]]]] = {"staff": [], "pupils": []}
        self.faults: dict[str, dict[int, list[InvalidCellError]]] = {"staff": {}, "pupils": {}}
        self.others: Counter[str] = Counter()
        self.left: set[str] = set()
        self.used: set[str] = set()  # addresses
        self.unclear: set[str] = set()

    def build(self) -> Export:
        """Make the tables."""
        for user in self.folder.users.values():
            self._add_user(user)
        for kind in self.rows:
            self._add_unused(kind)
        tables = {kind: self._build_table(kind) for kind in self.rows if self.rows[kind] or self.left}
        if "schools" in self.own:
            tables = {"schools": self._build_schools(self.own["schools"]), **tables}
        if tables:
            *_, last = tables
            tables[last] = replace(tables[last], notes=tuple(self._iter_notes()))
        return Export(tables, frozenset(self.left - self.used), frozenset(self.unclear), self.folder.is_whole)

    def _add_user(self, user: User) -> None:
        """Add a row for a pupil or a member of staff; for anybody else, count the reason why there is none."""
        words = set(user.list_words())
        kind = "pupils" if _PUPIL in words else "staff"
        if column := user.find_unknown_word():
            self._add_unclear(user, "is not a value of this format", "correct it, or leave it blank", column)
        elif user.has_left:
            self._add_leaver(user, kind)
        elif _is_on_roster(user):
            if _PUPIL in words and words & _STAFF:
                self._add_unclear(user, "is of a pupil and of a member of staff", "keep one of the two")
            else:
                self._add_row(kind, user)
        elif words - set(_NOBODY):
            self._add_unclear(user, "is not a role of this format", "correct the role")
        elif words or user.cells["sourcedId"] in self.folder.related:
            self.others[f"with the role {min(words, default='contact')}"] += 1
        elif user.had_roles:
            self.others["whose roles have ended"] += 1
        else:
            self._add_unclear(user, "is missing", "add the person's role to the export")

    def _add_unclear(self, user: User, reason: str, fix: str, column: str = "role") -> None:
        """Add a row that will be rejected, for somebody who may be a pupil or a member of staff, or may have left."""
        self.unclear |= set(map(fold, user.list_addresses()))
        self._add_row("staff", user, InvalidCellError(reason, fix, f"{column}{_IN_FOLDER}"))

    def _add_leaver(self, user: User, kind: str) -> None:
        addresses = user.list_addresses()
        self.left |= set(map(fold, addresses))
        if not addresses and _is_on_roster(user):
            fix = "write the address that they had, or take the row out"
            fault = InvalidCellError(
                "says that this person has left, but there is no address to find them", fix, "status"
            )
            self._append(kind, user.number, {"name": user.name}, [fault])

    def _add_row(self, kind: str, user: User, fault: InvalidCellError | None = None) -> None:
        addresses = user.list_addresses() or [user.cells.get("email", "")]
        self.used |= set(map(fold, filter(None, addresses)))
        own, faults = self._get_own(kind, addresses)
        faults = [*user.faults, *([fault] if fault else ()), *faults]
        codes = list(dict.fromkeys(self._iter_codes(user)))
        if len(codes) != 1 and not own.get("school"):
            faults.append(self._report_schools(kind, user, codes))
        row = {"email": addresses[0], "name": user.name, "school": ";".join(codes)}
        row["enableduser"] = user.cells.get("enabledUser", "")
        if kind == "staff":
            row["roles"] = Role.TEACHER.value if Role.TEACHER.value in user.list_words() else ""
        else:
            row["contact_emails"] = ";".join(self._iter_contacts(user))
            row["year_group"], fault = _find_year(user)
            faults += [fault] if fault else []
        row |= {column: cell for column, cell in own.items() if cell or column not in row}
        self._append(kind, user.number, row | ({"": user.cells[""]} if "" in user.cells else {}), faults)

    def _append(self, kind: str, number: int, row: dict[str, str], faults: list[InvalidCellError]) -> None:
        if faults:
            self.faults[kind][len(self.rows[kind])] = faults
        self.rows[kind].append((number, row))

    def _get_own(self, kind: str, addresses: Sequence[str]) -> tuple[dict[str, str], list[InvalidCellError]]:
        """The cells for somebody in the school's own file, and what is wrong with them."""
        if (own := self.own.get(kind)) is None:
            return {}, []
        row = next((own.rows[fold(address)] for address in addresses if fold(address) in own.rows), None)
        if row is not None:
            given = {column: row.cells.get(column, "") for column in own.columns}
            return given, [
                InvalidCellError(fault.reason, fault.fix, f"{fault.column or 'row'} of {own.name}, row {row.number}")
                for fault in row.faults
            ]
        if kind == "pupils" and "house" in own.columns:
            return {}, [InvalidCellError("is missing", f"add a row with the pupil's address to {own.name}", "house")]
        return {}, []

    def _iter_codes(self, user: User) -> Iterator[str]:
        """The codes of somebody's schools: of the primary ones, if the folder says which."""
        roles = [role for role in user.roles if role.is_primary] or user.roles
        main = user.cells.get("primaryOrgSourcedId", "")
        for org in [main] if main else [org for role in roles for org in role.orgs]:
            if (school := self.folder.find_school(org)) and school.id in self.codes:
                yield self.codes[school.id]

    def _report_schools(self, kind: str, user: User, codes: Sequence[str]) -> InvalidCellError:
        reason = f"names {len(codes)} schools" if codes else "names no school of orgs.csv"
        where = ", ".join(role.where for role in user.roles if role.where)
        reason += f" ({where})" if where else ""
        return InvalidCellError(reason, f"write the code of the school in {kind}.csv, in the column school", "school")

    def _iter_contacts(self, user: User) -> Iterator[str]:
        """The addresses of a pupil's guardians."""
        for guardian_id in user.guardians:
            guardian = self.folder.users.get(guardian_id)
            if guardian and not guardian.has_left:
                address = guardian.cells.get("email") or next(iter(guardian.list_addresses()), "")
                self.others["named as guardians who have no address"] += not address
                yield from [address] if address else []

    def _add_unused(self, kind: str) -> None:
        """Add the rows of the school's own file about people who are not in the folder, which will be rejected."""
        if (own := self.own.get(kind)) is None:
            return
        nobody = InvalidCellError("is nobody's address in users.csv", "correct it, or take the row out", "email")
        for address, row in own.rows.items():
            is_lost = self.folder.is_whole and address not in self.left
            if address not in self.used and (faults := row.faults or ([nobody] if is_lost else [])):
                self._append(kind, RowNumber(row.number, file=own.name), row.cells, faults)

    def _build_table(self, kind: str) -> Table:
        own = self.own.get(kind)
        columns = ["email", "name", "school"] + (["year_group"] if kind == "pupils" else [])
        if kind == "pupils" and self.folder.has_guardians and self.folder.is_whole:
            columns.append("contact_emails")
        headings = dict(self.folder.headings)
        if own:
            columns += [column for column in own.columns if column not in columns]
            headings |= {column: f"{column} of {own.name}" for column in own.columns if column not in _OF_FOLDER}
        unchanged = frozenset(ROSTER_TABLES[kind].required) - set(columns)
        return Table(
            "users.csv", tuple(columns), self.rows[kind], self.faults[kind], headings=headings, unchanged=unchanged
        )

    def _build_schools(self, own: _Own) -> Table:
        """The table of schools.csv, with missing names taken from the folder."""
        names = {code: self.folder.orgs[org].name for org, code in self.codes.items()}
        rows = [
            (row.number, row.cells | {"name": row.cells.get("name") or names.get(row.cells.get("code", ""), "")})
            for row in own.rows.values()
        ]
        faults = {place: row.faults for place, row in enumerate(own.rows.values()) if row.faults}
        return Table(own.name, tuple(dict.fromkeys(("code", "name", *own.columns))), rows, faults)

    def _iter_notes(self) -> Iterator[str]:
        """Notes on what was not used."""
        for own in self.own.values():
            yield from own.notes
        yield from self.folder.notes
        for what, number in sorted(self.others.items()):
            if number:
                yield f"{how_many(number, 'person', 'people')} {what}: not on the roster"
        if not self.folder.is_whole:
            yield "the folder holds changes only: nobody has left by not being in it, and contacts stay as they are"


def _find_year(user: User) -> tuple[str, InvalidCellError | None]:
    """The year group of a pupil, and a fault if the folder gives several."""
    roles = [role for role in user.roles if role.is_primary] or user.roles
    grades = list(dict.fromkeys(grade for role in roles for grade in role.grades))
    if len(grades) < 2:
        return "".join(grades), None
    where = ", ".join(role.where for role in roles if role.where)
    reason = f"names {len(grades)} years" + (f" ({where})" if where else "")
    return ";".join(grades), InvalidCellError(reason, "keep the one of this school year", "year_group")
