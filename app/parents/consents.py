"""A parent's consent: asked for, then given or refused, perhaps withdrawn; and SLT informed of it.

Nothing is ever changed: everything that happens to a consent is added to its events, with when it happened,
when it was entered and by whom. Something entered by mistake is struck out, and stays there to be read. What
a consent covers is judged again at once. `app.access` decides whose consents somebody may see and answer.
Counselling needs no consent of a parent: there is none of that kind, and none is kept.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, select

from app.access.parents import may_answer_consent
from app.access.policy import Person
from app.alerts.outbox import enqueue
from app.alerts.sending import send_in_background
from app.judging.rejudge import Touched, rejudge
from app.records.registers import CONSENTS, Consent
from app.school import School
from app.store import tables
from app.store.consents import ANSWERS, consent_status, is_not_struck
from app.store.versions import list_contains, valid_on, valid_versions
from app.store.writing import raise_revision
from app.vocabulary import ConsentKind, Role

# What a consent can be to, and how that reads.
KINDS = {kind.value: kind.label for kind in ConsentKind}

_consent, _event = tables.consents.c, tables.consent_events.c


class NotYoursError(Exception):
    """The person may not change this consent."""


def ask_for_consent(
    school: School, person: Person, *, pupil_id: int, kind: str, covers_from: datetime, covers_to: datetime, reason: str
) -> int:
    """Put on the register that a member of staff asks a pupil's parents for their consent, and give its number.
    The times are aware, `kind` is one of KINDS. The same asked again is one, until it was refused or
    withdrawn. ValueError, in words, if something is missing or does not fit."""
    _check_request(person, kind, covers_from, covers_to, reason)
    asked = Consent(
        pupil_id=pupil_id,
        kind=kind,
        covers_from=covers_from.astimezone(UTC),
        covers_to=covers_to.astimezone(UTC),
        reason=reason.strip(),
        obtained_at=None,
        given_by=None,
        slt_informed_at=None,
    )
    with school.writing() as connection:
        if connection.scalar(select(tables.pupils.c.id).where(tables.pupils.c.id == pupil_id)) is None:
            raise ValueError("Choose the pupil whose parents you are asking.")
        state = consent_status()
        same = select(_consent.id, state.c.state).join(state, state.c.consent_id == _consent.id)
        before = connection.execute(
            same.where(
                *(_consent[name] == getattr(asked, name) for name in ("pupil_id", "kind", "covers_from", "covers_to")),
                _consent.reason == asked.reason,
            )
        ).all()
        for earlier in before:
            if earlier.state in ("asked", "given"):
                return int(earlier.id)
        new = insert(tables.consents).returning(_consent.id).values(_row(asked, again=len(before)))
        consent_id = connection.execute(new).scalar_one()
        _add(connection, school, person, consent_id, "asked", school.now())
        _finish(connection, school, person, consent_id, "asked for")
    return int(consent_id)


def answer_consent(school: School, person: Person, consent_id: int, *, given: bool, parent: str, at: datetime) -> None:
    """Record what a parent answered, who it was and when (aware); the same answer again is one. ValueError, in
    words, if something is missing; NotYoursError."""
    _record(school, person, consent_id, "given" if given else "refused", parent, at)


def withdraw_consent(school: School, person: Person, consent_id: int, *, parent: str, at: datetime) -> None:
    """Record that a parent took a consent back: it covers no session from then on, and still those that had
    begun. ValueError, in words, if something is missing or none had been given; NotYoursError."""

    def had_been_given(connection: Connection) -> None:
        answers = select(_event.kind).where(_event.consent_id == consent_id, _event.kind.in_(ANSWERS), is_not_struck())
        before = answers.where(_event.occurred_at <= at).order_by(_event.occurred_at.desc(), _event.id.desc())
        if connection.scalars(before).first() != "given":
            raise ValueError("No consent had been given by then. Record first when it was given.")

    _record(school, person, consent_id, "withdrawn", parent, at, had_been_given)


def mark_request_sent(school: School, person: Person, consent_id: int) -> None:
    """Record that the request went out to the parents, now; once. NotYoursError."""
    with _changing(school, person, consent_id) as connection:
        if not _is_on_record(connection, consent_id, "sent"):
            _add(connection, school, person, consent_id, "sent", school.now())
            _finish(connection, school, person, consent_id, "request sent")


def inform_slt(school: School, person: Person, consent_id: int) -> None:
    """Inform SLT of a consent that was given, now: an alert goes to each of them, once. ValueError, in words, if
    none was given or the roster has nobody to tell; NotYoursError."""
    who, state = valid_versions(tables.staff_versions), consent_status()
    slt = select(who.c.staff_id).where(valid_on(who, school.today()), list_contains(who.c.roles, Role.SLT))
    with _changing(school, person, consent_id) as connection:
        if connection.scalar(select(state.c.state).where(state.c.consent_id == consent_id)) != "given":
            raise ValueError("Record first that the consent was given, then inform SLT.")
        if _is_on_record(connection, consent_id, "slt_informed"):
            return
        informed = connection.scalars(slt.order_by(who.c.staff_id)).all()
        if not informed:
            raise ValueError("The roster has no SLT. Ask the ICT administrator to give them the role slt.")
        for staff_id in informed:
            about, key = f"consent {consent_id}", f"slt informed of consent {consent_id}: {staff_id}"
            enqueue(connection, to=staff_id, kind="slt_informed", about=about, key=key, at=school.now())
        _add(connection, school, person, consent_id, "slt_informed", school.now())
        _finish(connection, school, person, consent_id, "SLT informed")
    send_in_background(school)


def strike_out(school: School, person: Person, consent_id: int, event_id: int, why: str) -> None:
    """Strike out an event of a consent that was entered by mistake: it counts no more, and stays to be read.
    ValueError, in words, if there is no reason; NotYoursError."""
    if not why.strip():
        raise ValueError("Say what the mistake was.")
    with _changing(school, person, consent_id) as connection:
        mine = and_(_event.id == event_id, _event.consent_id == consent_id, is_not_struck())
        if connection.scalar(select(_event.id).where(mine)) is None:
            raise ValueError("That entry has already been struck out.")
        _add(
            connection, school, person, consent_id, "struck", school.now(), struck_event_id=event_id, reason=why.strip()
        )
        _finish(connection, school, person, consent_id, "an entry struck out")


def keep(connection: Connection, rows: Sequence[Consent], by: int | None, now: datetime) -> None:
    """Keep the consents of a file with their answers, in the caller's transaction."""
    if not rows:
        return
    ids = connection.scalars(
        insert(tables.consents).returning(_consent.id, sort_by_parameter_order=True), [_row(row) for row in rows]
    ).all()
    events = []
    for consent_id, row in zip(ids, rows, strict=True):
        known = [("given", row.obtained_at, row.given_by), ("slt_informed", row.slt_informed_at, None)]
        if row.obtained_at is None:
            known.append(("asked", now, None))
        events += [
            {
                "consent_id": consent_id,
                "kind": kind,
                "occurred_at": at,
                "entered_at": now,
                "actor_id": by,
                "parent": parent,
            }
            for kind, at, parent in known
            if at is not None
        ]
    connection.execute(insert(tables.consent_events), events)


def _row(consent: Consent, again: int = 0) -> dict[str, Any]:
    """What stands of a consent in its table; `again`: how often the same was asked before."""
    print_of = consent.fingerprint
    if again:
        print_of = hashlib.sha256(f"{print_of} again {again}".encode()).hexdigest()
    known = consent.model_dump(include={"pupil_id", "kind", "covers_from", "covers_to", "reason"})
    return known | {"fingerprint": print_of}


def _check_request(person: Person, kind: str, covers_from: datetime, covers_to: datetime, reason: str) -> None:
    if kind not in CONSENTS:
        raise ValueError("A consent is for tuition outside the hours or for a one-to-one: choose one of the two.")
    # A counsellor who teaches or has a pastoral post may ask; one who has neither would tell of counselling by asking.
    if Role.COUNSELLOR in person.roles and not any(role.has_pupils for role in person.roles):
        raise ValueError("Counselling needs no consent from a parent, and none is recorded.")
    if covers_to <= covers_from:
        raise ValueError("The end is not after the beginning: correct one of them.")
    if not reason.strip():
        raise ValueError("A request needs a reason for the parents to read.")


def _record(
    school: School,
    person: Person,
    consent_id: int,
    kind: str,
    parent: str,
    at: datetime,
    check: Callable[[Connection], None] = lambda _connection: None,
) -> None:
    if not parent.strip():
        raise ValueError('Say who answered: the parent\'s name, or "mother".')
    if at > school.now():
        raise ValueError("The answer is in the future: enter it once it has been given.")
    same = and_(
        _event.consent_id == consent_id,
        _event.kind == kind,
        _event.occurred_at == at,
        _event.parent == parent.strip(),
        is_not_struck(),
    )
    with _changing(school, person, consent_id) as connection:
        if connection.scalar(select(_event.id).where(same)) is not None:
            return
        check(connection)
        _add(connection, school, person, consent_id, kind, at, parent=parent.strip())
        _finish(connection, school, person, consent_id, kind)


def _is_on_record(connection: Connection, consent_id: int, kind: str) -> bool:
    found = select(_event.id).where(_event.consent_id == consent_id, _event.kind == kind, is_not_struck())
    return connection.scalar(found.limit(1)) is not None


@contextmanager
def _changing(school: School, person: Person, consent_id: int) -> Iterator[Connection]:
    if not may_answer_consent(school, person, consent_id):
        raise NotYoursError("You do not have access to this consent.")
    with school.writing() as connection:
        yield connection


def _add(
    connection: Connection, school: School, person: Person, consent_id: int, kind: str, at: datetime, **more: Any
) -> None:
    event = {
        "consent_id": consent_id,
        "kind": kind,
        "occurred_at": at,
        "entered_at": school.now(),
        "actor_id": person.staff_id,
    }
    connection.execute(insert(tables.consent_events).values(event | more))


def _finish(connection: Connection, school: School, person: Person, consent_id: int, what: str) -> None:
    """Judge again the sessions that the consent covers, and say on the audit trail what was done."""
    session, among = tables.sessions.c, tables.session_pupils.c
    covered = (
        select(session.id)
        .join(tables.session_pupils, among.session_id == session.id)
        .join(tables.consents, _consent.pupil_id == among.pupil_id)
        .where(
            _consent.id == consent_id,
            session.started_at >= _consent.covers_from,
            session.ended_at <= _consent.covers_to,
        )
    )
    rejudge(connection, school.settings, Touched(sessions=set(connection.scalars(covered))), school.now())
    school.add_to_trail(connection, person.email, "changed", f"consent {consent_id}, {what}")
    raise_revision(connection)
