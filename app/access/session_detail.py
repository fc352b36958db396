"""One session in full."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, and_, false, func, or_, select

from app.access.concerns import select_linked_concerns
from app.access.policy import SHOWN_OF_COUNSELLING, Person, get_scopes
from app.access.scope import (
    SESSION,
    in_school_time,
    is_confidential,
    is_counselling,
    is_open_to,
    join_values,
    with_staff_name,
)
from app.access.session_calls import SessionCalls, keep_calls, read_session_calls
from app.access.sessions import read_session_pupils
from app.judging.parts import find_sessions, read_part
from app.log_questions import CONCERN, QUESTIONS
from app.protocol.clauses import title_of
from app.protocol.evidence import Evidence
from app.protocol.judge import find_status, judge
from app.school import School
from app.store import reading, tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary.roles import Resource, Scope
from app.vocabulary.terms import EvidenceSource


@dataclass
class SessionView:
    """One session, explained. Frames are empty where nothing is known or everything is withheld; then only the clause
    SHOWN_OF_COUNSELLING is shown, and `status` is by it alone.

    - `pupils`: `pupil_id`, `email`, `name`, `school`, `year_group`, `house`, as on the session's day
    - `clauses`: `clause`, `title`, `outcome`, `evidence`, `source` (in words: from where the evidence is), `disputed`,
      `reason`, `log_says` (where a check is disputed: what the log by itself says)
    - `calls`: see SessionCalls
    - `log`: its answers, named as in `tables.logs`, with `pupils` and `invited` (names); None if not logged
    - `versions`: earlier and current versions of the log, the newest first: `version`, `entered_at`,
      `entered_by` (name), `correction_reason`, and the answers
    - `concerns`: `ref`, `raised_at`, `level`: those linked to it that the person may open
    """

    session_id: int
    log_ref: str | None
    call_ids: list[str]
    started_at: datetime
    ended_at: datetime
    staff_id: int | None
    staff_name: str | None
    school: str | None
    department: str | None
    purpose: str | None
    one_to_one: bool
    status: str
    disputed: bool
    logged: bool
    own: bool
    withheld: bool
    pupils: pd.DataFrame
    clauses: pd.DataFrame
    calls: SessionCalls
    versions: pd.DataFrame
    concerns: pd.DataFrame
    log: dict[str, Any] | None


def get_session(school: School, person: Person, session_id: int) -> SessionView | None:
    """One session explained by the rules that judged it; None if it does not exist or the person may not open it."""
    zone = school.settings.zone
    with school.engine.connect() as connection:
        row = connection.execute(_select_session(school, person, session_id)).one_or_none()
        if row is None:
            return None
        own = row.staff_id == person.staff_id
        withheld = bool(row.is_confidential) and not own
        call = tables.session_calls.c
        in_order = select(call.call_id).where(call.session_id == session_id).order_by(call.place)
        call_ids = list(connection.scalars(in_order))
        evidence = read_part(connection, school.settings, [session_id])
        clauses, alone = _judge_again(school, connection, evidence, session_id)
        calls = read_session_calls(school, connection, row, evidence, alone)
        clauses["source"] = clauses["source"].map(lambda source: _name_source(source, calls))
        status, disputed = row.status, row.disputed
        if withheld:
            clauses = clauses[clauses["clause"] == SHOWN_OF_COUNSELLING].reset_index(drop=True)
            status, disputed = find_status(clauses["outcome"].tolist()), False
            calls = calls.withhold()
        pupils = read_session_pupils(connection, [session_id])
        versions = _read_versions(school, connection, row.log_ref, own=own)
        linked = false() if withheld else or_(_link.log_ref == row.log_ref, _link.call_id.in_(call_ids))
        concerns = select_linked_concerns(school, connection, person, linked)
    if not own and not {Scope.OWN_SCHOOL, Scope.ALL} & get_scopes(person, Resource.CONCERNS):
        versions = versions.drop(columns=_ABOUT_CONCERNS)  # a concern's narrative is not for a HOY or HM
    shown = 0 if withheld else None
    answers = versions.drop(columns=["version", "entered_at", "entered_by", "correction_reason"])
    return SessionView(
        session_id=session_id,
        log_ref=None if withheld else row.log_ref,
        call_ids=call_ids[:shown],
        started_at=row.started_at.astimezone(zone),
        ended_at=row.ended_at.astimezone(zone),
        logged=row.log_id is not None,
        status=status,
        disputed=disputed,
        own=own,
        withheld=withheld,
        pupils=pupils.drop(columns="session_id")[:shown],
        clauses=clauses,
        calls=calls,
        versions=versions[:shown],
        concerns=concerns,
        log=next(iter(answers[:shown].to_dict("records")), None),
        **{name: row._mapping[name] for name in _OF_ROW},
    )


_link = tables.concern_sessions.c
_OF_ROW = ("staff_id", "staff_name", "school", "department", "purpose", "one_to_one")


def _select_session(school: School, person: Person, session_id: int) -> Select[Any]:
    """The row of one session that is open to the person, with `staff_name`, `log_ref` and `is_confidential`."""
    query = (
        select(tables.sessions, tables.logs.c.ref.label("log_ref"), is_confidential().label("is_confidential"))
        .outerjoin(tables.logs, tables.logs.c.id == SESSION.log_id)
        .where(SESSION.id == session_id, is_open_to(person, school.today()))
    )
    return with_staff_name(query, "staff_name", SESSION.staff_id, SESSION.day)


def _judge_again(
    school: School, connection: Connection, evidence: Evidence, session_id: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One session judged with reasons from its part of the evidence: `clauses` of SessionView, with the sources as the
    rules name them, and when pupils were alone (`from_at`, `to_at`, `seconds`)."""
    judged = judge(evidence, school.settings, school.now(), reasons=True)
    number = find_sessions(connection, judged, [session_id])[session_id]
    clauses = judged.table().query("session == @number").drop(columns="session").reset_index(drop=True)
    clauses.insert(1, "title", clauses["clause"].map(title_of))
    clauses["log_says"] = ""
    if clauses["disputed"].any():
        log = evidence.logs["log_id"] == judged.sessions.loc[number, "log_id"]
        by_log = replace(keep_calls(evidence, []), logs=evidence.logs[log])
        reasons = judge(by_log, school.settings, school.now(), reasons=True).table()["reason"]
        says = reasons.where(reasons != "", _NOT_BY_LOG)
        clauses["log_says"] = says.where(clauses["disputed"], "")
    return clauses, judged.alone.loc[judged.alone["session"] == number, ["from_at", "to_at", "seconds"]]


_NOT_BY_LOG = "By the log, this clause does not apply to the session."


def _name_source(source: str, calls: SessionCalls) -> str:
    """From where the evidence of a check is, in words; "" if there is none."""
    if source == EvidenceSource.CALL:
        return calls.source or EvidenceSource.CALL.label
    return EvidenceSource(source).label


ANSWERS = ("purpose", *(question.name for question in QUESTIONS))
_ABOUT_CONCERNS = [question.name for question in QUESTIONS if question.only_if is CONCERN]


def _read_versions(school: School, connection: Connection, ref: str | None, *, own: bool) -> pd.DataFrame:
    """The versions of a log, the newest first. Only the author sees a version that is or may be counselling, and what
    came before it; to others the next version is the first."""
    log, today = tables.logs, school.today()
    facts = ("id", "version", "entered_at", "correction_reason", "started_at", "ended_at", *ANSWERS)
    private = is_counselling(log.c.purpose, log.c.staff_id).label("private")
    query = select(*(log.c[name] for name in facts), private).where(log.c.ref == ref).order_by(log.c.version.desc())
    versions = reading.read_frame(connection, with_staff_name(query, "entered_by", log.c.entered_by, today))
    private = versions.pop("private").astype(bool)
    if not own and private.any():
        last = versions.loc[private, "version"].max()
        versions = versions[versions["version"] > last].assign(version=versions["version"] - last)
        versions["correction_reason"] = versions["correction_reason"].where(versions["version"] > 1)
    pupil, staff = valid_versions(tables.pupil_versions), valid_versions(tables.staff_versions)
    log_pupil, invited = tables.log_pupils.c, tables.log_invited.c
    ids = versions["id"].tolist()
    pupils = reading.read_frame(
        connection,
        select(log_pupil.log_id, pupil.c.name)
        .join(pupil, pupil.c.pupil_id == log_pupil.pupil_id)
        .where(log_pupil.log_id.in_(ids), valid_on(pupil, today)),
    ).sort_values("name", kind="stable")
    guests = reading.read_frame(
        connection,
        select(invited.log_id, func.coalesce(staff.c.name, invited.email).label("name"))
        .outerjoin(staff, and_(staff.c.staff_id == invited.staff_id, valid_on(staff, today)))
        .where(invited.log_id.in_(ids))
        .order_by("name"),
    )
    for column, names in (("pupils", pupils), ("invited", guests)):
        versions[column] = join_values(versions["id"], names, "log_id")
    return in_school_time(school, versions.drop(columns="id").reset_index(drop=True))
