"""Two buttons pressed before the page has run again: both clicks arrive in one run, and neither is lost."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.access.concern_detail import get_concern
from app.access.concerns import list_actions_to_do, list_concerns, list_own_concerns
from app.access.forms import list_pupils_to_choose
from app.access.plans import list_plans
from app.access.session_detail import get_session
from app.concerns import casework
from app.school import open_school
from app.sessions.drafts import save_draft
from app.store import tables
from tests import people
from tests.apptest import AppTest
from tests.pages.conftest import Opened, text


def _press(at: AppTest, *labels: str) -> None:
    """Press buttons, and run the page once."""
    for label in labels:
        next(button for button in at.button if button.label == label).click()
    at.run()
    assert not at.exception


def _group(at: AppTest, label: str) -> Any:
    return next(group for group in at.button_group if group.label == label)


def _box(boxes: Any, label: str) -> Any:
    return next(box for box in boxes if box.label == label)


def test_log_answers_and_saves_in_one_run_with_what_was_typed_just_before(opened: Opened) -> None:
    school, tutor = open_school(), opened.people["tutor"]
    at = opened("log", "tutor")
    _press(at, "Log this call")
    _group(at, "What was it for?").set_value("pastoral").run()
    _box(at.text_area, "Notes (optional)").set_value("All went well.")
    _press(at, "No issues", "Save log")
    assert "Logged." in text(at)
    saved = at.session_state[f"draft log {tutor.staff_id}"]["result"].entered
    log = people.found(get_session(school, tutor, saved.session_id)).log
    assert log is not None
    assert (log["notes"], log["dress_ok"]) == ("All went well.", True)


def test_log_that_is_being_saved_is_not_cleared(opened: Opened) -> None:
    at = opened("log", "tutor")
    _press(at, "Log this call")
    _group(at, "What was it for?").set_value("pastoral").run()
    _press(at, "Save log", "Clear form")
    assert "Logged." in text(at)


@pytest.fixture
def two_actions(opened: Opened) -> tuple[str, list[int]]:
    """The reference of a concern that the tutor may not open, and the numbers of actions of it for the tutor."""
    school, dsp = open_school(), opened.people["dsp"]
    ref = list_concerns(school, dsp).query("open")["ref"].iloc[0]
    for what in ("Ring the grandmother", "Ask the librarian"):
        view = people.found(get_concern(school, dsp, ref))
        asked = {"what": what, "recipient_id": opened.people["tutor"].staff_id, "due": school.today()}
        casework.record(school, dsp, ref, view.version, "action", asked)
    mine = list_actions_to_do(school, opened.people["tutor"]).query("ref == @ref and not may_open")
    return ref, mine["number"].tolist()


def _box_of_action(at: AppTest, ref: str, number: int) -> Any:
    return next(box for box in at.text_input if f"{ref} done {number} text" in str(box.key))


def test_two_actions_are_done_in_one_run(opened: Opened, two_actions: tuple[str, list[int]]) -> None:
    ref, numbers = two_actions
    at = opened("concerns", "tutor")
    for number in numbers:
        _box_of_action(at, ref, number).set_value("Done today.")
        at.button(key=f"done {ref} {number}").click()
    at.run()
    assert not at.exception
    left = list_actions_to_do(open_school(), opened.people["tutor"])
    assert not set(numbers) & set(left.loc[left["ref"] == ref, "number"])


def test_action_without_words_is_not_done(opened: Opened, two_actions: tuple[str, list[int]]) -> None:
    ref, (number, *_) = two_actions
    at = opened("concerns", "tutor")
    at.button(key=f"done {ref} {number}").click().run()
    assert not at.exception
    assert at.warning
    left = list_actions_to_do(open_school(), opened.people["tutor"])
    assert number in set(left.loc[left["ref"] == ref, "number"])


def test_concern_that_is_being_sent_is_not_cleared(opened: Opened) -> None:
    school, tutor = open_school(), opened.people["tutor"]
    before = len(list_own_concerns(school, tutor))
    at = opened("concerns", "tutor", **{"raise": "yes"})
    pupil = int(list_pupils_to_choose(school, tutor)["pupil_id"].iloc[0])
    _box(at.multiselect, "Which child?").set_value([pupil])
    _box(at.text_area, "What worries you?").set_value("Has not eaten since yesterday.")
    _box(at.multiselect, "Categories (up to three)").set_value(["distress"])
    at.radio[0].set_value("yes")
    _press(at, "Send to the DSP", "Clear form")
    assert "Received" in text(at)
    assert len(list_own_concerns(school, tutor)) == before + 1


def test_plan_that_is_being_saved_is_not_cleared_and_is_shown_in_the_same_run(opened: Opened) -> None:
    school, tutor = open_school(), opened.people["tutor"]
    before = len(list_plans(school, tutor))
    pupil = list_pupils_to_choose(school, tutor)["email"].iloc[0]
    day = str(school.today() + timedelta(days=30))
    form = {"ref": "P-two", "purpose": "academic", "pupils": [pupil], "day": day, "from": "10:00", "to": "10:40"}
    save_draft(school, tutor, "plan", form)
    at = opened("plan", "tutor")
    _press(at, "Save plan", "New plan")
    assert "Plan saved" in " ".join(element.value for element in at.success)
    assert "Save plan" not in [button.label for button in at.button]
    assert "Your plans" in text(at)
    assert len(list_plans(school, tutor)) == before + 1


def test_log_that_could_not_be_saved_keeps_the_verdict(opened: Opened) -> None:
    """Without a reason for the correction."""
    school, tutor = open_school(), opened.people["tutor"]
    with school.engine.connect() as connection:
        log = tables.logs.c
        ref = connection.scalar(select(log.ref).where(log.staff_id == tutor.staff_id, log.current).limit(1))
    at = opened("log", "tutor", correct=str(ref))
    _group(at, "Was the background neutral or blurred?").set_value("no").run()
    assert "Neutral background" in text(at)
    _press(at, "Save log")
    assert "The reason for the correction is blank" in at.warning[0].value
    assert "Neutral background" in text(at)
