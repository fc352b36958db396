"""Emails to families in the outbox: one for each contact of a pupil, so that no family sees another's address.

They are sent together with the alerts (`app.alerts.family_sending`).
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from app.alerts.channels import AlertsNotConfiguredError, Mail, load_transports
from app.school import School
from app.store import tables
from app.store.reading import is_among
from app.vocabulary.terms import EmailState, FamilyEmailKind

_email = tables.family_emails.c


@dataclass(frozen=True)
class Letter:
    """An email to a pupil's family as it is to be sent, to any number of contacts.

    - `contacts`: the addresses; `language`: the language of the text, "en" or "cy"
    - `consent_id`: the consent, if this is a request or a reminder
    - `sender_id`: the member of staff who gets the replies
    """

    pupil_id: int
    kind: FamilyEmailKind
    contacts: Sequence[str]
    language: str
    subject: str
    body: str
    sender_id: int
    consent_id: int | None = None


def find_obstacle_to_families(school: School) -> str:
    """Why no email can be sent to families, and how to fix it; blank if there is no known reason."""
    if school.is_demonstration():
        return "This is the demonstration, whose people are invented: no email is ever sent."
    try:
        transports = load_transports()
    except AlertsNotConfiguredError as error:
        return str(error)
    if not isinstance(transports.to_staff, Mail):
        return "ALERT_URL is not a mail server (mailtos://…): through another service, replies would not reach staff."
    return ""


def enqueue_letters(connection: Connection, letters: Iterable[Letter], now: datetime) -> int:
    """Put emails into the outbox, in the caller's transaction, and return how many. Contacts who have been or will be
    sent the same letter get none; emails that failed before are replaced."""
    rows: list[dict[str, Any]] = []
    for letter in letters:
        same = _is_about(letter)
        connection.execute(delete(tables.family_emails).where(same, _email.state == EmailState.FAILED))
        served = set(connection.scalars(select(_email.recipient).where(same, _email.state != EmailState.STRUCK)))
        rows += [_create_row(letter, contact, now) for contact in letter.contacts if contact not in served]
    if rows:
        connection.execute(insert(tables.family_emails), rows)
    return len(rows)


def strike_emails(
    connection: Connection, kind: str, pupil_ids: Collection[int], times: tuple[datetime, datetime]
) -> None:
    """Mark letters to the families of some pupils as struck out, so that they can be sent again: those of a kind that
    were accepted between two times."""
    of_pupils = is_among(connection, _email.pupil_id, pupil_ids)
    mistaken = and_(of_pupils, _email.kind == kind, _email.state == EmailState.SENT, _email.sent_at.between(*times))
    connection.execute(update(tables.family_emails).where(mistaken).values(state=EmailState.STRUCK))


def _is_about(letter: Letter) -> ColumnElement[bool]:
    return and_(
        _email.pupil_id == letter.pupil_id,
        _email.kind == letter.kind,
        _email.consent_id.is_not_distinct_from(letter.consent_id),
    )


def _create_row(letter: Letter, contact: str, now: datetime) -> dict[str, Any]:
    same = ("pupil_id", "kind", "consent_id", "language", "subject", "body", "sender_id")
    waiting = {"queued_at": now, "state": EmailState.WAITING, "next_attempt_at": now, "attempts": 0}
    own = {"number": secrets.token_hex(16), "recipient": contact}
    return {name: getattr(letter, name) for name in same} | waiting | own
