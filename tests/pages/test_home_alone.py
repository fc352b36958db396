"""A log that says that a child was home alone raises the concern in the same step."""

from datetime import date
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

from app.access.concerns import list_concerns
from app.access.forms import list_pupils_to_choose
from app.access.policy import Person
from app.access.session_detail import get_session
from app.demo.calendar import TELEPHONES
from app.school import School, open_school
from app.sessions.drafts import save_draft
from app.store import tables
from tests import people
from tests.apptest import AppTest
from tests.pages.conftest import Opened

QUESTION = "Was the child home alone and too young for it?"
SUMMARY = "The concern, in a sentence or two: it goes to the DSP"


def list_html(place: Any) -> list[str]:
    return [element.proto.body for element in place.get("html")]


def words(at: AppTest) -> str:
    """Everything on the page, also what is written as HTML."""
    shown = [str(getattr(element, "value", "")) for element in at.main]
    return " ".join([*shown, *list_html(at.main)])


def find_pupil(school: School, dsp: Person) -> Any:
    """A pupil of the DSP's school."""
    pupils = list_pupils_to_choose(school, dsp)
    return next(pupils[pupils["school"] == dsp.school].itertuples())


def begin(opened: Opened, ref: str, **answers: str) -> AppTest:
    """The form of a one-to-one with a pupil, on a day of remote learning."""
    school, tutor = open_school(), opened.people["tutor"]
    day: date = school.settings.remote_learning[0].from_
    pupil = find_pupil(school, opened.people["dsp"]).email
    form = {"ref": ref, "purpose": "pastoral", "pupils": [pupil], "day": str(day), "from": "06:10", "to": "06:20"}
    save_draft(school, tutor, "log", form | answers)
    return opened("log", "tutor")


def answer(at: AppTest, question: str, given: str) -> None:
    next(group for group in at.button_group if group.label == question).set_value(given).run()


def box(boxes: Any, label: str) -> Any:
    return next((each for each in boxes if each.label == label), None)


def press_save(at: AppTest) -> None:
    next(button for button in at.button if button.label == "Save log").click().run()
    assert not at.exception


def concerns(school: School, dsp: Person) -> pd.DataFrame:
    return list_concerns(school, dsp).set_index("ref")


def test_home_alone_asks_for_the_concern_at_once_and_shows_whom_to_ring(opened: Opened) -> None:
    at = begin(opened, "F-at-once")
    assert box(at.text_area, SUMMARY) is None
    answer(at, QUESTION, "yes")
    assert box(at.text_area, SUMMARY) is not None
    assert box(at.selectbox, "What kind?").value == "home_alone"
    dsp = opened.people["dsp"]
    assert dsp.name in words(at)
    assert TELEPHONES[dsp.school] in words(at)
    assert "Did a safeguarding concern arise?" not in [group.label for group in at.button_group]
    answer(at, QUESTION, "no")
    assert box(at.text_area, SUMMARY) is None
    assert TELEPHONES[dsp.school] not in words(at)


def test_home_alone_is_not_saved_without_a_summary(opened: Opened) -> None:
    school, dsp = open_school(), opened.people["dsp"]
    before = set(concerns(school, dsp).index)
    at = begin(opened, "F-blank", home_alone="yes")
    press_save(at)
    warnings = " ".join(warning.value.replace("\\", "") for warning in at.warning)
    assert "The concern is blank: say in a sentence or two what you saw." in warnings
    assert "Logged." not in words(at)
    box(at.text_area, SUMMARY).set_value("  ")
    press_save(at)
    assert "Logged." not in words(at)
    with school.engine.connect() as connection:
        assert connection.scalar(select(tables.logs.c.id).where(tables.logs.c.ref == "F-blank")) is None
    assert set(concerns(school, dsp).index) == before


@pytest.mark.parametrize("concern", ["", "no"])
def test_saving_home_alone_opens_the_concern_and_alerts_the_dsp(opened: Opened, concern: str) -> None:
    school, tutor, dsp = open_school(), opened.people["tutor"], opened.people["dsp"]
    before = set(concerns(school, dsp).index)
    times = {"from": f"0{7 + len(concern)}:30", "to": f"0{7 + len(concern)}:50"}
    at = begin(opened, f"F-alone-{concern}", home_alone="yes", concern=concern, **times)
    box(at.text_area, SUMMARY).set_value("Nobody was at home; she had not eaten.")
    press_save(at)
    assert "Logged." in words(at)
    assert dsp.name in words(at)
    assert TELEPHONES[dsp.school] in words(at)
    (ref,) = set(concerns(school, dsp).index) - before
    raised = concerns(school, dsp).loc[ref]
    assert (raised["categories"], raised["summary"]) == ("home_alone", "Nobody was at home; she had not eaten.")
    assert raised["pupils"] == find_pupil(school, dsp).name
    with school.engine.connect() as connection:
        alert = tables.alerts.c
        to = connection.scalars(select(alert.recipient_id).where(alert.subject == f"concern {ref}")).all()
    assert dsp.staff_id in to
    saved = at.session_state[f"draft log {tutor.staff_id}"]["result"].entered
    clauses = people.found(get_session(school, tutor, saved.session_id)).clauses.set_index("clause")["outcome"]
    assert clauses[["concern-reported", "home-alone-reported"]].tolist() == ["met", "met"]


def test_the_form_for_a_concern_shows_the_dsps_of_the_childs_school(opened: Opened) -> None:
    dsp = opened.people["dsp"]
    at = opened("concerns", "tutor", **{"raise": "yes"})
    assert all(number in words(at) for number in TELEPHONES.values())  # before a child is chosen, of each school
    pupil = find_pupil(open_school(), dsp)
    box(at.multiselect, "Which child?").set_value([int(pupil.pupil_id)]).run()
    others = [number for code, number in TELEPHONES.items() if code != pupil.school]
    shown = " ".join(list_html(at.main))
    assert dsp.name in shown
    assert TELEPHONES[pupil.school] in shown
    assert not any(number in shown for number in others)
    conduct = opened("concerns", "tutor", **{"raise": "conduct"})
    assert not any(number in each for each in list_html(conduct.main) for number in TELEPHONES.values())
