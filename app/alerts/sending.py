"""Sending the outbox: the alerts, each at least once, and the emails to families.

An alert is marked as sent once the mail server or another service has accepted it. If that answer is missing, because
the connection broke or the sender was killed, the alert is sent again with the same Message-ID: a concern that arrives
twice does no harm, but a lost one does. An alert that is not accepted is tried again indefinitely, with growing pauses.
"""

import hashlib
import logging
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.exc import DBAPIError

from app import lease
from app.alerts.attempts import MOST_BROKEN, Lease, Run, get_next_attempt, is_time
from app.alerts.channels import (
    AlertsNotConfiguredError,
    BrokenConnectionError,
    Mail,
    Message,
    NotSentError,
    Transport,
    Transports,
    UnreachableError,
    is_configured,
    load_transports,
)
from app.alerts.due import enqueue_due
from app.alerts.family_sending import FamilySending
from app.alerts.outbox import KINDS, SENT, WAITING
from app.school import School
from app.store import audit_log, tables
from app.vocabulary.terms import EmailState

_alert = tables.alerts.c
_BATCH = 50
_MOST_TO_FAMILIES = 100  # in a run, since mail servers limit how much one sender may send at once
_PATIENCE = lease.DURATION.total_seconds() + 5  # seconds to wait for another sender, even if that was killed


def send(school: School, *, at_once: bool = False) -> Run:
    """Queue what is due and send the outbox. With `at_once`, also retry what is waiting for its next attempt. Emails to
    families come last, and alerts queued in the meantime are sent before the next of them.

    Raises AlertsNotConfiguredError if nothing can be sent, and always in the demonstration; `lease.BusyError` if
    another process is sending.
    """
    transports = _get_transports(school)
    with Lease(school) as held:
        enqueue_due(school)
        if at_once:
            with school.writing() as connection:
                for table, state in ((tables.alerts, WAITING), (tables.family_emails, EmailState.WAITING)):
                    waiting = update(table).where(table.c.state == state)
                    connection.execute(waiting.values(next_attempt_at=school.now()))
        sending = _Sending(school, held, transports.address)
        sending.send_all(transports.to_staff, _alert.recipient_id.is_not(None))
        if transports.shared:
            sending.send_all(transports.shared, _alert.recipient_id.is_(None))
        if isinstance(transports.to_staff, Mail):
            families = FamilySending(school, held, transports.to_staff, sending.run)
            for _ in range(_MOST_TO_FAMILIES):
                if not families.send_next():
                    break
                sending.send_all(transports.to_staff, _alert.recipient_id.is_not(None))
        return sending.run


def find_obstacle(school: School, *, ask: bool = False) -> str:
    """Why no alert can be sent, and how to fix it; blank if there is no known reason. With `ask`, the mail server is
    asked."""
    try:
        transports = _get_transports(school)
        if ask:
            transports.to_staff.probe()
    except (AlertsNotConfiguredError, UnreachableError) as error:
        return str(error)
    return ""


def _get_transports(school: School) -> Transports:
    if school.is_demonstration():
        raise AlertsNotConfiguredError("This is the demonstration, whose people are invented: no alert is ever sent.")
    return load_transports()


def send_in_background(school: School) -> None:
    """Send in a background thread. If anything fails, alerts wait for the next run of `python -m app alerts`."""
    if is_configured() and not school.is_demonstration():
        threading.Thread(target=_send_patiently, args=(school,), name="alerts", daemon=True).start()


def _send_patiently(school: School) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            send(school)
            return
        except lease.BusyError:  # the other sender may have looked before this alert was queued
            if time.monotonic() >= deadline:
                return
            time.sleep(1)
        except (AlertsNotConfiguredError, lease.LostError, DBAPIError) as error:
            logging.getLogger(__name__).warning("Alerts wait: %s", type(error).__name__)
            return


@dataclass
class _Sending:
    """One sending and its result so far. `address` is the program's address, for links."""

    school: School
    lease: Lease
    address: str
    run: Run = field(default_factory=Run)
    broken_in_a_row: int = 0

    def send_all(self, transport: Transport, whose: ColumnElement[bool]) -> None:
        while rows := self._read_due(whose):
            for row in rows:
                try:
                    self._send(transport, row)
                except UnreachableError as error:
                    self._put_off(self._read_due(whose, limit=None), str(error))
                    return

    def _read_due(self, whose: ColumnElement[bool], limit: int | None = _BATCH) -> list[Row[Any]]:
        """The alerts to try now, digests last."""
        query = (
            select(tables.alerts, tables.staff.c.email)
            .outerjoin(tables.staff, tables.staff.c.id == _alert.recipient_id)
            .where(whose, _alert.state == WAITING, is_time(_alert.next_attempt_at, self.school.now()))
            .order_by(_alert.kind == "digest", _alert.attempts, _alert.id)
            .limit(limit)
        )
        with self.school.engine.connect() as connection:
            return list(connection.execute(query))

    def _send(self, transport: Transport, row: Row[Any]) -> None:
        try:
            transport.send(_write_message(row, self.address, self.school))
        except NotSentError as error:
            is_broken = isinstance(error, BrokenConnectionError)
            self._put_off([row], str(error), is_answered=not is_broken)
            self.broken_in_a_row = self.broken_in_a_row + 1 if is_broken else 0
            if self.broken_in_a_row >= MOST_BROKEN:
                raise UnreachableError(str(error)) from None
            return
        self.broken_in_a_row = 0
        self.run.sent += not row.confidential
        with self.school.writing() as connection:
            self.lease.hold(connection)
            now = self.school.now()
            sent = {"state": SENT, "sent_at": now, "answered_at": row.answered_at or now, "error": None}
            connection.execute(update(tables.alerts).where(_alert.id == row.id).values(sent))
            if not row.confidential and row.kind != "digest":  # a digest is about no record
                self.school.add_to_trail(connection, audit_log.COMMAND, "alerted", row.subject)

    def _put_off(self, rows: Sequence[Row[Any]], reason: str, *, is_answered: bool = False) -> None:
        """Schedule the next attempt of alerts that were not accepted; `is_answered`: the service rejected them."""
        if counted := sum(not row.confidential for row in rows):
            self.run.error = reason
            self.run.waiting += counted
        with self.school.writing() as connection:
            for row in rows:
                next_attempt = get_next_attempt(self.school.now(), row.attempts)
                later = {"error": reason, "attempts": row.attempts + 1, "next_attempt_at": next_attempt}
                if is_answered and row.answered_at is None:
                    later["answered_at"] = self.school.now()
                connection.execute(update(tables.alerts).where(_alert.id == row.id).values(later))


def _write_message(row: Row[Any], address: str, school: School) -> Message:
    """An alert as a message, the same at every attempt."""
    kind, ref = KINDS[row.kind], re.sub(r".* (?:[A-Z]-)?", "", str(row.subject))
    words = [part for part in (kind.words, row.body) if part]
    page = "" if kind.page == "start" else kind.page.format(ref=ref)
    return Message(
        number=f"alert.{hashlib.sha256(str(row.key).encode()).hexdigest()[:32]}",
        to=row.email or "",
        subject=kind.subject,
        body="\n\n".join([*words, f"{address}/{page}".rstrip("/"), f"{school.settings.name}, videoconferencing\n"]),
        written_at=row.queued_at.astimezone(school.settings.zone),
    )
