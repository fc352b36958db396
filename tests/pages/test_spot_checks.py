"""Spot checks on the Sessions page: who finds them, and what a missing note or a second click does."""

import pytest

from app.vocabulary.roles import Page
from tests.apptest import AppTest
from tests.pages.conftest import Opened, text


def press(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label == label).click().run()


@pytest.mark.parametrize("role", ["tutor", "counsellor", "dsp", "teacher", "music_teacher"])
def test_who_looks_at_no_spot_check_has_no_view_of_them(opened: Opened, role: str) -> None:
    at = opened(Page.SESSIONS, role, view="spot-checks")
    assert not at.exception
    assert "Reviewed: no issues" not in text(at)
    assert not [button for button in at.button if button.label == "To explain"]


def test_a_spot_check_needs_a_note_to_be_explained(opened: Opened) -> None:
    at = press(opened(Page.SESSIONS, "hoy", view="spot-checks"), "To explain")
    assert not at.exception
    assert "Write in the note what is to be explained" in text(at)
    at.text_area[0].input("=1+1 **What** was it?")
    at = press(at, "To explain")
    assert not at.exception
    assert "No sessions to review" in text(at)
    assert "=1+1 **What** was it?" in text(at)


def test_the_seed_of_a_term_is_shown_once_it_is_over(opened: Opened) -> None:
    words = text(opened(Page.SESSIONS, "senior_deputy_head", view="spot-checks"))
    assert "after the term" in words
    assert words.count("SHA-256 of the seed") >= 1
