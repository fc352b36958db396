"""What falls due by the clock: concerns that nobody has read, and digests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.access.administration import get_audit_trail
from app.access.forms import list_pupils_to_choose
from app.alerts.due import enqueue_due
from app.alerts.sending import send
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.operations.alerts import get_alerts_view
from app.parents.consents import ask_for_consent
from app.records.registers import Consent
from app.school import School
from app.store import tables
from tests import people
from tests.alerts.conftest import NOON, concern, send_now, states, wait_for
from tests.clock import Clock
from tests.mail_server import MailServer
from tests.people import call, calls, log, someone, table


def test_an_unread_concern_is_escalated(school: School, clock: Clock, server: MailServer) -> None:
    ref = concern(school)
    wait_for(lambda: len(server.mails) == 1 and {state for _, state in states(school)} == {"sent"})
    told = []
    for _ in range(30):
        clock.later(minutes=5)
        send(school)
        told.append([str(mail["To"]) for mail in server.mails[1:]])
    dsp, sdh = people.email("dsp"), people.email("sdh")
    assert told == [[]] * 11 + [[dsp]] * 12 + [[dsp, sdh]] * 7
    assert all(f"concerns?ref={ref.removeprefix('C-')}" in text for text in server.texts())


def test_a_concern_that_was_read_is_not_escalated(school: School, clock: Clock, server: MailServer) -> None:
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


def test_a_concern_raised_by_the_dsp_alerts_the_senior_deputy_head(school: School, server: MailServer) -> None:
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


def test_a_digest_is_sent_once_a_school_day_with_what_is_new(autumn: School, clock: Clock, tmp_path: Path) -> None:
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


def test_overdue_breaches_are_in_the_digest_of_the_owner_and_then_of_the_senior_deputy_head(
    autumn: School, clock: Clock
) -> None:
    """The breach of Friday 23 October, due on 30 October; twice the time ends on 6 November."""
    through(autumn, clock, "2026-10-30T06:00", "2026-10-30T09:00")
    assert not any("verdue" in words for _, _, words in digests(autumn))
    send_all(autumn)
    through(autumn, clock, "2026-11-02T06:00", "2026-11-02T09:00")
    last = [(who, words.splitlines()[-1]) for _, who, words in digests(autumn)[-3:]]
    assert last[:2] == [(who, "Overdue: 1 session of these.") for who in ("hoy9", "hm")]
    assert [who for who, _ in last] == ["hoy9", "hm", "teacher"]
    send_all(autumn)
    for day in (3, 4, 5, 6):
        through(autumn, clock, f"2026-11-0{day}T07:20", f"2026-11-0{day}T07:40")
    before = len(digests(autumn))
    send_all(autumn)
    through(autumn, clock, "2026-11-09T07:20", "2026-11-09T07:40")
    weekly = digests(autumn)[before:]
    assert ("Mon 09 07:30", "sdh", "Long overdue with other staff: 1 session with a breach.") in weekly
    assert not any(name in words for _, _, words in weekly for name in ("Aled", "Teacher"))


def test_a_breach_that_became_overdue_is_news_in_the_middle_of_a_week(
    school: School, clock: Clock, tmp_path: Path
) -> None:
    clock.set(datetime(2026, 10, 20, 5, 0, tzinfo=UTC))
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-10-19T08:00", dress_ok="no")]))
    for day in (20, 21, 22, 23, 26, 27):
        through(school, clock, f"2026-10-{day}T07:20", f"2026-10-{day}T07:40")
        send_all(school)
    before = len(digests(school))
    through(school, clock, "2026-10-28T07:20", "2026-10-28T07:40")
    assert {who for _, who, words in digests(school)[before:] if "Overdue: 1 session of these." in words} == {
        "hoy9",
        "hm",
    }


def test_a_digest_that_could_not_be_sent_is_replaced_by_the_next(autumn: School, clock: Clock) -> None:
    through(autumn, clock, "2026-10-23T07:30", "2026-10-23T07:40")
    through(autumn, clock, "2026-10-26T07:30", "2026-10-26T07:40")
    assert [when for when, _, _ in digests(autumn)] == ["Mon 26 07:30"] * 3


def test_no_digest_is_sent_without_news_or_on_days_without_school(school: School, clock: Clock, tmp_path: Path) -> None:
    through(school, clock, "2026-10-23T07:00", "2026-10-23T09:00")
    assert digests(school) == []
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-10-23T08:00", dress_ok="no")]))
    through(school, clock, "2026-12-14T07:00", "2026-12-14T08:00")  # after the term
    assert digests(school) == []


@pytest.mark.parametrize(
    ("morning", "session", "counted"),
    [
        ("2026-11-05", "2026-11-06T18:00", 1),  # tomorrow
        ("2026-11-05", "2026-11-05T18:00", 1),  # today
        ("2026-11-05", "2026-11-09T18:00", 0),
        ("2026-11-06", "2026-11-07T10:00", 1),  # on a Friday, of the weekend and of Monday
        ("2026-11-06", "2026-11-09T18:00", 1),
        ("2026-11-06", "2026-11-10T18:00", 0),
        ("2026-12-11", "2026-12-20T18:00", 1),  # the last day of a term, of the holidays
    ],
)
def test_a_digest_counts_unanswered_requests_up_to_the_next_school_day(
    school: School, clock: Clock, morning: str, session: str, counted: int
) -> None:
    teacher = someone(school, "teacher")
    pupils = list_pupils_to_choose(school, teacher).set_index("email")
    begins = datetime.fromisoformat(session).replace(tzinfo=school.settings.zone)
    ends = begins + timedelta(hours=1)
    aled = int(pupils.loc[people.email("aled"), "pupil_id"])
    request = Consent(pupil_id=aled, kind="outside_hours", covers_from=begins, covers_to=ends, reason="A concert")
    ask_for_consent(school, teacher, request)
    through(school, clock, f"{morning}T07:25", f"{morning}T07:35")
    assert len(digests(school)) == counted
    for _, who, words in digests(school):
        assert who == "teacher"
        assert words.startswith("Unanswered: 1 request for consent for sessions up to ")


def test_a_counsellors_call_is_only_in_their_own_digest(
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
