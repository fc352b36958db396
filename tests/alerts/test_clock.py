"""A clock that was ahead: what waits is sent, and digests and leases go on, as soon as it is right again."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app import lease
from app.alerts.attempts import Lease
from app.alerts.due import enqueue_due
from app.alerts.sending import send
from app.intake.files import import_logs
from app.lease import is_held
from app.school import School
from app.store import tables
from app.store.writing import set_meta
from tests import people
from tests.alerts.conftest import NOON, put, states
from tests.clock import Clock
from tests.mail_server import MailServer
from tests.people import log, table

AHEAD = timedelta(days=300)


def test_send_sends_what_was_queued_while_the_clock_was_ahead(school: School, clock: Clock, server: MailServer) -> None:
    clock.set(NOON + AHEAD)
    put(school, "dsp", "a", clock())
    server.at_word = lambda word, address: "450 not now"
    send(school)
    clock.set(NOON)
    server.at_word = lambda word, address: None
    assert send(school).sent == 1
    assert states(school) == [("a", "sent")]


def test_send_keeps_the_pause_of_an_attempt_by_a_clock_that_is_right(
    school: School, clock: Clock, server: MailServer
) -> None:
    put(school, "dsp", "a")
    server.at_word = lambda word, address: "450 not now"
    for _ in range(9):
        send(school, at_once=True)
    server.at_word = lambda word, address: None
    clock.later(minutes=59)
    assert send(school).sent == 0


def test_a_digest_of_a_clock_that_was_ahead_does_not_hold_up_the_next(
    school: School, clock: Clock, tmp_path: Path
) -> None:
    clock.set(datetime(2026, 10, 23, 7, 0, tzinfo=UTC))
    with school.writing() as connection:
        set_meta(connection, "digest", (clock() + AHEAD).isoformat())
    rows = [log("teacher", "aled", "2026-10-22T08:00", dress_ok="no")]
    import_logs(school, table(tmp_path / "l.csv", rows))
    for _ in range(3):
        enqueue_due(school)
        clock.later(minutes=10)
    with school.engine.connect() as connection:
        alert = tables.alerts.c
        query = select(tables.staff.c.email).join(tables.alerts, alert.recipient_id == tables.staff.c.id)
        to = connection.scalars(query.where(alert.kind == "digest")).all()
    assert sorted(to) == sorted(people.email(who) for who in ("hm", "hoy9", "teacher"))


@pytest.fixture
def other_holder(school: School) -> Iterator[Lease]:
    with Lease(school) as held:
        yield held


def test_a_lease_taken_while_the_clock_was_ahead_can_be_taken(
    school: School, clock: Clock, other_holder: Lease
) -> None:
    with pytest.raises(lease.BusyError, match=socket.gethostname()), Lease(school):
        pass
    with school.writing() as connection:
        connection.execute(update(tables.leases).values(expires_at=clock() + AHEAD))
        assert not is_held(connection, Lease.name, clock())
    with Lease(school) as held:
        with school.writing() as connection:
            assert is_held(connection, Lease.name, clock())
            held.hold(connection)
        with pytest.raises(lease.LostError), school.writing() as connection:
            other_holder.hold(connection)  # it goes by the wrong clock, and notices
