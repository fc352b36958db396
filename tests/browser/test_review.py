"""Confirming the protocol, and spot checks, as members of staff and the leadership see them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import click, drawn, look_through

pytestmark = pytest.mark.browser
_LINE = re.compile(r"(\d+) staff have not confirmed January 2021")


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], new_database: Callable[..., str], demonstration: str) -> str:
    return serve(new_database(copy_of=demonstration))


def count_missing(page: Page, address: str) -> int:
    """The number in the line on the Overview; it leads to the list of those who have not confirmed."""
    page.goto(address)
    look_through(page, "Senior Deputy Head")
    page.goto(f"{address}/overview")
    line = page.get_by_role("link", name=_LINE)
    words = _LINE.search(line.inner_text())
    assert words
    click(line)
    expect(page).to_have_url(re.compile("view=confirmations&show=missing"))
    drawn(page)
    expect(page.get_by_role("radio", name=f"Not confirmed {words[1]}")).to_be_checked()
    expect(page.locator("[data-testid='stDataFrame'] tbody tr")).to_have_count(int(words[1]))
    return int(words[1])


def test_staff_confirm_the_protocol_once_and_leave_the_list(page: Page, address: str) -> None:
    before = count_missing(page, address)
    look_through(page, "Music teacher")
    page.goto(address)
    button = page.get_by_role("button", name="I have read and understood it")
    expect(page.get_by_text("Please read the protocol “January 2021”.")).to_be_visible()
    click(page.get_by_role("link", name="Read the protocol"))
    expect(page.get_by_role("heading", name="The protocol")).to_be_visible()
    page.goto(address)
    click(button)
    expect(button).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Log a session")).to_be_visible()
    drawn(page)
    expect(button).to_have_count(0)
    assert count_missing(page, address) == before - 1


def test_a_spot_check_is_answered_and_another_explained(page: Page, address: str) -> None:
    page.goto(address)
    look_through(page, "Head of Year")
    page.goto(f"{address}/sessions")
    click(page.get_by_role("radio", name="Spot checks (1)"))
    expect(page.get_by_role("heading", name="Spot check", exact=True)).to_be_visible()
    click(page.get_by_role("button", name="To explain"))
    expect(page.get_by_text("Write in the note what is to be explained.")).to_be_visible()
    click(page.get_by_role("button", name="Reviewed: no issues"))
    expect(page.get_by_text("No sessions to review.")).to_be_visible()
    expect(page.get_by_role("radio", name="Spot checks (0)")).to_be_checked()

    look_through(page, "Tutor")
    page.goto(f"{address}/sessions?view=explain")
    card = page.get_by_test_id("stForm").last
    expect(page.get_by_text("Was it in the school's Teams?")).to_be_visible()
    card.get_by_role("textbox").fill("Yes, in the class team.")
    click(card.get_by_role("button", name="Send explanation"))
    expect(page.get_by_text("Was it in the school's Teams?")).to_have_count(0)

    look_through(page, "Head of Year")
    page.goto(f"{address}/sessions?view=spot-checks")
    expect(page.get_by_text("Yes, in the class team.")).to_be_attached()
