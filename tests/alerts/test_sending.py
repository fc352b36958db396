"""Alerts: what is put into the outbox, what arrives at a real mail server, and when."""

import logging
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app import lease
from app.access.administration import get_audit_trail
from app.access.forms import list_pupils_to_choose
from app.alerts.channels import AlertsNotConfiguredError
from app.alerts.due import enqueue_due
from app.alerts.outbox import KINDS, Alert, enqueue
from app.alerts.sending import Run, send
from app.concerns.raising import Report, raise_concern
from app.intake.calls import import_calls
from app.intake.files import import_logs, import_roster
from app.intake.logs import Entered, enter_log
from app.operations import health
from app.operations.alerts import get_alerts_view
from app.school import School, open_school
from app.store import tables
from app.store.concerns import CHILD
from app.vocabulary import Page
from tests import people
from tests.clock import Clock
from tests.mail_server import MailServer
from tests.people import call, calls, log, someone, table
from tests.running import fork, run

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
ADDRESS = "https://protocol.school.example"


@pytest.fixture
def clock(clock: Clock) -> Clock:
    clock.set(NOON)
    return clock


@pytest.fixture
def school(clock: Clock, school: School) -> School:
    """The school of `tests.people`, once the clock stands."""
    return school


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server, configured and running."""
    server = MailServer()
    monkeypatch.setenv("ALERT_URL", server.url)
    monkeypatch.setenv("APP_URL", ADDRESS)
    with server.running():
        yield server


def put(school: School, who: str, ref: str, queued_at: datetime = NOON, **other: Any) -> bool:
    alert = Alert(someone(school, who).staff_id, "concern", f"concern {ref.upper()}", queued_at)
    with school.writing() as connection:
        return enqueue(connection, replace(alert, **other))


def states(school: School) -> list[tuple[str, str]]:
    """What each alert is about, and its state."""
    with school.engine.connect() as connection:
        rows = connection.execute(select(tables.alerts.c.subject, tables.alerts.c.state).order_by(tables.alerts.c.id))
        return [(row.subject.removeprefix("concern ").lower(), row.state) for row in rows]


def concern(school: School, by: str = "tutor", pupil: str = "aled", summary: str = "He was alone.") -> str:
    pupil_id = list_pupils_to_choose(school, someone(school, by)).set_index("email").loc[people.email(pupil)]
    report = Report(
        CHILD,
        summary=summary,
        childs_words="Nobody is here.",
        told_dsp=False,
        categories=["home_alone", "distress"],
        pupil_ids=[int(pupil_id["pupil_id"])],
    )
    return raise_concern(school, someone(school, by), report).ref


def send_now(school: School, **how: bool) -> Run:
    """Send, after whoever sends at the moment."""
    while True:
        try:
            return send(school, **how)
        except lease.BusyError:
            threading.Event().wait(0.02)


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        threading.Event().wait(0.02)


# --- the outbox


def test_the_same_alert_is_in_the_outbox_once(school: School) -> None:
    assert [put(school, "dsp", "a"), put(school, "dsp", "a"), put(school, "sdh", "b")] == [True, False, True]
    assert dict(states(school)) == {"a": "waiting", "b": "waiting"}


@pytest.mark.parametrize("wrong", [{"kind": "gossip"}, {"subject": "Aled Pugh"}, {"subject": "concern about Aled"}])
def test_what_is_no_kind_or_no_reference_is_refused(school: School, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="alert"):
        put(school, "dsp", "a", **wrong)


def test_every_kind_leads_to_a_page() -> None:
    for kind in KINDS.values():
        assert kind.page.split("?")[0] in {*Page, "start"}


# --- what arrives


def test_the_dsp_of_the_childs_school_is_told_at_once_without_waiting_for_a_command(
    school: School, server: MailServer
) -> None:
    ref = concern(school)
    wait_for(lambda: bool(server.mails))
    mail = server.mails[0]
    assert (mail["To"], mail["Subject"]) == (people.email("dsp"), "A concern about a child needs your attention")
    assert mail.get_content_type() == "text/plain"
    assert f"\n{ADDRESS}/concerns?ref={ref}\n" in server.texts()[0]
    assert "What kind: a child home alone; distress." in server.texts()[0]
    wait_for(lambda: {state for _, state in states(school)} == {"sent"})
    assert f"concern {ref}" in set(
        get_audit_trail(school, someone(school, "admin")).query("action=='alerted'")["subject"]
    )
    assert server.to() == [people.email("dsp")]


def test_a_log_that_tells_of_a_concern_tells_the_dsp_at_once(school: School, clock: Clock, server: MailServer) -> None:
    told = log("teacher", "aled", "2026-11-02T10:00", concern="yes", concern_summary="He was alone.")
    clock.set(NOON - timedelta(hours=10))
    assert isinstance(enter_log(school, told, someone(school, "teacher").staff_id), Entered)
    wait_for(lambda: server.to() == [people.email("dsp")])


def test_a_mail_server_that_hangs_holds_nobody_up(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("ALERT_URL", f"mailto://127.0.0.1:{silent.getsockname()[1]}?from=a@school.example")
        monkeypatch.setenv("APP_URL", ADDRESS)
        begun = time.monotonic()
        concern(school)
        assert time.monotonic() - begun < 5
        silent.accept()[0].close()
    wait_for(lambda: get_alerts_view(school, someone(school, "admin")).waiting["attempts"].tolist() == [1])


@pytest.mark.parametrize("name", ["Aled Pugh", "O'Brien\r\nBcc: x@evil.example", "<b>Llŷr</b> =cmd|' /C calc'!A0"])
def test_no_name_and_no_word_that_somebody_wrote_is_in_any_mail(
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
        assert "cannot be reached" in send(school, at_once=True).trouble
        waiting = get_alerts_view(school, someone(school, "admin")).waiting
        pauses.append((waiting["next_attempt_at"] - school.now()).max() / timedelta(minutes=1))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    with server.running():
        assert send(school).sent == 0  # it is not time yet
        clock.later(minutes=60)
        assert [send(school).sent, send(school).sent] == [3, 0]
    assert len({mail["Message-ID"] for mail in server.mails}) == len(server.mails) == 3


def test_whom_the_server_refuses_waits_and_the_others_are_told(school: School, server: MailServer) -> None:
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


def test_one_that_breaks_the_connection_does_not_hold_up_the_others(school: School, server: MailServer) -> None:
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
    assert lost.trouble.startswith("The connection to the mail server broke")
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
    assert "ALERT_URL" in done.trouble
    assert "s3cret" not in done.trouble + caplog.text
    assert people.email("dsp") not in done.trouble + caplog.text


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


def test_the_command_sends_and_says_what_it_did(school: School, server: MailServer) -> None:
    put(school, "dsp", "a")
    database = school.engine.url.render_as_string(hide_password=False)
    done = run(database, "alerts")
    assert (done.returncode, done.stdout) == (0, "1 sent, 0 waiting\n")
    assert run(database, "alerts", ALERT_URL="").returncode == 2


# --- what falls due by the clock


def test_the_next_in_line_is_told_of_what_nobody_has_read(school: School, clock: Clock, server: MailServer) -> None:
    ref = concern(school)
    wait_for(lambda: len(server.mails) == 1 and {state for _, state in states(school)} == {"sent"})
    told = []
    for _ in range(30):
        clock.later(minutes=5)
        send(school)
        told.append([str(mail["To"]) for mail in server.mails[1:]])
    dsp, sdh = people.email("dsp"), people.email("sdh")
    assert told == [[]] * 11 + [[dsp]] * 12 + [[dsp, sdh]] * 7
    assert all(f"concerns?ref={ref}" in text for text in server.texts())


def test_of_a_concern_that_was_read_nobody_is_told_anew(school: School, clock: Clock, server: MailServer) -> None:
    concern(school)
    with school.writing() as connection:
        number = connection.scalars(select(tables.concerns.c.id)).one()
        read = {"concern_id": number, "occurred_at": NOON, "actor_id": someone(school, "dsp").staff_id, "kind": "read"}
        connection.execute(tables.concern_events.insert().values(read))
    wait_for(lambda: {state for _, state in states(school)} == {"sent"})  # before its lease could seem to have ended
    clock.later(hours=5)
    send_now(school)
    wait_for(lambda: {state for _, state in states(school)} == {"sent"})
    assert len(server.mails) == 1


def test_where_the_dsp_raised_it_the_senior_deputy_head_is_told_at_once(school: School, server: MailServer) -> None:
    concern(school, by="dsp")
    send_now(school)
    wait_for(lambda: server.to() == [people.email("sdh")])


def through(school: School, clock: Clock, first: str, last: str) -> None:
    """The command runs every five minutes, from one moment of school time to another."""
    zone = school.settings.zone
    clock.set(datetime.fromisoformat(first).replace(tzinfo=zone).astimezone(UTC))
    until = datetime.fromisoformat(last).replace(tzinfo=zone)
    while school.now() <= until:
        enqueue_due(school)
        clock.later(minutes=5)


def digests(school: School) -> list[tuple[str, str, str]]:
    """When (school time), to whom, and the words."""
    kept = tables.alerts.c
    query = select(kept.queued_at, tables.staff.c.email, kept.body).join(tables.staff).where(kept.kind == "digest")
    with school.engine.connect() as connection:
        rows = connection.execute(query.order_by(kept.id)).all()
    zone = school.settings.zone
    return [(f"{row.queued_at.astimezone(zone):%a %d %H:%M}", row.email.partition("@")[0], row.body) for row in rows]


@pytest.fixture
def autumn(school: School, clock: Clock, tmp_path: Path) -> School:
    """On Friday 23 October a pupil was left alone in a call that nobody logged; summer time ends on Sunday."""
    clock.set(datetime(2026, 10, 23, 5, 0, tzinfo=UTC))
    record = call("c1", "2026-10-22T10:00", {"teacher": (0, 20), "aled": (1, 29)})
    import_calls(school, calls(tmp_path / "c.json", record))
    return school


def test_a_digest_goes_once_a_school_day_and_tells_what_is_new(autumn: School, clock: Clock, tmp_path: Path) -> None:
    through(autumn, clock, "2026-10-23T06:00", "2026-10-23T09:00")
    first = digests(autumn)
    settle = "To resolve: 1 session with a breach, 1 of them new."
    assert first == [
        ("Fri 23 07:30", "hoy9", settle),
        ("Fri 23 07:30", "hm", settle),
        ("Fri 23 07:30", "teacher", "To log: 1 call.\nTo explain: 1 session with a breach."),
    ]
    send_all(autumn)
    through(autumn, clock, "2026-10-25T00:00", "2026-10-25T03:00")
    through(autumn, clock, "2026-10-26T00:30", "2026-10-26T09:00")
    again = digests(autumn)[3:]
    assert [(when, who) for when, who, _ in again] == [("Mon 26 07:30", who) for who in ("hoy9", "hm", "teacher")]
    assert again[0][2].endswith("The oldest is 3 days old.")
    send_all(autumn)
    for day in (27, 28, 29, 30):  # nothing new in the rest of the week
        through(autumn, clock, f"2026-10-{day}T07:20", f"2026-10-{day}T07:40")
    assert digests(autumn) == first + again


def send_all(school: School) -> None:
    with school.writing() as connection:
        connection.execute(update(tables.alerts).values(state="sent"))


def test_a_digest_that_could_not_go_gives_way_to_the_next(autumn: School, clock: Clock) -> None:
    through(autumn, clock, "2026-10-23T07:30", "2026-10-23T07:40")
    through(autumn, clock, "2026-10-26T07:30", "2026-10-26T07:40")
    assert [when for when, _, _ in digests(autumn)] == ["Mon 26 07:30"] * 3


def test_with_nothing_to_tell_and_on_days_without_school_there_is_no_digest(
    school: School, clock: Clock, tmp_path: Path
) -> None:
    through(school, clock, "2026-10-23T07:00", "2026-10-23T09:00")
    assert digests(school) == []
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-10-23T08:00", dress_ok="no")]))
    through(school, clock, "2026-12-14T07:00", "2026-12-14T08:00")  # after the term
    assert digests(school) == []


def test_of_a_counsellors_call_the_counsellor_alone_is_told(
    school: School, clock: Clock, server: MailServer, tmp_path: Path
) -> None:
    admin = someone(school, "admin")
    record = call("c1", "2026-11-02T10:00", {"counsellor": (0, 30), "bethan": (1, 29)})
    import_calls(school, calls(tmp_path / "c.json", record))
    before = [get_alerts_view(school, admin), get_audit_trail(school, admin)["subject"].tolist()]
    clock.later(days=1)
    server.at_word = lambda word, address: "450 not now"
    send(school)
    waiting = [get_alerts_view(school, admin), get_audit_trail(school, admin)["subject"].tolist()]
    server.at_word = lambda word, address: None
    send(school, at_once=True)
    assert server.to() == [people.email("counsellor")]
    assert server.texts()[0].startswith("To log: 1 call.\n")
    after = [get_alerts_view(school, admin), get_audit_trail(school, admin)["subject"].tolist()]
    assert str(before) == str(waiting) == str(after)


# --- other ways, and none


def test_a_shared_channel_is_told_once_through_apprise(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[str] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Taking) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{service.server_port}/{{to}}")
        monkeypatch.setenv("ALERT_CHANNEL", f"json://127.0.0.1:{service.server_port}/all")
        monkeypatch.setenv("APP_URL", ADDRESS)
        ref = concern(school)
        wait_for(lambda: len(bodies) == 2 and {state for _, state in states(school)} == {"sent"})
        service.shutdown()
    assert all(f"{ADDRESS}/concerns?ref={ref}" in body and "Aled" not in body for body in bodies)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "Set ALERT_URL and APP_URL"),
        ({"ALERT_URL": "mailto://127.0.0.1"}, "APP_URL is not the address"),
        ({"ALERT_URL": "nonsense", "APP_URL": ADDRESS}, "ALERT_URL is not an address that apprise knows"),
        ({"ALERT_URL": "json://127.0.0.1", "APP_URL": ADDRESS}, "write {to} there"),
    ],
)
def test_what_is_missing_is_said_and_the_outbox_waits(
    school: School, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    put(school, "dsp", "a")
    with pytest.raises(AlertsNotConfiguredError, match=words):
        send(school)
    assert dict(states(school)) == {"a": "waiting"}


def test_in_the_demonstration_nothing_is_ever_sent(school: School, server: MailServer) -> None:
    with school.writing() as connection:
        connection.execute(tables.meta.insert().values(key="demo", value="2026-11-03"))
    concern(school)
    with pytest.raises(AlertsNotConfiguredError, match="invented"):
        send(school, at_once=True)
    assert (server.mails, {state for _, state in states(school)}) == ([], {"waiting"})


def test_the_check_asks_the_mail_server_and_says_how_alerts_stand(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
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
