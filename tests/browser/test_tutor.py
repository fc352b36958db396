"""A tutor's morning: calls to log, in few steps, and nothing of it lost."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from playwright.sync_api import Page, expect

from app.access.concerns import list_concerns
from app.access.forms import list_pupils_to_choose
from app.access.parents import list_consents, list_letters_sent
from app.access.people import list_demo_people
from app.access.policy import Person
from app.access.sessions import list_sessions
from app.demo.calendar import TELEPHONES, TENANT
from app.parents import consents
from app.school import School, open_school
from app.sessions.drafts import save_draft
from tests import people
from tests.browser.conftest import Hand, click, drawn, look_through, viewer
from tests.browser.test_way_through import heading

pytestmark = pytest.mark.browser
MOST_STEPS_TO_A_REQUEST = 10
MOST_STEPS = 3  # clicks and typed fields for a call that was in order


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


def tutor_of(school: School) -> Person:
    return next(p for p in list_demo_people(school) if p.roles & {"tutor"} and not p.roles & {"hoy", "hm"})


def calls_of_yesterday(school: School, tutor: Person, folder: Path, *hours: int) -> list[tuple[str, str]]:
    """Calls of the tutor with a pupil each, yesterday at these hours. The pupil of each, and the time at which they
    joined."""
    mine = list_pupils_to_choose(school, tutor)
    day = (school.now() - timedelta(days=1)).replace(minute=0)
    joined = [day.replace(hour=hour, minute=1) for hour in hours]
    records = [
        people.call(
            f"at-{hour}",
            f"{day.replace(hour=hour):%Y-%m-%dT%H:%M:%S}",
            {tutor.email: (0, 21), email: (1, 20)},
            tenant=TENANT,
        )
        for hour, email in zip(hours, mine["email"], strict=False)
    ]
    assert people.import_as_its_own(school, people.calls(folder / "calls.json", *records)) == len(hours)
    times = [f"{at.astimezone(school.settings.zone):%H:%M}" for at in joined]
    return list(zip(mine["name"], times, strict=False))


def logs_of(school: School, tutor: Person) -> int:
    mine = list_sessions(school, tutor, (school.settings.terms[0].from_, school.today()))
    return int(mine["purpose"].notna().sum())


def test_three_calls_in_order_are_logged_in_few_steps(page: Page, address: str, school: School, tmp_path: Path) -> None:
    tutor = tutor_of(school)
    calls = calls_of_yesterday(school, tutor, tmp_path, 10, 11, 12)
    before = logs_of(school, tutor)
    page.goto(f"{address}/log")
    look_through(page, "Tutor")
    click(page.get_by_test_id("stSidebar").get_by_text("Log a session"))
    expect(page.get_by_role("heading", name="Calls to log")).to_be_visible()
    for number, (pupil, at) in enumerate(calls, start=1):
        hand = Hand(page)
        open_call(hand, pupil, at)
        the_call_is_filled_in(page)
        expect(page.get_by_text("This will record: everybody was dressed appropriately")).to_be_visible()
        hand.click("button", "No issues")
        expect(page.get_by_text("no safeguarding concern arose", exact=False)).to_be_visible()
        expect(page.get_by_text("This will record")).to_have_count(0)
        hand.click("button", "Save log")
        expect(page.get_by_text("Logged.")).to_be_visible()
        assert hand.steps <= MOST_STEPS
        assert logs_of(school, tutor) == before + number


def test_an_evening_lesson_is_in_order_once_consent_is_given(page: Page, address: str, school: School) -> None:
    day = school.today() + timedelta(days=30)
    page.goto(f"{address}/plan")
    look_through(page, "Tutor")
    name = viewer(page).inner_text().split(" · ")[-1]
    tutor = next(person for person in list_demo_people(school) if person.name == name)
    pupil = list_letters_sent(school, tutor).dropna(subset="introduction").iloc[0]
    click(page.get_by_test_id("stSidebar").get_by_text("Plan a session"))
    heading(page, "Plan a session")
    hand = Hand(page)
    drawn(page)
    hand.click("radio", "Academic")
    drawn(page)
    page.get_by_role("combobox", name="Pupils").fill(pupil["pupil"])
    click(page.get_by_role("option", name=f"{pupil['pupil']} · year").first)
    page.keyboard.press("Escape")
    hand.steps += 2
    for field, typed in (("Day", f"{day:%d%m%Y}"), ("From", "1900"), ("To", "1940")):
        drawn(page)
        click(page.get_by_role("group", name=field).get_by_role("spinbutton").first)
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
        hand.steps += 1
    expect(page.get_by_text("No: as planned, this session would breach the protocol.")).to_be_visible()
    expect(page.get_by_text("is outside 08:30 to 17:30")).to_be_visible()
    hand.click("button", "Ask for consent…")
    why = page.get_by_role("textbox", name="Reason for this time (the parents will read this)")
    why.fill("The family is abroad")
    why.blur()
    hand.steps += 1
    hand.click("button", "Create the request")
    expect(page.get_by_text("awaiting an answer")).to_be_visible()
    assert hand.steps <= MOST_STEPS_TO_A_REQUEST
    expect(page.get_by_text("Consent requested")).to_be_visible()

    asked = list_consents(school, tutor).query("state == 'asked' and email == @pupil.email").iloc[0]
    consents.answer_consent(school, tutor, int(asked["consent_id"]), given=True, parent="her mother", at=school.now())
    click(page.get_by_role("button", name="Open plan", exact=True).first)
    expect(page.get_by_text("given; SLT not yet informed")).to_be_visible()
    expect(page.get_by_text("Send the request")).to_have_count(0)
    expect(page.get_by_text("Consent requested")).to_have_count(0)
    hand.click("button", "Inform SLT…")
    click(page.get_by_role("dialog").get_by_role("button", name="Inform SLT", exact=True))
    expect(page.get_by_text("Yes: as planned, this session meets the protocol.")).to_be_visible()
    with page.expect_download() as taken:
        hand.click("button", "Download the invitation")
    meeting: Any
    (meeting,) = Calendar.from_ical(Path(taken.value.path()).read_bytes()).walk("VEVENT")
    assert (f"{meeting.start:%H:%M}", meeting.start.date()) == ("19:00", day)
    assert str(meeting["ATTENDEE"]).startswith("mailto:")


def test_a_closed_browser_loses_nothing_and_two_browsers_save_one_log(
    window: Callable[..., Page], address: str, school: School, tmp_path: Path
) -> None:
    tutor = tutor_of(school)
    [(pupil, at)] = calls_of_yesterday(school, tutor, tmp_path, 14)
    before = logs_of(school, tutor)
    first = open_log(window(), address)
    open_call(Hand(first), pupil, at)
    the_call_is_filled_in(first)
    Hand(first).click("radio", "Pastoral")
    Hand(first).click("button", "No issues")
    drawn(first)  # the form is a new one now
    notes = first.get_by_role("textbox", name="Notes (optional)")
    notes.fill("Spoke about the mock examination.")
    notes.blur()
    drawn(first)
    first.context.close()

    second, third = open_log(window(), address), open_log(window(), address)
    for again in (second, third):
        expect(again.get_by_role("textbox", name="Notes (optional)")).to_have_value("Spoke about the mock examination.")
        expect(again.get_by_text("no safeguarding concern arose", exact=False)).to_be_visible()
    Hand(second).click("button", "Save log")
    expect(second.get_by_text("Logged.")).to_be_visible()
    Hand(third).click("button", "Save log")
    expect(third.get_by_text("Already saved.")).to_be_visible()
    assert logs_of(school, tutor) == before + 1


def open_call(hand: Hand, pupil: str, at: str) -> None:
    """Open the form of the call with that pupil, who joined at that time: there are others to log."""
    cards = hand.page.locator("[class*=st-key-call-]").filter(has_text=pupil).filter(has_text=at)
    hand.press(cards.get_by_role("button", name="Log this call", exact=True))


def the_call_is_filled_in(page: Page) -> None:
    expect(page.get_by_test_id("stMultiSelect").get_by_text("year").first).to_be_visible()


def open_log(page: Page, address: str) -> Page:
    """Open the page Log as a tutor."""
    page.goto(f"{address}/log")
    look_through(page, "Tutor")
    click(page.get_by_test_id("stSidebar").get_by_text("Log a session"))
    heading(page, "Log a session")
    return page


def test_a_log_of_a_child_home_alone_reaches_the_dsp(page: Page, address: str, school: School) -> None:
    tutor, day = tutor_of(school), school.settings.remote_learning[0].from_
    dsp = next(p for p in list_demo_people(school) if "dsp" in p.roles)
    pupils = list_pupils_to_choose(school, tutor)
    pupil = pupils[pupils["school"] == dsp.school].iloc[0]
    before = set(list_concerns(school, dsp)["ref"])
    form = {"ref": "F-alone", "purpose": "pastoral", "pupils": [pupil["email"]], "day": str(day)}
    save_draft(school, tutor, "log", form | {"from": "06:10", "to": "06:20"})
    open_log(page, address)
    telephone = TELEPHONES[dsp.school]
    expect(page.get_by_test_id("stSidebar").get_by_text(TELEPHONES[tutor.school])).to_be_visible()
    box = page.get_by_test_id("stMain")
    expect(box.get_by_text(telephone)).to_have_count(0)
    question = page.get_by_role("radiogroup", name="Was the child home alone and too young for it?")
    click(question.get_by_role("radio", name="Yes"))
    expect(page.get_by_text("Saving this log raises a concern with the DSP.")).to_be_visible()
    expect(box.get_by_text(telephone)).to_be_visible()
    expect(box.get_by_text(dsp.name)).to_be_visible()
    hand = Hand(page)
    hand.click("button", "Save log")
    expect(page.get_by_text("The concern is blank", exact=False).first).to_be_visible()
    page.get_by_role("textbox", name="The concern, in a sentence or two: it goes to the DSP").fill("Alone since noon.")
    hand.click("button", "Save log")
    expect(page.get_by_text("Logged.")).to_be_visible()
    expect(page.get_by_text("The concern was sent to the DSP.")).to_be_visible()
    expect(box.get_by_text(telephone)).to_be_visible()

    raised = list_concerns(school, dsp).set_index("ref")
    (ref,) = set(raised.index) - before
    assert raised.loc[ref, "categories"] == "home_alone"
    page.goto(f"{address}/concerns?ref={ref}")
    look_through(page, "DSP")
    page.goto(f"{address}/concerns?ref={ref}")
    expect(page.get_by_text("Alone since noon.").first).to_be_visible()
