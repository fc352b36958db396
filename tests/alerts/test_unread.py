"""A concern that nobody reads: from when the reminders count, and for how long they go on."""

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.alerts.due import enqueue_due
from app.alerts.sending import send
from app.school import School
from app.store import tables
from tests import people
from tests.alerts.conftest import NOON, concern, send_now
from tests.clock import Clock
from tests.mail_server import ADDRESS, MailServer, finish_sending
from tests.people import someone

DSP, SDH = people.email("dsp"), people.email("sdh")


def run_until(school: School, clock: Clock, server: MailServer, every: int = 10, **much: float) -> list[str]:
    """Run the command `every` so many minutes for some time. To whom emails went, in order."""
    finish_sending()
    before, end = len(server.mails), school.now() + timedelta(**much)
    while school.now() < end:
        clock.later(minutes=every)
        send_now(school)
    return [str(mail["To"]) for mail in server.mails[before:]]


@pytest.mark.parametrize("hours", [5, 9 * 24])
def test_reminders_count_from_when_the_first_alert_could_be_sent(
    school: School, clock: Clock, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    server = MailServer()
    monkeypatch.setenv("ALERT_URL", server.url)
    monkeypatch.setenv("APP_URL", ADDRESS)
    concern(school)
    finish_sending()
    for _ in range(6):
        send(school, at_once=True)
        clock.later(hours=hours / 6)
    with server.running():
        send(school, at_once=True)
        assert [str(mail["To"]) for mail in server.mails] == [DSP]
        assert run_until(school, clock, server, minutes=50) == []
        assert run_until(school, clock, server, minutes=60) == [DSP]
        assert run_until(school, clock, server, minutes=60) == [SDH]


def test_reminders_go_on_each_day_until_somebody_reads_the_concern(
    school: School, clock: Clock, server: MailServer
) -> None:
    concern(school)
    assert Counter(run_until(school, clock, server, every=60, days=12)) == {DSP: 12, SDH: 12}
    with school.writing() as connection:
        number = connection.scalars(select(tables.concerns.c.id)).one()
        read = {"concern_id": number, "occurred_at": NOON, "actor_id": someone(school, "dsp").staff_id, "kind": "read"}
        connection.execute(tables.concern_events.insert().values(read))
    assert run_until(school, clock, server, every=60, days=2) == []


def test_a_mail_server_that_is_down_for_days_brings_one_reminder_each(
    school: School, clock: Clock, server: MailServer
) -> None:
    concern(school)
    finish_sending()
    server.at_word = lambda word, address: "450 not now"
    for _ in range(5 * 24):
        clock.later(hours=1)
        send_now(school)
    server.at_word = lambda word, address: None
    before = len(server.mails)
    send_now(school, at_once=True)
    assert Counter(str(mail["To"]) for mail in server.mails[before:]) == {DSP: 1, SDH: 1}


def test_the_senior_deputy_head_learns_of_a_concern_whose_dsp_has_a_wrong_address(
    school: School, clock: Clock, server: MailServer
) -> None:
    server.at_word = lambda word, address: "550 5.1.1 no such person" if address == DSP and word == "RCPT" else None
    concern(school)
    assert run_until(school, clock, server, minutes=110) == []
    assert run_until(school, clock, server, minutes=20) == [SDH]


def test_a_concern_raised_while_the_clock_was_ahead_is_escalated_at_once(school: School, clock: Clock) -> None:
    clock.set(NOON + timedelta(days=200))
    concern(school)
    with school.writing() as connection:
        connection.execute(tables.alerts.update().values(state="sent", answered_at=school.now()))
    clock.set(NOON)
    for _ in range(3):
        enqueue_due(school)
        clock.later(minutes=5)
    with school.engine.connect() as connection:
        alert = tables.alerts.c
        to = connection.scalars(select(alert.recipient_id).where(alert.kind == "concern_unread")).all()
    assert sorted(to) == sorted(someone(school, who).staff_id for who in ("dsp", "sdh"))
    assert school.today() == date(2026, 11, 3)
