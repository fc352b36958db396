"""Remote learning of one pupil on the pages: entered on the pupil's page, and what the log then asks."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.management.remote_pupils import enter_remote_learning
from app.school import School
from app.sessions.drafts import save_draft
from app.store import tables
from tests import people
from tests.apptest import AppTest
from tests.pages.conftest import OpenAs
from tests.people import someone

pytestmark = pytest.mark.usefixtures("story_clock")

OF_ONE_TO_ONES = {"Was an adult in the house?", "Which second member of the pastoral team was invited?"}


def pupil_id(school: School, who: str) -> int:
    query = select(tables.pupils.c.id).where(tables.pupils.c.email == people.email(who))
    with school.engine.connect() as connection:
        return int(connection.scalars(query).one())


def questions(at: AppTest) -> set[str]:
    assert not at.exception
    return {group.label for group in at.button_group}


@pytest.mark.parametrize(("who", "asked"), [("aled", True), ("bethan", False)])
def test_log_asks_about_one_to_ones_only_of_a_pupil_in_quarantine(
    school: School, open_page: OpenAs, who: str, asked: bool
) -> None:
    today = school.today()
    quarantine = today - timedelta(days=2), today + timedelta(days=2)
    enter_remote_learning(school, someone(school, "hoy9"), pupil_id(school, "aled"), *quarantine, "Quarantine")
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
    enter_remote_learning(school, someone(school, "hm"), pupil_id(school, "aled"), day, day, "Quarantine")
    form = {"ref": "P-1", "purpose": "pastoral", "day": day.isoformat(), "from": "12:45", "to": "13:00"}
    save_draft(school, someone(school, "tutor"), "plan", form | {"pupils": [people.email(who)]})
    at = open_page("tutor", "plan")
    assert ("Second member of the pastoral team to invite" in questions(at)) is asked
