"""The Overview, the menus of charts, and the frame."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import click, drawn, look_through
from tests.browser.test_way_through import heading

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], new_database: Callable[..., str], demonstration: str) -> str:
    return serve(new_database(copy_of=demonstration))


def test_the_first_screen_answers(page: Page, address: str) -> None:
    """Without scrolling at 1400 by 1000, once the panel of the first visit is closed."""
    page.goto(f"{address}/overview")
    click(page.get_by_role("button", name="Close", exact=True))
    expect(page.get_by_text("Your pages")).to_have_count(0)
    expect(page.get_by_role("link", name=re.compile("due for review"))).to_be_visible()
    drawn(page)
    controls = [page.get_by_test_id("stMain").get_by_role("button", name=name) for name in ("Filters", "Export")]
    ends = [control.bounding_box() for control in (page.get_by_role("radio", name="Checks"), *controls)]
    assert all(box and box["y"] < 160 for box in ends)
    chart = page.get_by_test_id("stVegaLiteChart").first
    for last in (chart, page.get_by_role("link", name=re.compile("due for review"))):
        box = last.bounding_box()
        assert box
        assert box["y"] + box["height"] <= 1000
    hours = chart.locator(".role-axis-label").first.locator("text")
    assert {"08", "12", "16"} <= set(hours.all_text_contents())


def test_the_panel_of_the_first_visit_is_closed_once(page: Page, address: str) -> None:
    page.goto(f"{address}/sessions")
    look_through(page, "Head of House")
    expect(page.get_by_text("Your pages")).to_be_visible()
    click(page.get_by_role("button", name="Close", exact=True))
    expect(page.get_by_text("Your pages")).to_have_count(0)
    page.goto(f"{address}/sessions")
    look_through(page, "Head of House")
    heading(page, "Sessions")
    drawn(page)
    expect(page.get_by_text("Your pages")).to_have_count(0)


def test_the_first_page_of_a_hoy_lists_who_has_not_logged(page: Page, address: str) -> None:
    page.goto(address)
    look_through(page, "Head of Year")
    expect(page.get_by_role("heading", name="Unlogged calls by person")).to_be_in_viewport()


def test_no_chart_hands_out_its_rows(page: Page, address: str) -> None:
    page.goto(f"{address}/overview")
    chart = page.get_by_test_id("stVegaLiteChart").first
    expect(chart.locator(".mark-rect.role-mark path").first).to_be_visible()
    drawn(page)
    chart.hover()
    shown = page.get_by_test_id("stElementToolbarButton").locator("visible=true")
    expect(shown.first).to_be_visible()
    names = [button.get_by_role("button").get_attribute("aria-label") or "" for button in shown.all()]
    assert {name.split(":")[0] for name in names} == {"Fullscreen"}


def test_clause_bars_are_in_order_after_a_filter(page: Page, address: str) -> None:
    page.goto(f"{address}/overview")
    chart = page.get_by_test_id("stVegaLiteChart").last
    expect(chart.get_by_text("Cameras on")).to_be_visible()
    for query in ("", "?purpose=music"):
        if query:
            click(page.get_by_role("button", name=re.compile("Filters")))
            click(page.get_by_role("combobox", name="Purpose"))
            click(page.get_by_role("option", name=re.compile("Music")))
            expect(page).to_have_url(re.compile("purpose=music"))
        drawn(page)
        places = chart.locator(".mark-text text").evaluate_all(
            "all => all.map(one => [one.getBoundingClientRect().y, one.textContent])"
        )
        shares = [float(text.split("%")[0]) for _, text in sorted(places) if "%" in text]
        assert len(shares) > 5
        assert shares == sorted(shares)


def test_back_leads_from_a_list_to_the_overview(page: Page, address: str) -> None:
    page.goto(f"{address}/overview?days=last-term")
    click(page.get_by_role("link", name=re.compile("with a breach")).first)
    heading(page, "Sessions with a breach")
    expect(page).to_have_url(re.compile("days=last-term"))
    page.go_back()
    heading(page, "Overview")
    drawn(page)
    expect(page.get_by_role("radio", name="Last term")).to_be_checked()


def test_a_worry_about_a_child_is_in_reach_on_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(f"{address}/overview")
    heading(page, "Overview")
    click(page.get_by_test_id("stMain").get_by_role("link", name="I'm worried about a child"))
    heading(page, "I'm worried about a child")


def test_the_menu_leaves_out_what_somebody_has_no_use_for(page: Page, address: str) -> None:
    page.goto(f"{address}/overview")
    side = page.get_by_test_id("stSidebar")
    look_through(page, "ICT administrator")
    expect(side.get_by_role("link", name="Administration")).to_be_visible()
    for unused in ("Log a session", "Plan a session", "Overview"):
        expect(side.get_by_role("link", name=unused)).to_have_count(0)
