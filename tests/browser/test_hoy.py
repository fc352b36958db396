"""A Head of Year's morning: exceptions settled one after the other from the list, and seen by the member of staff."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.access.breaches import list_breaches_to_resolve
from app.access.forms import list_pupils_to_choose
from app.access.people import list_demo_people
from app.access.policy import Person
from app.demo.calendar import TENANT
from app.school import School, open_school
from app.sessions.breaches import explain_breaches, resolve_breaches
from app.vocabulary.terms import Resolution
from tests import people
from tests.browser.conftest import Hand, click, drawn, look_through
from tests.browser.test_way_through import heading

pytestmark = pytest.mark.browser
MOST_STEPS = 4  # of two breaches: for each a note and a click


@pytest.fixture
def school(new_database: Callable[..., str], demonstration: str) -> Iterator[School]:
    school = open_school(new_database(copy_of=demonstration))
    yield school
    school.engine.dispose()


def with_role(school: School, role: str) -> Person:
    return next(p for p in list_demo_people(school) if role in p.roles and "senior_deputy_head" not in p.roles)


def two_exceptions(school: School, hoy: Person, staff: Person, folder: Path) -> int:
    """All that the HOY has to settle: twice a member of staff left a pupil of theirs alone; once they say why. The
    number of the session that comes second."""
    for number in list_breaches_to_resolve(school, hoy)["session_id"]:
        resolve_breaches(school, hoy, int(number), Resolution.EXPLAINED, "Seen.")
    pupils = list_pupils_to_choose(school, hoy)
    mine = pupils[pupils["year_group"].isin(hoy.year_groups) & (pupils["school"] == hoy.school)]["email"]
    records = [
        people.call(
            f"alone-{n}",
            f"{school.now() - timedelta(hours=9 - 3 * n):%Y-%m-%dT%H:%M:%S}",
            {staff.email: (0, 20), mine.iloc[n]: (1, 29)},
            tenant=TENANT,
        )
        for n in range(2)
    ]
    assert people.import_as_its_own(school, people.calls(folder / "calls.json", *records)) == 2
    first, second = list_breaches_to_resolve(school, hoy)["session_id"]
    explain_breaches(school, staff, int(first), "The fire bell rang.")
    return int(second)


def test_a_hoy_resolves_two_sessions_and_the_member_of_staff_sees_it(
    page: Page, serve: Callable[..., str], school: School, tmp_path: Path
) -> None:
    hoy, staff = with_role(school, "hoy"), with_role(school, "slt")
    second = two_exceptions(school, hoy, staff, tmp_path)
    address = serve(school.engine.url.render_as_string(hide_password=False))
    page.goto(f"{address}/sessions")
    look_through(page, "Head of Year")
    click(page.get_by_test_id("stSidebar").get_by_role("link", name="Sessions", exact=True))
    heading(page, "Sessions")
    hand = Hand(page)

    expect(page.get_by_text("2 sessions to resolve")).to_be_visible()
    expect(page.get_by_text("The fire bell rang.")).to_be_visible()  # and so that is how it is settled
    note(hand, "Seen.")
    hand.click("button", "Explained")

    expect(page.get_by_text("One session to resolve")).to_be_visible()
    expect(page.get_by_text("The fire bell rang.")).to_have_count(0)
    expect(page.get_by_test_id("stForm")).to_have_count(1)  # the first one's is gone
    note(hand, "We agreed that pupils leave first.")
    hand.click("button", "Spoken with")

    expect(page.get_by_text("Nothing to resolve.")).to_be_visible()
    assert hand.steps <= MOST_STEPS
    assert list_breaches_to_resolve(school, hoy).empty

    page.goto(f"{address}/sessions?session={second}")
    look_through(page, "SLT")
    expect(page.get_by_text(re.compile("Spoken with"))).to_be_visible()
    expect(page.get_by_text("We agreed that pupils leave first.")).to_be_visible()


def note(hand: Hand, words: str) -> None:
    hand.steps += 1
    drawn(hand.page)
    hand.page.get_by_role("textbox", name="Note", exact=True).fill(words)
