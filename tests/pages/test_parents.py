"""The page Parents, as each person works with it."""

from datetime import time

import pandas as pd
import pytest
from streamlit.testing.v1.element_tree import Button

from app.access.forms import list_pupils_to_choose
from app.access.parents import list_consents, list_letters_sent
from app.access.policy import Person
from app.school import open_school
from tests.apptest import AppTest
from tests.pages.conftest import Opened, text


def consents(person: Person, **like: str) -> pd.DataFrame:
    rows = list_consents(open_school(), person)
    for column, value in like.items():
        rows = rows[rows[column] == value]
    return rows


def button(at: AppTest, label: str) -> Button:
    return next(found for found in at.button if found.label == label)


def labels(at: AppTest) -> list[str]:
    return [found.label for found in at.button]


def press(at: AppTest, opener: str, label: str, *, is_open: bool = False) -> None:
    """Press the button that opens a dialog, unless that is open, and with it the one in the dialog: a dialog is drawn
    as long as its button is pressed in the same run."""
    if not is_open:
        button(at, opener).click().run()
    button(at, opener).click()
    button(at, label).click()
    at.run()
    assert not at.exception


def test_a_hoy_sees_open_requests_and_enters_an_answer(opened: Opened) -> None:
    hoy = opened.people["hoy"]
    row = consents(hoy, status="waiting", kind="outside_hours").iloc[0]
    at = opened("parents", "hoy")
    assert "awaiting an answer" in text(at)
    assert row["pupil"] in at.dataframe[0].value["Pupil"].tolist()
    at = opened("parents", "hoy", consent=str(row["consent_id"]))
    button(at, "Create the letter").click().run()
    assert not at.exception
    assert [found for found in at.get("download_button") if found.proto.label == "Download"]
    press(at, "Record the answer", "Save answer")
    assert "Nothing you wrote is lost" in at.warning[0].value
    at.radio[0].set_value(True)
    at.text_input[0].set_value("<b>Mam</b> ![x](http://x.example)")
    at.time_input[0].set_value(time(0, 0))
    press(at, "Record the answer", "Save answer", is_open=True)
    assert "they consent" in at.success[0].value
    assert consents(hoy, consent_id=row["consent_id"])["answered_by"].iloc[0] == "<b>Mam</b> ![x](http://x.example)"
    assert "Save answer" not in labels(at)
    press(at, "Inform SLT", "Inform SLT now")
    assert "SLT has been informed" in at.success[0].value
    assert "Inform SLT" not in labels(at)
    told = opened("parents", "slt", consent=str(row["consent_id"]))
    assert row["pupil"] in text(told)
    assert not {"Record the answer", "Record a withdrawal"} & set(labels(told))


@pytest.mark.parametrize("role", ["tutor", "counsellor", "dsp", "slt", "admin"])
def test_a_consent_of_others_cannot_be_opened_by_its_number(opened: Opened, role: str) -> None:
    mine = set(consents(opened.people[role])["consent_id"])
    others = consents(opened.people["senior_deputy_head"])
    theirs = others[~others["consent_id"].isin(mine)].iloc[0]
    for number in (str(theirs["consent_id"]), "x", "9" * 30):
        at = opened("parents", role, consent=number)
        assert not at.exception
        assert "This consent does not exist" in text(at)
        assert theirs["pupil"] not in text(at)


def test_letters_are_written_and_marked_as_sent(opened: Opened) -> None:
    at = opened("parents", "senior_deputy_head")
    before = list_letters_sent(open_school(), opened.people["senior_deputy_head"])
    lacking = before[before["introduction"].isna()]
    n = "the letter" if len(lacking) == 1 else f"{len(lacking)} letters"
    button(at, f"Create {n}").click().run()
    assert not at.exception
    assert [found for found in at.get("download_button") if found.proto.label == "Download"]
    press(at, f"Mark {n} as sent", "Mark as sent")
    after = list_letters_sent(open_school(), opened.people["senior_deputy_head"])
    assert after["introduction"].notna().all()


def test_no_letters_are_offered_to_staff_without_pupils(opened: Opened) -> None:
    for role in ("tutor", "counsellor", "admin"):
        found = labels(opened("parents", role))
        assert not [label for label in found if "Create" in label or "as sent" in label]


def test_a_request_form_requires_every_field(opened: Opened) -> None:
    at = opened("parents", "tutor", ask="yes")
    button(at, "Save request").click().run()
    assert "Choose the pupil" in at.warning[0].value
    at.selectbox[0].set_value(at.selectbox[0].options and _first_pupil(opened))
    at.radio[0].set_value("outside_hours")
    button(at, "Save request").click().run()
    assert "needs a reason" in at.warning[0].value
    at.text_area[0].set_value("Away until Friday")
    button(at, "Save request").click().run()
    assert not at.exception
    assert "Away until Friday" in text(at)
    assert "Request saved" in at.success[0].value


def _first_pupil(opened: Opened) -> int:
    return int(list_pupils_to_choose(open_school(), opened.people["tutor"])["pupil_id"].iloc[0])
