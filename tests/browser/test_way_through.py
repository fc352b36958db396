"""The whole way through the program, as its people go it."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from sqlalchemy import select

from app.access.overview import get_overview
from app.access.people import list_demo_people
from app.reports import figures
from app.reports.periods import list_report_periods
from app.school import open_school
from app.store import tables
from tests import people
from tests.browser.conftest import Hand, click, look_through

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def database(new_database: Callable[..., str], demonstration: str) -> str:
    """The address of the demonstration's database."""
    return new_database(copy_of=demonstration)


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], database: str) -> str:
    return serve(database)


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", name=words, exact=True).first).to_be_visible()


def test_only_cells_of_few_sessions_are_grey(page: Page, address: str, database: str) -> None:
    school = open_school(database)
    leader = next(one for one in list_demo_people(school) if "senior_deputy_head" in one.roles)
    today = school.today()
    term = school.settings.term_on(today)
    days = (term.from_, min(term.to, today)) if term else (today - timedelta(days=29), today)
    cells = figures.compute_rates(
        figures.add_band_and_week(get_overview(school, leader, days)), ["department", "band"], figures.SESSIONS
    )
    page.goto(address)
    boxes = page.get_by_test_id("stVegaLiteChart").first.locator(".mark-rect.role-mark path")
    expect(boxes).to_have_count(len(cells))
    colours = boxes.evaluate_all("found => found.map(one => one.getAttribute('fill'))")
    assert 0 < colours.count("#e3e8ed") == cells["rate"].isna().sum() < len(cells)


def send(page: Page) -> str:
    """Send a concern that is filled in to the DSP; its reference."""
    click(page.get_by_role("button", name="Send to the DSP"))
    received = page.get_by_text(re.compile("Received. The reference is C-"))
    expect(received).to_be_visible()
    found = re.search(r"C-\w+", received.inner_text())
    assert found
    return found.group()


def go_from_a_cell_to_its_reasons(page: Page) -> None:
    """A cell of the heat map leads to its sessions, a session to its reasons."""
    chart, hand = page.get_by_test_id("stVegaLiteChart").first, Hand(page)
    expect(chart.get_by_text("Modern Languages").first).to_be_visible()
    hand.click_at(chart.locator(".mark-rect.role-mark path").last, 0.2, 0.2)
    expect(page.get_by_role("heading", name=re.compile("from [0-9]{2}:00"))).to_be_visible()
    rows = page.get_by_test_id("stDataFrame").locator("visible=true").first
    expect(rows).to_be_visible()
    hand.click_at(rows, 60, 55)
    heading(page, "By clause")
    heading(page, "Attendance timeline")
    expect(page).to_have_url(re.compile("/sessions.*session="))
    assert hand.steps == 2


def log_a_call(page: Page) -> None:
    """A member of staff logs a call and sees it judged."""
    click(page.get_by_test_id("stSidebar").get_by_text("Log a session"))
    heading(page, "Log a session")
    click(page.get_by_role("button", name="Log this call").first)
    expect(page.get_by_test_id("stMultiSelect").get_by_text("year").first).to_be_visible()
    click(page.get_by_role("button", name="No issues"))
    expect(page.get_by_role("button", name="Save log")).to_be_enabled()
    click(page.get_by_role("button", name="Save log"))
    expect(page.get_by_text("Logged.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"All \d+ checks met|\d+ checks?: "))).to_be_visible()


def raise_from_the_menu(page: Page) -> str:
    """Raise a concern about any child; its reference."""
    click(page.get_by_test_id("stSidebar").get_by_text("I'm worried about a child"))
    heading(page, "I'm worried about a child")
    click(page.get_by_role("combobox", name="Which child?"))
    click(page.get_by_role("option").first)
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="What worries you?").fill("Cried and would not say why.")
    click(page.get_by_role("combobox", name="Categories (up to three)"))
    click(page.get_by_role("option", name="Distress"))
    page.keyboard.press("Escape")
    click(page.get_by_text("Not yet", exact=True))
    return send(page)


def test_from_the_overview_to_a_concern(page: Page, address: str) -> None:
    page.goto(address)
    heading(page, "Overview")
    expect(page.get_by_text("Nobody here is real")).to_be_visible()
    go_from_a_cell_to_its_reasons(page)
    look_through(page, "Tutor")
    log_a_call(page)
    ref = raise_from_the_menu(page)

    # The Senior Deputy Head has it.
    look_through(page, "Senior Deputy Head")
    click(page.get_by_test_id("stSidebar").get_by_role("link", name="Concerns"))
    page.goto(f"{address}/concerns?ref={ref}")
    expect(page.get_by_text(ref).first).to_be_visible()
    expect(page.get_by_test_id("stText").get_by_text("Cried and would not say why.")).to_be_visible()


def test_the_deputy_reads_what_needs_attention_and_downloads_the_report(
    page: Page, address: str, database: str
) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("unlogged call"))).to_be_visible()
    shares = page.get_by_test_id("stMetricValue")
    expect(shares).to_have_count(4)

    hand = Hand(page)
    hand.click("button", "Export")
    with page.expect_download() as taken:
        hand.click("button", "Governors' report (PDF)")
    assert hand.steps == 2
    file = Path(taken.value.path()).read_bytes()

    assert file.startswith(b"%PDF")
    assert taken.value.suggested_filename.endswith(".pdf")
    pages = PdfReader(BytesIO(file)).pages
    words = " ".join(" ".join(sheet.extract_text() for sheet in pages).split())
    assert 2 <= len(pages) <= 4
    school = open_school(database)
    assert school.settings.name in words
    first, last = next(iter(list_report_periods(school.settings, school.today())))
    assert f"{first} to {last}" in taken.value.suggested_filename
    with school.engine.connect() as connection:
        names = [*connection.scalars(select(tables.staff_versions.c.name))]
        names += connection.scalars(select(tables.pupil_versions.c.name))
        trail = connection.scalars(select(tables.audit.c.subject).where(tables.audit.c.action == "exported")).all()
    assert len(names) > 100
    assert [name for name in names if name in words] == []
    assert taken.value.suggested_filename in trail


@pytest.mark.parametrize(
    "name", ["", "overview", "sessions", "log", "plan", "concerns", "parents", "protocol", "administration"]
)
def test_a_real_school_shows_nothing_before_sign_in(
    page: Page, serve: Callable[..., str], peopled_database: Callable[[], str], name: str
) -> None:
    """Each page by its address, on a server that nobody has opened before."""
    page.goto(f"{serve(peopled_database())}/{name}")
    heading(page, "Not set up yet")
    expect(page.get_by_text("redirect_uri")).to_be_visible()
    words = page.locator("body").inner_text()
    assert not [who for who, *_ in people.PUPILS.values() if who in words]
    for hidden in ("Overview", "Sessions", "Log a session", "Concerns", "Administration"):
        assert hidden not in words
    assert not page.get_by_test_id("stDataFrame").count()
