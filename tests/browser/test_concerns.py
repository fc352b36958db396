"""The DSP's morning; two who work on one concern; a browser closed in the middle of a form."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from app.access.concerns import list_own_concerns
from app.access.forms import CONDUCT_DRAFT, get_draft, list_pupils_to_choose
from app.access.people import list_demo_people
from app.concerns.raising import Report, raise_concern
from app.school import School, open_school
from app.store.concerns import CHILD
from tests.browser.conftest import click, drawn, look_through, viewer
from tests.browser.test_tutor import tutor_of
from tests.browser.test_way_through import heading, send

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def school(new_database: Callable[..., str], demonstration: str) -> School:
    return open_school(new_database(copy_of=demonstration))


@pytest.fixture(scope="module")
def address(school: School, serve: Callable[..., str]) -> str:
    return serve(school.engine.url.render_as_string(hide_password=False))


def typed(page: Page, box: str, words: str) -> None:
    """Type into a box and leave it: then it is kept."""
    page.get_by_role("textbox", name=box).fill(words)
    page.get_by_role("textbox", name=box).blur()
    drawn(page)


def chosen(page: Page, box: str, option: str) -> None:
    """Type an option's words, since a long list is drawn only as far as it is in sight, and take it."""
    click(page.get_by_role("combobox", name=box))
    page.get_by_role("combobox", name=box).fill(option)
    click(page.get_by_role("option", name=option).first)
    drawn(page)


def dated(page: Page, day: date) -> None:
    click(page.get_by_test_id("stDateInput").get_by_role("spinbutton").first)
    page.keyboard.type(f"{day:%d%m%Y}")
    page.keyboard.press("Tab")
    drawn(page)


def add(page: Page, step: str) -> None:
    """Open the dialog of a step, by its button or from the menu."""
    drawn(page)
    button = page.get_by_role("button", name=step, exact=True)
    if button.count():
        click(button)
    else:
        click(page.get_by_role("button", name="More"))
        click(page.get_by_role("menuitem", name=step, exact=True))
    expect(page.get_by_role("dialog")).to_be_visible()
    drawn(page)


def keep(page: Page) -> None:
    """Save the step, by a double click: it is saved once."""
    drawn(page)
    page.get_by_role("button", name="Save", exact=True).dblclick()
    expect(page.get_by_role("dialog")).to_have_count(0)
    drawn(page)


def open_as(page: Page, address: str, role: str, where: str) -> None:
    page.goto(f"{address}/{where}")
    expect(viewer(page)).to_be_visible()
    look_through(page, role)
    drawn(page)


def raised(school: School) -> str:
    """A concern about a pupil of the demonstration's DSP, by anybody; its reference."""
    dsp = next(person for person in list_demo_people(school) if "dsp" in person.roles)
    people = list_pupils_to_choose(school, dsp)
    pupil = int(people.loc[people["school"] == dsp.school, "pupil_id"].iloc[0])
    report = Report(CHILD, summary="Came without a coat.", categories=["neglect"], pupil_ids=[pupil])
    return raise_concern(school, dsp, report).ref


def raise_as_tutor(page: Page, address: str, pupil: str) -> str:
    """A tutor raises a concern about a child on the screen; its reference."""
    open_as(page, address, "Tutor", "concerns?raise=yes")
    heading(page, "I'm worried about a child")
    drawn(page)
    page.get_by_role("combobox", name="Which child?").fill(pupil)
    click(page.get_by_role("option", name=re.compile(re.escape(pupil))).first)
    page.keyboard.press("Escape")
    drawn(page)
    typed(page, "What worries you?", "Fell asleep twice; says nobody was home last night.")
    typed(page, "The child's own words, if any", "I was up with my brother.")
    chosen(page, "Categories (up to three)", "A child home alone")
    page.keyboard.press("Escape")
    click(page.get_by_text("Not yet", exact=True))
    drawn(page)
    return send(page)


def read_and_set_level(page: Page, address: str, ref: str) -> None:
    open_as(page, address, "DSP", f"concerns?ref={ref}")
    expect(page.get_by_role("heading", name="Concern about")).to_be_visible()
    expect(page.get_by_text("I was up with my brother.").first).to_be_visible()
    add(page, "Set the level")
    chosen(page, "Level", "early help")
    typed(page, "Why?", "Spoken with her mother, who works nights.")
    keep(page)
    expect(page.get_by_text("Level: early help", exact=True)).to_be_visible()


def assign_and_do_action(page: Page, name: str, day: date) -> None:
    """Ask the person of that name for an action that is due and done on the day."""
    add(page, "Assign an action")
    typed(page, "What needs to be done? (the person you ask will read this)", "Ring the health visitor")
    chosen(page, "Who?", name)
    dated(page, day)
    keep(page)
    click(page.get_by_role("button", name="Done…"))
    drawn(page)
    dated(page, day)
    typed(page, "What was done?", "She will visit on Friday.")
    keep(page)


def hand_over_and_close(page: Page) -> None:
    add(page, "Hand it over to the school's safeguarding system")
    typed(page, "Which system?", "MySafeguarding")
    typed(page, "Its reference there", "4711")
    keep(page)
    add(page, "Close concern")
    typed(page, "Outcome", "Help is in place.")
    typed(page, "Why can it be closed?", "Followed up in MySafeguarding.")
    keep(page)
    expect(page.get_by_text("Closed", exact=True).first).to_be_visible()


def test_the_dsps_morning(page: Page, school: School, address: str) -> None:
    dsp = next(person for person in list_demo_people(school) if "dsp" in person.roles)
    people = list_pupils_to_choose(school, dsp)
    ref = raise_as_tutor(page, address, people.loc[people["school"] == dsp.school, "name"].iloc[0])
    read_and_set_level(page, address, ref)
    assign_and_do_action(page, dsp.name, school.today())
    hand_over_and_close(page)
    with page.expect_download() as taken:
        click(page.get_by_role("button", name="The child's chronology (PDF)"))
    assert taken.value.path().read_bytes().startswith(b"%PDF")

    # Who raised it sees that it was read, and nothing of what was done.
    tutor = next(person for person in list_demo_people(school) if "tutor" in person.roles)
    own = list_own_concerns(school, tutor).set_index("ref").loc[ref]
    assert dsp.name in own["read_by"]


def test_two_browsers_on_one_concern_lose_nothing(window: Callable[..., Page], school: School, address: str) -> None:
    ref = raised(school)
    windows = first, second = window(), window()
    for page, role in zip(windows, ("DSP", "Senior Deputy Head"), strict=True):
        open_as(page, address, role, f"concerns?ref={ref}")
        expect(page.get_by_text(ref).first).to_be_visible()
        add(page, "Record a decision")
        typed(page, "What was decided?", f"Decided by the {role}")
        typed(page, "Why?", f"Because, says the {role}")
    keep(first)
    click(second.get_by_role("button", name="Save", exact=True))
    expect(second.get_by_text("somebody changed this concern")).to_be_visible()
    expect(second.get_by_text("Because, says the DSP").first).to_be_visible()
    expect(second.get_by_role("textbox", name="What was decided?")).to_have_value("Decided by the Senior Deputy Head")
    keep(second)
    for words in ("Decided by the DSP", "Decided by the Senior Deputy Head"):
        expect(second.get_by_text(words, exact=True)).to_have_count(1)


def test_a_form_continues_after_the_browser_was_closed(
    window: Callable[..., Page], school: School, address: str
) -> None:
    ref = raised(school)
    page = window()
    tutor = tutor_of(school)
    dsp = next(person for person in list_demo_people(school) if "dsp" in person.roles)
    open_as(page, address, "Tutor", "concerns?raise=conduct")
    typed(page, "What worries you?", "Half a sentence about")
    assert get_draft(school, tutor, CONDUCT_DRAFT)
    open_as(page, address, "DSP", f"concerns?ref={ref}")
    add(page, "Add a note")
    typed(page, "Note", "Half a note about")
    assert get_draft(school, dsp, f"{ref} note")
    page.context.close()
    page = window()
    open_as(page, address, "DSP", f"concerns?ref={ref}")
    click(page.get_by_role("button", name="Continue"))
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Half a note about")
    open_as(page, address, "Tutor", "concerns?raise=conduct")
    expect(page.get_by_role("textbox", name="What worries you?")).to_have_value("Half a sentence about")
