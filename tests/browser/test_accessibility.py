"""WCAG 2.2 A and AA by axe-core: every page, light and dark, on a desk and on a phone."""

import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from app.school import open_school
from app.store import tables
from tests.browser.conftest import click, drawn, look_through

pytestmark = pytest.mark.browser

# What Streamlit itself draws, and no setting of ours reaches: rule and a piece of the element.
STREAMLITS_OWN = {
    ("target-size", 'role="spinbutton"')  # day, month and year of its date field are narrower than 24 pixels
}
SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture(scope="module")
def database(new_database: Callable[..., str], demonstration: str) -> str:
    return new_database(copy_of=demonstration)


@pytest.fixture(scope="module")
def served(serve: Callable[..., str], database: str) -> tuple[str, list[tuple[str, str]]]:
    """The program's address; and its pages, each with the words that show it is drawn."""
    school = open_school(database)
    with school.engine.connect() as connection:
        broken = select(tables.breaches.c.session_id).where(tables.breaches.c.state == "open").limit(1)
        session, concern = connection.scalar(broken), connection.scalar(select(tables.concerns.c.ref).limit(1))
        consent = connection.scalar(select(tables.consents.c.id).order_by(tables.consents.c.id.desc()))
    pages = [
        ("", "By clause"),
        ("sessions?show=all", "Download this list"),
        (f"sessions?session={session}", "Attendance timeline"),
        ("concerns", "Concerns"),
        ("concerns?raise=yes", "Send to the DSP"),
        (f"concerns?ref={concern}", "Concern about"),
        ("parents", "Outstanding consents"),
        ("parents?ask=yes", "Save request"),
        (f"parents?consent={consent}", "History"),
        ("protocol", "Decided by"),
        ("log", "Log a session"),
        ("plan", "Plan a session"),
        ("administration", "System status"),
        ("administration?tab=Import", "Drop the files here"),
        ("administration?tab=Roster", "From Microsoft Entra"),
        ("administration?tab=Alerts", "The demonstration sends no email"),
        ("administration?tab=Audit", "Verify the audit trail"),
    ]
    return serve(database), pages


@pytest.fixture(params=[1400, pytest.param(420, marks=pytest.mark.slow)], ids=["desk", "phone"])
def screen(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 1000}, color_scheme="light")
    yield context.new_page()
    context.close()


def test_no_page_has_an_accessibility_violation(screen: Page, served: tuple[str, list[tuple[str, str]]]) -> None:
    address, pages = served
    found: dict[tuple[str, ...], str] = {}
    for page, words in pages:
        screen.emulate_media(color_scheme="light")
        screen.goto(f"{address}/{page}")
        if page.startswith("administration"):
            as_administrator(screen)
        expect(screen.get_by_text(re.compile(words)).first).to_be_visible()
        expect(screen.get_by_test_id("stSkeleton")).to_have_count(0)
        found |= find_violations(screen, page)
    assert not found


def find_violations(screen: Page, name: str) -> dict[tuple[str, ...], str]:
    """What axe finds on a page that is shown, in both schemes."""
    found: dict[tuple[str, ...], str] = {}
    for scheme in SCHEMES:
        screen.emulate_media(color_scheme=scheme)
        expect(screen.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        drawn(screen)
        for violation in Axe().run(screen, options=RULES).response["violations"]:
            for node in violation["nodes"]:
                if not any(violation["id"] == rule and piece in node["html"] for rule, piece in STREAMLITS_OWN):
                    found[name, scheme, violation["id"], node["html"][:200]] = node.get("failureSummary", "")
    return found


LETTERS = b"pupil_email,kind,sent_on\n%b,introduction,2026-09-01\n%b,one_to_one,tomorrow\n%b,Welcome,2026-09-01\n"
PEOPLE = b"Mail,Surname,Forename,Year\na@x.example,Pugh,Ann,9\n"


def test_no_step_of_an_import_has_an_accessibility_violation(
    screen: Page, served: tuple[str, list[tuple[str, str]]], database: str
) -> None:
    school = open_school(database)
    with school.engine.connect() as connection:
        pupil = str(connection.scalar(select(tables.pupils.c.email).limit(1))).encode()
    school.engine.dispose()
    screen.goto(f"{served[0]}/administration?tab=Import")
    as_administrator(screen)
    found: dict[tuple[str, ...], str] = {}

    def look(step: str, words: str) -> None:
        expect(screen.get_by_text(words).first).to_be_visible()
        found.update(find_violations(screen, step))

    def drop(name: str, content: bytes) -> None:
        drawn(screen)
        file = screen.get_by_test_id("stFileUploaderDropzoneInput").first
        file.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})

    drop("web page.xls", b"<html><body><table><tr><td>Ann</td></tr></table></body></html>")
    look("a file that cannot be read", "The file cannot be read.")
    click(screen.get_by_role("button", name="Remove web page.xls"))
    drop("people.csv", PEOPLE)
    look("columns to choose", "Choose the heading for")
    click(screen.get_by_role("button", name="Remove people.csv"))
    drop("letters.csv", LETTERS % (pupil, pupil, pupil))
    look("what would change", "What would change")
    click(screen.get_by_role("button", name="Import", exact=True))
    look("imported", "Imported.")
    click(screen.get_by_role("button", name="Undo"))
    look("a question before undoing", "This undoes everything")
    click(screen.get_by_role("button", name="Undo this import"))
    look("undone", "was undone")
    assert not found


def test_no_dialog_or_menu_of_a_concern_has_an_accessibility_violation(
    screen: Page, served: tuple[str, list[tuple[str, str]]]
) -> None:
    address, pages = served
    (concern,) = (page for page, _ in pages if page.startswith("concerns?ref="))
    screen.goto(f"{address}/{concern}")
    found: dict[tuple[str, ...], str] = {}
    for step in ("Set the level", "Assign an action", "Close it"):
        click(screen.get_by_role("button", name=step))
        expect(screen.get_by_role("dialog")).to_be_visible()
        found |= find_violations(screen, step)
        click(screen.get_by_role("button", name="Cancel"))
        expect(screen.get_by_role("dialog")).to_have_count(0)
    click(screen.get_by_role("button", name="More"))
    expect(screen.get_by_role("menuitem").first).to_be_visible()
    found |= find_violations(screen, "More")
    assert not found


def as_administrator(page: Page) -> None:
    """View the program as the administrator, as on a desk: on a phone the bar at the side is folded away."""
    size = page.viewport_size
    assert size
    page.set_viewport_size({"width": 1400, "height": size["height"]})
    look_through(page, "ICT")
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    page.set_viewport_size(size)


WIDTH = "document.querySelector('[data-testid=stMain]').scrollWidth"


@pytest.fixture
def keys(browser: Browser) -> Iterator[Page]:
    """A window at 200 % zoom: 1400 pixels wide, of which the page has half."""
    context = browser.new_context(viewport={"width": 700, "height": 500}, device_scale_factor=2, locale="en-GB")
    yield context.new_page()
    context.close()


# Whether a control, or what it is part of, has the focus.
HAS_FOCUS = "e => e.closest('a, button, input, summary, [role]') === document.activeElement"


def tab_to(page: Page, control: Locator) -> None:
    """Go by the Tab key to a control, once the page is drawn; a list that opens while it scrolls there closes again."""
    drawn(page)
    for _ in range(120):
        page.keyboard.press("Tab")
        if control.evaluate(HAS_FOCUS):
            return drawn(page)
    raise AssertionError(f"The Tab key does not come to {control}.")


def test_a_call_is_logged_by_keyboard_alone(keys: Page, served: tuple[str, list[tuple[str, str]]]) -> None:
    address, _ = served
    keys.goto(f"{address}/log")
    expect(keys.get_by_role("heading", name="Log a session")).to_be_visible()
    tab_to(keys, keys.get_by_text("View as…"))
    keys.keyboard.press("Enter")
    expect(keys.get_by_role("button", name="Tutor")).to_be_visible()
    tab_to(keys, keys.get_by_role("button", name="Tutor"))
    keys.keyboard.press("Enter")
    expect(keys.get_by_role("button", name="Log this call").first).to_be_visible()
    tab_to(keys, keys.get_by_role("button", name="Log this call").first)
    keys.keyboard.press("Enter")
    expect(keys.get_by_test_id("stMultiSelect").get_by_text("year").first).to_be_visible()
    expect(keys.get_by_role("button", name="No issues").first).to_be_visible()
    tab_to(keys, keys.get_by_role("button", name="No issues").first)
    keys.keyboard.press("Enter")
    expect(keys.get_by_role("button", name="Save log")).to_be_enabled()
    tab_to(keys, keys.get_by_role("button", name="Save log"))
    keys.keyboard.press("Enter")
    expect(keys.get_by_text("Logged.")).to_be_visible()


def test_no_page_overflows_when_enlarged_or_on_a_phone(page: Page, served: tuple[str, list[tuple[str, str]]]) -> None:
    """WCAG 1.4.4 and 1.4.10: at 200 % (700 of 1400 pixels) and on a phone one scrolls downwards alone."""
    address, pages = served
    for name, words in pages:
        if not name.startswith("administration"):
            page.set_viewport_size({"width": 700, "height": 900})
            page.goto(f"{address}/{name}")
            expect(page.get_by_text(re.compile(words)).first).to_be_visible()
            assert page.evaluate(WIDTH) <= 700, name
            page.set_viewport_size({"width": 420, "height": 900})
            page.wait_for_function(f"{WIDTH} <= 420")
