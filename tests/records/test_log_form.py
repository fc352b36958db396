"""The form of a log: one click answers what is open, and nothing else."""

from types import SimpleNamespace

import pandas as pd
import pytest

from app.records.log_form import answered, asked, cells, from_call, in_order, in_words
from tests.conftest import SETTINGS

FORM = {
    "ref": "F-1", "purpose": "academic", "pupils": ["a@x.example"], "day": "2026-11-03", "from": "10:00", "to": "10:30",
}  # fmt: skip
LOCKDOWN = FORM | {"purpose": "pastoral", "day": "2021-02-01"}


@pytest.mark.parametrize("form", [FORM, LOCKDOWN, FORM | {"purpose": "counselling"}, FORM | {"recorded": "yes"}])
def test_one_click_answers_everything_that_is_open_and_says_so_in_words(form: dict[str, str]) -> None:
    usual = in_order(SETTINGS, form)
    given = {name for name in asked(SETTINGS, form) if form.get(name)}
    assert usual.keys() | given | ({"reason"} if form is LOCKDOWN else set()) == set(asked(SETTINGS, form))
    assert len(in_words(usual)) == len(usual)
    assert "no safeguarding concern arose" in in_words(usual)
    assert in_order(SETTINGS, form | usual) == {}


def test_what_the_call_record_shows_or_somebody_said_is_not_answered_otherwise() -> None:
    was = {
        "staff_opened": "no", "pupil_left_alone": "yes", "cameras_on": "no", "recorded": "yes", "concern": "yes",
        "room": "bedroom", "platform": "a telephone",
    }  # fmt: skip
    form = FORM | was
    after = form | in_order(SETTINGS, form)
    assert {name: after[name] for name in was} == was
    assert "door_open" not in in_order(SETTINGS, form)
    assert {"Was a pupil ever alone in the call? Yes", "Which platform? a telephone"} <= set(in_words(after))


def test_a_calls_form_holds_what_its_record_shows_and_says_whose_word_each_answer_is() -> None:
    began = pd.Timestamp("2026-11-03T10:00:20", tz="Europe/London")
    row = SimpleNamespace(
        session_id=7, started_at=began, ended_at=began + pd.Timedelta(seconds=20), pupil_emails="a@x.example",
        staff_opened=True, staff_ended=False, pupil_left_alone=pd.NA, cameras_on=pd.NA, recorded=pd.NA,
        school_account=True,
    )  # fmt: skip
    form = from_call(row) | {"ref": "F-2", "purpose": "academic"}
    assert (form["from"], form["to"]) == ("10:00", "10:01")
    shown, said = answered(SETTINGS, form)
    assert shown == {"platform": "teams", "account": "school", "staff_opened": "yes", "staff_ended": "no"}
    assert said == {}
    shown, said = answered(SETTINGS, form | {"staff_ended": "yes"})
    assert (shown.get("staff_ended"), said) == (None, {"staff_ended": "yes"})


def test_answers_to_questions_that_are_not_asked_are_not_sent() -> None:
    stale = {
        "bedroom_reason": "quarantine", "door_open": "yes", "recording_announced": "yes", "reason": "routine",
        "adult_present": "yes", "second": ["b@x.example"], "concern_summary": "words", "recorded": "no",
        "room": "public", "concern": "no",
    }  # fmt: skip
    row = cells(SETTINGS, FORM | stale, "me@x.example")
    assert not any(row[name] for name in stale.keys() - {"recorded", "room", "concern", "second"})
    assert row["second_staff_emails"] == ""
    row = cells(SETTINGS, LOCKDOWN | stale | {"concern": "yes"}, "me@x.example")
    assert (row["reason"], row["second_staff_emails"]) == ("routine", "b@x.example")
    assert row["concern_summary"] == "words"


@pytest.mark.parametrize(("past_midnight", "ended"), [(True, "2026-11-04T00:20"), (False, "2026-11-03T00:20")])
def test_only_what_is_known_to_have_run_past_midnight_ends_on_the_next_day(past_midnight: bool, ended: str) -> None:
    form = FORM | {"from": "23:40", "to": "00:20", "past_midnight": past_midnight}
    assert cells(SETTINGS, form, "t@x.example")["ended_at"] == ended
