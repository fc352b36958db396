"""Imports schools, staff and pupils, and stores from which day each version of a person is valid.

Earlier calls and invitations are linked to people as soon as these are on the roster.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, func, insert, null, select, update

from app.intake.result import ImportResult
from app.intake.transaction import span
from app.judging.rejudge import Affected
from app.records.roster import Roster, parse_pupils, parse_schools, parse_staff
from app.records.rows import InvalidCellError, ReadRow, reject
from app.records.tabular import Table as File
from app.school import School
from app.store import reading, tables
from app.store.writing import insert_rows

Facts = dict[str, Any]

_EVER = date(1900, 1, 1)  # a person's first version is also valid on all earlier days


def store_schools(connection: Connection, _school: School, file: File, result: ImportResult) -> Affected:
    """Store schools as they are now."""
    known = {row.code: row for row in connection.execute(select(tables.schools))}
    affected = Affected()
    for read in result.note(parse_schools(file)):
        row = read.row
        values = row.model_dump() | {"email_domain": row.email_domain or ""}
        before = known.get(row.code)
        if before is None:
            connection.execute(insert(tables.schools).values(values))
            result.added += 1
        elif before._asdict() != values:
            connection.execute(update(tables.schools).where(tables.schools.c.code == row.code).values(values))
            result.changed += 1
            affected.times = [(-(2**62), 2**62)]  # whether it is a senior school decides a clause
    result.unchanged = result.read - result.added - result.changed - len(result.rejected)
    return affected


@dataclass(frozen=True)
class _People:
    """Staff or pupils: the table, its version table and the foreign key between them."""

    table: Table
    versions: Table
    key: str


_STAFF = _People(tables.staff, tables.staff_versions, "staff_id")
_PUPILS = _People(tables.pupils, tables.pupil_versions, "pupil_id")


def store_staff(connection: Connection, school: School, file: File, result: ImportResult) -> Affected:
    """Store staff, as `_store_people`."""
    pupils = reading.read_roster(connection).pupils
    schools = set(connection.scalars(select(tables.schools.c.code)))
    rows: list[tuple[ReadRow[Any], Facts]] = []
    for read in result.note(parse_staff(file, schools, pupils)):
        facts = {name: getattr(read.row, name) for name in ("name", "school", "department")}
        lists = {name: ";".join(getattr(read.row, name)) for name in ("roles", "year_groups", "houses")}
        rows.append((read, facts | lists))
    return _store_people(connection, school.today(), result, _STAFF, rows)


def store_pupils(connection: Connection, school: School, file: File, result: ImportResult) -> Affected:
    """Store pupils, as `_store_people`."""
    staff = reading.read_roster(connection).staff
    schools = set(connection.scalars(select(tables.schools.c.code)))
    rows: list[tuple[ReadRow[Any], Facts]] = []
    for read in result.note(parse_pupils(file, schools, staff)):
        facts = {name: getattr(read.row, name) for name in ("name", "school", "year_group", "house")}
        tutor = read.row.tutor_email
        rows.append((read, facts | {"tutor_id": staff[tutor] if tutor else None}))
    return _store_people(connection, school.today(), result, _PUPILS, rows)


def _store_people(
    connection: Connection, today: date, result: ImportResult, people: _People, rows: list[tuple[ReadRow[Any], Facts]]
) -> Affected:
    """Store new people, whose first version is valid on all days, and a new version from today for known people if
    something about them changed. Each row comes with the facts of its version."""
    table, versions, key = people.table, people.versions, people.key
    known = {row.email: row for row in connection.execute(select(table))}
    owners = _owners(connection)
    latest = _latest(connection, versions, key)
    last = connection.scalar(select(func.max(table.c.id))) or 0
    new: list[Facts] = []
    dated: list[Facts] = []
    changed: set[int] = set()
    for read, facts in rows:
        row = read.row
        if row.entra_id and owners.setdefault(row.entra_id, row.email) != row.email:
            fault = InvalidCellError("belongs to somebody else on the roster", "give each person their own", "entra_id")
            result.rejected.append(reject(read.number, read.cells, fault))
        elif row.email not in known:
            last += 1
            new.append({"id": last, "email": row.email, "entra_id": row.entra_id})
            dated.append({key: last, "from_day": _EVER} | facts)
        else:
            number, entra_id = known[row.email].id, known[row.email].entra_id
            if facts != latest[number]:
                dated.append({key: number, "from_day": today} | facts)
                changed.add(number)
            if row.entra_id not in (None, entra_id):
                connection.execute(update(table).where(table.c.id == number).values(entra_id=row.entra_id))
                changed.add(number)
    result.rejected.sort(key=lambda rejected: rejected.row)
    # A second change on the same day replaces the first.
    replaced = versions.c[key].in_([row[key] for row in dated if row["from_day"] == today])
    connection.execute(delete(versions).where(versions.c.from_day == today, replaced))
    insert_rows(connection, table, new)
    insert_rows(connection, versions, dated)
    result.added, result.changed = len(new), len(changed)
    result.unchanged = result.read - len(new) - len(changed) - len(result.rejected)
    return Affected(_recognise(connection), _sessions_since(connection, key, changed, today))


def _owners(connection: Connection) -> dict[str, str]:
    """Each Entra id on the roster, mapped to the email of the member of staff or pupil who has it."""
    accounts = select(tables.staff.c.email, tables.staff.c.entra_id).union_all(
        select(tables.pupils.c.email, tables.pupils.c.entra_id)
    )
    return {row.entra_id: row.email for row in connection.execute(accounts) if row.entra_id}


def _latest(connection: Connection, versions: Table, key: str) -> dict[int, dict[str, Any]]:
    """The facts of each person's last version."""
    rows = connection.execute(select(versions).order_by(versions.c.from_day)).mappings()
    return {row[key]: {name: row[name] for name in row if name not in ("id", key, "from_day")} for row in rows}


def _sessions_since(connection: Connection, key: str, people: set[int], day: date) -> set[int]:
    """The sessions, from a day on, of some pupils, or of some staff, whether they led, joined or were invited."""
    session, of_call, stay = tables.sessions.c, tables.session_calls.c, tables.call_stays.c
    if not people:
        return set()
    if key == "pupil_id":
        of = tables.session_pupils.c
        queries = [select(session.id).join(tables.session_pupils).where(of.pupil_id.in_(people))]
    else:
        queries = [
            select(session.id).where(session.staff_id.in_(people)),
            select(session.id)
            .join(tables.session_calls)
            .join(tables.call_stays, stay.call_id == of_call.call_id)
            .where(stay.staff_id.in_(people)),
            select(session.id)
            .join(tables.log_invited, tables.log_invited.c.log_id == session.log_id)
            .where(tables.log_invited.c.staff_id.in_(people)),
        ]
    return {number for query in queries for number in connection.scalars(query.where(session.day >= day))}


def _recognise(connection: Connection) -> list[tuple[int, int]]:
    """Link earlier calls and logs to people who have since been added to the roster. Returns the times of those calls
    and logs."""
    roster = reading.read_roster(connection)
    stays, listed, invited = tables.call_stays.c, tables.call_listed.c, tables.log_invited.c
    organiser_id = tables.calls.c.organiser_id
    calls = {
        *_recognise_in(connection, roster, stays.call_id, entra_id=stays.entra_id, upn=stays.upn),
        *_recognise_in(connection, roster, listed.call_id, entra_id=listed.entra_id, upn=listed.upn),
        *_recognise_in(connection, roster, tables.calls.c.id, entra_id=organiser_id, upn=null()),
    }
    logs = _recognise_in(connection, roster, invited.log_id, entra_id=null(), upn=invited.email)
    times = []
    for table, ids in ((tables.calls, calls), (tables.logs, logs)):
        rows = connection.execute(
            select(table.c.started_at, table.c.ended_at).where(reading.is_among(connection, table.c.id, ids))
        )
        times += [span(row.started_at, row.ended_at) for row in rows]
    return times


def _recognise_in(
    connection: Connection, roster: Roster, key: Column[Any], *, entra_id: ColumnElement[Any], upn: ColumnElement[Any]
) -> set[Any]:
    """Link the rows of a table to the people whose account the roster now knows. Returns the `key` of those rows."""
    table = key.table
    ids = [table.c[name] for name in ("organiser_staff_id", "staff_id", "pupil_id") if name in table.c]
    linked = set()
    for number, *account in connection.execute(
        select(key, entra_id, upn).where(*(column.is_(None) for column in ids)).distinct()
    ).all():
        staff_id, pupil_id = roster.find_ids(*account)
        known = dict(zip(ids, (staff_id, pupil_id), strict=False))
        if any(known.values()):
            same = [column.is_not_distinct_from(value) for column, value in zip((entra_id, upn), account, strict=True)]
            connection.execute(update(table).where(key == number, *same).values(known))
            linked.add(number)
    return linked
