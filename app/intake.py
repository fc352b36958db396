"""Taking in what comes from outside: one transaction from checked rows to judged sessions.

Good rows land, each refused row is kept until somebody mends or dismisses it, and the same file a second
time changes nothing. A process that is killed leaves all of an import or none of it.
"""

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update

from app import access, audit, consents, refusals
from app.access import Person
from app.alerts.sending import soon as alert_soon
from app.concerns import NOT_ASSESSED, known_category, open_concern
from app.judging import Touched, foresee, rejudge, remove_sessions
from app.records import Parsed, R, Read, Refused, UnreadableFile
from app.records.calls import READER, Call, Found, Unreadable, iter_json, read_call
from app.records.fields import Unfit, refusal
from app.records.logs import Log, parse_log, parse_logs
from app.records.recordings import Recording, read_recording
from app.records.registers import Consent, Letter, parse_consents, parse_letters
from app.records.roster import Pupil, Roster, Staff, parse_pupils, parse_schools, parse_staff
from app.records.tabular import Table as File
from app.records.tabular import read_table
from app.school import School
from app.store import reading, tables
from app.store.database import DatabaseError
from app.store.writing import insert_rows, raise_revision, remembered

T = TypeVar("T", Call, Recording)
Source = str | Path | tuple[str, bytes]
EVER = date(1900, 1, 1)  # a person's first version holds for all days before it came


@dataclass
class ImportResult:
    """What an import did: how many rows or records were read, and what became of them."""

    kind: str
    source: str
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    dropped: int = 0  # calls that are no session
    refused: list[Refused] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)
    came_right: int = 0  # rows that earlier imports had refused
    rows: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)  # that could be used, by number
    calls: dict[str, int] = field(default_factory=dict)  # that could be read: id and version; of a recording 0


_COUNTED = ("kind", "source", "read", "added", "changed", "unchanged", "dropped")


Work = Callable[[Connection, ImportResult], Touched]


def _take_in(school: School, kind: str, source: str, by: int | None, work: Work) -> ImportResult:
    """One import in one transaction."""
    with school.writing() as connection:
        return _taken_in(connection, school, kind, source, by, work)


def _taken_in(
    connection: Connection, school: School, kind: str, source: str, by: int | None, work: Work
) -> ImportResult:
    """An import's work, its refused rows, what it touched judged again, and an entry in the list of imports
    if it changed anything."""
    result = ImportResult(kind, source)
    touched = work(connection, result)
    result.came_right = refusals.come_right(
        connection, school.settings, kind, source,
        taken=result.rows, refused=result.refused, calls=result.calls, at=school.now(), by=by,
    )  # fmt: skip
    new_refusals = refusals.keep(connection, kind, source, result.refused)
    if not (result.added or result.changed or result.came_right or new_refusals):
        return result
    import_id = connection.scalar(
        insert(tables.imports)
        .returning(tables.imports.c.id)
        .values({name: getattr(result, name) for name in _COUNTED})
        .values(at=school.now(), by=by, refused=len(result.refused))
    )
    insert_rows(connection, tables.refused_rows, [row | {"import_id": import_id} for row in new_refusals])
    rejudge(connection, school.settings, touched, school.now())
    raise_revision(connection)
    _put_on_trail(connection, school, by, "imported", f"{kind} from {source}, import {import_id}")
    return result


def _put_on_trail(connection: Connection, school: School, by: int | None, what: str, about: str) -> None:
    email = connection.scalar(select(tables.staff.c.email).where(tables.staff.c.id == by)) if by else None
    audit.add(connection, at=school.now(), by=email or audit.COMMAND, what=what, about=about)


# --- the roster -------------------------------------------------------------------------------------


def import_roster(school: School, folder: str | Path, by: int | None = None) -> list[ImportResult]:
    """schools.csv, staff.csv and pupils.csv (or .xlsx) of a folder, those that are there."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UnreadableFile(f"{folder} is no folder; give the one that holds schools.csv, staff.csv and pupils.csv.")
    files = {kind: _roster_file(folder, kind) for kind in ("schools", "staff", "pupils")}
    if not any(files.values()):
        raise UnreadableFile(f"{folder} holds none of schools.csv, staff.csv and pupils.csv.")
    read = {kind: read_table(file) for kind, file in files.items() if file}
    _not_into_the_demonstration(school)
    with school.writing() as connection:
        return [
            _taken_in(connection, school, kind, table.name, by, _people_of(school, kind, table))
            for kind, table in read.items()
        ]


def _not_into_the_demonstration(school: School) -> None:
    """Nobody real is ever in a database whose people lend their eyes to everybody."""
    with school.engine.connect() as connection:
        if remembered(connection, "demo") or remembered(connection, "demo_unfinished"):
            raise DatabaseError(
                "This database holds the demonstration: nobody real comes into it. Set DATABASE_URL to a database of "
                "the school's own. Nothing was changed."
            )


def _roster_file(folder: Path, kind: str) -> Path | None:
    return next((f for f in sorted(folder.iterdir()) if f.name.lower() in (f"{kind}.csv", f"{kind}.xlsx")), None)


def import_people(school: School, kind: str, table: File, by: int | None = None) -> ImportResult:
    """A table of `schools`, `staff` or `pupils`."""
    return _take_in(school, kind, table.name, by, _people_of(school, kind, table))


def _people_of(school: School, kind: str, table: File) -> Work:
    keep = _PEOPLE[kind]

    def work(connection: Connection, result: ImportResult) -> Touched:
        result.read = len(table.rows)
        return keep(connection, school, table, result)

    return work


def import_table(school: School, kind: str, file: Source, by: int | None = None) -> ImportResult:
    """A table of `logs`, `letters`, `consents`, `schools`, `staff` or `pupils`."""
    if kind in _PEOPLE:
        _not_into_the_demonstration(school)
    return _import_file(school, kind, file, by)


def _import_file(school: School, kind: str, file: Source, by: int | None) -> ImportResult:
    table = read_table(file)
    return _take_in(school, kind, table.name, by, _work_of(school, kind, table, by))


def _work_of(school: School, kind: str, table: File, by: int | None) -> Work:
    if kind == "consents":
        return _consents_of(school, table, by)
    of_kind = {"logs": _logs_of, "letters": _letters_of}.get(kind)
    return of_kind(school, table) if of_kind else _people_of(school, kind, table)


def _noted(result: ImportResult, parsed: Parsed[R]) -> list[Read[R]]:
    result.refused += parsed.refused
    result.unknown_columns = parsed.unknown_columns
    result.rows = [(read.number, read.cells) for read in parsed.rows]
    return parsed.rows


def _keep_schools(connection: Connection, school: School, table: File, result: ImportResult) -> Touched:
    known = {row.code: row for row in connection.execute(select(tables.schools))}
    touched = Touched()
    for read in _noted(result, parse_schools(table)):
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
    result.unchanged = result.read - result.added - result.changed - len(result.refused)
    return touched


def _keep_staff(connection: Connection, school: School, table: File, result: ImportResult) -> Touched:
    pupils = reading.roster(connection).pupils
    parsed = parse_staff(table, set(connection.scalars(select(tables.schools.c.code))), pupils)

    def version(row: Staff) -> dict[str, Any]:
        lists = {name: ";".join(getattr(row, name)) for name in ("roles", "year_groups", "houses")}
        return {"name": row.name, "school": row.school, "department": row.department} | lists

    return _keep_people(
        connection, school, result, tables.staff, tables.staff_versions, _noted(result, parsed), version
    )


def _keep_pupils(connection: Connection, school: School, table: File, result: ImportResult) -> Touched:
    staff = reading.roster(connection).staff
    parsed = parse_pupils(table, set(connection.scalars(select(tables.schools.c.code))), staff)

    def version(row: Pupil) -> dict[str, Any]:
        facts = {name: getattr(row, name) for name in ("name", "school", "year_group", "house")}
        return facts | {"tutor_id": staff[row.tutor_email] if row.tutor_email else None}

    return _keep_people(
        connection, school, result, tables.pupils, tables.pupil_versions, _noted(result, parsed), version
    )


def _keep_people(
    connection: Connection,
    school: School,
    result: ImportResult,
    people: Table,
    versions: Table,
    rows: Sequence[Read[Any]],
    version: Callable[[Any], dict[str, Any]],
) -> Touched:
    """New people, whose first version has always held; and of known people a new version from today where
    something about them changed."""
    key = "staff_id" if people is tables.staff else "pupil_id"
    today = school.today()
    known = {row.email: row for row in connection.execute(select(people))}
    accounts = select(tables.staff.c.email, tables.staff.c.entra_id).union_all(
        select(tables.pupils.c.email, tables.pupils.c.entra_id)
    )
    owners = {row.entra_id: row.email for row in connection.execute(accounts) if row.entra_id}
    latest = _latest(connection, versions, key)
    last = connection.scalar(select(func.max(people.c.id))) or 0
    new: list[dict[str, Any]] = []
    dated: list[dict[str, Any]] = []
    changed: set[int] = set()
    for read in rows:
        row, facts = read.row, version(read.row)
        if row.entra_id and owners.setdefault(row.entra_id, row.email) != row.email:
            fault = Unfit("is somebody else's on the roster", "give each their own", "entra_id")
            result.refused.append(refusal(read.number, read.cells, fault))
        elif row.email not in known:
            last += 1
            new.append({"id": last, "email": row.email, "entra_id": row.entra_id})
            dated.append({key: last, "from_day": EVER} | facts)
        else:
            number, entra_id = known[row.email].id, known[row.email].entra_id
            if facts != latest[number]:
                dated.append({key: number, "from_day": today} | facts)
            if row.entra_id not in (None, entra_id):
                connection.execute(update(people).where(people.c.id == number).values(entra_id=row.entra_id))
            if facts != latest[number] or row.entra_id not in (None, entra_id):
                changed.add(number)
    result.refused.sort(key=lambda refused: refused.row)
    # A second change on one day takes the place of the first.
    again = versions.c[key].in_([row[key] for row in dated if row["from_day"] == today])
    connection.execute(delete(versions).where(versions.c.from_day == today, again))
    insert_rows(connection, people, new)
    insert_rows(connection, versions, dated)
    result.added, result.changed = len(new), len(changed)
    result.unchanged = result.read - len(new) - len(changed) - len(result.refused)
    touched = _recognised(connection)
    touched.sessions |= _sessions_since(connection, key, changed, today)
    return touched


_PEOPLE = {"schools": _keep_schools, "staff": _keep_staff, "pupils": _keep_pupils}


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


def _recognised(connection: Connection) -> Touched:
    """People of calls and logs who were not on the roster when those came, and are now."""
    roster = reading.roster(connection)
    touched = Touched()
    calls: set[str] = set()
    for table in (tables.call_stays, tables.call_listed):
        unknown = select(table.c.call_id, table.c.person, table.c.entra_id, table.c.upn).where(
            table.c.staff_id.is_(None), table.c.pupil_id.is_(None)
        )
        for row in connection.execute(unknown.distinct()).all():
            staff_id, pupil_id = resolve(roster, row.entra_id, row.upn)
            if staff_id or pupil_id:
                mine = and_(table.c.call_id == row.call_id, table.c.person == row.person)
                connection.execute(update(table).where(mine).values(staff_id=staff_id, pupil_id=pupil_id))
                calls.add(row.call_id)
    call, invited = tables.calls.c, tables.log_invited.c
    nameless = select(call.id, call.organiser_id).where(
        call.organiser_staff_id.is_(None), call.organiser_id.is_not(None)
    )
    for call_id, organiser in connection.execute(nameless).all():
        if staff_id := roster.staff_entra.get(organiser):
            connection.execute(update(tables.calls).where(call.id == call_id).values(organiser_staff_id=staff_id))
            calls.add(call_id)
    logs: set[int] = set()
    unknown_guests = select(invited.log_id, invited.email).where(invited.staff_id.is_(None))
    for log_id, email in connection.execute(unknown_guests).all():
        if staff_id := roster.staff.get(email):
            mine = and_(invited.log_id == log_id, invited.email == email)
            connection.execute(update(tables.log_invited).where(mine).values(staff_id=staff_id))
            logs.add(log_id)
    for table, ids in ((tables.calls, calls), (tables.logs, logs)):
        times = select(table.c.started_at, table.c.ended_at).where(
            reading.chosen(connection, table.name, table.c.id, ids)
        )
        touched.times += [_span(row.started_at, row.ended_at) for row in connection.execute(times)]
    return touched


def resolve(roster: Roster, entra_id: str | None, upn: str | None) -> tuple[int | None, int | None]:
    """The staff id and the pupil id of somebody in a call: by Entra id first, else by address."""
    staff_id = roster.staff_entra.get(entra_id or "")
    pupil_id = roster.pupil_entra.get(entra_id or "")
    if staff_id is None and pupil_id is None and upn:
        staff_id, pupil_id = roster.staff.get(upn), roster.pupils.get(upn)
    return staff_id, pupil_id


def _span(started_at: datetime, ended_at: datetime) -> tuple[int, int]:
    """A stretch of time in microseconds."""
    microsecond = timedelta(microseconds=1)
    return (started_at - tables.EPOCH) // microsecond, (ended_at - tables.EPOCH) // microsecond


# --- logs -------------------------------------------------------------------------------------------


def import_logs(school: School, file: Source, by: int | None = None) -> ImportResult:
    """A file of session logs. A row whose reference is known with the same content changes nothing;
    with other content it is refused: a log is corrected by who wrote it, with a reason."""
    return _import_file(school, "logs", file, by)


def _logs_of(school: School, table: File) -> Work:
    def work(connection: Connection, result: ImportResult) -> Touched:
        result.read = len(table.rows)
        touched = Touched()
        parsed = parse_logs(table, reading.roster(connection), school.settings, school.now())
        refs = [read.row.ref for read in parsed.rows]
        log = tables.logs.c
        known = select(log.ref, log.fingerprint, log.version).where(reading.chosen(connection, "refs", log.ref, refs))
        seen: dict[str, set[str]] = defaultdict(set)
        for row in connection.execute(known):
            seen[row.ref].add(row.fingerprint)
        new: list[Log] = []
        added: list[tuple[int, Mapping[str, str]]] = []
        for read in _noted(result, parsed):
            known_by = seen[read.row.ref]
            if read.row.fingerprint in known_by:
                result.unchanged += 1
            elif known_by:
                fault = Unfit(
                    "is the reference of another log already, which says otherwise",
                    "give this log a reference of its own, or correct the other on the page “Log a session”",
                    "ref",
                )
                result.refused.append(refusal(read.number, read.cells, fault))
            else:
                known_by.add(read.row.fingerprint)
                new.append(read.row)
                added.append((read.number, read.cells))
        result.rows = added  # a log that was known already is not the one that was refused
        keep_logs(connection, school, new, touched)
        result.refused.sort(key=lambda refused: refused.row)
        result.added = len(new)
        return touched

    return work


def keep_logs(
    connection: Connection,
    school: School,
    logs: Sequence[Log],
    touched: Touched,
    version: int = 1,
    why: str | None = None,
) -> None:
    """Keep logs, whose references are new, or `version` of a log; open the concerns that they tell of."""
    last = connection.scalar(select(func.max(tables.logs.c.id))) or 0
    now = school.now()
    rows, pupils, invited = [], [], []
    for number, log in enumerate(logs, start=last + 1):
        rows.append(
            log.answers
            | {
                "id": number, "ref": log.ref, "version": version, "current": True, "staff_id": log.staff_id,
                "started_at": log.started_at, "ended_at": log.ended_at, "fingerprint": log.fingerprint,
                "entered_at": now, "entered_by": log.staff_id, "why": why,
            }
        )  # fmt: skip
        pupils += [{"log_id": number, "pupil_id": pupil} for pupil in log.pupil_ids]
        invited += [{"log_id": number, "email": email, "staff_id": staff} for email, staff in log.invited]
        touched.times.append(_span(log.started_at, log.ended_at))
    insert_rows(connection, tables.logs, rows)
    insert_rows(connection, tables.log_pupils, pupils)
    insert_rows(connection, tables.log_invited, invited)
    for log in logs:
        _open_told_concern(connection, log, now)


def _open_told_concern(connection: Connection, log: Log, now: datetime) -> None:
    """A log that tells of a concern in words opens one, unless its session has one already."""
    summary = log.answers["concern_summary"]
    if not (log.answers["concern"] and summary):
        return
    link = tables.concern_sessions.c
    if connection.scalar(select(link.id).where(link.log_ref == log.ref).limit(1)) is not None:
        return
    open_concern(
        connection,
        raised_by=log.staff_id,
        raised_at=now,
        happened_at=log.started_at,
        summary=summary,
        childs_words=None,
        told_dsp=None,
        categories=[known_category(log.answers["concern_category"])],
        level=NOT_ASSESSED,
        pupil_ids=log.pupil_ids,
        log_ref=log.ref,
    )


@dataclass(frozen=True)
class Entered:
    """A log that was entered: its reference, its judged session, and whether it was new."""

    ref: str
    session_id: int
    new: bool


def enter_log(school: School, values: Mapping[str, str], by: int, why: str | None = None) -> Entered | list[Refused]:
    """A log from the form, `values` as in a file's row. The same reference with the same content is no
    new log; with other content it is a correction, which only its author may make and which needs `why`."""
    with school.writing() as connection:
        try:
            log = parse_log(dict(values), reading.roster(connection), school.settings, school.now())
            new = _enter(connection, school, log, by, (why or "").strip())
        except Unfit as fault:
            return [refusal(0, dict(values), fault)]
        session = tables.sessions.c
        found = select(session.id).join(tables.logs, tables.logs.c.id == session.log_id)
        session_id = connection.scalar(found.where(tables.logs.c.ref == log.ref, tables.logs.c.current))
    assert session_id is not None
    if log.answers["concern"]:
        alert_soon(school)
    return Entered(log.ref, session_id, new)


def foresee_log(school: School, values: Mapping[str, str]) -> pd.DataFrame | Refused:
    """What a log from the form would be judged (as `judging.foresee`), or why it cannot be kept yet."""
    with school.engine.connect() as connection:
        roster = reading.roster(connection)
    try:
        return foresee(school, parse_log(dict(values), roster, school.settings, school.now()))
    except Unfit as fault:
        return refusal(0, dict(values), fault)


def _enter(connection: Connection, school: School, log: Log, by: int, why: str) -> bool:
    if log.staff_id != by:
        raise Unfit("is somebody else", "log your own sessions only", "staff_email")
    kept = tables.logs
    before = connection.execute(select(kept).where(kept.c.ref == log.ref, kept.c.current)).one_or_none()
    touched = Touched()
    if before is None:
        keep_logs(connection, school, [log], touched)
    elif before.staff_id != by:
        raise Unfit("is the reference of somebody else's log", "choose another", "ref")
    elif before.fingerprint == log.fingerprint:
        return False
    elif not why:
        raise Unfit("is blank", "say why the log is corrected", "why")
    else:
        connection.execute(update(kept).where(kept.c.id == before.id).values(current=False))
        touched.times.append(_span(before.started_at, before.ended_at))
        keep_logs(connection, school, [log], touched, before.version + 1, why)
    rejudge(connection, school.settings, touched, school.now())
    raise_revision(connection)
    _put_on_trail(connection, school, by, "changed", f"log {log.ref}, version {before.version + 1 if before else 1}")
    return True


# --- calls and recordings ---------------------------------------------------------------------------

_AT_ONCE = 500  # call records read before they are written
_COMPRESSION = 3  # of originals: half the time of level 6, and still a sixth of the size


def import_calls(
    school: School, path: str | Path, by: int | None = None, progress: Callable[[int], None] | None = None
) -> ImportResult:
    """Call records of Microsoft Graph: a file or a folder, in the forms of `iter_json`."""
    path = _there(path)

    def work(connection: Connection, result: ImportResult) -> Touched:
        touched = Touched()
        roster = reading.roster(connection)
        for part in _parts(iter_json(path)):
            calls = list(_read_each(part, read_call, result))
            keep_calls(connection, school, calls, roster, result, touched)
            if progress:
                progress(result.read)
        return touched

    return _take_in(school, "calls", path.name, by, work)


def import_recordings(school: School, path: str | Path, by: int | None = None) -> ImportResult:
    """Recordings of Microsoft Graph, in the forms of `iter_json`."""
    path = _there(path)

    def work(connection: Connection, result: ImportResult) -> Touched:
        touched = Touched()
        for part in _parts(iter_json(path)):
            keep_recordings(connection, list(_read_each(part, read_recording, result)), result, touched)
        return touched

    return _take_in(school, "recordings", path.name, by, work)


def _there(path: str | Path) -> Path:
    path = Path(path)
    if not path.exists():
        raise UnreadableFile(f"{path} is not there; give a file or a folder that is.")
    return path


def _parts(found: Iterator[Found]) -> Iterator[list[Found]]:
    while part := list(islice(found, _AT_ONCE)):
        yield part


def _read_each(part: Iterable[Found], read: Callable[[Any], T], result: ImportResult) -> Iterator[T]:
    """What can be read; the rest is refused, whole, with its reason."""
    for found in part:
        result.read += 1
        why = found.why
        if why is None:
            try:
                one = read(found.content)
                result.calls[one.id] = max(getattr(one, "version", 0), result.calls.get(one.id, 0))
                yield one
                continue
            except Unreadable as error:
                why = str(error)
        original = {"where": found.where, "content": found.content if found.content is not None else found.raw}
        mend = f"mend or fetch again what stands in {found.where}"
        result.refused.append(Refused(found.number, None, None, why, mend, original))


def keep_calls(
    connection: Connection,
    school: School,
    calls: Sequence[Call],
    roster: Roster,
    result: ImportResult,
    touched: Touched,
) -> None:
    """Keep call records: those that are sessions, and of each the highest version. A call that a later
    version shows to be no session goes; nothing of a call that is none is ever stored."""
    newest: dict[str, Call] = {}
    for call in calls:
        if call.id in newest:
            result.unchanged += 1
        if call.id not in newest or call.version > newest[call.id].version:
            newest[call.id] = call
    kept = tables.calls.c
    known = {
        row.id: row
        for row in connection.execute(
            select(kept.id, kept.version, kept.started_at, kept.ended_at).where(
                reading.chosen(connection, "known_calls", kept.id, newest)
            )
        )
    }
    dropped_before = _dropped_before(connection, newest)
    new: list[Call] = []
    replaced: list[str] = []
    demoted: list[str] = []
    dropped: dict[str, int] = {}
    for call in newest.values():
        before = known.get(call.id)
        # The version that was dropped may come again: the roster may know its people by now.
        if (before is not None and call.version <= before.version) or call.version < dropped_before.get(call.id, 0):
            result.unchanged += 1
            continue
        if before is not None:
            replaced.append(call.id)
            touched.times.append(_span(before.started_at, before.ended_at))
        if not is_session(call, roster):
            result.dropped += 1
            if call.version != dropped_before.get(call.id):
                dropped[_digest(call.id)] = call.version
            demoted += [call.id] if before is not None else []
            continue
        new.append(call)
        touched.times.append(_span(call.started_at, call.ended_at))
        result.changed += before is not None
        result.added += before is None
    _remove_read(connection, replaced)
    _remove_calls(connection, demoted)
    _insert_calls(connection, school, new, roster, set(replaced))
    gone = tables.calls_dropped
    connection.execute(delete(gone).where(reading.chosen(connection, "dropped_calls", gone.c.key, dropped)))
    insert_rows(connection, gone, [{"key": key, "version": version} for key, version in dropped.items()])


def _dropped_before(connection: Connection, calls: Iterable[str]) -> dict[str, int]:
    """The version in which each of the calls was no session, by call id."""
    ids = {_digest(call_id): call_id for call_id in calls}
    gone = tables.calls_dropped
    rows = connection.execute(select(gone).where(reading.chosen(connection, "dropped_calls", gone.c.key, ids)))
    return {ids[row.key]: row.version for row in rows}


def _digest(call_id: str) -> str:
    return hashlib.sha256(call_id.encode(errors="replace")).hexdigest()


def is_session(call: Call, roster: Roster) -> bool:
    """Whether at least one pupil of the roster and another person took part, and they were not pupils
    alone."""
    people = {stay.person: resolve(roster, stay.entra_id, stay.upn) for stay in call.stays}
    pupils = {pupil for _, pupil in people.values() if pupil is not None}
    return bool(pupils) and any(pupil is None for _, pupil in people.values())


def _remove_read(connection: Connection, calls: Sequence[str]) -> None:
    """Take away what was read from calls."""
    for table in (tables.call_originals, tables.call_stays, tables.call_videos, tables.call_listed):
        connection.execute(delete(table).where(reading.chosen(connection, "gone_calls", table.c.call_id, calls)))


def _remove_calls(connection: Connection, calls: Sequence[str]) -> None:
    """Take calls away that turned out to be no sessions, and the sessions that they alone made up."""
    of_call, session = tables.session_calls, tables.sessions
    mine = select(of_call.c.session_id).where(reading.chosen(connection, "gone_calls", of_call.c.call_id, calls))
    sessions = connection.scalars(select(session.c.id).where(session.c.id.in_(mine), session.c.log_id.is_(None))).all()
    connection.execute(delete(of_call).where(reading.chosen(connection, "gone_calls", of_call.c.call_id, calls)))
    remove_sessions(connection, sessions)
    connection.execute(delete(tables.calls).where(reading.chosen(connection, "gone_calls", tables.calls.c.id, calls)))


def _insert_calls(
    connection: Connection, school: School, calls: Sequence[Call], roster: Roster, known: set[str]
) -> None:
    now = school.now()
    rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
    for call in calls:
        organiser, _ = resolve(roster, call.organiser_id, call.organiser_upn)
        rows[tables.calls].append(
            {
                "id": call.id, "version": call.version, "type": call.type, "started_at": call.started_at,
                "ended_at": call.ended_at, "organiser_id": call.organiser_id, "organiser_tenant": call.organiser_tenant,
                "organiser_staff_id": organiser, "channel": call.channel, "reader": READER, "stored_at": now,
            }
        )  # fmt: skip
        rows[tables.call_originals].append({"call_id": call.id, "original": zlib.compress(call.original, _COMPRESSION)})
        for stay in call.stays:
            staff_id, pupil_id = resolve(roster, stay.entra_id, stay.upn)
            rows[tables.call_stays].append(
                {**vars(stay), "call_id": call.id, "staff_id": staff_id, "pupil_id": pupil_id}
            )
        rows[tables.call_videos] += [vars(video) | {"call_id": call.id} for video in call.videos]
        for listed in call.listed:
            staff_id, pupil_id = resolve(roster, listed.entra_id, listed.upn)
            rows[tables.call_listed].append(
                vars(listed) | {"call_id": call.id, "staff_id": staff_id, "pupil_id": pupil_id}
            )
    for row in rows[tables.calls]:
        if row["id"] in known:
            connection.execute(update(tables.calls).where(tables.calls.c.id == row["id"]).values(row))
    rows[tables.calls] = [row for row in rows[tables.calls] if row["id"] not in known]
    for table, values in rows.items():
        insert_rows(connection, table, values)


def keep_recordings(
    connection: Connection, recordings: Sequence[Recording], result: ImportResult, touched: Touched
) -> None:
    """Keep that there are recordings. One that came before its call is found when the call comes."""
    newest = {recording.id: recording for recording in recordings}
    kept = tables.recordings
    known = {
        row.id: row._asdict()
        for row in connection.execute(select(kept).where(reading.chosen(connection, "recordings", kept.c.id, newest)))
    }
    for recording in newest.values():
        if known.get(recording.id) == vars(recording):
            result.unchanged += 1
            continue
        result.changed += recording.id in known
        result.added += recording.id not in known
        connection.execute(delete(kept).where(kept.c.id == recording.id))
        connection.execute(insert(kept).values(vars(recording)))
        for row in (known.get(recording.id), vars(recording)):
            touched.sessions |= _sessions_recorded(connection, row) if row else set()
    result.unchanged += len(recordings) - len(newest)


def _sessions_recorded(connection: Connection, recording: Mapping[str, Any]) -> set[int]:
    of_call, call = tables.session_calls.c, tables.calls.c
    query = select(of_call.session_id).join(tables.calls, call.id == of_call.call_id)
    if recording["call_id"] is not None:
        return set(connection.scalars(query.where(call.id == recording["call_id"])))
    at = recording["created_at"]
    return set(
        connection.scalars(
            query.where(call.organiser_id == recording["organiser_id"], call.started_at <= at, call.ended_at >= at)
        )
    )


# --- the parents' registers ---------------------------------------------------------------------------


def import_letters(school: School, file: Source, by: int | None = None) -> ImportResult:
    """letters.csv."""
    return _import_file(school, "letters", file, by)


def _letters_of(school: School, table: File) -> Work:
    def work(connection: Connection, result: ImportResult) -> Touched:
        parsed = parse_letters(table, reading.roster(connection), school.settings, school.now())
        kept = tables.letters.c
        known = {tuple(row) for row in connection.execute(select(kept.pupil_id, kept.kind, kept.sent_on))}

        def key(letter: Letter) -> tuple[Any, ...]:
            return letter.pupil_id, letter.kind, letter.sent_on

        new = _new(table, result, _noted(result, parsed), known, key)
        insert_rows(connection, tables.letters, [letter.model_dump() for letter in new])
        return _of_pupils(connection, new)

    return work


def import_consents(school: School, file: Source, by: int | None = None) -> ImportResult:
    """consents.csv."""
    return _import_file(school, "consents", file, by)


def _consents_of(school: School, table: File, by: int | None) -> Work:
    def work(connection: Connection, result: ImportResult) -> Touched:
        parsed = parse_consents(table, reading.roster(connection), school.settings)
        known = set(connection.scalars(select(tables.consents.c.fingerprint)))

        def key(consent: Consent) -> str:
            return consent.fingerprint

        new = _new(table, result, _noted(result, parsed), known, key)
        consents.keep(connection, new, by, school.now())
        return _of_pupils(connection, new)

    return work


def _new(
    file: File, result: ImportResult, rows: Sequence[Read[R]], known: set[Any], key: Callable[[Any], Any]
) -> list[R]:
    """The rows whose key is not known yet."""
    result.read = len(file.rows)
    new = []
    for read in rows:
        if key(read.row) not in known:
            known.add(key(read.row))
            new.append(read.row)
    result.added = len(new)
    result.unchanged = len(rows) - len(new)
    return new


def _of_pupils(connection: Connection, rows: Sequence[Letter | Consent]) -> Touched:
    """The sessions of the pupils of some rows."""
    of = tables.session_pupils.c
    mine = reading.chosen(connection, "register", of.pupil_id, {row.pupil_id for row in rows})
    return Touched(sessions=set(connection.scalars(select(of.session_id).where(mine))))


# --- refused rows ---------------------------------------------------------------------------------------


class _RefusedAgain(Exception):
    def __init__(self, refused: Refused) -> None:
        super().__init__()
        self.refused = refused


def mend_row(school: School, person: Person, number: int, cells: Mapping[str, str]) -> Refused | None:
    """Take in a refused row as the administrator mended it, the way that its file was taken in; the cells
    withheld from them stay as they came. What is refused about it now, and then nothing was changed; None if it
    was taken in. ValueError, in words, where the row is not theirs to mend."""
    found = access.refused_rows(school, person, number)
    mendable = found["mendable"].iloc[0] if len(found) else ()
    if not mendable:
        raise ValueError("This row is settled already, or is not to be mended here. Nothing was changed.")
    if found["kind"].iloc[0] in _PEOPLE:
        _not_into_the_demonstration(school)
    kept = tables.refused_rows
    try:
        with school.writing() as connection:
            row = connection.execute(select(kept).where(kept.c.id == number)).one()
            if not refusals.mended(connection, number, at=school.now(), by=person.staff_id):
                raise ValueError("Somebody else has settled this row meanwhile. Nothing was changed.")
            before = {name.strip().lower(): cell for name, cell in json.loads(row.original).items() if name}
            after = before | {name: cell.strip() for name, cell in cells.items() if name in mendable}
            if after.get("staff_email") == person.email != before.get("staff_email") and row.kind == "logs":
                raise ValueError("A log of your own is made on the page “Log a session”. Nothing was changed.")
            table = File(row.source, tuple(after), [(row.row, after)])
            work = _work_of(school, row.kind, table, person.staff_id)
            result = _taken_in(connection, school, row.kind, row.source, person.staff_id, work)
            if result.refused:
                raise _RefusedAgain(result.refused[0])
            refusals.note(connection, school, person, [number], refusals.MENDED)
    except _RefusedAgain as again:
        return again.refused
    return None
