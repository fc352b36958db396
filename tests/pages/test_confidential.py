"""Pages as they are drawn: the same with one counselling session and without it."""

from datetime import date
from pathlib import Path

import pytest

from app.school import School
from tests.access.test_differencing import Counselling, add_counselling
from tests.pages.conftest import OpenAs, text

pytestmark = pytest.mark.usefixtures("story_clock")

SECRET = Counselling("aled", date(2026, 11, 2), 10, "counselling")


@pytest.mark.parametrize(
    ("who", "page"),
    [
        ("sdh", "overview"),
        ("slt", "overview"),
        ("sdh", "sessions"),
        ("hoy9", "sessions"),
        ("dsp", "concerns"),
        ("sdh", "parents"),
        ("admin", "administration"),
    ],
)
def test_a_page_is_the_same_with_one_counselling_session(
    school: School, open_page: OpenAs, tmp_path: Path, who: str, page: str
) -> None:
    before = open_page(who, page)
    assert not before.exception
    add_counselling(school, SECRET, tmp_path)
    after = open_page(who, page)
    assert not after.exception
    assert text(after) == text(before)
