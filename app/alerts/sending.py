"""Sending the alerts in the outbox, each at least once.

An alert is marked as sent after the mail server, or another service, accepted it. Where that answer is missing, since
the connection broke or the sender was killed, the alert is sent again, as the same message with the same Message-ID: a
concern that arrives twice does no harm, one that is lost does. What is not accepted is tried again, with growing
pauses, and never given up.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, select, update
from sqlalchemy.exc import DBAPIError

from app import lease
from app.alerts.channels import (
    AlertsNotConfiguredError,
    BrokenConnectionError,
    Message,
    NotSentError,
    Transport,
    Transports,
    UnreachableError,
    configured,
    transports,
)
from app.alerts.due import enqueue_due
from app.alerts.outbox import KINDS, SENT, WAITING
from app.school import School
from app.store import audit_log, tables

_alert = tables.alerts.c
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
_BATCH = 50
_BROKEN_IN_A_ROW = 3  # after so many broken connections the rest of a run waits
_PATIENCE = lease.DURATION.total_seconds() + 5  # for which an urgent alert waits for another sender, dead or alive


class Lease(lease.Lease):
    """The right to send alerts."""

    name, what = "alerts", "sending of alerts"


@dataclass
class Run:
    """What one sending did: how many alerts were `sent`, and how many were not and wait (`waiting`); `trouble` in
    words, blank if there was none."""

    sent: int = 0
    waiting: int = 0
    trouble: str = ""


def send(school: School, *, at_once: bool = False) -> Run:
    """Queue what is due and send the outbox; with `at_once` also what failed before, without its pause.

    AlertsNotConfiguredError where nothing can be sent, and always in the demonstration; `lease.BusyError` if another
    process sends.
    """
    out = _transports(school)
    with Lease(school) as held:
        enqueue_due(school)
        return _Sending(school, held, out).run(at_once)


def send_in_words(school: School) -> tuple[bool, str]:
    """Send the outbox at once. Returns whether all of it was sent, and the result in words."""
    try:
        run = send(school, at_once=True)
    except (AlertsNotConfiguredError, lease.BusyError, lease.LostError) as error:
        return False, str(error)
    if run.trouble:
        return False, f"{run.sent} sent, {run.waiting} not: {run.trouble}"
    return True, f"{run.sent} sent." if run.sent else "Nothing to send."


def hindrance(school: School, ask: bool = False) -> str:
    """Why no alert can be sent, and how to fix it; blank if no reason is known. With `ask` the mail server is asked."""
    try:
        out = _transports(school)
        if ask:
            out.to_staff.probe()
    except (AlertsNotConfiguredError, UnreachableError) as error:
        return str(error)
    return ""


def _transports(school: School) -> Transports:
    if school.is_demonstration():
        raise AlertsNotConfiguredError("This is the demonstration, whose people are invented: no alert is ever sent.")
    return transports()


def send_in_background(school: School) -> None:
    """Send in a thread of its own. Whatever goes wrong, the alert waits for the next run of `python -m app alerts`."""
    if configured() and not school.is_demonstration():
        threading.Thread(target=_send_patiently, args=(school,), name="alerts", daemon=True).start()


def _send_patiently(school: School) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            send(school)
        except lease.BusyError:  # the other sender may have looked before this alert was queued
            if time.monotonic() < deadline:
                time.sleep(1)
                continue
        except (AlertsNotConfiguredError, lease.LostError, DBAPIError) as error:
            logging.getLogger(__name__).warning("Alerts wait: %s", type(error).__name__)
        return


class _Sending:
    def __init__(self, school: School, held: Lease, out: Transports) -> None:
        self._school, self._lease, self._out = school, held, out
        self._done = Run()
        self._broken = 0

    def run(self, at_once: bool) -> Run:
        if at_once:
            with self._school.writing() as connection:
                waiting = update(tables.alerts).where(_alert.state == WAITING)
                connection.execute(waiting.values(next_attempt_at=self._school.now()))
        self._send_all(self._out.to_staff, _alert.recipient_id.is_not(None))
        if self._out.shared:
            self._send_all(self._out.shared, _alert.recipient_id.is_(None))
        return self._done

    def _send_all(self, transport: Transport, whose: ColumnElement[bool]) -> None:
        while rows := self._due(whose):
            for row in rows:
                try:
                    self._send(transport, row)
                except UnreachableError as error:
                    self._put_off(self._due(whose, limit=None), str(error))
                    return

    def _due(self, whose: ColumnElement[bool], limit: int | None = _BATCH) -> list[Row[Any]]:
        """What is to be tried now: what happened first, then the day's digests."""
        query = (
            select(tables.alerts, tables.staff.c.email)
            .outerjoin(tables.staff, tables.staff.c.id == _alert.recipient_id)
            .where(whose, _alert.state == WAITING, _alert.next_attempt_at <= self._school.now())
            .order_by(_alert.kind == "digest", _alert.attempts, _alert.id)
            .limit(limit)
        )
        with self._school.engine.connect() as connection:
            return list(connection.execute(query))

    def _send(self, transport: Transport, row: Row[Any]) -> None:
        try:
            transport.send(written(row, self._out.address, self._school))
        except NotSentError as error:
            self._put_off([row], str(error))
            self._broken = self._broken + 1 if isinstance(error, BrokenConnectionError) else 0
            if self._broken >= _BROKEN_IN_A_ROW:
                raise UnreachableError(str(error)) from None
        else:
            self._broken = 0
            self._mark_sent(row)
            self._done.sent += 1

    def _put_off(self, rows: Sequence[Row[Any]], why: str) -> None:
        """These were not accepted: they wait for their next try."""
        now = self._school.now()
        later = [
            {
                "number": row.id,
                "error": why,
                "attempts": row.attempts + 1,
                "next_attempt_at": now + _pause(row.attempts),
            }
            for row in rows
        ]
        self._done.trouble = why
        self._done.waiting += len(later)
        if later:
            change = update(tables.alerts).where(_alert.id == bindparam("number"))
            with self._school.writing() as connection:
                connection.execute(change, later)

    def _mark_sent(self, row: Row[Any]) -> None:
        """That somebody was alerted to a record goes on the audit trail; a digest is of no record."""
        now = self._school.now()
        with self._school.writing() as connection:
            self._lease.hold(connection)
            sent = {"state": SENT, "sent_at": now, "error": None}
            connection.execute(update(tables.alerts).where(_alert.id == row.id).values(sent))
            if not row.confidential and row.kind != "digest":
                audit_log.add(
                    connection, occurred_at=now, actor=audit_log.COMMAND, action="alerted", subject=row.subject
                )


def _pause(tries: int) -> timedelta:
    """How long to wait after this many tries: 1, 2, 4 … minutes."""
    doublings: int = 2 ** min(tries, 10)
    return min(_FIRST_PAUSE * doublings, _LONGEST_PAUSE)


def written(row: Row[Any], address: str, school: School) -> Message:
    """What an alert says; the same at every try."""
    kind, ref = KINDS[row.kind], str(row.subject).rpartition(" ")[2]
    words = [part for part in (kind.words.format(ref=ref), row.body) if part]
    page = "" if kind.page == "start" else kind.page.format(ref=ref)
    return Message(
        number=f"alert.{hashlib.sha256(str(row.key).encode()).hexdigest()[:32]}",
        to=row.email or "",
        subject=kind.subject,
        body="\n\n".join([*words, f"{address}/{page}".rstrip("/"), f"{school.settings.name}, videoconferencing\n"]),
        written_at=row.queued_at.astimezone(school.settings.zone),
    )
