"""Sending: what arrives at a real mail server, and what becomes of an alert that does not."""

import logging
import random
import re
import signal
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app import lease
from app.access.administration import get_audit_trail
from app.alerts.channels import AlertsNotConfiguredError
from app.alerts.outbox import KINDS
from app.alerts.sending import send
from app.concerns.raising import Report, open_concern
from app.intake.calls import import_calls
from app.intake.files import import_roster
from app.intake.logs import Entered, enter_log
from app.operations import health
from app.operations.alerts import get_alerts_view, send_alerts_now
from app.school import School, open_school
from app.store import tables
from app.store.concerns import CHILD, CONDUCT
from tests import people
from tests.alerts.conftest import NOON, concern, put, send_now, states, wait_for
from tests.clock import Clock
from tests.mail_server import ADDRESS, MailServer
from tests.people import call, calls, log, someone, table
from tests.running import fork, run

# --- what arrives


def test_a_concern_alerts_the_dsp_of_the_childs_school_at_once(school: School, server: MailServer) -> None:
    ref = concern(school)
    wait_for(lambda: bool(server.mails))
    mail = server.mails[0]
    assert (mail["To"], mail["Subject"]) == (people.email("dsp"), "A safeguarding concern needs your attention")
    assert mail.get_content_type() == "text/plain"
    assert f"\n{ADDRESS}/concerns?ref={ref.removeprefix('C-')}\n" in server.texts()[0]
    wait_for(lambda: {state for _, state in states(school)} == {"sent"})
    assert f"concern {ref}" in set(
        get_audit_trail(school, someone(school, "admin")).query("action=='alerted'")["subject"]
    )
    assert server.to() == [people.email("dsp")]


def test_an_alert_about_conduct_looks_like_one_about_a_child_and_is_counted_nowhere(
    school: School, server: MailServer
) -> None:
    about: dict[str, Any] = {"summary": "It happened.", "told_dsp": True, "pupil_ids": [1]}
    child = Report(CHILD, categories=["distress"], **about)
    conduct = Report(CONDUCT, categories=["boundaries"], others=["A driver"], **about)
    raised: dict[str, Any] = {
        "raised_by": someone(school, "tutor").staff_id,
        "raised_at": school.now(),
        "day": school.today(),
    }
    for report in (child, conduct):
        with school.writing() as connection:
            open_concern(connection, report, **raised)
    admin = someone(school, "admin")
    assert get_alerts_view(school, admin).waiting["to"].tolist() == ["Dsp"]
    assert send_alerts_now(school, admin) == (True, "1 sent.")
    assert server.to() == sorted(people.email(who) for who in ("dsp", "dsp", "prepdsp", "sdh"))
    assert len({str(mail["Subject"]) for mail in server.mails}) == 1
    seen = {re.sub(r"(?<=ref=)[A-Z0-9]{8}|(?<=alert\.)[0-9a-f]+", "…", text) for text in server.texts()}
    assert len(seen) == 1
    assert len({len(text) for text in server.texts()}) == 1


def test_a_refused_alert_about_conduct_is_no_fault_that_the_administrator_sees(
    school: School, server: MailServer
) -> None:
    server.at_word = lambda word, _: "550 5.1.1 no" if word == "RCPT" else None
    put(school, "dsp", "a-one", confidential=True)
    assert send_alerts_now(school, someone(school, "admin")) == (True, "Nothing to send.")
    assert states(school) == [("a-one", "waiting")]


def test_a_log_with_a_concern_alerts_the_dsp_at_once(school: School, clock: Clock, server: MailServer) -> None:
    told = log("teacher", "aled", "2026-11-02T10:00", concern="yes", concern_summary="He was alone.")
    clock.set(NOON - timedelta(hours=10))
    assert isinstance(enter_log(school, told, someone(school, "teacher").staff_id), Entered)
    wait_for(lambda: server.to() == [people.email("dsp")])


def test_a_mail_server_that_hangs_delays_nobody(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("ALERT_URL", f"mailto://127.0.0.1:{silent.getsockname()[1]}?from=a@school.example")
        monkeypatch.setenv("APP_URL", ADDRESS)
        begun = time.monotonic()
        concern(school)
        assert time.monotonic() - begun < 5
        silent.accept()[0].close()
    wait_for(lambda: get_alerts_view(school, someone(school, "admin")).waiting["attempts"].tolist() == [1])


@pytest.mark.parametrize("name", ["Aled Pugh", "O'Brien\r\nBcc: x@evil.example", "<b>Llŷr</b> =cmd|' /C calc'!A0"])
def test_mail_contains_no_names_and_no_text_from_people(
    school: School, clock: Clock, server: MailServer, name: str, tmp_path: Path
) -> None:
    folder = people.roster(tmp_path / "again")
    pupils = [
        {
            "email": people.email("aled"),
            "name": name,
            "school": "SEN",
            "year_group": "9",
            "house": "Monnow",
            "tutor_email": people.email("tutor"),
        }
    ]
    table(folder / "pupils.csv", pupils)
    import_roster(school, folder)
    import_calls(
        school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", {"teacher": (0, 20), "aled": (1, 29)}))
    )
    concern(school, summary=f"{name} said something terrible.")
    clock.set(datetime(2026, 11, 26, 9, 0, tzinfo=UTC))
    send_now(school)
    wait_for(lambda: {state for _, state in states(school)} == {"sent"})
    assert {str(mail["Subject"]) for mail in server.mails} >= {KINDS["concern"].subject, KINDS["digest"].subject}
    for mail in server.mails:
        raw = mail.as_string() + mail.get_content()
        for word in ("Aled", "Pugh", "O'Brien", "evil", "Llŷr", "calc", "aled@", "terrible", "Nobody is here", "Tutor"):
            assert word not in raw
        assert mail["Bcc"] is None


# --- down, refusing, killed


def test_a_mail_server_that_is_down_delays_and_never_loses(
    school: School, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = MailServer()
    monkeypatch.setenv("ALERT_URL", server.url)
    monkeypatch.setenv("APP_URL", ADDRESS)
    for key in "abc":
        put(school, "dsp", key)
    pauses = []
    for _ in range(8):
        assert "cannot be reached" in send(school, at_once=True).error
        waiting = get_alerts_view(school, someone(school, "admin")).waiting
        pauses.append((waiting["next_attempt_at"] - school.now()).max() / timedelta(minutes=1))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    with server.running():
        assert send(school).sent == 0  # it is not time yet
        clock.later(minutes=60)
        assert [send(school).sent, send(school).sent] == [3, 0]
    assert len({mail["Message-ID"] for mail in server.mails}) == len(server.mails) == 3


def test_a_refused_recipient_waits_and_the_others_are_alerted(school: School, server: MailServer) -> None:
    words = {people.email("dsp"): "550 5.1.1 no such person", people.email("hoy9"): "450 4.2.1 try later"}
    server.at_word = lambda word, address: words.get(address) if word == "RCPT" else None
    for who in ("dsp", "sdh", "hoy9", "tutor"):
        put(school, who, who)
    done = send(school)
    assert (done.sent, done.waiting) == (2, 2)
    assert server.to() == sorted([people.email("sdh"), people.email("tutor")])
    told = get_alerts_view(school, someone(school, "admin")).waiting.set_index("to")["error"]
    assert told["Dsp"].startswith("The mail server rejects the address (550 5.1.1 no such person). Correct it")
    assert told["Hoy9"].startswith("The mail server does not accept the address yet (450")
    words.clear()
    assert send(school, at_once=True).sent == 2
    assert len(server.mails) == 4


def test_a_mail_that_breaks_the_connection_does_not_delay_the_others(school: School, server: MailServer) -> None:
    server.at_word = lambda word, address: "421 go away" if address == people.email("dsp") else None
    for who in ("dsp", "sdh", "hoy9"):
        put(school, who, who)
    assert send(school).sent == 2
    assert dict(states(school)) == {"dsp": "waiting", "sdh": "sent", "hoy9": "sent"}


def test_send_repeats_an_alert_with_the_same_message_id_when_the_answer_was_lost(
    school: School, clock: Clock, server: MailServer
) -> None:
    server.hang_up = True
    put(school, "dsp", "a")
    lost = send(school)
    assert (lost.sent, lost.waiting) == (0, 1)
    assert lost.error.startswith("The connection to the mail server broke")
    server.hang_up = False
    clock.later(minutes=1)
    assert [send(school).sent, send(school, at_once=True).sent] == [1, 0]
    assert [mail["Message-ID"] for mail in server.mails] == [server.mails[0]["Message-ID"]] * 2


def test_send_stops_when_another_sender_took_the_lease(school: School, server: MailServer) -> None:
    def taken(word: str, address: str) -> None:
        with school.writing() as connection:
            connection.execute(update(tables.leases).values(holder="elsewhere|abc"))

    server.at_word = taken
    put(school, "dsp", "a")
    put(school, "sdh", "b")
    with pytest.raises(lease.LostError):
        send(school)
    assert (server.to(), dict(states(school))) == ([people.email("dsp")], {"a": "waiting", "b": "waiting"})
    with pytest.raises(lease.BusyError, match="elsewhere"):
        send(school)


def test_send_shows_and_logs_no_password(
    school: School, server: MailServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ALERT_URL", server.url.replace("127.0.0.1", "protocol:s3cret@127.0.0.1"))
    put(school, "dsp", "a")
    done = send(school)
    assert "ALERT_URL" in done.error
    assert "s3cret" not in done.error + caplog.text
    assert people.email("dsp") not in done.error + caplog.text


def sender(database: str) -> None:
    """What runs in a process of its own, to be killed."""
    send_now(open_school(database), at_once=True)


@pytest.mark.parametrize("delay", [0, 0.03])
def test_send_loses_no_alert_when_killed_at_random_moments(
    school: School, clock: Clock, server: MailServer, delay: float
) -> None:
    """At a random word of the conversation, or up to 30 ms after it; what was then under way may arrive once more."""
    chance = random.Random(7)
    for number in range(40):
        put(school, ("dsp", "sdh", "tutor")[number % 3], f"a{number}")
    database = school.engine.url.render_as_string(hide_password=False)
    words = 0

    def kill(word: str, address: str) -> None:
        nonlocal words
        words -= 1
        if words == 0:
            threading.Timer(chance.random() * delay, process.kill).start() if delay else process.kill()

    server.at_word = kill
    for _ in range(5):
        words = chance.randrange(1, 10)
        process = fork(sender, database)
        process.join(60)
        assert process.exitcode in (-signal.SIGKILL, 0 if delay else None)
        clock.later(minutes=3)  # the lease of the dead sender expires
    server.at_word = lambda word, address: None
    send_now(school, at_once=True)
    numbers = [mail["Message-ID"] for mail in server.mails]
    assert len(set(numbers)) == 40
    assert len(numbers) <= 40 + 5
    assert {state for _, state in states(school)} == {"sent"}


def test_two_senders_at_once_send_each_alert_once(school: School, server: MailServer) -> None:
    for number in range(12):
        put(school, "dsp", f"a{number}")
    database = school.engine.url.render_as_string(hide_password=False)
    senders = [fork(sender, database) for _ in range(2)]
    for process in senders:
        process.join(60)
        assert process.exitcode == 0
    numbers = [mail["Message-ID"] for mail in server.mails]
    assert len(numbers) == len(set(numbers)) == 12


def test_send_command_reports_what_it_sent(school: School, server: MailServer) -> None:
    put(school, "dsp", "a")
    database = school.engine.url.render_as_string(hide_password=False)
    done = run(database, "alerts")
    assert (done.returncode, done.stdout) == (0, "1 sent, 0 waiting\n")
    assert run(database, "alerts", ALERT_URL="").returncode == 2


# --- whether it can send


def test_the_demonstration_sends_nothing(school: School, server: MailServer) -> None:
    with school.writing() as connection:
        connection.execute(tables.meta.insert().values(key="demo", value="2026-11-03"))
    concern(school)
    with pytest.raises(AlertsNotConfiguredError, match="invented"):
        send(school, at_once=True)
    assert (server.mails, {state for _, state in states(school)}) == ([], {"waiting"})


def test_check_tests_the_mail_server_and_reports_alerts(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> tuple[bool, str]:
        return next((good, words) for name, good, words in health.check_everything() if name == "alerts")

    monkeypatch.setenv("DATABASE_URL", school.engine.url.render_as_string(hide_password=False))
    server = MailServer()
    put(school, "dsp", "a", school.now() - timedelta(hours=1))
    assert "Set ALERT_URL" in told()[1]
    monkeypatch.setenv("ALERT_URL", server.url)
    monkeypatch.setenv("APP_URL", ADDRESS)
    assert "cannot be reached" in told()[1]
    with server.running():
        assert told()[0] is False
        assert "run python -m app alerts every five minutes" in told()[1]
        send_now(school)
        assert told() == (True, "0 not sent")
