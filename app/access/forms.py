"""What the forms need: calls to log, the person's own logs, people to choose from, drafts."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, and_, func, select, union

from app.access.policy import OTHER_PURPOSES, Person, list_roles_with, require
from app.access.scope import (
    SESSION,
    in_school_time,
    join_values,
    read_frame,
    read_frame_by_name,
    select_pupils,
    select_staff,
)
from app.access.session_detail import ANSWERS
from app.access.sessions import read_session_pupils
from app.protocol.frames import NONE, Versions
from app.protocol.matching import recorded_calls
from app.protocol.remote import is_remote
from app.records.log_form import Form, is_with_one_pupil
from app.school import School
from app.store import reading, tables
from app.store.outcomes import decode_outcomes
from app.store.versions import is_there_on, valid_versions
from app.vocabulary.roles import Resource, Scope
from app.vocabulary.terms import Outcome

# The answers that a call record gives: for each the clause that decides it and the outcomes that mean yes and no.
_SHOWN_BY_CALL = {
    "staff_opened": ("staff-opens", Outcome.MET, Outcome.BREACH),
    "staff_ended": ("staff-ends", Outcome.MET, Outcome.BREACH),
    "pupil_left_alone": ("never-alone", Outcome.BREACH, Outcome.MET),
    "cameras_on": ("cameras-on", Outcome.MET, Outcome.BREACH),
    "school_account": ("school-account", Outcome.MET, Outcome.BREACH),
}


def list_calls_to_log(school: School, person: Person) -> pd.DataFrame:
    """The person's own calls that are not logged yet, the newest first, with the answers that the call record gives.

    Columns: `session_id`, `call_id`, `started_at`, `ended_at`, `due_at` (when the time to log it ends;
    blank: it has ended), `pupils` (names), `pupil_emails` (";"-joined), `staff_opened`, `staff_ended`,
    `pupil_left_alone`, `cameras_on`, `school_account`, `recorded` (true, false or blank: the call does not show it),
    `staff_emails` (";"-joined: the other staff who took part), `purpose` (that of the person's newest log with one of
    the pupils, else of their newest log; blank if there is none).
    """
    call, link = tables.calls.c, tables.session_calls.c
    mine = and_(SESSION.staff_id == person.staff_id, SESSION.log_id.is_(None))
    query = (
        select(
            SESSION.id.label("session_id"),
            link.call_id,
            *(SESSION[name] for name in ("started_at", "ended_at", "due_at", "codes", "clause_set_id")),
        )
        .join(tables.session_calls, and_(link.session_id == SESSION.id, link.place == 0))
        .where(mine)
        .order_by(SESSION.started_at.desc(), SESSION.id)
    )
    with school.engine.connect() as connection:
        frame = reading.read_frame(connection, query)
        outcomes = decode_outcomes(connection, frame)
        to_log = outcomes["logged"] != Outcome.NOT_APPLICABLE  # in a room without staff there was nothing to log
        frame, outcomes = (rows[to_log.to_numpy()].reset_index(drop=True) for rows in (frame, outcomes))
        pupils = read_session_pupils(connection, frame["session_id"].tolist())
        calls = reading.read_frame(
            connection,
            select(call.id.label("call_id"), call.organiser_id, call.started_at, call.ended_at)
            .join(tables.session_calls, link.call_id == call.id)
            .join(tables.sessions, SESSION.id == link.session_id)
            .where(mine),
        )
        colleagues = _read_colleagues(connection, person, frame["call_id"].tolist())
        purposes = _read_purposes(connection, person)
        listed_recordings = _read_recordings_since(connection, calls["call_id"].tolist())
    frame["pupils"] = join_values(frame["session_id"], pupils, "session_id")
    frame["pupil_emails"] = join_values(frame["session_id"], pupils, "session_id", "email", ";")
    frame["staff_emails"] = join_values(frame["call_id"], colleagues, "call_id", "email", ";")
    frame["purpose"] = _propose_purposes(frame["session_id"], pupils, purposes)
    for answer, (clause, yes, no) in _SHOWN_BY_CALL.items():
        frame[answer] = outcomes[clause].astype("object").map({yes: True, no: False}).astype("boolean")
    recorded = set(calls.loc[recorded_calls(calls, listed_recordings), "call_id"])
    is_recorded = frame["call_id"].isin(recorded)
    frame["recorded"] = is_recorded.astype("boolean").where(is_recorded)
    return in_school_time(school, frame.drop(columns=["codes", "clause_set_id"]))


def list_logs_to_confirm(school: School, person: Person) -> pd.DataFrame:
    """The person's own logs that came from a file and have to be confirmed before anybody else may see the sessions,
    since a counsellor was in the calls: `ref`, `started_at`, `purpose`, `pupils` (names), the newest first."""
    log = tables.logs.c
    mine = and_(SESSION.staff_id == person.staff_id, SESSION.confidential)
    to_confirm = and_(log.unconfirmed, log.purpose.in_(OTHER_PURPOSES))
    query = select(SESSION.id.label("session_id"), log.ref, SESSION.started_at, log.purpose)
    query = query.join(tables.logs, log.id == SESSION.log_id).where(mine, to_confirm)
    with school.engine.connect() as connection:
        rows = reading.read_frame(connection, query.order_by(SESSION.started_at.desc()))
        pupils = read_session_pupils(connection, rows["session_id"].tolist())
    rows["pupils"] = join_values(rows.pop("session_id"), pupils, "session_id")
    return in_school_time(school, rows)


def _read_recordings_since(connection: Connection, calls: list[str]) -> pd.DataFrame:
    """The recordings since the first of some calls began: `call_id`, `organiser_id`, `created_at`."""
    call, recording = tables.calls.c, tables.recordings.c
    earliest = select(func.min(call.started_at)).where(call.id.in_(calls)).scalar_subquery()
    columns = recording.call_id, recording.organiser_id, recording.created_at
    return reading.read_frame(connection, select(*columns).where(recording.created_at >= earliest))


def _read_colleagues(connection: Connection, person: Person, calls: list[str]) -> pd.DataFrame:
    """The staff who took part in some calls beside the person: `call_id`, `email`."""
    kinds = [
        select(table.c.call_id, table.c.staff_id).where(table.c.call_id.in_(calls))
        for table in (tables.call_stays, tables.call_listed)
    ]
    took_part = union(*kinds).subquery()
    query = (
        select(took_part.c.call_id, tables.staff.c.email)
        .join(tables.staff, tables.staff.c.id == took_part.c.staff_id)
        .where(took_part.c.staff_id != person.staff_id)
        .order_by(tables.staff.c.email)
    )
    return reading.read_frame(connection, query)


def _read_purposes(connection: Connection, person: Person) -> pd.DataFrame:
    """The purposes of the person's logs, the newest first, one row for each pupil: `purpose`, `pupil_id`."""
    log, log_pupil = tables.logs.c, tables.log_pupils.c
    query = (
        select(log.purpose, log_pupil.pupil_id)
        .join(tables.logs, log.id == log_pupil.log_id)
        .join(tables.sessions, SESSION.log_id == log.id)
        .where(SESSION.staff_id == person.staff_id)
        .order_by(log.started_at.desc(), log.id.desc())
    )
    return reading.read_frame(connection, query)


def _propose_purposes(sessions: pd.Series, pupils: pd.DataFrame, purposes: pd.DataFrame) -> list[str]:
    """The likely purpose of each session: that of the newest log with one of its pupils, else of the newest log."""
    newest = str(purposes["purpose"].iloc[0]) if len(purposes) else ""
    of_pupil = purposes.reset_index(names="age").drop_duplicates("pupil_id")
    known = pupils.merge(of_pupil, on="pupil_id").sort_values("age").drop_duplicates("session_id")
    of_session = known.set_index("session_id")["purpose"]
    return [str(of_session.get(session, newest)) for session in sessions]


def get_own_log(school: School, person: Person, ref: str) -> dict[str, str] | None:
    """The current version of a log that the person wrote, as the columns of a log file hold it (times with
    their offset, yes/no, lists joined by ";"); None if there is none or somebody else wrote it."""
    log, log_pupil, invited = tables.logs.c, tables.log_pupils.c, tables.log_invited.c
    query = select(tables.logs).where(log.ref == ref, log.current, log.staff_id == person.staff_id)
    with school.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        pupils = connection.scalars(
            select(tables.pupils.c.email)
            .join(tables.log_pupils, log_pupil.pupil_id == tables.pupils.c.id)
            .where(log_pupil.log_id == row.id)
        ).all()
        second = connection.scalars(select(invited.email).where(invited.log_id == row.id).order_by(invited.email)).all()
    answers = {name: _as_typed(getattr(row, name)) for name in ANSWERS}
    return answers | {
        "ref": row.ref,
        "staff_email": person.email,
        "pupil_emails": ";".join(sorted(pupils)),
        "second_staff_emails": ";".join(second),
        "started_at": row.started_at.astimezone(school.settings.zone).isoformat(),
        "ended_at": row.ended_at.astimezone(school.settings.zone).isoformat(),
    }


def _as_typed(value: Any) -> str:
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def list_pupils_to_choose(school: School, person: Person) -> pd.DataFrame:
    """Every pupil who is at the school today, by name: `pupil_id`, `email`, `name`, `school`, `year_group`, `house`."""
    require(person, Resource.DIRECTORY)
    return read_frame_by_name(school, select_pupils(school.today(), with_leavers=False))


def list_staff_to_choose(school: School, person: Person) -> pd.DataFrame:
    """Every member of staff who is at the school today, by name: `staff_id`, `email`, `name`, `school`,
    `department`."""
    require(person, Resource.DIRECTORY)
    version = valid_versions(tables.staff_versions)
    query = (
        select(version.c.staff_id, tables.staff.c.email, version.c.name, version.c.school, version.c.department)
        .join(version, version.c.staff_id == tables.staff.c.id)
        .where(is_there_on(version, school.today()))
        .order_by(version.c.name, tables.staff.c.email)
    )
    return read_frame(school, query)


@dataclass(frozen=True)
class Dsps:
    """The DSPs of a school: the `school`'s name, their `names`, and their `telephone`, blank if none is set."""

    school: str
    names: tuple[str, ...]
    telephone: str


def list_dsps(school: School, person: Person, codes: Collection[str] = ()) -> list[Dsps]:
    """Today's DSPs of some schools (codes), by default of all that have one, for those who have to reach them."""
    require(person, Resource.DIRECTORY)
    query = select_staff(school.today(), list_roles_with(Resource.CONCERNS, Scope.OWN_SCHOOL))
    with school.engine.connect() as connection:
        staff = connection.execute(query).all()
        schools = {row.code: row.name for row in connection.execute(select(tables.schools))}
    telephones = school.settings.dsp_telephones
    return [
        Dsps(schools.get(code, code), tuple(row.name for row in staff if row.school == code), telephones.get(code, ""))
        for code in sorted(codes or {row.school for row in staff})
    ]


def is_one_to_one(school: School, form: Form) -> bool:
    """Whether a form (see `app.records.log_form`) is of a one-to-one: pastoral, with one pupil, who by the rules is in
    remote learning on its day."""
    if not is_with_one_pupil(form):
        return False
    with school.engine.connect() as connection:
        roster = connection.execute(select(tables.pupils.c.id, tables.pupils.c.email))
        pupils = [row.id for row in roster if row.email in form["pupils"]]
        own, versions = (read(connection, pupils) for read in (reading.read_remote_pupils, reading.read_pupils))
    asked = np.array(pupils or [NONE]), np.array([form["day"]], "datetime64[D]").view(np.int64)
    return bool(is_remote(school.settings.remote_learning, own, Versions(versions, "pupil_id"), *asked)[0])


CONCERN_DRAFT, CONDUCT_DRAFT = "concern", "conduct"  # the forms that raise one; a step's form is its reference and kind


def get_draft(school: School, person: Person, form: str) -> dict[str, Any] | None:
    """What the person typed into a form and has not sent; None if nothing."""
    draft = tables.drafts.c
    with school.engine.connect() as connection:
        content = connection.scalar(select(draft.content).where(draft.staff_id == person.staff_id, draft.form == form))
    return None if content is None else json.loads(content)


def get_draft_time(school: School, person: Person, form: str) -> datetime | None:
    """When the person last typed into a form and has not sent it, in school time; None if nothing."""
    draft = tables.drafts.c
    with school.engine.connect() as connection:
        at = connection.scalar(select(draft.saved_at).where(draft.staff_id == person.staff_id, draft.form == form))
    return None if at is None else at.astimezone(school.settings.zone)
