"""The tables of the roster, built from the accounts of Microsoft Entra, their groups and a small table.

Nothing is guessed. Accounts that are neither staff nor pupils by the settings are listed; if somebody's groups
contradict each other, the row is rejected.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.formatting import how_many
from app.records.addresses import parse_email, split_list
from app.records.fields import read_word
from app.records.people.entra import Account, Directory
from app.records.people.roster import NOT_BOTH
from app.records.rows import InvalidCellError, UnreadableFileError
from app.records.tables.tabular import Expected, Rows, Table
from app.settings import EntraRoster, SettingsError
from app.vocabulary.roles import Role

ENTRA = "Microsoft Entra"  # the name of the tables
# The columns besides email, name and entra_id: those that every table has, and those that it has only if the settings
# or the table give their values.
_COLUMNS = {
    "staff": (("school", "department", "roles"), ("year_groups", "houses")),
    "pupils": (("school", "year_group", "house"), ("tutor_email", "contact_emails", "language")),
}
COMPLETING = Expected(
    ("email", *dict.fromkeys(name for columns in _COLUMNS.values() for part in columns for name in part)), ("email",)
)
_ADD_TO_GROUP = "add them to the right group in Entra, or write it in the table that the settings name"
_LEAVE_GROUP = "take them out of one of the groups in Entra, or write it in the table that the settings name"


@dataclass(frozen=True)
class OnRecord:
    """What the roster holds now: the codes of the schools, and the departments of staff by Entra id."""

    schools: Collection[str]
    departments: Mapping[str, str]


@dataclass(frozen=True)
class EntraTables:
    """The tables of `staff` and `pupils`, as far as the settings ask for them; in `unknown`, accounts that are neither,
    as "name (address)"; and notes on anything else, without names."""

    tables: dict[str, Table]
    unknown: list[str]
    notes: list[str]


def build_tables(
    directory: Directory, settings: EntraRoster, table: Table | None, on_record: OnRecord, left: Collection[str]
) -> EntraTables:
    """Make the tables. `table` is the one that the settings name; its cells take precedence over groups. `left` are
    the Entra ids of those who have left. SettingsError if the settings cannot be used, UnreadableFileError if the table
    cannot."""
    wrong = [role for role in settings.roles if role not in set(Role)]
    if wrong:
        raise SettingsError(f"entra_roster.roles: {', '.join(wrong)}: write roles from {', '.join(Role)}.")
    builder = _Builder(directory, settings, _CellsByAddress(table), on_record)
    return builder.build(left)


class _CellsByAddress:
    """The cells of the table that completes the accounts, by address."""

    def __init__(self, table: Table | None) -> None:
        self.columns: frozenset[str] = frozenset(table.columns if table else ())
        self._rows: dict[str, tuple[int, Mapping[str, str]]] = {}
        self._used: set[str] = set()
        self._table = table
        faults = list(self._read(table)) if table else []
        if faults:
            raise UnreadableFileError("\n".join(faults))

    def _read(self, table: Table) -> Iterable[str]:
        """Store the rows by address, and yield a message for each that cannot be used."""
        for place, (number, cells) in enumerate(table.rows):
            try:
                table.check_faults(place, COMPLETING.columns)
                address = parse_email(cells.get("email"))
            except InvalidCellError as fault:
                yield f"{table.name}, row {number}, column {fault.column or 'email'}: {fault.reason}; {fault.fix}."
                continue
            if address in self._rows:
                other = self._rows[address][0]
                yield f"{table.name}, row {number}, column email: is also in row {other}; keep one of the two."
            self._rows[address] = number, cells

    def get(self, address: str, column: str) -> str:
        """The cell for an address; "" if the table has none."""
        self._used.add(address)
        _, cells = self._rows.get(address, (0, {}))
        return cells.get(column, "")

    def list_notes(self) -> Iterable[str]:
        """Notes on what was not used."""
        if self._table is None:
            return
        if unknown := self._table.list_unknown(COMPLETING.columns):
            yield f"{self._table.name}: unknown columns passed over: {', '.join(unknown)}"
        numbers = [str(number) for address, (number, _) in self._rows.items() if address not in self._used]
        if numbers:
            yield f"{self._table.name}: no staff or pupil in Entra has the address of row {', '.join(numbers)}"
        yield from (f"{self._table.name}: {words}" for words in self._table.notes)


@dataclass(frozen=True)
class _Person:
    account: Account
    kinds: tuple[str, ...]


class _Builder:
    def __init__(
        self, directory: Directory, settings: EntraRoster, table: _CellsByAddress, on_record: OnRecord
    ) -> None:
        self._directory, self._settings, self._table, self._on_record = directory, settings, table, on_record
        self._tutors: dict[str, str | None] = {}  # the address by tutor group; None if there is not exactly one
        self._groups: dict[str, Mapping[str, Sequence[str]]] = {
            "school": settings.schools,
            "year_groups": settings.year_groups,
            "year_group": settings.year_groups,
            "houses": settings.houses,
            "house": settings.houses,
            "roles": settings.roles,
        }
        self._finders: dict[str, Callable[[Account], str]] = {
            "department": self._find_department,
            "school": lambda account: self._choose_one(account, "school"),
            "year_group": lambda account: self._choose_one(account, "year_group"),
            "house": lambda account: self._choose_one(account, "house", may_be_blank=True),
            "roles": lambda account: ";".join(self._choose(account, "roles")),
            "year_groups": lambda account: self._choose_for(account, "year_groups", Role.HOY),
            "houses": lambda account: self._choose_for(account, "houses", Role.HM),
            "tutor_email": self._find_tutor,
        }

    def build(self, left: Collection[str]) -> EntraTables:
        present = [a for a in self._directory.accounts if not a.is_guest and a.entra_id not in left]
        found = [_Person(account, self._find_kinds(account)) for account in sorted(present, key=lambda a: a.address)]
        people = [person for person in found if person.kinds and person.account.is_enabled]
        disabled = sum(1 for person in found if person.kinds and not person.account.is_enabled)
        unknown = [person.account for person in found if not person.kinds and person.account.is_enabled]
        self._find_tutors([person.account for person in people if person.kinds == ("staff",)])
        tables = {kind: self._build_table(kind, people) for kind in _COLUMNS if getattr(self._settings, kind)}
        notes = [f"{how_many(disabled, 'disabled account')} left out"] if disabled else []
        return EntraTables(tables, [f"{a.name} ({a.address})" for a in unknown], [*notes, *self._table.list_notes()])

    def _find_kinds(self, account: Account) -> tuple[str, ...]:
        return tuple(kind for kind in _COLUMNS if self._belongs(account, getattr(self._settings, kind)))

    def _belongs(self, account: Account, names: Iterable[str]) -> bool:
        """Whether an account is in one of the groups, or has one of the domains ("@…")."""
        return any(
            name[1:].lower() in account.domains
            if name.startswith("@")
            else account.entra_id in self._directory.members[name]
            for name in names
        )

    def _choose(self, account: Account, column: str) -> list[str]:
        """The values of a column whose groups the account is in."""
        return [word for word, names in self._groups[column].items() if self._belongs(account, names)]

    def _is_given(self, column: str) -> bool:
        """Whether the settings or the small table give the values of a column."""
        groups = self._settings.tutor_groups if column == "tutor_email" else self._groups.get(column)
        return column in self._table.columns or bool(groups)

    def _build_table(self, kind: str, people: Sequence[_Person]) -> Table:
        required, optional = _COLUMNS[kind]
        for column in set(required) - {"school", "department"}:
            if not self._is_given(column):
                raise SettingsError(
                    f"entra_roster: nothing says the {column} of {kind}: name the groups in the settings "
                    "(docs/entra.md), or add the column to the table that they name."
                )
        columns = ("email", "name", "entra_id", *required, *filter(self._is_given, optional))
        rows: Rows = []
        faults: dict[int, list[InvalidCellError]] = {}
        for person in people:
            if kind not in person.kinds:
                continue
            cells, wrong = self._build_row(person.account, columns)
            if len(person.kinds) > 1:
                wrong.insert(0, InvalidCellError("is that of staff and of a pupil by the settings", NOT_BOTH, "email"))
            if wrong:
                faults[len(rows)] = wrong
            rows.append((len(rows) + 2, cells))
        return Table(ENTRA, columns, rows, faults)

    def _build_row(self, account: Account, columns: Iterable[str]) -> tuple[dict[str, str], list[InvalidCellError]]:
        cells, faults = {}, []
        for column in columns:
            try:
                cells[column] = self._find_cell(account, column)
            except InvalidCellError as fault:
                cells[column] = ""
                faults.append(InvalidCellError(fault.reason, fault.fix, column))
        return cells, faults

    def _find_cell(self, account: Account, column: str) -> str:
        """A cell of somebody's row. InvalidCellError if it depends on their groups and these are not clear."""
        if column in ("email", "name", "entra_id"):
            return {"email": account.address, "name": account.name, "entra_id": account.entra_id}[column]
        value = self._table.get(account.address, column)
        find = self._finders.get(column)
        return value if value or find is None else find(account)

    def _find_department(self, account: Account) -> str:
        """The department; if Entra has none, the one on the roster."""
        return account.department or self._on_record.departments.get(account.entra_id, "")

    def _choose_one(self, account: Account, column: str, *, may_be_blank: bool = False) -> str:
        words = self._choose(account, column)
        if column == "school" and not words and len(self._on_record.schools) == 1:
            words = list(self._on_record.schools)
        if len(words) > 1:
            raise InvalidCellError(f"is in the groups of {' and '.join(words)}", _LEAVE_GROUP)
        if not words and not may_be_blank:
            raise InvalidCellError("is not known: they are in none of the groups of the settings", _ADD_TO_GROUP)
        return "".join(words)

    def _choose_for(self, account: Account, column: str, role: Role) -> str:
        """The year groups or houses of somebody with the role, separated by ";"; "" for anybody else."""
        if not self._has_role(account, role):
            return ""
        words = self._choose(account, column)
        if not words:
            raise InvalidCellError(
                f"is not known: this {role.label} is in none of the groups of the settings", _ADD_TO_GROUP
            )
        return ";".join(words)

    def _has_role(self, account: Account, role: Role) -> bool:
        return role in map(read_word, split_list(self._find_cell(account, "roles")))

    def _find_tutors(self, staff: Sequence[Account]) -> None:
        """Find the tutor of each tutor group: its only member of staff, or the only one with the role of tutor."""
        for group in self._settings.tutor_groups:
            inside = [account for account in staff if self._belongs(account, [group])]
            if len(inside) > 1:
                inside = [account for account in inside if self._has_role(account, Role.TUTOR)]
            self._tutors[group] = inside[0].address if len(inside) == 1 else None

    def _find_tutor(self, account: Account) -> str:
        tutors = {self._tutors[group] for group in self._settings.tutor_groups if self._belongs(account, [group])}
        if None in tutors:
            raise InvalidCellError(
                "is not known: their tutor group has no tutor, or several",
                "have exactly one member of staff with the role tutor in the group",
            )
        if len(tutors) > 1:
            raise InvalidCellError("is not known: they are in the groups of several tutors", _LEAVE_GROUP)
        return "".join(filter(None, tutors))
