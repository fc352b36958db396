"""Any sequence of staff files gives the people and versions that a plain walk through the files gives."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.intake.files import import_table
from app.intake.people import RosterOptions
from app.school import School
from app.store import tables
from app.store.database import open_database
from tests.clock import stopped_at
from tests.conftest import SETTINGS

FIRST = date(2026, 10, 1)
DAYS = 40  # on which the two are compared
OPTIONAL = ("department", "year_groups")
SCHOOLS = ("schools.csv", b"code,name,senior\nSEN,Senior,yes\n")

Row = dict[str, str]
people_rows = st.fixed_dictionaries(
    {
        "email": st.sampled_from(["a@x.example", "b@x.example", "c@x.example", "d@x.example"]),
        "name": st.sampled_from(["Ann Rees", "Ann Moss", "Bob Rees"]),
        "school": st.just("SEN"),
        "roles": st.sampled_from(["teacher", "dsp;teacher", ""]),
        "entra_id": st.sampled_from(["", "id-1", "ID-1", "id-2", "id-3"]),
        "department": st.sampled_from(["", "Welsh"]),
        "year_groups": st.sampled_from(["", "9"]),
    }
)


@dataclass(frozen=True)
class File:
    """An import, so many days after the one before: its rows, the optional columns it lacks, and its options as days
    before the import."""

    rows: list[Row]
    after: int
    lacks: frozenset[str]
    valid_from: int | None
    left_on: int | None


files = st.builds(
    File,
    st.lists(people_rows, min_size=1, max_size=4),
    st.integers(0, 3),
    st.frozensets(st.sampled_from(OPTIONAL)),
    st.none() | st.integers(0, 8),
    st.none() | st.integers(0, 8),
)


@dataclass
class Member:
    """Somebody, in the plain walk: the facts of each day, and every address with the present one last."""

    emails: list[str]
    entra_id: str
    days: list[dict[str, Any]]

    def has(self, row: Row) -> bool:
        """Whether they have or had the row's address or Entra id."""
        return row["email"] in self.emails or (row["entra_id"] != "" and row["entra_id"].lower() == self.entra_id)


def walk(members: list[Member], file: File, today: int) -> None:
    """Apply a file to the members, person by person and day by day."""
    rows = [row | dict.fromkeys(file.lacks, "") for row in file.rows]
    usable = [row for group in _groups(rows, _is_linked) if (row := _combined(group))]
    identified = [(row, _find(members, row)) for row in usable]
    known = [(row, member) for row, member in identified if isinstance(member, Member)]
    accepted: list[tuple[Row, Member | None]] = [(row, None) for row, member in identified if member == "new"]
    for group in _groups(known, lambda one, other: one[1] is other[1]):
        if row := _combined([row for row, _ in group]):
            accepted.append((row, group[0][1]))
    good = [row for row, _ in accepted]
    rejected = [row for row in rows if not any(_is_linked(row, other) for other in good)]
    is_clear = all(any(member.has(row) for member in members) for row in rejected)
    missing = [member for member in members if not any(member.has(row) for row in rows)]
    for row, member in accepted:
        _apply(members, row, member, file.lacks, today - (file.valid_from or 0))
    for member in missing:
        if file.left_on is not None and is_clear and not member.days[-1]["has_left"]:
            for facts in member.days[today - file.left_on :]:
                facts |= {"has_left": True, "roles": ""}


def _groups(items: list[Any], is_linked: Callable[[Any, Any], bool]) -> list[list[Any]]:
    """The items in groups: those that are linked, also by way of others, are together."""
    groups: list[list[Any]] = []
    for item in items:
        linked = [group for group in groups if any(is_linked(item, other) for other in group)]
        groups = [group for group in groups if group not in linked] + [[*chain(*linked), item]]
    return groups


def _is_linked(row: Row, other: Row) -> bool:
    same_id = row["entra_id"] != "" and row["entra_id"].lower() == other["entra_id"].lower()
    return row["email"] == other["email"] or same_id


def _combined(group: list[Row]) -> Row | None:
    """The row of a group that agrees; an Entra id may be missing in some of its rows."""
    ids = {row["entra_id"].lower() for row in group} - {""}
    if len(ids) > 1 or any(row | {"entra_id": ""} != group[0] | {"entra_id": ""} for row in group):
        return None
    return group[0] | {"entra_id": next(iter(ids), "")}


def _find(members: list[Member], row: Row) -> Member | str:
    """Whom a row is about, "new", or "rejected"."""
    by_id = [member for member in members if row["entra_id"] and member.entra_id == row["entra_id"].lower()]
    by_email = [member for member in members if row["email"] in member.emails]
    if by_id:
        return "rejected" if by_email and by_email[0] is not by_id[0] else by_id[0]
    if not by_email:
        return "new"
    (member,) = by_email
    if row["entra_id"] and member.entra_id:
        return "rejected"
    name, given = member.days[-1]["name"], row["name"]
    if member.days[-1]["has_left"] or row["email"] != member.emails[-1]:
        return member if name == given else "rejected"
    return member if name.split()[0] == given.split()[0] else "rejected"


def _apply(members: list[Member], row: Row, member: Member | None, lacks: frozenset[str], start: int) -> None:
    facts = {name: row[name] for name in ("name", "roles", *OPTIONAL)} | {"has_left": False}
    if member is None:
        blank = dict.fromkeys(lacks, "")
        members.append(Member([row["email"]], row["entra_id"].lower(), [facts | blank for _ in range(DAYS)]))
        return
    for of_day in member.days[start:]:
        of_day |= {name: value for name, value in facts.items() if name not in lacks}
    member.emails = [email for email in member.emails if email != row["email"]] + [row["email"]]
    member.entra_id = row["entra_id"].lower() or member.entra_id


def _as_csv(file: File) -> bytes:
    out = io.StringIO()
    names = [name for name in file.rows[0] if name not in file.lacks]
    writer = csv.DictWriter(out, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(file.rows)
    return out.getvalue().encode()


def _stored(school: School) -> list[Member]:
    """Everybody in the database, as the plain walk would have them."""
    stored = []
    with school.engine.connect() as connection:
        for person in connection.execute(select(tables.staff).order_by(tables.staff.c.id)).all():
            former, version = tables.former_emails.c, tables.staff_versions
            emails = connection.scalars(select(former.email).where(former.staff_id == person.id)).all()
            of_person = select(version).where(version.c.staff_id == person.id).order_by(version.c.from_day)
            versions = connection.execute(of_person).mappings().all()
            days = []
            for day in (FIRST + timedelta(days=n) for n in range(DAYS)):
                valid = [v for v in versions if v["from_day"] <= day][-1]
                days.append({name: valid[name] for name in ("name", "roles", *OPTIONAL, "has_left")})
            stored.append(Member([*sorted(emails), person.email], person.entra_id or "", days))
    return stored


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(files, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_import_table_keeps_people_apart_whatever_files_come(
    new_database: Callable[..., str], sequence: list[File], order: Any
) -> None:
    school = School(open_database(new_database()), SETTINGS)
    members: list[Member] = []
    today = 10
    for file in sequence:
        today += file.after
        walk(members, file, today)
        shuffled = order.sample(file.rows, len(file.rows))
        noon = datetime.combine(FIRST + timedelta(days=today), time(12), UTC)
        with stopped_at(noon):
            import_table(school, "schools", SCHOOLS)
            options = RosterOptions(_before(noon.date(), file.valid_from), _before(noon.date(), file.left_on))
            content = _as_csv(File(shuffled, file.after, file.lacks, None, None))
            for _ in range(2):  # the second time changes nothing
                result = import_table(school, "staff", ("staff.csv", content), options=options)
            assert not result.added
        expected = [Member([*sorted(m.emails[:-1]), m.emails[-1]], m.entra_id, m.days) for m in members]
        assert sorted(_stored(school), key=repr) == sorted(expected, key=repr)
    school.engine.dispose()


def _before(day: date, days: int | None) -> date | None:
    return None if days is None else day - timedelta(days=days)
