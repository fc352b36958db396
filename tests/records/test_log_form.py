"""The form of a log: what it asks, what it fills in, and the row that it makes."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from app.records.log_form import (
    answers_by_source,
    as_row,
    describe_answers,
    expected_answers,
    from_call,
    list_questions,
)

FORM: dict[str, Any] = {
    "ref": "F-1",
    "purpose": "academic",
    "pupils": ["a@x.example"],
    "day": "2026-11-03",
    "from": "10:00",
    "to": "10:30",
}
ONE_TO_ONE = FORM | {"purpose": "pastoral"}


def is_one_to_one(form: dict[str, Any]) -> bool:
    return bool(form["purpose"] == "pastoral")


def names(form: dict[str, Any]) -> list[str]:
    return [question.name for question in list_questions(form, one_to_one=is_one_to_one(form))]


@pytest.mark.parametrize("form", [FORM, ONE_TO_ONE, FORM | {"purpose": "counselling"}, FORM | {"recorded": "yes"}])
def test_expected_answers_cover_every_open_question_that_has_one_and_say_so(form: dict[str, Any]) -> None:
    expected = expected_answers(form, one_to_one=is_one_to_one(form))
    given = {name for name in names(form) if form.get(name)}
    without = {"notes"} | ({"reason"} if form is ONE_TO_ONE else set())
    assert expected.keys() | given | without == set(names(form))
    assert len(describe_answers(expected)) == len(expected)
    assert "no safeguarding concern arose" in describe_answers(expected)
    assert expected_answers(form | expected, one_to_one=is_one_to_one(form)) == {}


def test_expected_answers_leave_what_is_answered_as_it_is() -> None:
    given = {
        "staff_opened": "no",
        "pupil_left_alone": "yes",
        "cameras_on": "no",
        "recorded": "yes",
        "concern": "yes",
        "room": "bedroom",
        "platform": "a telephone",
    }
    form = FORM | given
    after = form | expected_answers(form, one_to_one=is_one_to_one(form))
    assert {name: after[name] for name in given} == given
    assert "door_open" not in expected_answers(form, one_to_one=is_one_to_one(form))
    assert {"Was a pupil ever alone in the call? Yes", "Which platform? a telephone"} <= set(describe_answers(after))


def test_list_questions_asks_follow_ups_only_with_their_question() -> None:
    bedroom = {"room": "bedroom", "recorded": "yes", "concern": "yes"}
    assert {"bedroom_reason", "recording_on_team", "concern_summary"} <= set(names(FORM | bedroom))
    assert not {"bedroom_reason", "recording_on_team", "concern_summary", "adult_present"} & set(names(FORM))
    assert "adult_present" in names(ONE_TO_ONE)
    assert not {"room", "bedroom_reason"} & set(names(FORM | bedroom | {"purpose": "counselling"}))
    assert "room" in names(FORM | {"purpose": "Book club"})


def test_from_call_separates_what_the_record_shows_from_answers() -> None:
    began = pd.Timestamp("2026-11-03T10:00:20", tz="Europe/London")
    row = SimpleNamespace(
        session_id=7,
        started_at=began,
        ended_at=began + pd.Timedelta(seconds=20),
        pupil_emails="a@x.example",
        staff_emails="b@x.example;c@x.example",
        purpose="music",
        staff_opened=True,
        staff_ended=False,
        pupil_left_alone=pd.NA,
        cameras_on=pd.NA,
        recorded=pd.NA,
        school_account=True,
    )
    form = from_call(row)
    assert (form["purpose"], form["proposed"]) == ("music", "music")
    assert form["second"] == ["b@x.example", "c@x.example"]
    form |= {"ref": "F-2", "purpose": "academic"}
    assert (form["from"], form["to"]) == ("10:00", "10:01")
    shown, given = answers_by_source(form, one_to_one=False)
    assert shown == {"platform": "teams", "account": "school", "staff_opened": "yes", "staff_ended": "no"}
    assert given == {}
    shown, given = answers_by_source(form | {"staff_ended": "yes"}, one_to_one=False)
    assert (shown.get("staff_ended"), given) == (None, {"staff_ended": "yes"})


def test_as_row_leaves_out_answers_to_questions_that_are_not_asked() -> None:
    stale = {
        "bedroom_reason": "quarantine",
        "door_open": "yes",
        "recording_announced": "yes",
        "reason": "routine",
        "adult_present": "yes",
        "second": ["b@x.example"],
        "concern_summary": "words",
        "recorded": "no",
        "room": "public",
        "concern": "no",
    }
    row = as_row(FORM | stale, "me@x.example", one_to_one=False)
    assert not any(row[name] for name in stale.keys() - {"recorded", "room", "concern", "second"})
    assert row["second_staff_emails"] == ""
    row = as_row(ONE_TO_ONE | stale | {"concern": "yes"}, "me@x.example", one_to_one=True)
    assert (row["reason"], row["second_staff_emails"]) == ("routine", "b@x.example")
    assert row["concern_summary"] == "words"


@pytest.mark.parametrize(("past_midnight", "ended"), [(True, "2026-11-04T00:20"), (False, "2026-11-03T00:20")])
def test_as_row_ends_on_the_next_day_only_if_it_is_known_to(past_midnight: bool, ended: str) -> None:
    form = FORM | {"from": "23:40", "to": "00:20", "past_midnight": past_midnight}
    assert as_row(form, "t@x.example", one_to_one=False)["ended_at"] == ended
