"""Emails to families: what arrives at a real mail server, and what the registers and the rules make of it."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.access.administration import get_audit_trail
from app.access.parents import (
    get_consent_history,
    list_consent_emails,
    list_consents,
    list_letter_emails,
    list_letters_sent,
)
from app.access.policy import NotAllowedError
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.alerts.outbox import Alert, enqueue
from app.intake.files import import_logs, import_roster
from app.intake.people import RosterOptions
from app.operations.alerts import send_outbox
from app.parents.consents import answer_consent, ask_for_consent, inform_slt
from app.parents.emails import email_letters, email_request, preview_letter
from app.parents.letters import strike_letters_out
from app.records.registers import Consent
from app.school import School
from app.store import tables
from tests import people
from tests.alerts.conftest import wait_for
from tests.clock import Clock
from tests.mail_server import MailServer
from tests.people import someone

THURSDAY = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
MAM, DAD, NAIN = "mam@cartref.example", "dad@adref.example", "nain@gartref.example"


@pytest.fixture
def clock(clock: Clock) -> Clock:
    clock.set(THURSDAY)
    return clock


@pytest.fixture
def school(clock: Clock, school: School) -> School:
    """The school of `tests.people` on a Thursday, with families and without letters: Aled's two parents read Welsh,
    Bethan's grandmother has no language on the roster, the others have no address."""
    with school.engine.begin() as connection:
        connection.execute(tables.letters.delete())
    set_family(school, "aled", f"{MAM};{DAD}", "cy")
    set_family(school, "bethan", NAIN)
    return school


def set_family(school: School, who: str, contacts: str | None, language: str | None = None) -> None:
    pupil = tables.pupils
    with school.engine.begin() as connection:
        values = {"contact_emails": contacts, "language": language}
        connection.execute(update(pupil).where(pupil.c.email == people.email(who)).values(values))


def number(school: School, who: str) -> int:
    with school.engine.connect() as connection:
        query = select(tables.pupils.c.id).where(tables.pupils.c.email == people.email(who))
        return int(connection.scalar(query) or 0)


def is_idle(school: School) -> bool:
    """Whether nobody is sending, so that the test can."""
    with school.engine.connect() as connection:
        return connection.scalar(select(tables.leases.c.name)) is None


def states(school: School) -> dict[str, str]:
    """The state of the email to each address."""
    email = tables.family_emails.c
    with school.engine.connect() as connection:
        return {row.recipient: row.state for row in connection.execute(select(email.recipient, email.state))}


def settle(school: School) -> dict[str, str]:
    """The states once the sending in the background is over."""
    wait_for(lambda: "waiting" not in states(school).values() and is_idle(school))
    return states(school)


def email(school: School, *who: str, kind: str = "introduction", by: str = "hoy9") -> int:
    return email_letters(school, someone(school, by), kind, [number(school, name) for name in who])


def sent_on(school: School, who: str) -> list[str]:
    letter = tables.letters.c
    with school.engine.connect() as connection:
        return [
            str(day) for day in connection.scalars(select(letter.sent_on).where(letter.pupil_id == number(school, who)))
        ]


def ask(school: School, begins: datetime, kind: str = "outside_hours", by: str = "teacher", who: str = "aled") -> int:
    request = Consent(
        pupil_id=number(school, who),
        kind=kind,
        covers_from=begins,
        covers_to=begins + timedelta(hours=1),
        reason="A concert & a flight",
    )
    return ask_for_consent(school, someone(school, by), request)


# --- letters


def test_email_letters_reaches_each_contact_alone_in_the_familys_language(school: School, server: MailServer) -> None:
    assert email(school, "aled", "bethan") == 3
    assert settle(school) == {MAM: "sent", DAD: "sent", NAIN: "sent"}
    assert server.to() == sorted([MAM, DAD, NAIN])
    for mail in server.mails:
        others = {MAM, DAD, NAIN} - {str(mail["To"])}
        raw = mail.as_string() + mail.get_content()
        assert not [address for address in others if address in raw]
        assert (mail["Reply-To"], mail["Cc"]) == (people.email("hoy9"), None)
        assert str(mail["From"]) == f"{school.settings.name} <protocol@school.example>"
        assert not {"Aled", "Bethan"} & set(str(mail["Subject"]).split())
    by_address = {str(mail["To"]): mail for mail in server.mails}
    assert by_address[MAM]["Content-Language"] == "cy"
    welsh, english = by_address[MAM].get_content(), by_address[NAIN].get_content()
    assert "Annwyl rieni a gofalwyr Aled Pugh," in welsh
    assert "Rhwng 08:30 a 17:30" in welsh
    assert "Pennaeth Blwyddyn 9" in welsh
    assert "Dear parents and carers of Bethan Rees," in english
    assert "{" not in welsh + english


def test_email_letters_enters_a_letter_once_it_is_accepted_for_one_contact(
    school: School, clock: Clock, server: MailServer, tmp_path: Path
) -> None:
    lesson = people.log("teacher", "aled", "2026-11-04T10:00")
    assert not import_logs(school, people.table(tmp_path / "logs.csv", [lesson])).rejected

    def told() -> str:
        teacher = someone(school, "teacher")
        days = (THURSDAY.date() - timedelta(days=1), THURSDAY.date())
        view = get_session(school, teacher, int(list_sessions(school, teacher, days)["session_id"].iloc[0]))
        assert view is not None
        return str(view.clauses.set_index("clause").loc["parents-told", "outcome"])

    server.at_word = lambda word, address: f"550 5.1.1 <{address}>: no such user" if word == "RCPT" else None
    email(school, "aled")
    assert settle(school) == {MAM: "failed", DAD: "failed"}
    assert (sent_on(school, "aled"), told()) == ([], "no_evidence")
    server.at_word = lambda word, address: "550 no such user" if address == DAD else None
    clock.later(days=1)
    email(school, "aled")
    assert settle(school) == {MAM: "sent", DAD: "failed"}
    assert (sent_on(school, "aled"), told()) == (["2026-11-06"], "breach")
    row = list_letters_sent(school, someone(school, "hoy9")).set_index("pupil_id").loc[number(school, "aled")]
    assert (str(row["introduction"].date()), row["contacts"], row["language"]) == ("2026-11-06", 2, "cy")


def test_email_letters_says_why_it_failed_without_an_address(
    school: School, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.at_word = lambda word, address: f"550 5.1.1 <{address}>: unknown in {address}" if word == "RCPT" else None
    email(school, "bethan")
    settle(school)
    (row,) = list_letter_emails(school, someone(school, "hoy9")).to_dict("records")
    assert (row["kind"], row["state"]) == ("introduction", "failed")
    assert row["error"].startswith("The mail server rejects the address (550 5.1.1 (address): unknown in (address)).")
    assert "Correct it on the roster" in row["error"]
    trail = get_audit_trail(school, someone(school, "admin"))["subject"].str.cat(sep=" ")
    assert NAIN not in trail + caplog.text
    run = send_outbox(school)
    assert (run.sent, run.failed) == (0, 0)


def test_email_letters_sends_again_only_what_failed_and_to_the_corrected_address(
    school: School, server: MailServer
) -> None:
    server.at_word = lambda word, address: "550 no such user" if address == DAD else None
    assert email(school, "aled", "bethan") == 3
    settle(school)
    set_family(school, "aled", f"{MAM};tad@adref.example", "cy")
    assert email(school, "aled", "bethan") == 1
    assert settle(school) == {MAM: "sent", NAIN: "sent", "tad@adref.example": "sent"}
    assert server.to() == sorted([MAM, NAIN, "tad@adref.example"])
    assert len(sent_on(school, "aled")) == 1
    assert email(school, "aled", "bethan") == 0


def test_email_letters_clicked_twice_sends_once(school: School, server: MailServer) -> None:
    assert [email(school, "aled"), email(school, "aled")] == [2, 0]
    settle(school)
    assert email(school, "aled") == 0
    assert server.to() == sorted([DAD, MAM])
    trail = get_audit_trail(school, someone(school, "admin")).query("action == 'emailed'")
    assert trail["subject"].tolist() == [f"letters introduction, to pupil {number(school, 'aled')}"] * 2
    assert trail["actor"].tolist() == ["command", people.email("hoy9")]


def test_strike_letters_out_lets_a_letter_be_emailed_again(school: School, server: MailServer) -> None:
    email(school, "bethan")
    settle(school)
    hoy, bethan = someone(school, "hoy9"), [number(school, "bethan")]
    assert strike_letters_out(school, hoy, "introduction", bethan, school.today(), "The wrong letter") == 1
    assert email(school, "bethan") == 1
    wait_for(lambda: len(server.mails) == 2 and is_idle(school))
    assert len(sent_on(school, "bethan")) == 1


def test_email_letters_is_for_who_leads_the_pupil_and_needs_a_mail_server(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tutor", "teacher", "slt", "admin"):
        with pytest.raises(NotAllowedError):
            email(school, "aled", by=name)
    with pytest.raises(ValueError, match="Set ALERT_URL"):
        email(school, "aled")
    monkeypatch.setenv("ALERT_URL", "json://127.0.0.1/{to}")
    monkeypatch.setenv("APP_URL", "https://protocol.school.example")
    with pytest.raises(ValueError, match="not a mail server"):
        email(school, "aled")
    assert states(school) == {}
    assert preview_letter(school, someone(school, "hoy9"), "introduction", number(school, "bethan")).subject


def test_email_letters_needs_an_address(school: School, server: MailServer) -> None:
    with pytest.raises(ValueError, match="no address of the family"):
        email(school, "carys", by="hm")


# --- between the click and the mail server


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> MailServer:
    """A mail server that is configured and does not run yet."""
    server = MailServer()
    monkeypatch.setenv("ALERT_URL", server.url)
    monkeypatch.setenv("APP_URL", "https://protocol.school.example")
    return server


def enqueued(school: School) -> None:
    """Wait until the sending in the background has found that the mail server does not run."""
    email_table = tables.family_emails.c

    def is_tried() -> bool:
        with school.engine.connect() as connection:
            return bool(connection.scalar(select(email_table.id).where(email_table.attempts > 0)))

    wait_for(lambda: is_tried() and is_idle(school))


def test_send_tries_again_for_two_days(school: School, clock: Clock, stopped: MailServer) -> None:
    email(school, "aled")
    enqueued(school)
    run = send_outbox(school, at_once=True)
    assert (run.sent, run.waiting, run.failed) == (0, 2, 0)
    (reason,) = set(list_letter_emails(school, someone(school, "hoy9"))["error"])
    assert "cannot be reached" in reason
    clock.later(hours=1)
    with stopped.running():
        stopped.at_word = lambda word, address: "451 greylisted" if address == DAD and word == "RCPT" else None
        run = send_outbox(school)
        assert (run.sent, run.waiting, states(school)) == (1, 1, {MAM: "sent", DAD: "waiting"})
        clock.later(days=2)
        run = send_outbox(school)
    assert (run.failed, states(school)) == (1, {MAM: "sent", DAD: "failed"})


def test_send_keeps_an_email_from_an_address_that_left_the_roster(
    school: School, clock: Clock, stopped: MailServer
) -> None:
    email(school, "aled", "bethan")
    enqueued(school)
    set_family(school, "aled", MAM, "cy")
    with stopped.running():
        send_outbox(school, at_once=True)
    assert stopped.to() == sorted([MAM, NAIN])
    assert states(school)[DAD] == "failed"
    errors = list_letter_emails(school, someone(school, "hoy9"))["error"].dropna()
    assert list(errors) == ["The address was taken off the roster before the email was sent."]


def test_send_keeps_emails_of_pupils_and_staff_who_left(
    school: School, clock: Clock, stopped: MailServer, tmp_path: Path
) -> None:
    email(school, "aled")
    enqueued(school)
    folder = people.roster(tmp_path / "again")
    file = folder / "pupils.csv"
    file.write_text("\n".join(line for line in file.read_text().splitlines() if "Aled" not in line) + "\n")
    import_roster(school, folder, options=RosterOptions(left_on=school.today()))
    with stopped.running():
        send_outbox(school, at_once=True)
    assert (stopped.mails, set(states(school).values())) == ([], {"failed"})


def test_send_puts_an_alert_before_letters_that_wait(school: School, clock: Clock, server: MailServer) -> None:
    dsp = someone(school, "dsp").staff_id

    def alert_meanwhile(word: str, address: str) -> None:
        with school.writing() as connection:
            enqueue(connection, Alert(dsp, "concern", "concern C-1", school.now()))

    server.at_word = alert_meanwhile
    email(school, "aled", "bethan")
    settle(school)
    assert [str(mail["To"]) for mail in server.mails].index(people.email("dsp")) == 1


# --- requests for consent


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
