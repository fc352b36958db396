"""The roster: schools, staff and pupils."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

from app.records.fields import (
    Email,
    LowerText,
    M,
    Required,
    Row,
    TextList,
    YesNoCell,
    check_cells,
    limit_length,
    parse_email,
    parse_list,
    parse_rows,
)
from app.records.rows import InvalidCellError, ParsedRows
from app.records.tabular import Table
from app.vocabulary import Role


@dataclass(frozen=True)
class Roster:
    """Everybody who is or was on the roster: ids by email and by Entra id, all in lower case."""

    staff: dict[str, int]
    pupils: dict[str, int]
    staff_entra: dict[str, int]
    pupil_entra: dict[str, int]

    def find_ids(self, entra_id: str | None, upn: str | None) -> tuple[int | None, int | None]:
        """The staff id and the pupil id of somebody in a call: by Entra id first, else by address."""
        staff_id = self.staff_entra.get(entra_id or "")
        pupil_id = self.pupil_entra.get(entra_id or "")
        if staff_id is None and pupil_id is None and upn:
            staff_id, pupil_id = self.staff.get(upn), self.pupils.get(upn)
        return staff_id, pupil_id


def _parse_roles(value: str) -> tuple[str, ...]:
    roles = tuple(role.lower() for role in parse_list(value))
    if set(roles) - set(Role):
        raise InvalidCellError("names an unknown role", f"write roles from: {', '.join(Role)}")
    return roles


class School(Row):
    """A school of the roster."""

    code: Annotated[Required, limit_length(40)]
    name: Required
    senior: YesNoCell
    email_domain: LowerText


class Staff(Row):
    """A member of staff; `year_groups` are a HOY's, `houses` a HM's."""

    email: Email
    name: Required
    school: Required
    department: str
    roles: Annotated[tuple[str, ...], BeforeValidator(_parse_roles)]
    year_groups: TextList
    houses: TextList
    entra_id: Annotated[LowerText, limit_length(100)]


class Pupil(Row):
    """A pupil."""

    email: Email
    name: Required
    school: Required
    year_group: Annotated[str, limit_length(40)]
    house: str
    tutor_email: Annotated[str | None, BeforeValidator(lambda value: parse_email(value) if value else None)]
    entra_id: Annotated[LowerText, limit_length(100)]


def parse_schools(table: Table) -> ParsedRows[School]:
    """The rows of schools.csv."""
    table.require(("code", "name", "senior"))

    def check(row: School) -> None:
        if row.senior is None:
            raise InvalidCellError("is blank", "write yes or no", "senior")

    return _parse(table, School, "code", check)


def parse_staff(table: Table, schools: Collection[str], pupils: Collection[str]) -> ParsedRows[Staff]:
    """The rows of staff.csv; `schools` are the known codes, `pupils` the emails of pupils."""
    table.require(("email", "name", "school", "roles"))

    def check(row: Staff) -> None:
        _check_school(row.school, schools)
        if row.email in pupils:
            raise InvalidCellError("belongs to a pupil", _NOT_BOTH, "email")

    return _parse(table, Staff, "email", check)


def parse_pupils(table: Table, schools: Collection[str], staff: Collection[str]) -> ParsedRows[Pupil]:
    """The rows of pupils.csv; `staff` are the known emails, which must include each tutor's."""
    table.require(("email", "name", "school", "year_group", "house"))

    def check(row: Pupil) -> None:
        _check_school(row.school, schools)
        if row.tutor_email and row.tutor_email not in staff:
            fix = "add the tutor to staff.csv, or correct the address"
            raise InvalidCellError("is not on the roster of staff", fix, "tutor_email")
        if row.email in staff:
            raise InvalidCellError("belongs to a member of staff", _NOT_BOTH, "email")

    return _parse(table, Pupil, "email", check)


_NOT_BOTH = "nobody can be both staff and pupil: correct one of the two"


def _check_school(code: str, schools: Collection[str]) -> None:
    if code not in schools:
        raise InvalidCellError(
            "is not a school of the roster", "add the school to schools.csv, or correct its code", "school"
        )


def _parse(table: Table, model: type[M], key: str, check: Callable[[M], None]) -> ParsedRows[M]:
    """Check each row. A second row with the same key must have the same content, and is left out."""
    seen: dict[str, M] = {}
    owners: dict[str, str] = {}  # the email by Entra id

    def parse(cells: dict[str, str]) -> M | None:
        row = check_cells(model, cells)
        check(row)
        identity: str = getattr(row, key)
        if identity in seen:
            if seen[identity] != row:
                raise InvalidCellError("is in an earlier row that says otherwise", "keep one of the two", key)
            return None
        entra_id = getattr(row, "entra_id", None)
        if entra_id and owners.setdefault(entra_id, identity) != identity:
            raise InvalidCellError(
                "belongs to somebody else in an earlier row", "give each person their own", "entra_id"
            )
        seen[identity] = row
        return row

    return parse_rows(table, model, parse)
