"""The roster: schools, staff and pupils."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Annotated

from pydantic import BeforeValidator

from app.records.addresses import parse_email, split_list
from app.records.fields import (
    YES_NO,
    Email,
    Emails,
    LowerText,
    M,
    Name,
    Names,
    Required,
    RequiredName,
    Row,
    Year,
    Years,
    YesNoCell,
    check_cells,
    limit_length,
    parse_rows,
    read_word,
)
from app.records.rows import InvalidCellError, ParsedRows, ReadRow, RejectedRow, reject
from app.records.tables.tabular import Expected, Table
from app.vocabulary.roles import Role
from app.vocabulary.words import fold, tidy

LANGUAGES = ("en", "cy")  # of letters home


# By id, for each absence: its first day, and the day of the return or None.
Absences = Mapping[int, Sequence[tuple[date, date | None]]]


def is_away(absences: Absences, number: int, day: date) -> bool:
    """Whether somebody had left by that day and not come back."""
    return any(left <= day and (back is None or day < back) for left, back in absences.get(number, ()))


@dataclass(frozen=True)
class Roster:
    """Everybody who is or was on the roster: ids by email address, including former ones, and by Entra id, all in lower
    case; and the absences of those who left, by id."""

    staff: dict[str, int]
    pupils: dict[str, int]
    staff_entra: dict[str, int]
    pupil_entra: dict[str, int]
    staff_away: Absences = field(default_factory=dict)
    pupils_away: Absences = field(default_factory=dict)

    def find_ids(self, entra_id: str | None, upn: str | None) -> tuple[int | None, int | None]:
        """The staff id and the pupil id of somebody in a call, each None if there is none: by Entra id, else by address
        (`upn`). An address is not used if its owner has another Entra id: it may be somebody else's by now."""
        staff_id = self.staff_entra.get(entra_id or "")
        pupil_id = self.pupil_entra.get(entra_id or "")
        if staff_id is None and pupil_id is None and upn:
            staff_id, pupil_id = self.staff.get(upn), self.pupils.get(upn)
            if entra_id and (staff_id in self._staff_with_entra or pupil_id in self._pupils_with_entra):
                return None, None
        return staff_id, pupil_id

    @cached_property
    def _staff_with_entra(self) -> frozenset[int]:
        return frozenset(self.staff_entra.values())

    @cached_property
    def _pupils_with_entra(self) -> frozenset[int]:
        return frozenset(self.pupil_entra.values())


def _parse_roles(value: str) -> tuple[str, ...]:
    roles = tuple(dict.fromkeys(read_word(role) for role in split_list(value)))
    if set(roles) - set(Role):
        raise InvalidCellError("names an unknown role", f"write roles from: {', '.join(Role)}")
    return roles


def _parse_language(value: str) -> str | None:
    word = fold(value)
    if word and word not in LANGUAGES:
        raise InvalidCellError("is neither en nor cy", "write en for English, cy for Welsh, or leave it blank")
    return word or None


def _parse_entra_id(value: str) -> str | None:
    word = tidy(value).lower().strip("{}")
    if word and not any(letter.isdigit() for letter in word):
        fix = "copy the object id from Entra, or leave the cell blank"
        raise InvalidCellError("is not the id of an account", fix)
    return word or None


EntraId = Annotated[str | None, BeforeValidator(_parse_entra_id), limit_length(100)]


class School(Row):
    """A school of the roster."""

    code: Annotated[RequiredName, limit_length(40)]
    name: Required
    senior: YesNoCell
    email_domain: LowerText


class Staff(Row):
    """A member of staff. `year_groups` are those of a HOY, `houses` those of an HM."""

    email: Email
    name: Required
    school: RequiredName
    department: str
    roles: Annotated[tuple[str, ...], BeforeValidator(_parse_roles)]
    year_groups: Years
    houses: Names
    entra_id: EntraId


class Pupil(Row):
    """A pupil. `contact_emails` are those of parents or guardians; `language` is that of letters to them."""

    email: Email
    name: Required
    school: RequiredName
    year_group: Annotated[Year, limit_length(40)]
    house: Name
    tutor_email: Annotated[str | None, BeforeValidator(lambda value: parse_email(value) if value else None)]
    entra_id: EntraId
    contact_emails: Emails
    language: Annotated[str | None, BeforeValidator(_parse_language)]


ROSTER_TABLES = {
    "schools": Expected(tuple(School.model_fields), ("code", "name", "senior")),
    "staff": Expected(tuple(Staff.model_fields), ("email", "name", "school", "roles")),
    "pupils": Expected(tuple(Pupil.model_fields), ("email", "name", "school", "year_group", "house")),
}


def parse_schools(table: Table) -> ParsedRows[School]:
    """The rows of schools.csv."""
    table.require(ROSTER_TABLES["schools"])

    def check(row: School, _cells: Mapping[str, str]) -> School:
        if row.senior is None:
            raise InvalidCellError("is blank", "write yes or no", "senior")
        return row

    return _parse(table, School, ("code",), check)


def parse_staff(table: Table, schools: Collection[str], pupils: Collection[str]) -> ParsedRows[Staff]:
    """The rows of staff.csv. `schools` are the known codes, `pupils` the addresses of pupils."""
    table.require(ROSTER_TABLES["staff"])

    def check(row: Staff, cells: Mapping[str, str]) -> Staff:
        school = find_school(row.school, schools)
        if row.email in pupils:
            raise InvalidCellError("belongs to a pupil", NOT_BOTH, "email")
        if cells.get("role", "").lower() in _PUPILS + _FAMILY:
            raise InvalidCellError("says that this person is not a member of staff", "take the row out", "role")
        _check_still_there(cells)
        return row.model_copy(update={"school": school})

    return _parse(table, Staff, ("email", "entra_id"), check)


def parse_pupils(
    table: Table, schools: Collection[str], staff: Collection[str], pupils: Collection[str] = ()
) -> ParsedRows[Pupil]:
    """The rows of pupils.csv. `staff` are the known addresses of staff, which must include each tutor's. `pupils` are
    those of known pupils; neither these nor those in the file may be contact addresses."""
    table.require(ROSTER_TABLES["pupils"])
    of_pupils = {*pupils, *(fold(cells.get("email", "")) for _, cells in table.rows)}

    def check(row: Pupil, cells: Mapping[str, str]) -> Pupil:
        school = find_school(row.school, schools)
        if row.tutor_email and row.tutor_email not in staff:
            fix = "add the tutor to staff.csv, or correct the address"
            raise InvalidCellError("is not on the roster of staff", fix, "tutor_email")
        if row.email in staff:
            raise InvalidCellError("belongs to a member of staff", NOT_BOTH, "email")
        if not of_pupils.isdisjoint(row.contact_emails):
            fix = "write those of parents or guardians, or leave it blank"
            raise InvalidCellError("holds the address of a pupil", fix, "contact_emails")
        if cells.get("role") and cells["role"].lower() not in _PUPILS:
            raise InvalidCellError("says that this person is not a pupil", "take the row out", "role")
        _check_still_there(cells)
        return row.model_copy(update={"school": school})

    return _parse(table, Pupil, ("email", "entra_id"), check)


NOT_BOTH = "nobody can be both staff and pupil: correct one of the two"

# Columns of OneRoster and School Data Sync. They serve only to keep parents and leavers off the roster.
FOREIGN = ("status", "role", "enableduser")
_PUPILS = ("student", "pupil")
_FAMILY = ("parent", "guardian", "relative")


def is_about_another_kind(column: str | None) -> bool:
    """Whether a row rejected for this column is about somebody who is not, or no longer, of the table's kind."""
    return column in FOREIGN


def _check_still_there(cells: Mapping[str, str]) -> None:
    if cells.get("status", "").lower() == "tobedeleted":
        raise InvalidCellError("says that this person has left", "take the row out", "status")
    if YES_NO.get(fold(cells.get("enableduser", "")), True) is False:
        raise InvalidCellError("says that this person has left", "take the row out", "enableduser")


def find_school(code: str, schools: Collection[str]) -> str:
    """The code as the roster writes it, found whatever its case. InvalidCellError if there is no such school."""
    if code in schools:
        return code
    for known in schools:
        if fold(known) == fold(code):
            return known
    raise InvalidCellError(
        "is not a school of the roster", "add the school to schools.csv, or correct its code", "school"
    )


def _parse(
    table: Table, model: type[M], keys: Sequence[str], check: Callable[[M, Mapping[str, str]], M]
) -> ParsedRows[M]:
    """Parse and check each row. Rows with the same value in one of the columns `keys`, ignoring case, are combined (see
    `combine`)."""

    def parse(cells: dict[str, str]) -> M:
        return check(check_cells(model, cells), cells)

    parsed = parse_rows(table, model, parse)
    rows, rejected = combine(parsed.rows, lambda read: {key: _fold(getattr(read.row, key)) for key in keys})
    return ParsedRows(rows, sort_rows([*parsed.rejected, *rejected]), parsed.unknown_columns, parsed.notes)


def _fold(value: str | None) -> str | None:
    return fold(value) if value is not None else None


def sort_rows(rejected: Sequence[RejectedRow]) -> list[RejectedRow]:
    """Rejected rows in the order of the file; if it has several sheets, sheet by sheet."""
    return sorted(rejected, key=lambda row: (row.sheet, row.row))


def combine(
    rows: Sequence[ReadRow[M]], keys_of: Callable[[ReadRow[M]], Mapping[str, Hashable | None]]
) -> tuple[list[ReadRow[M]], list[RejectedRow]]:
    """The rows, one for each person or school, and those rejected. `keys_of` returns a row's keys by name; rows with
    the same value under one of them (None does not count) are about the same person. If they agree, one of them counts;
    otherwise each is rejected, with a reason that names the others."""
    groups: dict[tuple[str, Hashable], list[ReadRow[M]]] = {}
    for read in rows:
        own = [(name, value) for name, value in keys_of(read).items() if value is not None]
        linked = {id(group): group for key in own if (group := groups.get(key))}
        merged = [*(row for group in linked.values() for row in group), read]
        for row in merged:
            for name, value in keys_of(row).items():
                if value is not None:
                    groups[name, value] = merged
    combined: list[ReadRow[M]] = []
    rejected: list[RejectedRow] = []
    for group in {id(group): group for group in groups.values()}.values():
        if _agree([read.row for read in group]):
            combined.append(next((read for read in group if getattr(read.row, "entra_id", None)), group[0]))
        else:
            rejected += _reject_all(group, keys_of)
    return sorted(combined, key=lambda read: read.number), sort_rows(rejected)


def _agree(rows: Sequence[M]) -> bool:
    """Whether rows say the same, ignoring case; the Entra id may be missing in some of them."""
    ids = {entra_id for row in rows if (entra_id := getattr(row, "entra_id", None))}
    first, *others = ({name: _fold_any(value) for name, value in row if name != "entra_id"} for row in rows)
    return len(ids) <= 1 and all(other == first for other in others)


def _fold_any(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_fold_any, value))
    return fold(value) if isinstance(value, str) else value


def _reject_all(
    group: Sequence[ReadRow[M]], keys_of: Callable[[ReadRow[M]], Mapping[str, Hashable | None]]
) -> list[RejectedRow]:
    column = next(name for name in keys_of(group[0]) if _is_shared([keys_of(read)[name] for read in group]))
    what = "school" if column == "code" else "person"
    rejected = []
    for read in group:
        others = [str(other.number) for other in group if other is not read]
        where = f"row{'s' * (len(others) > 1)} {' and '.join(others)}"
        fault = InvalidCellError(f"names the same {what} as {where}, but the rows differ", "keep one of them", column)
        rejected.append(reject(read.number, read.cells, fault))
    return rejected


def _is_shared(values: Sequence[Hashable | None]) -> bool:
    given = [value for value in values if value is not None]
    return len(set(given)) < len(given)
