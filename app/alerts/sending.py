"""Handing over what waits in the outbox.

An alert is handed over once. Right before the word at which the mail server may take it, it is marked as handed
over; a sender that is killed before that leaves it waiting, and it is sent again, since it cannot have arrived.
One that is killed after that, or is never told whether the server took it, leaves it marked: it may have
arrived, so it is not sent again by itself, the administrator is told, and a concern that nobody reads is told
of anew (`due`). What a server refuses or cannot take waits, with growing pauses, and is never given up.
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
    Broken,
    InDoubt,
    Message,
    NotConfigured,
    Refused,
    Unreachable,
    Way,
    Ways,
    configured,
    ways,
)
from app.alerts.due import enqueue_due
from app.alerts.outbox import KINDS, SENT, SUBMITTED, WAITING
from app.school import School
from app.store import audit_log, tables

_alert = tables.alerts.c
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
_AT_ONCE = 50
_BROKEN_IN_A_ROW = 3  # so many, and the server is not asked again in this run
_SOON = 60.0  # seconds for which one that has to be told at once waits for another sender


class Lease(lease.Lease):
    """The right to send alerts."""

    name, what = "alerts", "sending of alerts"


@dataclass
class Run:
    """What one sending did: how many were `sent`, `not_taken` (they wait), or handed over with nobody knowing
    whether they were taken (`in_doubt`); `trouble` in words, blank if there was none."""

    sent: int = 0
    not_taken: int = 0
    in_doubt: int = 0
    trouble: str = ""


def send(school: School, *, at_once: bool = False) -> Run:
    """Put in what is due and hand over what waits, also what waits for its next try if `at_once`.

    NotConfigured where nothing can be sent, and always in the demonstration; `lease.Busy` if another sends.
    """
    out = _ways(school)
    try:
        with Lease(school) as held:
            enqueue_due(school)
            return _Sending(school, held, out).run(at_once)
    finally:
        out.close()


def send_in_words(school: School) -> tuple[bool, str]:
    """Send at once what waits; whether all of it was taken, and what was done, in words."""
    try:
        run = send(school, at_once=True)
    except (NotConfigured, lease.Busy, lease.Lost) as error:
        return False, str(error)
    if run.trouble:
        return False, f"{run.sent} sent, {run.not_taken + run.in_doubt} not: {run.trouble}"
    return True, f"{run.sent} sent." if run.sent else "Nothing waits."


def hindrance(school: School, ask: bool = False) -> str:
    """Why no alert can be sent, with the mend; blank where nothing is known to hinder it. The mail server is asked
    only if so wished."""
    try:
        out = _ways(school)
        try:
            if ask:
                out.to_staff.try_out()
        finally:
            out.close()
    except (NotConfigured, Unreachable) as error:
        return str(error)
    return ""


def _ways(school: School) -> Ways:
    if school.is_demonstration():
        raise NotConfigured("This is the demonstration, whose people are invented: no alert is ever sent.")
    return ways()


def send_in_background(school: School) -> None:
    """Send in a moment, without holding anybody up. Whatever hinders it, the alert waits for the next run of
    `python -m app alerts`."""
    if configured() and not school.is_demonstration():
        threading.Thread(target=_soon, args=(school,), name="alerts", daemon=True).start()


def _soon(school: School) -> None:
    deadline = time.monotonic() + _SOON
    while True:
        try:
            send(school)
        except lease.Busy:  # it may have looked before this alert was there
            if time.monotonic() < deadline:
                time.sleep(1)
                continue
        except (NotConfigured, lease.Lost, DBAPIError) as error:
            logging.getLogger(__name__).warning("Alerts wait: %s", type(error).__name__)
        return


class _Sending:
    def __init__(self, school: School, held: Lease, out: Ways) -> None:
        self._school, self._lease, self._out = school, held, out
        self._done = Run()
        self._broken = 0

    def run(self, at_once: bool) -> Run:
        if at_once:
            self._write(_alert.state == WAITING, next_try_at=self._school.now())
        for to_all, way in ((False, self._out.to_staff), (True, self._out.shared)):
            if way:
                self._hand_over_all(way, _alert.to.is_(None) if to_all else _alert.to.is_not(None))
        return self._done

    def _hand_over_all(self, way: Way, whose: ColumnElement[bool]) -> None:
        while rows := self._due(whose):
            for row in rows:
                try:
                    self._hand_over(way, row)
                except Unreachable as error:
                    self._put_off(self._due(whose, limit=None), str(error))
                    return

    def _due(self, whose: ColumnElement[bool], limit: int | None = _AT_ONCE) -> list[Row[Any]]:
        """What is to be tried now: what happened first, then the day's digests."""
        query = (
            select(tables.alerts, tables.staff.c.email)
            .outerjoin(tables.staff, tables.staff.c.id == _alert.to)
            .where(whose, _alert.state == WAITING, _alert.next_try_at <= self._school.now())
            .order_by(_alert.kind == "digest", _alert.tries, _alert.id)
            .limit(limit)
        )
        with self._school.engine.connect() as connection:
            return list(connection.execute(query))

    def _hand_over(self, way: Way, row: Row[Any]) -> None:
        try:
            way.hand_over(written(row, self._out.address, self._school), lambda: self._mark_handed(row.id))
        except Refused as error:
            self._put_off([row], str(error))
            self._broken = self._broken + 1 if isinstance(error, Broken) else 0
            if self._broken >= _BROKEN_IN_A_ROW:
                raise Unreachable(str(error)) from None
        except InDoubt as error:
            self._done.in_doubt += 1
            self._done.trouble = str(error)
            self._write(_alert.id == row.id, trouble=str(error))
        else:
            self._broken = 0
            self._done.sent += 1
            self._mark_sent(row)

    def _mark_handed(self, number: int) -> None:
        """From here on it may have been taken; not if another sender has taken over meanwhile."""
        with self._school.writing() as connection:
            self._lease.hold(connection)
            waiting = (_alert.id == number) & (_alert.state == WAITING)
            if not connection.execute(update(tables.alerts).where(waiting).values(state=SUBMITTED)).rowcount:
                raise lease.Lost("Another sender has handed it over already.")

    def _put_off(self, rows: Sequence[Row[Any]], why: str) -> None:
        """These were not taken: they wait for their next try."""
        now = self._school.now()
        later = [
            {"number": row.id, "trouble": why, "tries": row.tries + 1, "next_try_at": now + _pause(row.tries)}
            for row in rows
        ]
        self._done.trouble = why
        self._done.not_taken += len(later)
        if later:
            change = update(tables.alerts).where(_alert.id == bindparam("number")).values(state=WAITING)
            with self._school.writing() as connection:
                connection.execute(change, later)

    def _write(self, which: ColumnElement[bool], **values: Any) -> None:
        with self._school.writing() as connection:
            connection.execute(update(tables.alerts).where(which).values(values))

    def _mark_sent(self, row: Row[Any]) -> None:
        """That somebody was told of a record is on the audit trail; a digest is of no record."""
        now = self._school.now()
        with self._school.writing() as connection:
            sent = {"state": SENT, "sent_at": now, "trouble": None}
            connection.execute(update(tables.alerts).where(_alert.id == row.id).values(sent))
            if not row.confidential and row.kind != "digest":
                audit_log.add(connection, at=now, by=audit_log.COMMAND, what="alerted", about=row.about)


def _pause(tries: int) -> timedelta:
    """How long one waits that was tried so often before: 1, 2, 4 … minutes."""
    return min(_FIRST_PAUSE * 2 ** min(tries, 10), _LONGEST_PAUSE)


def written(row: Row[Any], address: str, school: School) -> Message:
    """What an alert says; the same at every try."""
    kind, ref = KINDS[row.kind], str(row.about).rpartition(" ")[2]
    words = [part for part in (kind.words.format(ref=ref), row.words) if part]
    page = "" if kind.page == "start" else kind.page.format(ref=ref)
    return Message(
        number=f"alert.{hashlib.sha256(str(row.key).encode()).hexdigest()[:32]}",
        to=row.email or "",
        subject=kind.subject,
        body="\n\n".join([*words, f"{address}/{page}".rstrip("/"), f"{school.settings.name}, videoconferencing\n"]),
        written_at=row.queued_at.astimezone(school.settings.zone),
    )
