"""Requests for consent by email, and the reminders of them."""

import itertools
from datetime import datetime, timedelta

import pytest

from app.access.parents import get_consent_history, list_consent_emails, list_consents
from app.access.policy import NotAllowedError
from app.operations.alerts import send_outbox
from app.parents.consents import answer_consent, inform_slt
from app.parents.emails import email_request
from app.school import School
from tests import people
from tests.alerts.conftest import wait_for
from tests.clock import Clock
from tests.mail_server import MailServer
from tests.parents.families import DAD, MAM, THURSDAY, ask, clock, enqueued, school, settle, states, stopped
from tests.people import someone

__all__ = ["clock", "school", "stopped"]


def test_email_request_marks_it_as_sent_and_replies_reach_the_sender(school: School, server: MailServer) -> None:
    consent_id = ask(school, THURSDAY + timedelta(days=4, hours=9))
    assert email_request(school, someone(school, "teacher"), consent_id) == 2
    assert email_request(school, someone(school, "tutor"), consent_id) == 0
    settle(school)
    assert server.to() == sorted([DAD, MAM])
    words = server.texts()[0]
    for expected in (
        "Gwersi academaidd drwy fideogynadledda y tu allan i’r oriau arferol",
        "Pryd: dydd Llun 9 Tachwedd 2026, o 18:00 i 19:00",
        "Rheswm: A concert & a flight",
    ):
        assert expected in words
    assert server.mails[0]["Reply-To"] == people.email("teacher")
    history = get_consent_history(school, someone(school, "sdh"), consent_id)
    assert (list(history["kind"]), history["entered_by"].iloc[-1]) == (["asked", "sent"], "Teacher")
    emails = list_consent_emails(school, someone(school, "teacher"), consent_id)
    assert emails["state"].tolist() == ["sent", "sent"]
    assert list_consents(school, someone(school, "sdh"))["request"].tolist() == ["sent"]
    assert list_consent_emails(school, someone(school, "musician"), consent_id).empty


def test_email_request_that_failed_is_not_sent(school: School, server: MailServer) -> None:
    server.at_word = lambda word, address: "550 no" if word == "DATA" else None
    consent_id = ask(school, THURSDAY + timedelta(days=4))
    email_request(school, someone(school, "teacher"), consent_id)
    settle(school)
    row = list_consents(school, someone(school, "sdh")).iloc[0]
    assert (row["request"], row["sent_at"] is None or str(row["sent_at"]) == "NaT") == ("failed", True)


def test_email_request_refuses_what_is_answered_or_has_begun(school: School, clock: Clock, server: MailServer) -> None:
    consent_id, teacher = ask(school, THURSDAY + timedelta(days=1)), someone(school, "teacher")
    with pytest.raises(NotAllowedError):
        email_request(school, someone(school, "musician"), consent_id)
    clock.later(days=1)
    with pytest.raises(ValueError, match="has begun"):
        email_request(school, teacher, consent_id)
    answer_consent(school, teacher, consent_id, given=False, parent="mother", at=school.now())
    with pytest.raises(ValueError, match="have answered"):
        email_request(school, teacher, consent_id)


def remind(school: School, clock: Clock, server: MailServer, *days: int) -> list[tuple[str, str]]:
    """When reminders go out, in school time, and to whom, if the command runs at 7:25, 7:30 and noon of some days of
    November."""
    zone, sent = school.settings.zone, []
    for day, hour in itertools.product(days, ("07:25", "07:30", "12:00")):
        clock.set(datetime.fromisoformat(f"2026-11-{day:02}T{hour}").replace(tzinfo=zone))
        before = len(server.mails)
        send_outbox(school)
        new = [mail for mail in server.mails[before:] if mail["Subject"] == "Nodyn atgoffa: a gawn ni eich caniatâd?"]
        sent += [(f"{school.now().astimezone(zone):%a %H:%M}", str(mail["To"])) for mail in new]
    return sent


@pytest.mark.parametrize(
    ("begins", "expected"),
    [
        ("2026-11-10T18:00", "Mon 07:30"),
        ("2026-11-09T18:00", "Fri 07:30"),  # a Monday: on the Friday before
        ("2026-11-07T10:00", "Fri 07:30"),  # a Saturday
        ("2026-11-06T18:00", "Fri 07:30"),  # the day after the request
    ],
)
def test_enqueue_reminders_reminds_once_on_the_last_weekday_before_the_session(
    school: School, clock: Clock, server: MailServer, begins: str, expected: str
) -> None:
    consent_id = ask(school, datetime.fromisoformat(begins).replace(tzinfo=school.settings.zone))
    email_request(school, someone(school, "teacher"), consent_id)
    settle(school)
    assert sorted(remind(school, clock, server, 6, 9, 10)) == [(expected, DAD), (expected, MAM)]
    history = get_consent_history(school, someone(school, "teacher"), consent_id)
    assert list(history["kind"]) == ["asked", "sent", "reminded"]


def test_enqueue_reminders_reminds_nobody_who_answered_or_was_not_asked(
    school: School, clock: Clock, server: MailServer
) -> None:
    teacher = someone(school, "teacher")
    answered, unsent = (ask(school, THURSDAY + timedelta(days=1, hours=hour)) for hour in (9, 10))
    email_request(school, teacher, answered)
    settle(school)
    answer_consent(school, teacher, answered, given=True, parent="mother", at=school.now())
    assert remind(school, clock, server, 6) == []
    assert states(school).keys() == {MAM, DAD}, f"no email about {unsent}"


def test_send_drops_a_request_that_was_answered_meanwhile(school: School, clock: Clock, stopped: MailServer) -> None:
    teacher, consent_id = someone(school, "teacher"), ask(school, THURSDAY + timedelta(days=1))
    email_request(school, teacher, consent_id)
    enqueued(school)
    answer_consent(school, teacher, consent_id, given=True, parent="mother", at=school.now())
    with stopped.running():
        send_outbox(school, at_once=True)
    assert states(school) == {}
    assert MAM not in stopped.to()


def test_inform_slt_links_to_the_consent(school: School, server: MailServer) -> None:
    teacher, consent_id = someone(school, "teacher"), ask(school, THURSDAY + timedelta(days=1))
    answer_consent(school, teacher, consent_id, given=True, parent="mother", at=school.now())
    inform_slt(school, teacher, consent_id)
    wait_for(lambda: len(server.mails) == 2)
    assert server.to() == sorted([people.email("sdh"), people.email("slt")])
    assert all(f"/parents?consent={consent_id}\n" in words for words in server.texts())
