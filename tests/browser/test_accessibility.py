"""WCAG 2.2 A and AA by axe-core: every page, dialog and menu, light and dark, on a desk, enlarged and on a phone."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect
from sqlalchemy import select

from app.access.concerns import list_concerns
from app.access.parents import list_consents
from app.access.people import list_demo_people
from app.school import open_school
from app.store import tables
from tests.browser.conftest import click, drawn, open_window

pytestmark = pytest.mark.browser

# What Streamlit itself draws, and no setting of ours reaches: rule and a piece of the element.
STREAMLITS_OWN = {
    ("target-size", 'role="spinbutton"')  # day, month and year of its date field are narrower than 24 pixels
}
Scheme = Literal["light", "dark"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
WIDTHS = (1920, 700, 420)  # a large desk, 1400 at 200 %, a phone


@dataclass(frozen=True)
class Place:
    """A page: to whom it is shown, its address, and words that show that it is drawn."""

    role: str
    path: str
    words: str


DEPUTY, HOY, DSP, TUTOR, ADMIN = "Senior Deputy Head", "Head of Year", "DSP", "Tutor", "ICT administrator"
CONCERN, CONSENT = (
    Place(DSP, "concerns?ref={concern}", "Concern about"),
    Place(DEPUTY, "parents?consent={consent}", "History"),
)
LETTERS_PAGE = Place(HOY, "parents?tab=Letters", "Letters")
PLACES = [
    Place(DEPUTY, "", "By clause"),
    Place(DEPUTY, "overview?list=breach", "Download this list"),
    Place(DEPUTY, "sessions?view=list", "Download this list"),
    Place(DEPUTY, "sessions?session={session}", "Attendance timeline"),
    Place(DEPUTY, "sessions?view=repeats", "Repeated one-to-ones"),
    Place(DEPUTY, "protocol", "Decided by"),
    Place(HOY, "sessions", "Unlogged calls by person"),
    Place(HOY, "sessions?view=resolve", "to resolve"),
    Place(HOY, "sessions?view=pupils", "Download this list"),
    Place(HOY, "sessions?pupil={pupil}", "Letters"),
    Place(HOY, "parents", "Outstanding consents"),
    LETTERS_PAGE,
    Place(HOY, "parents?ask=yes", "Save request"),
    CONSENT,
    Place(DSP, "concerns", "Concerns"),
    CONCERN,
    Place(TUTOR, "concerns?raise=yes", "Send to the DSP"),
    Place(TUTOR, "concerns?raise=conduct", "What worries you"),
    Place(TUTOR, "log", "Calls to log"),
    Place(TUTOR, "plan", "Plan a session"),
    Place(TUTOR, "administration", "You do not have access"),
    Place(ADMIN, "administration", "System status"),
    Place(ADMIN, "administration?tab=Import", "Drop files here"),
    Place(ADMIN, "administration?tab=Roster", "From Microsoft Entra"),
    Place(ADMIN, "administration?tab=Alerts", "The demonstration sends no email"),
    Place(ADMIN, "administration?tab=Audit", "Verify the audit trail"),
]
# Dialogs and menus, each with the page and the button that opens it.
OPENED = [
    (PLACES[0], "Filters"),
    (PLACES[0], "Export"),
    (PLACES[2], "Filters"),
    (PLACES[2], "Select by name"),
    (CONCERN, "Set the level"),
    (CONCERN, "Assign an action"),
    (CONCERN, "Close concern"),
    (CONCERN, "More"),
    (CONSENT, "Record the answer"),
    (CONSENT, "Correct a mistake"),
    (LETTERS_PAGE, "Mark"),
]


@pytest.fixture(scope="module")
def database(new_database: Callable[..., str], demonstration: str) -> str:
    return new_database(copy_of=demonstration)


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], database: str) -> str:
    return serve(database)


@pytest.fixture(scope="module")
def ids(database: str) -> dict[str, object]:
    """The numbers of records to put into addresses."""
    school = open_school(database)
    people = list_demo_people(school)
    dsp, deputy = (next(one for one in people if role in one.roles) for role in ("dsp", "senior_deputy_head"))
    consents = list_consents(school, deputy)
    broken = select(tables.breaches.c.session_id).where(tables.breaches.c.state == "open").limit(1)
    year_9 = select(tables.pupil_versions.c.pupil_id).where(tables.pupil_versions.c.year_group == "9").limit(1)
    with school.engine.connect() as connection:
        found: dict[str, object] = {
            "session": connection.scalar(broken),
            "concern": list_concerns(school, dsp)["ref"].iloc[0],  # open ones come first
            "consent": int(consents.loc[consents["state"] == "asked", "consent_id"].iloc[0]),
            "pupil": connection.scalar(year_9),
        }
    school.engine.dispose()
    return found


@pytest.fixture
def open_place(
    view_as: Callable[[str], Page], address: str, ids: dict[str, object]
) -> Iterator[Callable[[Place], Page]]:
    """Opens a page in light colours on a desk. The console must have said nothing in the end."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(message.text)

    pages: list[Page] = []

    def opened(place: Place) -> Page:
        page = view_as(place.role)
        page.on("console", listen)
        pages.append(page)
        page.set_viewport_size({"width": 1400, "height": 1000})
        page.emulate_media(color_scheme="light")
        page.goto(f"{address}/{place.path.format_map(ids)}")
        expect(page.get_by_test_id("stMain").get_by_text(re.compile(place.words)).first).to_be_visible()
        drawn(page)
        return page

    yield opened
    for page in pages:
        page.remove_listener("console", listen)
    assert not said


# Words that do not fit into their box and are hidden. Lists scroll, and hold their cells for those who cannot see them.
CUT_OFF = """() => [...document.querySelectorAll("[data-testid=stMain] *")].filter(one =>
  one.clientWidth && one.scrollWidth > one.clientWidth + 1 && !one.children.length && one.textContent.trim() &&
  getComputedStyle(one).overflowX !== "visible" && !one.closest("[data-testid=stDataFrame]")
).map(one => one.textContent)"""
SCROLLS = "document.querySelector('[data-testid=stMain]').scrollWidth"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.role} {place.path}")
def test_a_page_is_accessible_and_fits(open_place: Callable[[Place], Page], place: Place) -> None:
    """WCAG 1.4.4 and 1.4.10 too: at 200 % and on a phone one scrolls downwards alone."""
    page = open_place(place)
    found = find_violations(page, "light") | find_violations(page, "dark")
    cut = page.evaluate(CUT_OFF)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_function(f"{SCROLLS} <= {width}")
        drawn(page)
        cut += page.evaluate(CUT_OFF)
    found |= find_violations(page, "dark")
    assert not found
    assert not cut


@pytest.mark.parametrize(("place", "button"), OPENED, ids=lambda what: what if isinstance(what, str) else what.path)
def test_a_dialog_or_menu_is_accessible(open_place: Callable[[Place], Page], place: Place, button: str) -> None:
    page = open_place(place)
    click(page.get_by_test_id("stMain").get_by_role("button", name=re.compile(f"^{button}")).first)
    shown = page.get_by_role("dialog").or_(page.get_by_role("menu")).or_(page.get_by_test_id("stPopoverBody"))
    expect(shown.first).to_be_visible()
    assert not find_violations(page, "light") | find_violations(page, "dark")
    page.keyboard.press("Escape")
    expect(shown).to_have_count(0)


def find_violations(page: Page, scheme: Scheme) -> dict[tuple[str, ...], str]:
    """What axe finds on a page that is shown."""
    page.emulate_media(color_scheme=scheme)
    expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
    drawn(page)
    return {
        (scheme, violation["id"], node["html"][:200]): node.get("failureSummary", "")
        for violation in Axe().run(page, options=RULES).response["violations"]
        for node in violation["nodes"]
        if not any(violation["id"] == rule and piece in node["html"] for rule, piece in STREAMLITS_OWN)
    }


LETTERS = b"pupil_email,kind,sent_on\n%b,introduction,2026-09-01\n%b,one_to_one,tomorrow\n%b,Welcome,2026-09-01\n"
PEOPLE = b"Mail,Surname,Forename,Year\na@x.example,Pugh,Ann,9\n"


def test_no_step_of_an_import_has_an_accessibility_violation(
    open_place: Callable[[Place], Page], database: str
) -> None:
    school = open_school(database)
    with school.engine.connect() as connection:
        pupil = str(connection.scalar(select(tables.pupils.c.email).limit(1))).encode()
    school.engine.dispose()
    screen = open_place(Place(ADMIN, "administration?tab=Import", "Drop files here"))
    found: dict[tuple[str, ...], str] = {}
    schemes: tuple[Scheme, ...] = ("light", "dark")

    def look(step: str, words: str) -> None:
        expect(screen.get_by_text(words).first).to_be_visible()
        for scheme in schemes:
            found.update({(step, *what): why for what, why in find_violations(screen, scheme).items()})

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


@pytest.fixture
def keys(browser: Browser) -> Iterator[Page]:
    """A window at 200 % zoom: 1400 pixels wide, of which the page has half."""
    page = open_window(browser, 700, 500, device_scale_factor=2)
    yield page
    page.context.close()


# Whether a control, or what it is part of, has the focus.
MAIN_HAS_FOCUS = "document.activeElement.closest('[data-testid=stMain]') !== null"
HAS_FOCUS = "e => e.closest('a, button, input, summary, [role]') === document.activeElement"


def tab_to(page: Page, control: Locator) -> None:
    """Go by the Tab key to a control, once the page is drawn; a list that opens while it scrolls there closes again."""
    drawn(page)
    for _ in range(120):
        page.keyboard.press("Tab")
        if control.evaluate(HAS_FOCUS):
            return drawn(page)
    raise AssertionError(f"The Tab key does not come to {control}.")


def test_a_call_is_logged_by_keyboard_alone(keys: Page, address: str) -> None:
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
    expect(keys.get_by_role("button", name="Save log")).to_have_count(0)
    drawn(keys)
    assert keys.evaluate(MAIN_HAS_FOCUS)  # though the button that was pressed is gone
