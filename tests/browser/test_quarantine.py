"""A Head of Year enters a pupil's quarantine on the pupil's page, and ends it early."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from app.access.people import list_demo_people
from app.access.pupils import list_pupils
from app.access.remote_pupils import list_remote_learning
from app.school import School, open_school
from tests.browser.conftest import Hand, drawn, look_through

pytestmark = pytest.mark.browser
MOST_CLICKS = 2  # from the pupil's page; the days are today's


@pytest.fixture
def school(new_database: Callable[..., str], demonstration: str) -> Iterator[School]:
    school = open_school(new_database(copy_of=demonstration))
    yield school
    school.engine.dispose()


def test_a_hoy_enters_a_pupils_quarantine_in_two_clicks_and_ends_it(
    page: Page, serve: Callable[..., str], school: School
) -> None:
    hoy = next(p for p in list_demo_people(school) if "hoy" in p.roles and "senior_deputy_head" not in p.roles)
    pupil = list_pupils(school, hoy).iloc[0]
    address = serve(school.engine.url.render_as_string(hide_password=False))
    page.goto(f"{address}/sessions?pupil={pupil['pupil_id']}")
    look_through(page, "Head of Year")
    page.goto(f"{address}/sessions?pupil={pupil['pupil_id']}")
    drawn(page)
    hand = Hand(page)
    hand.click("button", "Remote learning…")
    reason = page.get_by_label("Reason")
    reason.fill("Quarantine")
    reason.press("Tab")
    drawn(page)
    hand.click("button", "Enter")
    expect(page.get_by_text("Remote learning entered.")).to_be_visible()
    assert hand.steps <= MOST_CLICKS
    (row,) = list_remote_learning(school, hoy).itertuples()
    assert (row.pupil, row.reason, row.is_in_force) == (pupil["name"], "Quarantine", True)
    assert row.from_day.date() == row.to_day.date() == school.today()

    hand.click("button", "End early…")
    hand.click("button", "End")
    expect(page.get_by_text("Remote learning ended.")).to_be_visible()
    expect(page.get_by_role("button", name="End early…")).to_have_count(0)
    assert not list_remote_learning(school, hoy)["is_in_force"].any()
