"""Raising a concern about a child or an adult's conduct.

What was reported never changes. Everything afterwards is added to the concern's events, by `app.concerns.casework`.
Each kind of concern has its own register, and no list mixes them.
"""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from app.access.concern_history import LinkedSession
from app.access.concern_scope import find_conduct_team, find_dsps
from app.access.policy import Person
from app.access.scope import SESSION, is_confidential, is_linked
from app.access.session_detail import SessionView, get_session
from app.alerts.outbox import Alert, enqueue, has_shared_channel
from app.alerts.sending import send_in_background
from app.formatting import on_day_at
from app.judging.rejudge import Affected, rejudge
from app.school import School
from app.store import tables
from app.store.concerns import CHILD, CONDUCT, MOST_CATEGORIES, NOT_ASSESSED, Register
from app.store.writing import raise_revision
from app.vocabulary.roles import Role

# No 0, 1, O or I: a reference is read out on the telephone. References are random, so that nobody can tell from
# their own concern's reference how many others there are.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Elsewhere:
    """Where the narrative is if not here: the name of the school's safeguarding system, and the reference there."""

    system: str
    reference: str


@dataclass(frozen=True)
class Report:
    """What somebody reports. Raises ValueError, which quotes nothing from the report, if something is missing or
    unknown.

    - `categories`: one to three of the register's
    - `staff_ids`, `others`: the adults in a concern about conduct; `others` are names not on the roster
    - `happened_at`: with a time zone, or None if not known
    - `told_dsp`: whether a DSP was told in person, or None if not stated
    - `elsewhere`: if given, the summary may be empty
    """

    register: Register
    summary: str
    categories: Sequence[str]
    pupil_ids: Sequence[int] = ()
    staff_ids: Sequence[int] = ()
    others: Sequence[str] = ()
    happened_at: datetime | None = None
    place: str = ""
    childs_words: str = ""
    told_dsp: bool | None = None
    elsewhere: Elsewhere | None = None

    def __post_init__(self) -> None:
        known = self.register.categories
        if self.register is CHILD and not self.pupil_ids:
            raise ValueError("A concern needs a pupil: choose the child it is about.")
        if self.register is CONDUCT and not (self.staff_ids or any(map(str.strip, self.others))):
            raise ValueError("A concern about conduct needs the adult it is about: choose or write a name.")
        if self.elsewhere and not (self.elsewhere.system.strip() and self.elsewhere.reference.strip()):
            raise ValueError("A concern kept elsewhere needs the name of the system and the reference there.")
        if not self.elsewhere and not self.summary.strip():
            raise ValueError("A concern needs a summary: say in a sentence what it is about.")
        if not set(self.categories) <= known.keys() or not 1 <= len(set(self.categories)) <= MOST_CATEGORIES:
            raise ValueError(f"A concern has one to {MOST_CATEGORIES} categories of: {', '.join(known)}.")


@dataclass(frozen=True)
class Raised:
    """A concern that was raised, and the ids of the staff who were alerted."""

    concern_id: int
    ref: str
    alerted: list[int]


def raise_concern(school: School, person: Person, report: Report, session_id: int | None = None) -> Raised:
    """Open a concern that a member of staff raises, linked to a session if they may see it. Raises ValueError if
    somebody who is not a DSP has not stated whether they told one in person.

    A concern about conduct leaves no trace in the audit trail or the revision.
    """
    if report.told_dsp is None and Role.DSP not in person.roles:
        raise ValueError("Say whether you have told a DSP in person.")
    view = get_session(school, person, session_id) if session_id is not None else None
    with school.writing() as connection:
        session = _as_linked(connection, report.register, view) if view else None
        by, now = person.staff_id, school.now()
        raised = open_concern(connection, report, raised_by=by, raised_at=now, day=school.today(), session=session)
        if report.register is CHILD:
            if session:
                judge_linked(connection, school, {(session.log_ref, session.call_id)})
            raise_revision(connection)
            school.add_to_trail(connection, person.email, "changed", f"concern {raised.ref}, raised")
    send_in_background(school)
    return raised


def open_concern(
    connection: Connection,
    report: Report,
    *,
    raised_by: int,
    raised_at: datetime,
    day: date,
    session: LinkedSession | None = None,
) -> Raised:
    """Store a concern and alert the DSPs of its pupils' schools, or those who may see a concern about conduct.

    `raised_by` is a staff id, `raised_at` has a time zone, and `day` is its day at the school, which decides who is a
    DSP. Runs in the caller's transaction; the caller also raises the revision and judges the linked session again.
    """
    register = report.register
    ref = register.prefix + "".join(secrets.choice(_LETTERS) for _ in range(8))
    row = {
        "ref": ref,
        "raised_by": raised_by,
        "raised_at": raised_at,
        "happened_at": report.happened_at,
        "place": report.place or None,
        "summary": report.summary,
        "childs_words": report.childs_words or None,
        "told_dsp": report.told_dsp,
        "categories": ";".join(dict.fromkeys(report.categories)),
    }
    new = insert(register.concerns).values(row).returning(register.concerns.c.id)
    number = connection.execute(new).scalar_one()
    for pupil in sorted(set(report.pupil_ids)):
        connection.execute(insert(register.pupils).values(concern_id=number, pupil_id=pupil))
    event: dict[str, Any] = {"actor_id": raised_by, "occurred_at": raised_at}
    add_event(connection, register, number, kind="opened", level=NOT_ASSESSED, **event)
    if report.elsewhere:
        content = {"system": report.elsewhere.system.strip(), "reference": report.elsewhere.reference.strip()}
        add_event(connection, register, number, kind="handed_over", content=content, **event)
    if session:
        link_session(connection, register, number, session)
    if register is CHILD:
        staff_ids = find_dsps(connection, report.pupil_ids, day)
    else:
        _name_adults(connection, number, report)
        staff_ids = find_conduct_team(connection, number, day)
    return Raised(number, ref, alert(connection, register, number, staff_ids, raised_at))


def _name_adults(connection: Connection, concern_id: int, report: Report) -> None:
    named: list[dict[str, Any]] = [{"staff_id": number, "name": None} for number in dict.fromkeys(report.staff_ids)]
    names = dict.fromkeys(name.strip() for name in report.others)
    named += [{"staff_id": None, "name": name} for name in names if name]
    connection.execute(insert(tables.conduct_named), [adult | {"concern_id": concern_id} for adult in named])


def add_event(
    connection: Connection,
    register: Register,
    concern_id: int,
    *,
    content: Mapping[str, Any] | None = None,
    **columns: Any,
) -> None:
    """Add an event to a concern. `columns` are `kind`, `occurred_at` and other columns of the register's events."""
    columns["content"] = json.dumps(content) if content else None
    connection.execute(insert(register.events).values(concern_id=concern_id, **columns))


def link_session(connection: Connection, register: Register, concern_id: int, session: LinkedSession) -> None:
    """Link a session to a concern. Only a concern about conduct stores a description of the session."""
    described = {"description": session.description} if register is CONDUCT else {}
    link = {"log_ref": session.log_ref, "call_id": session.call_id} | described
    connection.execute(insert(register.sessions).values(concern_id=concern_id, **link))


def judge_linked(connection: Connection, school: School, links: Collection[tuple[str | None, str | None]]) -> None:
    """Judge the sessions again that have some log references or call ids."""
    log_refs, call_ids = [ref for ref, _ in links if ref], [call_id for _, call_id in links if call_id]
    linked = connection.scalars(select(SESSION.id).where(is_linked(log_refs, call_ids)))
    rejudge(connection, school, Affected(sessions=set(linked)))


def alert(
    connection: Connection, register: Register, concern_id: int, staff_ids: Collection[int], at: datetime
) -> list[int]:
    """Alert people to a concern, each once, and return those newly alerted. Nobody gets an email about their own."""
    event, concern = register.events.c, register.concerns.c
    before = select(event.recipient_id).where(event.concern_id == concern_id, event.kind == "alerted")
    new = sorted(set(staff_ids).difference(connection.scalars(before)))
    for person in new:
        add_event(connection, register, concern_id, kind="alerted", occurred_at=at, recipient_id=person)
    row = connection.execute(select(register.concerns).where(concern.id == concern_id)).one()
    recipients: list[int | None] = [person for person in new if person != row.raised_by]
    if register is CHILD and has_shared_channel():
        recipients.append(None)
    for recipient in recipients:
        enqueue(connection, Alert(recipient, "concern" if register is CHILD else "conduct", f"concern {row.ref}", at))
    return new


def _as_linked(connection: Connection, register: Register, view: SessionView) -> LinkedSession | None:
    """The link to a session as the person sees it; None if it is withheld from them. A concern about conduct stores a
    description of the session, and is never linked to counselling."""
    call_id = view.call_ids[0] if view.call_ids and not view.log_ref else None
    if not view.log_ref and not call_id:
        return None
    if register is CHILD:
        return LinkedSession(view.log_ref, call_id)
    session = tables.sessions.c
    if connection.scalar(select(session.id).where(session.id == view.session_id, ~is_confidential())) is None:
        return None
    when = f"{on_day_at(view.started_at)} to {view.ended_at:%H:%M}"
    broken = ", ".join(view.clauses.loc[view.clauses["outcome"] == "breach", "title"]) or "none"
    description = (
        f"{when}, {view.purpose or 'not logged'}, {view.staff_name or 'unknown'}, "
        f"with {', '.join(view.pupils['name']) or 'no pupil known'}; breaches: {broken}"
    )
    return LinkedSession(view.log_ref, call_id, description)
