"""Read and understood: who is asked at their first page, and who sees who has confirmed."""

import pytest

from app.settings import ROOT
from app.vocabulary.roles import Page
from tests.apptest import AppTest
from tests.pages.conftest import Opened, text

BUTTON = "I have read and understood it"


def open_home(opened: Opened, role: str) -> AppTest:
    """The first page of somebody with a role, in its frame."""
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    at.session_state["view_as"] = opened.people[role].email
    return at.run()


def is_asked(at: AppTest) -> bool:
    assert not at.exception
    return BUTTON in [button.label for button in at.button]


@pytest.mark.parametrize("role", ["senior_deputy_head", "hoy", "hm", "tutor", "counsellor", "dsp", "slt", "admin"])
def test_who_has_confirmed_or_need_not_is_not_asked(opened: Opened, role: str) -> None:
    assert not is_asked(open_home(opened, role))


def test_staff_are_asked_once_on_their_first_page_and_nothing_is_blocked(opened: Opened) -> None:
    at = open_home(opened, "music_teacher")
    assert is_asked(at)
    assert "“<bdi>January 2021</bdi>”" in text(at)
    assert "Fri 1 Jan 2021" in text(at)
    assert "Log a session" in [title.value for title in at.title]
    links = [element.proto.label for element in at.main if element.type == "page_link"]
    assert links[:2] == ["I\\'m worried about a child", "Read the protocol"]
    next(button for button in at.button if button.label == BUTTON).click().run()
    assert not is_asked(at)
    assert not is_asked(open_home(opened, "music_teacher"))


def test_the_senior_deputy_head_sees_who_has_not_confirmed(opened: Opened) -> None:
    missing = opened(Page.PROTOCOL, "senior_deputy_head", view="confirmations", show="missing")
    everybody = opened(Page.PROTOCOL, "senior_deputy_head", view="confirmations")
    assert 0 < len(missing.dataframe[0].value) < len(everybody.dataframe[0].value)
    assert list(everybody.dataframe[0].value.columns) == ["Name", "Department", "Confirmed"]
    assert missing.dataframe[0].value["Confirmed"].isna().all()


@pytest.mark.parametrize("role", ["hoy", "slt", "tutor", "admin", "dsp"])
def test_nobody_else_sees_who_has_not_confirmed(opened: Opened, role: str) -> None:
    at = opened(Page.PROTOCOL, role, view="confirmations", show="missing")
    assert not at.exception
    assert not any("Confirmed" in table.value.columns for table in at.dataframe)
