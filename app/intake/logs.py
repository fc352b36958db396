"""Session logs, from a file or the form. A correction is a new version; a concern that a log reports is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select, update

from app.access.concern_history import LinkedSession
from app.access.policy import Person
from app.alerts.sending import send_in_background
from app.concerns.raising import Report, open_concern
from app.intake.result import ImportResult
from app.intake.stored_logs import SUPERSEDED, StoredLogs
from app.intake.transaction import record_change, span
from app.judging.rejudge import Affected, preview_log, rejudge, rejudge_log
from app.records.logs import Log, are_derived, parse_log, parse_logs
from app.records.people.roster import Roster
from app.records.rows import InvalidCellError, ReadRow, RejectedRow, reject
from app.records.tables.tabular import Table
from app.school import School
from app.store import reading, tables
from app.store.concerns import CHILD, known_category
from app.store.writing import insert_rows, raise_revision

_AT_ONCE = 5_000  # logs whose rows are in memory
CORRECTION_REASON = "correction_reason"  # the form field, named like a column so that a fault can point to it


def store_logs(connection: Connection, school: School, file: Table, result: ImportResult) -> Affected:
    """Store the logs of a file that are not stored yet; one whose reference is another's is rejected, or left out if
    the other is counselling. Of two logs of one session the one with the lower reference counts, in whatever order they
    come: a new version of one that says otherwise, unless its author has entered, confirmed or corrected that one."""
    parsed = parse_logs(file, reading.read_roster(connection), school.settings, school.now())
    stored = StoredLogs(connection, [read.row for read in parsed.rows])
    new: list[ReadRow[Log]] = []
    renamed: list[Log] = []
    superseding: list[Log] = []
    for read in sorted(result.note(parsed), key=lambda read: read.row.ref):
        try:
            ref = stored.find_same(read.row)
        except InvalidCellError as fault:
            if (ref := stored.find_counselling(read.row)) is None:
                result.rejected.append(reject(read.number, read.cells, fault))
                continue
            # A rejected row would tell whoever imports it of that session: it counts as stored already.
            result.unchanged += 1
            result.note_keys("unchanged", [ref])
            continue
        if ref is None:
            stored.add(read.row)
            new.append(read)
            continue
        is_same = ref == read.row.ref or are_derived(ref, read.row.ref)
        if read.row.ref < ref and not is_same:
            if stored.supersedes(read.row):
                superseding.append(read.row)
            stored.take_reference(read.row, ref)
            renamed.append(read.row)
            words = f"row {read.number} is the session of the log {ref}, which now has this reference"
            result.remarks.append((read.row.ref, words))
            continue
        result.unchanged += 1
        result.note_keys("unchanged", [ref])
        if not is_same:
            result.remarks.append((ref, f"row {read.number} is the session of the log {ref}, and was not stored again"))
    new.sort(key=lambda read: read.number)
    result.changed = len(renamed)
    result.rows = [(read.number, read.cells) for read in new]  # rows stored before do not fix rejected ones
    result.new_rows = result.rows
    result.rejected.sort(key=lambda rejected: (rejected.sheet, rejected.row))
    result.added = len(new)
    result.note_keys("added", [read.row.ref for read in new])
    result.note_keys("changed", [log.ref for log in renamed])
    stored.store_references(connection)
    times = [_supersede(connection, school, log) for log in superseding]
    _insert_logs(connection, school, [read.row for read in new], unconfirmed=True)
    times += [span(log.started_at, log.ended_at) for log in [*(read.row for read in new), *renamed]]
    return Affected(times=times)


def _supersede(connection: Connection, school: School, log: Log) -> tuple[int, int]:
    """Store a log as a new version of the one that has its reference by now. Returns the times of that one."""
    stored = tables.logs
    before = connection.execute(select(stored).where(stored.c.ref == log.ref, stored.c.current)).one()
    connection.execute(update(stored).where(stored.c.id == before.id).values(current=False))
    _insert_logs(connection, school, [log], before.version + 1, SUPERSEDED, unconfirmed=True)
    return span(before.started_at, before.ended_at)


def _insert_logs(
    connection: Connection,
    school: School,
    logs: Sequence[Log],
    version: int = 1,
    reason: str | None = None,
    *,
    unconfirmed: bool = False,
) -> int:
    """Store logs with new references, or `version` of one log, and open the concerns that they report. Returns the id
    of the last log."""
    last = connection.scalar(select(func.max(tables.logs.c.id))) or 0
    now = school.now()
    entry = {"version": version, "current": True, "correction_reason": reason, "entered_at": now}
    entry["unconfirmed"] = unconfirmed
    for start in range(0, len(logs), _AT_ONCE):
        part = logs[start : start + _AT_ONCE]
        _insert_part(connection, dict(enumerate(part, start=last + start + 1)), entry)
    for log in logs:
        _open_reported_concern(connection, log, now, school.today())
    return last + len(logs)


def _insert_part(connection: Connection, logs: Mapping[int, Log], entry: dict[str, Any]) -> None:
    """Insert the rows of some logs by their ids, with `entry` in each."""
    rows, pupils, invited = [], [], []
    for number, log in logs.items():
        row = {
            "id": number,
            "ref": log.ref,
            "staff_id": log.staff_id,
            "started_at": log.started_at,
            "ended_at": log.ended_at,
            "fingerprint": log.fingerprint,
            "entered_by": log.staff_id,
        }
        rows.append(log.answers | row | entry)
        pupils += [{"log_id": number, "pupil_id": pupil} for pupil in log.pupil_ids]
        invited += [{"log_id": number, "email": email, "staff_id": staff} for email, staff in log.invited]
    insert_rows(connection, tables.logs, rows)
    insert_rows(connection, tables.log_pupils, pupils)
    insert_rows(connection, tables.log_invited, invited)


def _open_reported_concern(connection: Connection, log: Log, now: datetime, today: date) -> None:
    """Open the concern that a log describes, unless its session already has one."""
    summary = log.answers["concern_summary"]
    if not (log.answers["concern"] and summary):
        return
    link = tables.concern_sessions.c
    if connection.scalar(select(link.id).where(link.log_ref == log.ref).limit(1)) is not None:
        return
    report = Report(
        CHILD,
        summary=summary,
        categories=[known_category(log.answers["concern_category"])],
        pupil_ids=log.pupil_ids,
        happened_at=log.started_at,
    )
    session = LinkedSession(log.ref, None)
    open_concern(connection, report, raised_by=log.staff_id, raised_at=now, day=today, session=session)


@dataclass(frozen=True)
class Entered:
    """A log that was entered: its reference, its session, and how that was judged: `clause`, `outcome`, `evidence`,
    `disputed`, `reason`; None if the log was stored already."""

    ref: str
    session_id: int
    judged: pd.DataFrame | None

    @property
    def new(self) -> bool:
        return self.judged is not None


def enter_log(
    school: School, values: Mapping[str, str], actor_id: int, reason: str | None = None
) -> Entered | RejectedRow:
    """Store a log from the form, with `values` as in a file's row. The same reference with the same content is not a
    new log; with other content it is a correction, which only its author may make, and must give a reason for."""
    with school.writing() as connection:
        try:
            log = _read_entered(values, reading.read_roster(connection), school)
            ref, judged = _store_entered(connection, school, log, actor_id, (reason or "").strip())
        except InvalidCellError as fault:
            return reject(0, dict(values), fault)
        session = tables.sessions.c
        query = select(session.id).join(tables.logs, tables.logs.c.id == session.log_id)
        session_id = connection.scalars(query.where(tables.logs.c.ref == ref, tables.logs.c.current)).one()
    if log.answers["concern"]:
        send_in_background(school)
    return Entered(ref, session_id, judged)


def preview_entered_log(school: School, values: Mapping[str, str]) -> pd.DataFrame | RejectedRow:
    """How a log from the form would be judged (as `preview_log`), or why it cannot be stored yet."""
    with school.engine.connect() as connection:
        roster = reading.read_roster(connection)
    try:
        return preview_log(school, _read_entered(values, roster, school))
    except InvalidCellError as fault:
        return reject(0, dict(values), fault)


def _read_entered(values: Mapping[str, str], roster: Roster, school: School) -> Log:
    """Check a log from the form. Whoever says that a child was home alone also writes down the concern: the DSP has to
    learn of it in the same step. InvalidCellError if something is wrong."""
    log = parse_log(values, roster, school.settings, school.now())
    if log.answers["home_alone"] and not log.answers["concern_summary"]:
        raise InvalidCellError("is blank", "say in a sentence or two what you saw", "concern_summary")
    return log


def _store_entered(
    connection: Connection, school: School, log: Log, actor_id: int, reason: str
) -> tuple[str, pd.DataFrame | None]:
    """Store a log. Returns its reference and how its session was judged; None if the log was stored already, perhaps
    under another reference, which is then returned; if it came from a file, it is confirmed by this."""
    if log.staff_id != actor_id:
        raise InvalidCellError("is somebody else", "log your own sessions only", "staff_email")
    stored = tables.logs
    before = connection.execute(select(stored).where(stored.c.ref == log.ref, stored.c.current)).one_or_none()
    if before is not None and before.staff_id != actor_id:
        raise InvalidCellError("is the reference of somebody else's log", "choose another", "ref")
    if before is not None and before.fingerprint == log.fingerprint:
        _confirm(connection, school, log.ref, actor_id)
        return log.ref, None
    others = StoredLogs(connection, [log])
    if other := others.find_other(log):
        if before is None and other.fingerprint == log.fingerprint:
            if log.ref < other.ref:
                others.take_reference(log, other.ref)
                others.store_references(connection)
                rejudge(connection, school, Affected(times=[span(log.started_at, log.ended_at)]))
                raise_revision(connection)
                record_change(connection, school, actor_id, "changed", f"log {other.ref}, now {log.ref}")
            ref = min(log.ref, other.ref)
            _confirm(connection, school, ref, actor_id)
            return ref, None
        raise InvalidCellError(
            "is the start of a session with these pupils that is logged already",
            "correct that log, or write when this session began",
            "started_at",
        )
    if before is None:
        number = _insert_logs(connection, school, [log])
    elif not reason:
        raise InvalidCellError("is blank", "say why the log is corrected", CORRECTION_REASON)
    else:
        connection.execute(update(stored).where(stored.c.id == before.id).values(current=False))
        number = _insert_logs(connection, school, [log], before.version + 1, reason)
    judged = rejudge_log(connection, school, number, before.id if before else None)
    raise_revision(connection)
    about = f"log {log.ref}, version {before.version + 1 if before else 1}"
    record_change(connection, school, actor_id, "changed", about)
    return log.ref, judged


def confirm_log(school: School, person: Person, ref: str) -> None:
    """Confirm a log of the person's that came from a file: from now on it decides whether its call may be seen. Raises
    ValueError if it is not theirs, or is confirmed."""
    with school.writing() as connection:
        if not _confirm(connection, school, ref, person.staff_id):
            raise ValueError("This log is confirmed already, or is not yours.")


def _confirm(connection: Connection, school: School, ref: str, actor_id: int) -> bool:
    """Confirm the log if it came from a file and is not confirmed, and judge it again. Returns whether it was so."""
    log = tables.logs
    unconfirmed = log.c.ref == ref, log.c.current, log.c.staff_id == actor_id, log.c.unconfirmed
    number = connection.scalar(update(log).where(*unconfirmed).values(unconfirmed=False).returning(log.c.id))
    if number is None:
        return False
    rejudge_log(connection, school, number, None)
    raise_revision(connection)
    record_change(connection, school, actor_id, "changed", f"log {ref}, confirmed")
    return True
