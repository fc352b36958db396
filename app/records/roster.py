"""The roster: schools, staff and pupils."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

from app.records import Parsed, Read, Rejected
from app.records.fields import Email, Items, M, Needed, Row, Unfit, Word, YesNo, checked, email, items, refusal, short
from app.records.tabular import Table
from app.vocabulary import Role


@dataclass(frozen=True)
class Roster:
    """Everybody who is or was on the roster: ids by email and by Entra id, all in lower case."""

    staff: dict[str, int]
    pupils: dict[str, int]
    staff_entra: dict[str, int]
    pupil_entra: dict[str, int]

    def ids(self, entra_id: str | None, upn: str | None) -> tuple[int | None, int | None]:
        """The staff id and the pupil id of somebody in a call: by Entra id first, else by address."""
        staff_id = self.staff_entra.get(entra_id or "")
        pupil_id = self.pupil_entra.get(entra_id or "")
        if staff_id is None and pupil_id is None and upn:
            staff_id, pupil_id = self.staff.get(upn), self.pupils.get(upn)
        return staff_id, pupil_id


def _roles(value: str) -> tuple[str, ...]:
    roles = tuple(role.lower() for role in items(value))
    if unknown := set(roles) - set(Role):
        raise Unfit(f"names {len(unknown)} unknown role(s)", f"write roles of: {', '.join(Role)}")
    return roles


class School(Row):
    """A school of the roster."""

    code: Annotated[Needed, short(40)]
    name: Needed
    senior: YesNo
    email_domain: Word


class Staff(Row):
    """A member of staff; `year_groups` are a HOY's, `houses` a HM's."""

    email: Email
    name: Needed
    school: Needed
    department: str
    roles: Annotated[tuple[str, ...], BeforeValidator(_roles)]
    year_groups: Items
    houses: Items
    entra_id: Annotated[Word, short(100)]


class Pupil(Row):
    """A pupil."""

    email: Email
    name: Needed
    school: Needed
    year_group: Annotated[str, short(40)]
    house: str
    tutor_email: Annotated[str | None, BeforeValidator(lambda value: email(value) if value else None)]
    entra_id: Annotated[Word, short(100)]


def parse_schools(table: Table) -> Parsed[School]:
    """The rows of schools.csv."""
    table.require(("code", "name", "senior"))
    return _parse(table, School, lambda row: row.code, lambda row: _said(row.senior, "senior"))


def parse_staff(table: Table, schools: Collection[str], pupils: Collection[str]) -> Parsed[Staff]:
    """The rows of staff.csv; `schools` are the codes known, `pupils` the emails of pupils."""
    table.require(("email", "name", "school", "roles"))

    def check(row: Staff) -> None:
        _known_school(row.school, schools)
        if row.email in pupils:
            raise Unfit("is a pupil's", _NOT_BOTH, "email")

    return _parse(table, Staff, lambda row: row.email, check)


def parse_pupils(table: Table, schools: Collection[str], staff: Collection[str]) -> Parsed[Pupil]:
    """The rows of pupils.csv; `staff` are the emails known, a tutor has to be among them."""
    table.require(("email", "name", "school", "year_group", "house"))

    def check(row: Pupil) -> None:
        _known_school(row.school, schools)
        if row.tutor_email and row.tutor_email not in staff:
            raise Unfit(
                "is not on the roster of staff", "add the tutor to staff.csv, or mend the address", "tutor_email"
            )
        if row.email in staff:
            raise Unfit("is a member of staff's", _NOT_BOTH, "email")

    return _parse(table, Pupil, lambda row: row.email, check)


def _said(answer: bool | None, column: str) -> None:
    if answer is None:
        raise Unfit("is blank", "write yes or no", column)


def _known_school(code: str, schools: Collection[str]) -> None:
    if code not in schools:
        raise Unfit("is no school of the roster", "add the school to schools.csv, or mend its code", "school")


def _parse(table: Table, model: type[M], key: Callable[[M], str], check: Callable[[M], None]) -> Parsed[M]:
    """Each row checked; a second row about the same person or school has to say the same."""
    rows: list[Read[M]] = []
    refused: list[Rejected] = []
    seen: dict[str, M] = {}
    entra: dict[str, str] = {}
    for number, cells in table.rows:
        try:
            row = checked(model, cells)
            check(row)
            if key(row) in seen:
                if seen[key(row)] != row:
                    raise Unfit(
                        "is in an earlier row already, which says otherwise",
                        "keep one of the two",
                        _KEY[model.__name__],
                    )
                continue
            if (entra_id := getattr(row, "entra_id", None)) and entra.setdefault(entra_id, key(row)) != key(row):
                raise Unfit("is somebody else's in an earlier row", "give each their own", "entra_id")
        except Unfit as fault:
            refused.append(refusal(number, cells, fault))
        else:
            seen[key(row)] = row
            rows.append(Read(number, cells, row))
    return Parsed(rows, refused, table.unknown(list(model.model_fields)))


_NOT_BOTH = "nobody can be both: mend one of the two"
_KEY = {"School": "code", "Staff": "email", "Pupil": "email"}
