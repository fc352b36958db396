"""Remote learning of one pupil on the pages: entered on the pupil's page, and what the log then asks."""

from datetime import timedelta

import pytest

from app.access.remote_pupils import list_remote_learning
from app.management.remote_pupils import enter_remote_learning
from app.school import School
from app.sessions.drafts import save_draft
from tests import people
from tests.apptest import AppTest
from tests.pages.conftest import OpenAs
from tests.people import someone

pytestmark = pytest.mark.usefixtures("story_clock")

OF_ONE_TO_ONES = {"Was an adult in the house?", "Which second member of the pastoral team was invited?"}


def questions(at: AppTest) -> set[str]:
    assert not at.exception
    return {group.label for group in at.button_group}


@pytest.mark.parametrize(("who", "asked"), [("aled", True), ("bethan", False)])
def test_log_asks_about_one_to_ones_only_of_a_pupil_in_quarantine(
    school: School, open_page: OpenAs, who: str, asked: bool
) -> None:
    today = school.today()
    quarantine = today - timedelta(days=2), today + timedelta(days=2)
    enter_remote_learning(school, someone(school, "hoy9"), people.find_pupil(school, "aled"), *quarantine, "Quarantine")
    form = {"ref": "F-1", "purpose": "pastoral", "day": today.isoformat(), "from": "10:00", "to": "10:20"}
    save_draft(school, someone(school, "tutor"), "log", form | {"pupils": [people.email(who)]})
    at = open_page("tutor", "log")
    assert (questions(at) >= OF_ONE_TO_ONES) is asked
    assert OF_ONE_TO_ONES & questions(at) == (OF_ONE_TO_ONES if asked else set())
    assert ("One-to-one" in [heading.value for heading in at.subheader]) is asked


@pytest.mark.parametrize(("who", "asked"), [("aled", True), ("bethan", False)])
def test_plan_asks_for_the_reason_only_of_a_pupil_in_quarantine(
    school: School, open_page: OpenAs, who: str, asked: bool
) -> None:
    day = school.today() + timedelta(days=3)
    enter_remote_learning(school, someone(school, "hm"), people.find_pupil(school, "aled"), day, day, "Quarantine")
    form = {"ref": "P-1", "purpose": "pastoral", "day": day.isoformat(), "from": "12:45", "to": "13:00"}
    save_draft(school, someone(school, "tutor"), "plan", form | {"pupils": [people.email(who)]})
    at = open_page("tutor", "plan")
    assert ("Second member of the pastoral team to invite" in questions(at)) is asked


def press(at: AppTest, *labels: str) -> AppTest:
    """Press buttons in one run: one that opens a dialog, which is drawn as long as it is pressed, and one in it."""
    for label in labels:
        next(button for button in at.button if button.label == label).click()
    at.run()
    assert not at.exception
    return at


def test_pupils_page_enters_remote_learning_from_today_and_ends_it(school: School, open_page: OpenAs) -> None:
    aled, today = str(people.find_pupil(school, "aled")), school.today()
    at = press(open_page("hoy9", "sessions", pupil=aled), "Remote learning…")
    assert [day.value for day in at.date_input] == [today, today]
    press(at, "Remote learning…", "Enter")
    assert list_remote_learning(school, someone(school, "sdh")).empty, "without a reason"
    next(box for box in at.text_input if box.label == "Reason").set_value("Quarantine")
    at.date_input[1].set_value(today + timedelta(days=4))
    press(at, "Remote learning…", "Enter")
    (row,) = list_remote_learning(school, someone(school, "sdh")).itertuples()
    assert (row.pupil, row.reason, row.entered_by) == ("Aled Pugh", "Quarantine", "Hoy9")
    assert (row.from_day.date(), row.to_day.date()) == (today, today + timedelta(days=4))
    assert any("Remote learning entered" in message.value for message in at.success)

    at = press(open_page("hm", "sessions", pupil=aled), "End early…")
    press(at, "End early…", "End")
    rows = list_remote_learning(school, someone(school, "sdh"))
    assert rows.loc[rows["is_in_force"], "to_day"].dt.date.tolist() == [today]
    at = press(open_page("hm", "sessions", pupil=aled), "End early…")
    press(at, "End early…", "End")
    assert not list_remote_learning(school, someone(school, "sdh"))["is_in_force"].any()


def test_pupils_page_withdraws_remote_learning_entered_by_mistake(school: School, open_page: OpenAs) -> None:
    aled, today = people.find_pupil(school, "aled"), school.today()
    enter_remote_learning(school, someone(school, "hoy9"), aled, today - timedelta(days=9), today, "Quarantine")
    at = press(open_page("sdh", "sessions", pupil=str(aled)), "End early…")
    next(box for box in at.checkbox if box.label.startswith("Entered by mistake")).check()
    press(at, "End early…", "End")
    assert list_remote_learning(school, someone(school, "sdh"))["ended_at"].notna().all()


@pytest.mark.parametrize(("who", "offered"), [("hoy9", True), ("hm", True), ("sdh", True), ("tutor", False)])
def test_pupils_page_offers_remote_learning_to_those_who_lead_the_pupil(
    school: School, open_page: OpenAs, who: str, offered: bool
) -> None:
    today = school.today()
    enter_remote_learning(
        school, someone(school, "sdh"), people.find_pupil(school, "aled"), today, today, "Private matter"
    )
    at = open_page(who, "sessions", pupil=str(people.find_pupil(school, "aled")))
    assert not at.exception
    assert [title.value for title in at.title] == ["Aled Pugh"]
    assert ("Remote learning…" in [button.label for button in at.button]) is offered
    assert ("Private matter" in " ".join(str(getattr(part, "body", "")) for part in at.main)) is offered
