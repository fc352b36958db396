"""Sending the emails to families in the outbox.

When the mail server accepts the email to the first of a pupil's contacts, the same transaction enters the letter on the
register, or marks the request as sent. What the server rejects for good has failed: somebody corrects the address and
sends it again. Everything else is tried again for two days, with growing pauses.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from app.alerts.attempts import MOST_BROKEN, Lease, Run, get_next_attempt, is_time
from app.alerts.channels import BrokenConnectionError, Mail, Message, NotSentError, RejectedError, UnreachableError
from app.judging.rejudge import rejudge_pupils
from app.school import School
from app.store import audit_log, tables
from app.store.consents import consent_status, is_not_struck
from app.store.reading import is_among
from app.store.versions import select_leavers
from app.store.writing import raise_revision
from app.vocabulary.terms import EmailState, FamilyEmailKind

_email, _event = tables.family_emails.c, tables.consent_events.c
_GIVE_UP_AFTER = timedelta(days=2)
_EVENTS = {FamilyEmailKind.REQUEST: "sent", FamilyEmailKind.REMINDER: "reminded"}


class FamilySending:
    """One sending of emails to families. Its results are counted in `run`."""

    def __init__(self, school: School, lease: Lease, mail: Mail, run: Run) -> None:
        self._school, self._lease, self._mail, self._run = school, lease, mail, run
        self._broken_in_a_row = 0

    def send_next(self) -> bool:
        """Try the next email that is due. Returns whether another may be tried after it."""
        row = self._find_next()
        if row is None:
            return False
        if reason := self._find_obstacle(row):
            self._fail(row, reason)
        elif row.is_answered:
            self._remove(row)
        else:
            return self._send(row)
        return True

    def _find_next(self) -> Row[Any] | None:
        """The next email, or None, with what it depends on today: the pupil's contacts, whether the pupil and the
        sender have left, the sender's address and, for a request, when its times begin and whether it is answered."""
        state, now = consent_status(), self._school.now()
        query = (
            select(
                tables.family_emails,
                tables.pupils.c.contact_emails,
                tables.staff.c.email.label("reply_to"),
                _email.pupil_id.in_(select_leavers(tables.pupil_versions)).label("pupil_left"),
                _email.sender_id.in_(select_leavers(tables.staff_versions)).label("sender_left"),
                tables.consents.c.covers_from,
                func.coalesce(state.c.state != "asked", False).label("is_answered"),
            )
            .join(tables.pupils, tables.pupils.c.id == _email.pupil_id)
            .join(tables.staff, tables.staff.c.id == _email.sender_id)
            .outerjoin(tables.consents, tables.consents.c.id == _email.consent_id)
            .outerjoin(state, state.c.consent_id == _email.consent_id)
            .where(_email.state == EmailState.WAITING, is_time(_email.next_attempt_at, now))
            .order_by(_email.consent_id.is_(None), _email.attempts, _email.id)  # requests before letters
            .limit(1)
        )
        with self._school.engine.connect() as connection:
            return connection.execute(query).one_or_none()

    def _find_obstacle(self, row: Row[Any]) -> str:
        """Why an email may no longer be sent; blank if it may."""
        if row.recipient not in (row.contact_emails or "").split(";"):
            return "The address was taken off the roster before the email was sent."
        if row.pupil_left:
            return "The pupil has left."
        if row.sender_left:
            return "The member of staff who sent it has left."
        if row.covers_from is not None and row.covers_from <= self._school.now():
            return "The session began before the email could be sent."
        return ""

    def _send(self, row: Row[Any]) -> bool:
        try:
            self._mail.send(_write_message(row, self._school))
        except RejectedError as error:
            self._fail(row, str(error))
        except UnreachableError as error:
            self._put_off(None, str(error))
            return False
        except NotSentError as error:
            self._put_off(row, str(error))
            is_broken = isinstance(error, BrokenConnectionError)
            self._broken_in_a_row = self._broken_in_a_row + 1 if is_broken else 0
            return self._broken_in_a_row < MOST_BROKEN
        else:
            self._broken_in_a_row = 0
            self._run.sent += 1
            self._mark_sent(row)
        return True

    def _mark_sent(self, row: Row[Any]) -> None:
        with self._school.writing() as connection:
            self._lease.hold(connection)
            others = select(_email.id).where(
                _email.pupil_id == row.pupil_id,
                _email.kind == row.kind,
                _email.consent_id.is_not_distinct_from(row.consent_id),
                _email.state == EmailState.SENT,
            )
            is_first = connection.scalar(others.limit(1)) is None
            sent = {"state": EmailState.SENT, "sent_at": self._school.now(), "error": None, "subject": None}
            self._update(connection, [row.id], **sent, body=None)
            if is_first:
                _enter_on_register(connection, self._school, row)
            raise_revision(connection)

    def _fail(self, row: Row[Any], reason: str) -> None:
        self._run.failed += 1
        self._run.error = reason
        with self._school.writing() as connection:
            self._lease.hold(connection)
            self._update(connection, [row.id], state=EmailState.FAILED, error=reason, attempts=row.attempts + 1)
            raise_revision(connection)

    def _remove(self, row: Row[Any]) -> None:
        """Remove an email about a request that has been answered in the meantime."""
        with self._school.writing() as connection:
            self._lease.hold(connection)
            connection.execute(delete(tables.family_emails).where(_email.id == row.id))

    def _put_off(self, row: Row[Any] | None, reason: str) -> None:
        """Schedule the next attempt for an email that was not accepted or, if `row` is None, for all that are due.
        Emails that have waited too long are marked as failed."""
        now = self._school.now()
        due = select(_email.id, _email.attempts, _email.queued_at).where(
            _email.state == EmailState.WAITING, is_time(_email.next_attempt_at, now)
        )
        self._run.error = reason
        with self._school.writing() as connection:
            self._lease.hold(connection)
            rows = connection.execute(due if row is None else due.where(_email.id == row.id)).all()
            late = [each.id for each in rows if each.queued_at <= now - _GIVE_UP_AFTER]
            self._update(connection, late, state=EmailState.FAILED, error=reason)
            for attempts in {each.attempts for each in rows}:
                ids = [each.id for each in rows if each.attempts == attempts and each.id not in late]
                later = get_next_attempt(now, attempts)
                self._update(connection, ids, error=reason, attempts=attempts + 1, next_attempt_at=later)
            raise_revision(connection)
        self._run.failed += len(late)
        self._run.waiting += len(rows) - len(late)

    def _update(self, connection: Connection, ids: Sequence[int], **values: Any) -> None:
        if ids:
            of_ids = is_among(connection, _email.id, ids)
            connection.execute(update(tables.family_emails).where(of_ids).values(values))


def _write_message(row: Row[Any], school: School) -> Message:
    """An email to a family, the same at every attempt."""
    return Message(
        number=f"family.{row.number}",
        to=row.recipient,
        subject=row.subject,
        body=row.body,
        written_at=row.queued_at.astimezone(school.settings.zone),
        from_name=school.settings.name,
        reply_to=row.reply_to,
        language=row.language,
    )


def _enter_on_register(connection: Connection, school: School, row: Row[Any]) -> None:
    """Record that an email to the first of a pupil's contacts was accepted."""
    if row.kind in _EVENTS:
        _add_event(connection, school, row, _EVENTS[row.kind])
        subject = f"consent {row.consent_id}, {FamilyEmailKind(row.kind).label.lower()}"
    else:
        _add_letter(connection, school, row)
        subject = f"letters {row.kind}, to pupil {row.pupil_id}"
    school.add_to_trail(connection, audit_log.COMMAND, "emailed", subject)


def _add_event(connection: Connection, school: School, row: Row[Any], kind: str) -> None:
    """Add an event to a consent, unless it already has one of that kind, such as a request sent by hand."""
    now, same = school.now(), (_event.consent_id == row.consent_id, _event.kind == kind, is_not_struck())
    if connection.scalar(select(exists().where(*same))):
        return
    event = {"consent_id": row.consent_id, "kind": kind, "occurred_at": now, "entered_at": now}
    connection.execute(insert(tables.consent_events).values(event | {"actor_id": row.sender_id}))


def _add_letter(connection: Connection, school: School, row: Row[Any]) -> None:
    """Add a letter sent today to the register, unless it is there already, and judge the pupil's sessions again."""
    letter = {"pupil_id": row.pupil_id, "kind": row.kind, "sent_on": school.today()}
    same = (tables.letters.c[name] == value for name, value in letter.items())
    if connection.scalar(select(exists().where(*same))):
        return
    connection.execute(insert(tables.letters).values(letter))
    rejudge_pupils(connection, school, [row.pupil_id])
