"""Schools, staff and pupils: what the roster says of each from which day on.

Who took part in calls, or was invited, before the roster knew them is recognised as soon as it does.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update

from app.intake.transaction import ImportResult, note_rows, span
from app.judging.rejudge import Touched
from app.records.roster import Pupil, Roster, Staff, parse_pupils, parse_schools, parse_staff
from app.records.rows import InvalidCellError, ReadRow, reject
from app.records.tabular import Table as File
from app.school import School
from app.store import reading, tables
from app.store.writing import insert_rows

_EVER = date(1900, 1, 1)  # a person's first version is valid on all days before it came


def store_schools(connection: Connection, _school: School, file: File, result: ImportResult) -> Touched:
    """Store schools as they are now."""
    known = {row.code: row for row in connection.execute(select(tables.schools))}
    touched = Touched()
    for read in note_rows(result, parse_schools(file)):
        row = read.row
        values = row.model_dump() | {"email_domain": row.email_domain or ""}
        before = known.get(row.code)
        if before is None:
            connection.execute(insert(tables.schools).values(values))
            result.added += 1
        elif before._asdict() != values:
            connection.execute(update(tables.schools).where(tables.schools.c.code == row.code).values(values))
            result.changed += 1
            touched.times = [(-(2**62), 2**62)]  # whether it is a senior school decides a clause
    result.unchanged = result.read - result.added - result.changed - len(result.rejected)
    return touched


def store_staff(connection: Connection, school: School, file: File, result: ImportResult) -> Touched:
    """Store staff, as `_store_people`."""
    pupils = reading.roster(connection).pupils
    rows = note_rows(result, parse_staff(file, set(connection.scalars(select(tables.schools.c.code))), pupils))

    def version(row: Staff) -> dict[str, Any]:
        lists = {name: ";".join(getattr(row, name)) for name in ("roles", "year_groups", "houses")}
        return {"name": row.name, "school": row.school, "department": row.department} | lists

    return _store_people(connection, school, result, tables.staff, tables.staff_versions, rows, version)


def store_pupils(connection: Connection, school: School, file: File, result: ImportResult) -> Touched:
    """Store pupils, as `_store_people`."""
    staff = reading.roster(connection).staff
    rows = note_rows(result, parse_pupils(file, set(connection.scalars(select(tables.schools.c.code))), staff))

    def version(row: Pupil) -> dict[str, Any]:
        facts = {name: getattr(row, name) for name in ("name", "school", "year_group", "house")}
        return facts | {"tutor_id": staff[row.tutor_email] if row.tutor_email else None}

    return _store_people(connection, school, result, tables.pupils, tables.pupil_versions, rows, version)


def _store_people(
    connection: Connection,
    school: School,
    result: ImportResult,
    people: Table,
    versions: Table,
    rows: Sequence[ReadRow[Any]],
    version: Callable[[Any], dict[str, Any]],
) -> Touched:
    """Store new people, whose first version is valid on all days; and of known people a new version from today if
    something about them changed."""
    key = "staff_id" if people is tables.staff else "pupil_id"
    today = school.today()
    known = {row.email: row for row in connection.execute(select(people))}
    owners = _owners(connection)
    latest = _latest(connection, versions, key)
    last = connection.scalar(select(func.max(people.c.id))) or 0
    new: list[dict[str, Any]] = []
    dated: list[dict[str, Any]] = []
    changed: set[int] = set()
    for read in rows:
        row, facts = read.row, version(read.row)
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
                connection.execute(update(people).where(people.c.id == number).values(entra_id=row.entra_id))
                changed.add(number)
    result.rejected.sort(key=lambda rejected: rejected.row)
    # A second change on one day takes the place of the first.
    again = versions.c[key].in_([row[key] for row in dated if row["from_day"] == today])
    connection.execute(delete(versions).where(versions.c.from_day == today, again))
    insert_rows(connection, people, new)
    insert_rows(connection, versions, dated)
    result.added, result.changed = len(new), len(changed)
    result.unchanged = result.read - len(new) - len(changed) - len(result.rejected)
    return Touched(_recognised(connection), _sessions_since(connection, key, changed, today))


def _owners(connection: Connection) -> dict[str, str]:
    """Whose each Entra id is, staff's or pupils', by email."""
    accounts = select(tables.staff.c.email, tables.staff.c.entra_id).union_all(
        select(tables.pupils.c.email, tables.pupils.c.entra_id)
    )
    return {row.entra_id: row.email for row in connection.execute(accounts) if row.entra_id}


def _latest(connection: Connection, versions: Table, key: str) -> dict[int, dict[str, Any]]:
    """The facts of each person's last version."""
    rows = connection.execute(select(versions).order_by(versions.c.from_day)).mappings()
    return {row[key]: {name: row[name] for name in row if name not in ("id", key, "from_day")} for row in rows}


def _sessions_since(connection: Connection, key: str, people: set[int], day: date) -> set[int]:
    """The sessions from a day on of some pupils, or by or with some staff, the invited included."""
    session, of_call, stay = tables.sessions.c, tables.session_calls.c, tables.call_stays.c
    if not people:
        return set()
    if key == "pupil_id":
        of = tables.session_pupils.c
        found = [select(session.id).join(tables.session_pupils).where(of.pupil_id.in_(people))]
    else:
        found = [
            select(session.id).where(session.staff_id.in_(people)),
            select(session.id)
            .join(tables.session_calls)
            .join(tables.call_stays, stay.call_id == of_call.call_id)
            .where(stay.staff_id.in_(people)),
            select(session.id)
            .join(tables.log_invited, tables.log_invited.c.log_id == session.log_id)
            .where(tables.log_invited.c.staff_id.in_(people)),
        ]
    return {number for query in found for number in connection.scalars(query.where(session.day >= day))}


# --- who is known now -------------------------------------------------------------------------------


def _recognised(connection: Connection) -> list[tuple[int, int]]:
    """Give their names to people of calls and logs who were not on the roster when those came, and are now; the
    times of those calls and logs."""
    roster = reading.roster(connection)
    calls = _recognise_in_calls(connection, roster) | _recognise_organisers(connection, roster)
    logs = _recognise_invited(connection, roster)
    times = []
    for table, ids in ((tables.calls, calls), (tables.logs, logs)):
        mine = reading.is_among(connection, table.c.id, ids)
        rows = connection.execute(select(table.c.started_at, table.c.ended_at).where(mine))
        times += [span(row.started_at, row.ended_at) for row in rows]
    return times


def _recognise_in_calls(connection: Connection, roster: Roster) -> set[str]:
    calls = set()
    for table in (tables.call_stays, tables.call_listed):
        unknown = select(table.c.call_id, table.c.person, table.c.entra_id, table.c.upn).where(
            table.c.staff_id.is_(None), table.c.pupil_id.is_(None)
        )
        for row in connection.execute(unknown.distinct()).all():
            staff_id, pupil_id = roster.ids(row.entra_id, row.upn)
            if staff_id or pupil_id:
                mine = and_(table.c.call_id == row.call_id, table.c.person == row.person)
                connection.execute(update(table).where(mine).values(staff_id=staff_id, pupil_id=pupil_id))
                calls.add(row.call_id)
    return calls


def _recognise_organisers(connection: Connection, roster: Roster) -> set[str]:
    calls, call = set(), tables.calls.c
    unknown = select(call.id, call.organiser_id).where(
        call.organiser_staff_id.is_(None), call.organiser_id.is_not(None)
    )
    for call_id, organiser in connection.execute(unknown).all():
        if staff_id := roster.staff_entra.get(organiser):
            connection.execute(update(tables.calls).where(call.id == call_id).values(organiser_staff_id=staff_id))
            calls.add(call_id)
    return calls


def _recognise_invited(connection: Connection, roster: Roster) -> set[int]:
    logs, invited = set(), tables.log_invited.c
    unknown = select(invited.log_id, invited.email).where(invited.staff_id.is_(None))
    for log_id, email in connection.execute(unknown).all():
        if staff_id := roster.staff.get(email):
            mine = and_(invited.log_id == log_id, invited.email == email)
            connection.execute(update(tables.log_invited).where(mine).values(staff_id=staff_id))
            logs.add(log_id)
    return logs
