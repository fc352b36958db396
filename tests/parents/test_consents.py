"""A consent's life: whatever is entered, and in whatever order, how it stands is what was entered."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.access.administration import get_audit_trail
from app.access.parents import get_consent_history, list_consents
from app.access.policy import NotAllowedError
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.clock import now
from app.intake.files import import_consents, import_logs
from app.parents.consents import (
    answer_consent,
    ask_for_consent,
    inform_slt,
    mark_request_sent,
    strike_out,
    withdraw_consent,
)
from app.records.registers import Consent
from app.school import School
from app.store import consents, tables
from tests import people
from tests.people import someone

ZONE = ZoneInfo("Europe/London")
DAY = now().astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=10)


ASKED = DAY - timedelta(days=2)


def ask(school: School, name: str = "teacher", **more: Any) -> int:
    """Ask for a consent, two days before DAY."""
    aled = people.find_pupil(school, "aled")
    asked: dict[str, Any] = {
        "pupil_id": aled,
        "kind": "outside_hours",
        "covers_from": DAY + timedelta(hours=18),
        "covers_to": DAY + timedelta(hours=20),
        "reason": "time zone",
    } | more
    number = ask_for_consent(school, someone(school, name), Consent(**asked))
    event = tables.consent_events.c
    with school.writing() as connection:
        of_request = tables.consent_events.update().where(event.consent_id == number, event.kind == "asked")
        connection.execute(of_request.values(occurred_at=ASKED))
    return number


def events(school: School, consent_id: int) -> list[str]:
    return list(get_consent_history(school, someone(school, "sdh"), consent_id)["kind"])


def outcome(school: School) -> str:
    rows = list_sessions(school, someone(school, "teacher"), (DAY.date(), DAY.date()))
    view = get_session(school, someone(school, "teacher"), int(rows["session_id"].iloc[0]))
    assert view is not None
    return str(view.clauses.set_index("clause").loc["academic-hours", "outcome"])


def test_every_change_of_a_consent_judges_the_lesson_again(school: School, tmp_path: Path) -> None:
    lesson = people.log("teacher", "aled", f"{DAY:%Y-%m-%d}T18:30", purpose="academic")
    assert not import_logs(school, people.table(tmp_path / "logs.csv", [lesson])).rejected
    teacher, before = someone(school, "teacher"), DAY - timedelta(days=1)
    assert outcome(school) == "breach"
    consent_id = ask(school)
    answer_consent(school, teacher, consent_id, given=True, parent="his mother", at=before)
    assert outcome(school) == "breach", "SLT was not told"
    with school.writing() as connection:
        told = {"consent_id": consent_id, "kind": "slt_informed", "occurred_at": before, "actor_id": teacher.staff_id}
        connection.execute(tables.consent_events.insert().values(told))
    answer_consent(school, teacher, consent_id, given=False, parent="his father", at=before + timedelta(hours=1))
    assert outcome(school) == "breach"
    history = get_consent_history(school, teacher, consent_id)
    strike_out(school, teacher, consent_id, int(history["event_id"].iloc[-1]), "It was about his brother")
    assert outcome(school) == "exempt"
    withdraw_consent(school, teacher, consent_id, parent="his mother", at=DAY + timedelta(days=1))
    assert outcome(school) == "exempt"
    with pytest.raises(ValueError, match="No consent had been given by then"):
        withdraw_consent(school, teacher, consent_id, parent="his mother", at=before - timedelta(days=1))
    withdraw_consent(school, teacher, consent_id, parent="his mother", at=DAY + timedelta(hours=17))
    assert outcome(school) == "breach"


def test_a_repeated_request_is_one_request_until_it_is_refused(school: School) -> None:
    first = ask(school)
    assert ask(school, "sdh") == first
    assert events(school, first) == ["asked"]
    answer_consent(school, someone(school, "teacher"), first, given=False, parent="his mother", at=DAY)
    second = ask(school)
    assert second != first
    assert ask(school) == second
    listed = list_consents(school, someone(school, "sdh")).set_index("consent_id")
    assert listed["state"].to_dict() == {first: "refused", second: "asked"}


def test_a_second_click_changes_nothing(school: School) -> None:
    consent_id, teacher = ask(school), someone(school, "teacher")
    for _ in range(2):
        mark_request_sent(school, teacher, consent_id)
        answer_consent(school, teacher, consent_id, given=True, parent=" his mother", at=DAY)
        inform_slt(school, teacher, consent_id)
    assert events(school, consent_id) == ["asked", "sent", "given", "slt_informed"]
    row = list_consents(school, teacher).iloc[0]
    assert (row["state"], row["answered_by"], row["asked_by"]) == ("given", "his mother", teacher.name)
    assert row["answered_at"] == DAY
    slt = list_consents(school, someone(school, "slt"))
    assert (list(slt["consent_id"]), list(slt["own"])) == ([consent_id], [False])
    with pytest.raises(NotAllowedError):
        strike_out(school, someone(school, "slt"), consent_id, 1, "x")
    with school.engine.connect() as connection:
        alerts = connection.execute(select(tables.alerts.c.recipient_id, tables.alerts.c.subject)).all()
    assert {to for to, _ in alerts} == {someone(school, name).staff_id for name in ("sdh", "slt")}
    assert {about for _, about in alerts} == {f"consent {consent_id}"}
    assert "consent" in get_audit_trail(school, someone(school, "admin"))["subject"].iloc[0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"kind": "counselling"}, "choose one of the two"),
        ({"reason": " "}, "needs a reason"),
        ({"covers_to": DAY}, "not after the beginning"),
        ({"pupil_id": 10_000}, "Choose the pupil"),
    ],
)
def test_an_incomplete_request_is_refused_with_the_reason(school: School, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ask(school, **more)


def test_slt_is_informed_of_a_given_consent(school: School) -> None:
    consent_id = ask(school)
    with pytest.raises(ValueError, match="Record first"):
        inform_slt(school, someone(school, "teacher"), consent_id)
    assert list_consents(school, someone(school, "slt")).empty


def test_counselling_needs_no_consent(school: School) -> None:
    with pytest.raises(ValueError, match="Counselling needs no consent"):
        ask(school, "counsellor")


def test_an_answer_names_who_and_when_and_is_entered_by_those_responsible(school: School) -> None:
    consent_id, teacher = ask(school), someone(school, "teacher")
    with pytest.raises(ValueError, match="Say who"):
        answer_consent(school, teacher, consent_id, given=True, parent=" ", at=DAY)
    with pytest.raises(ValueError, match="future"):
        answer_consent(school, teacher, consent_id, given=True, parent="x", at=school.now() + timedelta(minutes=1))
    with pytest.raises(ValueError, match=f"the request of {ASKED:%a} {ASKED.day} {ASKED:%b}, 00:00: correct"):
        answer_consent(school, teacher, consent_id, given=False, parent="x", at=ASKED - timedelta(minutes=1))
    for name in ("counsellor", "admin"):
        with pytest.raises(NotAllowedError):
            answer_consent(school, someone(school, name), consent_id, given=True, parent="x", at=DAY)
    assert events(school, consent_id) == ["asked"]


@pytest.mark.parametrize("given", [True, False])
def test_answer_consent_refuses_an_answer_older_than_its_request(school: School, given: bool) -> None:
    consent_id, teacher = ask(school), someone(school, "teacher")
    with pytest.raises(ValueError, match=f"older than the request of .*{ASKED:%H:%M}"):
        answer_consent(school, teacher, consent_id, given=given, parent="x", at=ASKED - timedelta(minutes=1))
    assert events(school, consent_id) == ["asked"]
    answer_consent(school, teacher, consent_id, given=given, parent="x", at=ASKED)
    assert events(school, consent_id) == ["asked", "given" if given else "refused"]


def test_answer_consent_takes_an_answer_of_the_minute_of_the_request(school: School) -> None:
    request = Consent(pupil_id=1, kind="outside_hours", covers_from=DAY, covers_to=DAY + timedelta(days=30), reason="x")
    consent_id, teacher = ask_for_consent(school, someone(school, "sdh"), request), someone(school, "sdh")
    answer_consent(school, teacher, consent_id, given=True, parent="x", at=now().replace(second=0, microsecond=0))
    assert events(school, consent_id) == ["asked", "given"]


def test_a_request_from_a_file_belongs_to_nobody_and_may_have_been_answered_before(
    school: School, tmp_path: Path
) -> None:
    row = {"pupil_email": people.email("aled"), "kind": "outside_hours", "reason": "abroad"}
    times = {"covers_from": f"{DAY:%Y-%m-%d}", "covers_to": f"{DAY + timedelta(days=40):%Y-%m-%d}"}
    admin = someone(school, "admin")
    import_consents(school, people.table(tmp_path / "consents.csv", [row | times]), admin.staff_id)
    assert list_consents(school, admin).empty
    (consent_id,) = list_consents(school, someone(school, "sdh"))["consent_id"]
    answer_consent(school, someone(school, "sdh"), int(consent_id), given=True, parent="x", at=DAY)
    assert events(school, int(consent_id)) == ["asked", "given"]


# --- whatever the order -----------------------------------------------------------------------------------

ENTRIES = st.lists(
    st.tuples(st.sampled_from(["given", "refused", "withdrawn"]), st.integers(0, 4), st.booleans()), max_size=7
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ENTRIES)
def test_the_state_of_a_consent_follows_what_was_entered(school: School, entries: list[tuple[str, int, bool]]) -> None:
    consent_id = ask(school, reason=f"{entries}")
    with school.writing() as connection:
        for kind, hour, struck in entries:
            event = {
                "consent_id": consent_id,
                "kind": kind,
                "occurred_at": DAY + timedelta(hours=hour),
                "parent": f"{hour}",
            }
            add = tables.consent_events.insert()
            number = connection.scalar(add.returning(tables.consent_events.c.id).values(event))
            if struck:
                struck_out = {"kind": "struck", "struck_event_id": number, "reason": "a slip"}
                connection.execute(add.values(event | struck_out))
    row = list_consents(school, someone(school, "sdh")).set_index("consent_id").loc[consent_id]
    counted = sorted(((hour, place, kind) for place, (kind, hour, struck) in enumerate(entries) if not struck))
    assert row["state"] == (counted[-1][2] if counted else "asked")
    assert row["answered_by"] == (f"{counted[-1][0]}" if counted else None)
    given_ = consents.select_given_consents(tables.consents.c.id == consent_id).c
    with school.engine.connect() as connection:
        times = connection.execute(select(given_.obtained_at, given_.withdrawn_at)).all()
    for half_hours in range(12):
        moment = DAY + timedelta(minutes=30 * half_hours)
        held = any(start < moment and (end is None or end > moment) for start, end in times)
        assert held == held_slowly(counted, half_hours / 2), (counted, half_hours / 2)


def held_slowly(counted: list[tuple[int, int, str]], hour: float) -> bool:
    """Whether a consent held when something began: given before that, and neither refused nor withdrawn by then."""
    held = False
    for at, _, kind in counted:
        if kind == "given" and at < hour:
            held = True
        if kind != "given" and at <= hour:
            held = False
    return held
