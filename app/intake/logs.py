"""Session logs, from a file or the form; a correction is a new version, and the concern a log tells of is opened."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, func, select, update

from app.alerts.sending import send_in_background as alert_soon
from app.concerns.raising import open_concern
from app.intake.transaction import ImportResult, noted, put_on_trail, span
from app.judging.rejudge import Touched, preview_log, rejudge_log
from app.records import Read, Rejected
from app.records.fields import Unfit, refusal
from app.records.logs import Log, parse_log, parse_logs
from app.records.tabular import Table
from app.school import School
from app.store import reading, tables
from app.store.concerns import NOT_ASSESSED, known_category
from app.store.writing import insert_rows, raise_revision


def keep_logs(connection: Connection, school: School, file: Table, result: ImportResult) -> Touched:
    """Keep the logs of a file that are not known yet; one whose reference is another's is refused."""
    parsed = parse_logs(file, reading.roster(connection), school.settings, school.now())
    log = tables.logs.c
    refs = [read.row.ref for read in parsed.rows]
    known: dict[str, set[str]] = defaultdict(set)  # the fingerprints of every version, by reference
    for ref, fingerprint in connection.execute(
        select(log.ref, log.fingerprint).where(reading.chosen(connection, "refs", log.ref, refs))
    ):
        known[ref].add(fingerprint)
    new: list[Read[Log]] = []
    for read in noted(result, parsed):
        known_by = known[read.row.ref]
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
            new.append(read)
    result.rows = [(read.number, read.cells) for read in new]  # one known already is not the one that was refused
    result.refused.sort(key=lambda refused: refused.row)
    result.added = len(new)
    _keep(connection, school, [read.row for read in new])
    return Touched(times=[span(read.row.started_at, read.row.ended_at) for read in new])


def _keep(
    connection: Connection,
    school: School,
    logs: Sequence[Log],
    version: int = 1,
    why: str | None = None,
) -> int:
    """Keep logs, whose references are new, or `version` of a log; open the concerns that they tell of. Gives the
    number of the last."""
    last = connection.scalar(select(func.max(tables.logs.c.id))) or 0
    now = school.now()
    rows, pupils, invited = [], [], []
    for number, log in enumerate(logs, start=last + 1):
        rows.append(
            log.answers
            | {
                "id": number, "ref": log.ref, "version": version, "current": True, "staff_id": log.staff_id,
                "started_at": log.started_at, "ended_at": log.ended_at, "fingerprint": log.fingerprint,
                "entered_at": now, "entered_by": log.staff_id, "correction_reason": why,
            }
        )  # fmt: skip
        pupils += [{"log_id": number, "pupil_id": pupil} for pupil in log.pupil_ids]
        invited += [{"log_id": number, "email": email, "staff_id": staff} for email, staff in log.invited]
    insert_rows(connection, tables.logs, rows)
    insert_rows(connection, tables.log_pupils, pupils)
    insert_rows(connection, tables.log_invited, invited)
    for log in logs:
        _open_told_concern(connection, log, now)
    return last + len(logs)


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
    """A log that was entered: its reference, its session, and how that was judged: `clause`, `outcome`, `evidence`,
    `disputed`, `reason`; None if the log was kept already."""

    ref: str
    session_id: int
    judged: pd.DataFrame | None

    @property
    def new(self) -> bool:
        return self.judged is not None


def enter_log(school: School, values: Mapping[str, str], by: int, why: str | None = None) -> Entered | list[Rejected]:
    """A log from the form, `values` as in a file's row. The same reference with the same content is no
    new log; with other content it is a correction, which only its author may make and which needs `why`."""
    with school.writing() as connection:
        try:
            log = parse_log(dict(values), reading.roster(connection), school.settings, school.now())
            judged = _enter(connection, school, log, by, (why or "").strip())
        except Unfit as fault:
            return [refusal(0, dict(values), fault)]
        session = tables.sessions.c
        found = select(session.id).join(tables.logs, tables.logs.c.id == session.log_id)
        session_id = connection.scalar(found.where(tables.logs.c.ref == log.ref, tables.logs.c.current))
    assert session_id is not None
    if log.answers["concern"]:
        alert_soon(school)
    return Entered(log.ref, session_id, judged)


def preview_entered_log(school: School, values: Mapping[str, str]) -> pd.DataFrame | Rejected:
    """What a log from the form would be judged (as `judging.foresee`), or why it cannot be kept yet."""
    with school.engine.connect() as connection:
        roster = reading.roster(connection)
    try:
        return preview_log(school, parse_log(dict(values), roster, school.settings, school.now()))
    except Unfit as fault:
        return refusal(0, dict(values), fault)


def _enter(connection: Connection, school: School, log: Log, by: int, why: str) -> pd.DataFrame | None:
    if log.staff_id != by:
        raise Unfit("is somebody else", "log your own sessions only", "staff_email")
    kept = tables.logs
    before = connection.execute(select(kept).where(kept.c.ref == log.ref, kept.c.current)).one_or_none()
    if before is None:
        number = _keep(connection, school, [log])
    elif before.staff_id != by:
        raise Unfit("is the reference of somebody else's log", "choose another", "ref")
    elif before.fingerprint == log.fingerprint:
        return None
    elif not why:
        raise Unfit("is blank", "say why the log is corrected", "why")
    else:
        connection.execute(update(kept).where(kept.c.id == before.id).values(current=False))
        number = _keep(connection, school, [log], before.version + 1, why)
    judged = rejudge_log(connection, school.settings, number, before.id if before else None, school.now())
    raise_revision(connection)
    put_on_trail(connection, school, by, "changed", f"log {log.ref}, version {before.version + 1 if before else 1}")
    return judged
