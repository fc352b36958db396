"""A parent's consent: asked for, then given or refused, and perhaps withdrawn; and informing SLT of it.

Nothing is ever changed: everything that happens to a consent is added as an event, with the time at which it happened,
the time at which it was entered, and by whom. An event that was entered by mistake is struck out, and can still be
read. The sessions that a consent covers are judged again at once. `app.access` decides whose consents somebody may see
and answer. Counselling needs no consent from a parent: there is no such kind, and none is stored.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from app.access.parents import list_consents, may_answer_consent
from app.access.policy import NotAllowedError, Person
from app.alerts.outbox import Alert, enqueue
from app.alerts.sending import send_in_background
from app.formatting import moment
from app.judging.rejudge import Affected, rejudge
from app.records.registers import CONSENTS, Consent
from app.school import School
from app.store import tables
from app.store.consents import ANSWERS, consent_status, is_not_struck
from app.store.versions import list_contains, valid_on, valid_versions
from app.store.writing import raise_revision
from app.vocabulary.roles import Role
from app.vocabulary.terms import ConsentKind

KINDS = {kind.value: kind.label for kind in ConsentKind}

_consent, _event = tables.consents.c, tables.consent_events.c
_REQUESTED = {"pupil_id", "kind", "covers_from", "covers_to", "reason"}


def ask_for_consent(school: School, person: Person, request: Consent) -> int:
    """Record that a member of staff asks a pupil's parents for their consent, and return the consent's id. If the same
    request is made again, the id of the first is returned, unless that was refused or withdrawn. `request` has no
    answer, and its times have time zones. Raises ValueError, with a message to show, if something is missing or
    wrong."""
    _check_request(person, request)
    utc = {name: getattr(request, name).astimezone(UTC) for name in ("covers_from", "covers_to")}
    request = request.model_copy(update=utc | {"reason": (request.reason or "").strip()})
    requested = request.model_dump(include=_REQUESTED)
    state = consent_status()
    same = select(_consent.id, _consent.reason, state.c.state).join(state, state.c.consent_id == _consent.id)
    same = same.where(*(_consent[name] == value for name, value in requested.items() if name != "reason"))
    with school.writing() as connection:
        if connection.scalar(select(tables.pupils.c.id).where(tables.pupils.c.id == request.pupil_id)) is None:
            raise ValueError("Choose the pupil whose parents you are asking.")
        earlier = [row for row in connection.execute(same) if row.reason == requested["reason"]]
        for row in earlier:
            if row.state in ("asked", "given"):
                return int(row.id)
        fingerprint = request.fingerprint
        if earlier:  # the refused request already has this fingerprint
            fingerprint = hashlib.sha256(f"{fingerprint} again {len(earlier)}".encode()).hexdigest()
        new = insert(tables.consents).returning(_consent.id).values(requested | {"fingerprint": fingerprint})
        consent_id: int = connection.execute(new).scalar_one()
        _Change(connection, school, person, consent_id).add("asked for", kind="asked")
    return consent_id


def answer_consent(school: School, person: Person, consent_id: int, *, given: bool, parent: str, at: datetime) -> None:
    """Record a parent's answer: what it was, who gave it and when (`at` has a time zone). The same answer is recorded
    only once. Raises NotAllowedError; or ValueError, with a message to show, if something is missing or the answer is
    older than the request."""
    answer = _check_answer(school, "given" if given else "refused", parent, at)
    state = consent_status()
    # It is not known when a request from a file was made.
    asked = select(state.c.asked_at).where(state.c.consent_id == consent_id, state.c.asked_by.is_not(None))
    with _change_consent(school, person, consent_id) as change:
        if change.has_event(**answer):
            return
        asked_at = change.connection.scalar(asked)
        # The answer's time is entered in whole minutes.
        if asked_at is not None and at < asked_at.replace(second=0, microsecond=0):
            when = moment(asked_at.astimezone(school.settings.zone))
            raise ValueError(f"The answer is older than the request of {when}: correct its day or time.")
        change.add(answer["kind"], **answer)


def withdraw_consent(school: School, person: Person, consent_id: int, *, parent: str, at: datetime) -> None:
    """Record that a parent withdrew a consent, which then covers only sessions that had begun by that time. Raises
    NotAllowedError; or ValueError, with a message to show, if something is missing or no consent had been given."""
    withdrawal = _check_answer(school, "withdrawn", parent, at)
    answers = select(_event.kind).where(_event.consent_id == consent_id, _event.kind.in_(ANSWERS), is_not_struck())
    before = answers.where(_event.occurred_at <= at).order_by(_event.occurred_at.desc(), _event.id.desc())
    with _change_consent(school, person, consent_id) as change:
        if change.has_event(**withdrawal):
            return
        if change.connection.scalars(before).first() != "given":
            raise ValueError("No consent had been given by then. Record first when it was given.")
        change.add("withdrawn", **withdrawal)


def mark_request_sent(school: School, person: Person, consent_id: int) -> None:
    """Record that the request went to the parents now, unless that is already recorded. Raises NotAllowedError."""
    with _change_consent(school, person, consent_id) as change:
        if not change.has_event(kind="sent"):
            change.add("request sent", kind="sent")


def inform_slt(school: School, person: Person, consent_id: int) -> None:
    """Inform SLT now of a consent that was given: an alert goes to each member of SLT, unless they have been informed
    already. Raises NotAllowedError; or ValueError, with a message to show, if no consent was given or the roster has no
    SLT."""
    staff, state = valid_versions(tables.staff_versions), consent_status()
    slt = select(staff.c.staff_id).where(valid_on(staff, school.today()), list_contains(staff.c.roles, Role.SLT))
    with _change_consent(school, person, consent_id) as change:
        if change.connection.scalar(select(state.c.state).where(state.c.consent_id == consent_id)) != "given":
            raise ValueError("Record first that the consent was given, then inform SLT.")
        if change.has_event(kind="slt_informed"):
            return
        recipients = change.connection.scalars(slt.order_by(staff.c.staff_id)).all()
        if not recipients:
            raise ValueError("The roster has no SLT. Ask the ICT administrator to give them the role slt.")
        for staff_id in recipients:
            enqueue(change.connection, Alert(staff_id, "slt_informed", f"consent {consent_id}", school.now()))
        change.add("SLT informed", kind="slt_informed")
    send_in_background(school)


def confirm_informed(school: School, person: Person, consent_id: int) -> None:
    """Record that a member of SLT confirms that SLT was informed of a consent, unless that is already recorded. Raises
    NotAllowedError."""
    consents = list_consents(school, person)
    if not (consents["to_slt"] & (consents["consent_id"] == consent_id)).any():
        raise NotAllowedError("You do not have access to this consent.")
    with school.writing() as connection:
        change = _Change(connection, school, person, consent_id)
        if not change.has_event(kind="confirmed"):
            change.add("SLT confirmed that it was informed", kind="confirmed")


def strike_out(school: School, person: Person, consent_id: int, event_id: int, reason: str) -> None:
    """Strike out an event of a consent that was entered by mistake: it no longer counts, but can still be read. Raises
    NotAllowedError; or ValueError, with a message to show, if there is no reason, or the event is struck out
    already."""
    if not reason.strip():
        raise ValueError("Say what the mistake was.")
    with _change_consent(school, person, consent_id) as change:
        if not change.has_event(id=event_id):
            raise ValueError("That entry has already been struck out.")
        change.add("an entry struck out", kind="struck", struck_event_id=event_id, reason=reason.strip())


def add_imported(connection: Connection, rows: Sequence[Consent], actor_id: int | None, now: datetime) -> None:
    """Add the consents of a file with their answers, in the caller's transaction."""
    if not rows:
        return
    ids = connection.scalars(
        insert(tables.consents).returning(_consent.id, sort_by_parameter_order=True),
        [row.model_dump(include=_REQUESTED) | {"fingerprint": row.fingerprint} for row in rows],
    ).all()
    events = []
    for consent_id, row in zip(ids, rows, strict=True):
        first = ("given", row.obtained_at, row.given_by) if row.obtained_at else ("asked", now, None)
        for kind, at, parent in (first, ("slt_informed", row.slt_informed_at, None)):
            event = {"consent_id": consent_id, "kind": kind, "occurred_at": at, "parent": parent}
            if at is not None:  # whoever imports a request is not necessarily the person who asked
                events.append(event | {"entered_at": now, "actor_id": None if kind == "asked" else actor_id})
    connection.execute(insert(tables.consent_events), events)


def _check_request(person: Person, request: Consent) -> None:
    if request.kind not in CONSENTS:
        raise ValueError("A consent is for tuition outside the hours or for a one-to-one: choose one of the two.")
    # Counsellors may ask only if they also teach or have a pastoral post; otherwise, a request would reveal
    # counselling.
    if Role.COUNSELLOR in person.roles and not any(role.has_pupils for role in person.roles):
        raise ValueError("Counselling needs no consent from a parent, and none is recorded.")
    if request.covers_to <= request.covers_from:
        raise ValueError("The end is not after the beginning: correct one of them.")
    if not (request.reason or "").strip():
        raise ValueError("A request needs a reason for the parents to read.")


def _check_answer(school: School, kind: str, parent: str, at: datetime) -> dict[str, Any]:
    """The event of a parent's answer. Raises ValueError, with a message to show, if something is missing."""
    if not parent.strip():
        raise ValueError('Say who answered: the parent\'s name, or "mother".')
    if at > school.now():
        raise ValueError("The answer is in the future: enter it once it has been given.")
    return {"kind": kind, "occurred_at": at, "parent": parent.strip()}


@dataclass(frozen=True)
class _Change:
    """The events that a person adds to a consent, in one transaction."""

    connection: Connection
    school: School
    person: Person
    consent_id: int

    def has_event(self, **values: Any) -> bool:
        """Whether the consent has an event with these values that has not been struck out."""
        of_consent = select(tables.consent_events).where(_event.consent_id == self.consent_id, is_not_struck())
        events = self.connection.execute(of_consent).mappings().all()
        return any(all(event[name] == value for name, value in values.items()) for event in events)

    def add(self, description: str, **values: Any) -> None:
        """Add an event (it occurred now, unless `values` say otherwise), judge the sessions that the consent covers
        again, and record the change, with its description, on the audit trail."""
        now = self.school.now()
        event = {"consent_id": self.consent_id, "occurred_at": now, "entered_at": now, "actor_id": self.person.staff_id}
        self.connection.execute(insert(tables.consent_events).values(event | values))
        session, participant = tables.sessions.c, tables.session_pupils.c
        covered = (
            select(session.id)
            .join(tables.session_pupils, participant.session_id == session.id)
            .join(tables.consents, _consent.pupil_id == participant.pupil_id)
            .where(
                _consent.id == self.consent_id,
                session.started_at >= _consent.covers_from,
                session.ended_at <= _consent.covers_to,
            )
        )
        sessions = set(self.connection.scalars(covered))
        rejudge(self.connection, self.school, Affected(sessions=sessions))
        self.school.add_to_trail(
            self.connection, self.person.email, "changed", f"consent {self.consent_id}, {description}"
        )
        raise_revision(self.connection)


@contextmanager
def _change_consent(school: School, person: Person, consent_id: int) -> Iterator[_Change]:
    if not may_answer_consent(school, person, consent_id):
        raise NotAllowedError("You do not have access to this consent.")
    with school.writing() as connection:
        yield _Change(connection, school, person, consent_id)
