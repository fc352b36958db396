"""Confirming the protocol, as a member of staff and the Senior Deputy Head see it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import click, drawn, look_through

pytestmark = pytest.mark.browser
_LINE = re.compile(r"^(\d+) staff have not confirmed January 2021")


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], new_database: Callable[..., str], demonstration: str) -> str:
    return serve(new_database(copy_of=demonstration))


def count_missing(page: Page, address: str) -> int:
    """The number in the line on the Overview; it leads to the list of those who have not confirmed."""
    page.goto(address)
    look_through(page, "Senior Deputy Head")
    page.goto(f"{address}/overview")
    line = page.get_by_role("link", name=_LINE)
    words = _LINE.match(line.inner_text())
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
