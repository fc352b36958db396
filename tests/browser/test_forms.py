"""The forms that change data: one name for one Enter key, nothing sent twice, no button left behind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.access.concerns import list_own_concerns
from app.access.forms import list_pupils_to_choose
from app.school import School, open_school
from tests.browser.conftest import click, drawn, look_through
from tests.browser.test_tutor import calls_of_yesterday, logs_of, tutor_of

pytestmark = pytest.mark.browser
MOST_BY_HAND = 7  # clicks and typed fields


@pytest.fixture(scope="module")
def database(new_database: Callable[..., str], demonstration: str) -> str:
    return new_database(copy_of=demonstration)


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], database: str) -> str:
    return serve(database)


@pytest.fixture
def school(database: str) -> Iterator[School]:
    school = open_school(database)
    yield school
    school.engine.dispose()


@pytest.fixture
def tutor(page: Page, address: str) -> Page:
    """The program as a tutor sees it."""
    page.goto(f"{address}/log")
    look_through(page, "Tutor")
    return page


def go(page: Page, address: str, where: str) -> None:
    page.goto(f"{address}/{where}")
    look_through(page, "Tutor")
    drawn(page)


def chosen(page: Page, box: str) -> Locator:
    """The names chosen in a list."""
    lists = page.get_by_test_id("stMultiSelect").filter(has=page.get_by_role("combobox", name=box))
    return lists.locator("[data-tag]")


def take(page: Page) -> None:
    """Take the option that is highlighted, and close the list."""
    page.keyboard.press("Enter")
    drawn(page)
    page.keyboard.press("Escape")
    drawn(page)


@pytest.mark.parametrize(
    ("where", "box"),
    [
        ("log", "Pupils"),
        ("plan", "Pupils"),
        ("concerns?raise=yes", "Which child?"),
        ("concerns?raise=yes", "Categories (up to three)"),
        ("concerns?raise=conduct", "Which adult?"),
        ("concerns?raise=conduct", "Which child was there, if any?"),
    ],
)
def test_enter_in_a_list_takes_the_highlighted_one(page: Page, address: str, where: str, box: str) -> None:
    go(page, address, where)
    before = chosen(page, box).count()  # another of these tests may have left a draft
    field = page.get_by_role("combobox", name=box)
    click(field)
    field.press_sequentially("a")
    expect(page.get_by_role("option").nth(1)).to_be_visible()
    take(page)
    expect(chosen(page, box)).to_have_count(before + 1)


def test_log_by_hand_takes_few_inputs_and_leaves_no_button(tutor: Page, school: School) -> None:
    member = tutor_of(school)
    before = logs_of(school, member)
    click(tutor.get_by_role("button", name="Clear form"))
    pupil = list_pupils_to_choose(school, member)["name"].iloc[-1]
    click(tutor.get_by_role("radio", name="Academic", exact=True))
    drawn(tutor)
    tutor.get_by_role("combobox", name="Pupils").fill(pupil)
    expect(tutor.get_by_role("option", name=pupil).first).to_be_visible()
    take(tutor)
    inputs = 2
    for field, at in (("From", "0705"), ("To", "0740")):
        drawn(tutor)
        click(tutor.get_by_role("group", name=field).get_by_role("spinbutton").first)
        tutor.keyboard.type(at)
        tutor.keyboard.press("Tab")
        inputs += 1
    for button in ("No issues", "Save log"):
        click(tutor.get_by_role("button", name=button))
        inputs += 1
    expect(tutor.get_by_text("Logged.")).to_be_visible()
    drawn(tutor)
    expect(tutor.get_by_role("button", name="Save log")).to_have_count(0)
    expect(tutor.get_by_role("button", name="No issues")).to_have_count(0)
    assert logs_of(school, member) == before + 1
    assert inputs <= MOST_BY_HAND


def test_second_click_on_save_does_nothing_else(tutor: Page, school: School, tmp_path: Path) -> None:
    member = tutor_of(school)
    calls_of_yesterday(school, member, tmp_path, 6, 7)
    tutor.reload()
    before = logs_of(school, member)
    click(tutor.locator("[class*=st-key-call-]").first.get_by_role("button"))
    click(tutor.get_by_role("button", name="No issues"))
    expect(tutor.get_by_role("button", name="Save log")).to_be_enabled()
    drawn(tutor)
    tutor.get_by_role("button", name="Save log").dblclick()
    expect(tutor.get_by_text("Logged.")).to_be_visible()
    drawn(tutor)
    expect(tutor.get_by_text("Logged.")).to_be_visible()
    assert logs_of(school, member) == before + 1


def test_concern_is_sent_once_and_leaves_no_button(page: Page, address: str, school: School) -> None:
    member = tutor_of(school)
    before = len(list_own_concerns(school, member))
    go(page, address, "concerns?raise=yes")
    click(page.get_by_role("button", name="Clear form"))
    drawn(page)
    page.get_by_role("combobox", name="Which child?").fill(list_pupils_to_choose(school, member)["name"].iloc[0])
    expect(page.get_by_role("option").first).to_be_visible()
    take(page)
    page.get_by_role("textbox", name="What worries you?").fill("Has not eaten since yesterday.")
    page.get_by_role("textbox", name="What worries you?").blur()
    drawn(page)
    page.get_by_role("combobox", name="Categories (up to three)").fill("Distress")
    expect(page.get_by_role("option").first).to_be_visible()
    take(page)
    click(page.get_by_text("Not yet", exact=True))
    drawn(page)
    page.get_by_role("button", name="Send to the DSP").dblclick()
    expect(page.get_by_text("Received. The reference is C-")).to_be_visible()
    drawn(page)
    expect(page.get_by_role("button", name="Send to the DSP")).to_have_count(0)
    assert len(list_own_concerns(school, member)) == before + 1


def test_restored_draft_says_so_and_can_be_discarded(page: Page, address: str) -> None:
    go(page, address, "log")
    click(page.get_by_role("button", name="Clear form"))
    drawn(page)
    expect(page.get_by_text("Draft restored.")).to_have_count(0)
    click(page.get_by_role("radio", name="Academic", exact=True))
    drawn(page)
    go(page, address, "log")
    expect(page.get_by_text("Draft restored.")).to_be_visible()
    click(page.get_by_role("button", name="Discard"))
    drawn(page)
    expect(page.get_by_text("Draft restored.")).to_have_count(0)
    expect(page.get_by_role("radio", name="Academic", exact=True)).not_to_be_checked()
