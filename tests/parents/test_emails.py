"""Emails to families: what arrives at a real mail server, and what the registers and the rules make of it."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.access.administration import get_audit_trail
from app.access.parents import list_letter_emails, list_letters_sent
from app.access.policy import NotAllowedError
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.alerts.outbox import Alert, enqueue
from app.intake.files import import_logs, import_roster
from app.intake.people import RosterOptions
from app.operations.alerts import send_outbox
from app.parents.emails import preview_letter
from app.parents.letters import strike_letters_out
from app.school import School
from tests import people
from tests.alerts.conftest import wait_for
from tests.clock import Clock
from tests.mail_server import MailServer
from tests.parents.families import (
    DAD,
    MAM,
    NAIN,
    THURSDAY,
    clock,
    email,
    enqueued,
    is_idle,
    number,
    school,
    sent_on,
    set_family,
    settle,
    states,
    stopped,
)
from tests.people import someone

__all__ = ["clock", "school", "stopped"]


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
