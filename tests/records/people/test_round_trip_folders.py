"""Random School Data Sync and OneRoster folders: everybody is read as written, or rejected by row and column."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.people.roster import parse_pupils, parse_staff
from app.records.people.roster_folders import read_export
from app.records.rows import ParsedRows
from app.vocabulary.words import read_year

TODAY = date(2026, 11, 26)
SCHOOLS = {"S1": "Ysgol Uwch", "S2": "Ysgol Iau"}
ON_ROSTER = ("student", "teacher")

Rows = list[Sequence[str]]
Quoting = Literal[0, 1]
QUOTING: tuple[Quoting, ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)


@dataclass(frozen=True)
class User:
    """Somebody in an export; `number` is the row in users.csv."""

    number: int
    role: str
    given: str
    family: str
    address: str
    school: str
    grade: str
    has_left: bool

    @property
    def status(self) -> str:
        return "tobedeleted" if self.has_left else "active"


name = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from(",;\"'|="), max_size=8)
drawn = st.tuples(
    st.sampled_from([*ON_ROSTER, "parent", "relative", "wizard"]),
    name,
    name,
    st.booleans(),
    st.sampled_from(list(SCHOOLS)),
    st.sampled_from(["07", "9", "13", "KG", ""]),
    st.booleans(),
)


@st.composite
def users(draw: st.DrawFn) -> list[User]:
    return [
        User(n, role, given, family, f"p{n}@ysgol.example" if has_address else "", school, grade, has_left)
        for n, (role, given, family, has_address, school, grade, has_left) in enumerate(
            draw(st.lists(drawn, max_size=8)), start=2
        )
    ]


ORGS: Rows = [("sourcedId", "name", "type"), *((code, title, "school") for code, title in SCHOOLS.items())]


def write_sds(people: Iterable[User]) -> dict[str, Rows]:
    heads = ("sourcedId", "username", "givenName", "familyName", "activeDirectoryMatchId", "email", "status")
    roles: Rows = [("userSourcedId", "orgSourcedId", "role", "grade", "isPrimary")]
    roles += [(f"u{one.number}", one.school, one.role, one.grade, "TRUE") for one in people]
    listed = [(f"u{one.number}", one.address, one.given, one.family, one.address, "", one.status) for one in people]
    return {"users.csv": [heads, *listed], "roles.csv": roles}


def write_oneroster_1_1(people: Iterable[User]) -> dict[str, Rows]:
    heads = (
        "sourcedId",
        "status",
        "enabledUser",
        "orgSourcedIds",
        "role",
        "givenName",
        "familyName",
        "email",
        "grades",
    )
    return {
        "users.csv": [
            heads,
            *(
                (f"u{u.number}", u.status, "true", u.school, u.role, u.given, u.family, u.address, u.grade)
                for u in people
            ),
        ]
    }


def write_oneroster_1_2(people: Iterable[User]) -> dict[str, Rows]:
    heads = ("sourcedId", "status", "enabledUser", "username", "givenName", "familyName", "email", "grades")
    roles: Rows = [("sourcedId", "userSourcedId", "roleType", "role", "orgSourcedId")]
    roles += [(f"r{one.number}", f"u{one.number}", "primary", one.role, one.school) for one in people]
    listed = [(f"u{u.number}", u.status, "true", "", u.given, u.family, u.address, u.grade) for u in people]
    return {"users.csv": [heads, *listed], "roles.csv": roles}


def write_files(
    tables: dict[str, Rows], delimiter: str, quoting: Quoting, encoding: str
) -> dict[str, tuple[str, bytes]]:
    files = {}
    for title, rows in (tables | {"orgs.csv": ORGS}).items():
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(rows)
        files[title] = (title, out.getvalue().encode(encoding))
    own = "code,senior\nS1,yes\nS2,no\n"
    return files | {"schools.csv": ("schools.csv", own.encode())}


def check_parsed(parsed: ParsedRows[Any], expected: Iterable[User]) -> None:
    """Everybody who is expected is read as written or rejected by row and column, and nobody else is."""
    left = {one.number: one for one in expected}
    for read in parsed.rows:
        one, row = left.pop(read.number), read.row
        written = (one.address, " ".join(filter(None, (one.given, one.family))), one.school)
        assert (row.email, row.name, row.school) == written
        assert getattr(row, "year_group", read_year(one.grade)) == read_year(one.grade)
    for rejected in parsed.rejected:
        one = left.pop(rejected.row)
        assert rejected.column
        assert rejected.reason
        assert not one.address or one.role not in ON_ROSTER or rejected.column == "name"
    assert not left


@pytest.mark.parametrize("write", [write_sds, write_oneroster_1_1, write_oneroster_1_2])
@settings(max_examples=60)
@given(
    users(),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(QUOTING),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_read_export_reads_or_rejects_everybody(
    write: Callable[[list[User]], dict[str, Rows]], people: list[User], delimiter: str, quoting: Quoting, encoding: str
) -> None:
    export = read_export(write_files(write(people), delimiter, quoting, encoding), {}, TODAY)
    here = [one for one in people if not one.has_left]
    unknown = [one for one in here if one.role == "wizard"]
    gone = [one for one in people if one.has_left]
    assert export.left == {one.address for one in gone if one.address}
    lost = [one for one in gone if not one.address and one.role in ON_ROSTER]
    pupils = [one for one in (*here, *lost) if one.role == "student"]
    staff = [one for one in (*here, *lost) if one.role == "teacher"] + unknown
    for kind, expected in (("staff", staff), ("pupils", pupils)):
        if kind not in export.tables:
            assert not expected
        elif kind == "staff":
            check_parsed(parse_staff(export.tables[kind], list(SCHOOLS), []), expected)
        else:
            check_parsed(parse_pupils(export.tables[kind], list(SCHOOLS), []), expected)
