"""From a school's own export to a working dashboard, counted step by step as docs/import.md describes it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from app.intake.files import import_table
from app.school import open_school
from app.settings import ROOT, load_settings
from app.store import tables
from tests.browser.conftest import click, drawn, free_port, look_through
from tests.browser.exports import INFANTS, export_pupils, export_staff
from tests.clock import REAL

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
ADMIN = ("staff.csv", b"email,name,school,department,roles\nadmin@habs.example,Ida Tech,SEN,ICT,admin\n")
SCHOOLS = (
    "schools.csv",
    b"code,name,senior,email_domain\nSEN,Habs Monmouth,yes,habs.example\nPREP,Habs Monmouth Prep,no,habs.example\n",
)
Files = dict[str, bytes]


def _user(name: str) -> User:
    address = f"{name}@habs.example"
    tenant = load_settings().tenant_id
    return User(sub=name, claims={"tid": tenant, "preferred_username": address, "email": address})


@pytest.fixture
def address(serve: Callable[..., str], new_database: Callable[..., str], tmp_path: Path) -> Iterator[str]:
    """The program of a school that ICT has set up: two schools, one administrator."""
    url = new_database()
    school = open_school(url)
    for kind, file in (("schools", SCHOOLS), ("staff", ADMIN)):
        import_table(school, kind, file)
    school.engine.dispose()
    with run_server_in_thread(user_claims=[_user("admin"), _user("staff0")]) as provider:
        port = free_port()
        secrets = tmp_path / ".streamlit" / "secrets.toml"
        secrets.parent.mkdir()
        secrets.write_text(
            f"""
            [auth]
            redirect_uri = "http://localhost:{port}/oauth2callback"
            cookie_secret = "a long and random word for this test alone"
            client_id = "protocol"
            client_secret = "secret"
            server_metadata_url = "http://localhost:{provider.server_port}/.well-known/openid-configuration"
            """,
            encoding="utf-8",
        )
        yield serve(url, port=port, folder=tmp_path, **REAL)


class Steps:
    """What somebody does, counted: a click, a choice from a list, or files that are dropped."""

    def __init__(self, page: Page) -> None:
        self.page, self.number = page, 0

    def click(self, control: Locator) -> None:
        self.number += 1
        click(control)

    def choose(self, label: str, value: str) -> None:
        """Choose a value from a list."""
        self.number += 1
        box = self.page.get_by_role("combobox", name=label)
        click(box)
        box.fill(value)
        self.page.get_by_role("option", name=value, exact=True).click()
        drawn(self.page)

    def drop(self, files: Files) -> None:
        """Drop files at once."""
        self.number += 1
        drawn(self.page)
        dropped = [
            {"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files.items()
        ]
        self.page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(dropped)  # type: ignore[arg-type]
        expect(self.page.get_by_role("heading", name="What would change")).to_be_visible()


def _sign_in(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_url(f"{address}/**")


def _count_steps(heading: str) -> int:
    """The number of steps that docs/import.md lists under a heading."""
    words = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    section = words.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return len(re.findall(r"^\d+\. ", section, re.MULTILINE))


@pytest.mark.slow
def test_an_export_becomes_a_dashboard_in_few_steps_and_the_next_one_in_two(
    window: Callable[..., Page], address: str
) -> None:
    page = window()
    _sign_in(page, address, "admin")
    steps = Steps(page)
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()  # an administrator's first page
    steps.click(page.get_by_test_id("stSidebar").get_by_role("link", name="Administration"))
    steps.click(page.get_by_role("tab", name="Import"))
    steps.drop({"pupils.xlsx": export_pupils(), "staff.xlsx": export_staff()})
    steps.choose("Senior (600 rows)", "Habs Monmouth")
    steps.choose("Senior (60 rows)", "Habs Monmouth")
    steps.choose("Head of Lower School (1 row)", "Head of Year")
    steps.click(page.get_by_text("Leave the cell blank for all other words"))
    expect(page.get_by_text(f"600 new, {INFANTS} rejected")).to_be_visible()
    expect(page.get_by_text("60 new")).to_be_visible()
    steps.click(page.get_by_role("button", name="Import", exact=True))
    expect(page.get_by_text("Imported.")).to_be_visible()
    assert steps.number == _count_steps("From an export of iSAMS to the dashboard") <= 10

    click(page.get_by_role("button", name="Import more"))
    next_year = Steps(page)
    next_year.drop({"pupils.xlsx": export_pupils(620, left=100, years_later=1), "staff.xlsx": export_staff(left=2)})
    expect(page.get_by_text(f"20 new, 500 changed, 100 leaving, {INFANTS} rejected")).to_be_visible()
    next_year.click(page.get_by_role("button", name="Import, and mark 2 staff and 100 pupils as having left"))
    expect(page.get_by_text("Imported.")).to_be_visible()
    assert next_year.number == _count_steps("The next September") == 2
    click(page.get_by_role("button", name="Undo"))
    click(page.get_by_role("button", name="Undo this import"))
    expect(page.get_by_text("was undone")).to_be_visible()

    leader = window()
    _sign_in(leader, address, "staff0")
    expect(leader.get_by_role("heading", name="Overview")).to_be_visible()


def test_a_rejected_row_is_corrected_in_the_table(
    page: Page, serve: Callable[..., str], new_database: Callable[..., str], demonstration: str
) -> None:
    database = new_database(copy_of=demonstration)
    school = open_school(database)
    with school.engine.connect() as connection:
        pupil = connection.scalar(select(tables.pupils.c.email).limit(1))
    school.engine.dispose()
    page.goto(f"{serve(database)}/administration?tab=Import")
    look_through(page, "ICT")
    rows = f"pupil_email,kind,sent_on\n{pupil},introduction,2026-09-01\n{pupil},one_to_one,tomorrow\n"
    Steps(page).drop({"letters.csv": rows.encode()})
    expect(page.get_by_text("1 new, 1 rejected")).to_be_visible()
    drawn(page)
    page.get_by_test_id("stDataFrame").last.click(position={"x": 150, "y": 52})  # what is wrong
    for _ in ("address", "kind", "day"):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator("textarea.gdg-input").fill("2026-09-02")
    page.keyboard.press("Enter")
    click(page.get_by_role("button", name="Check again"))
    expect(page.get_by_text("2 new", exact=True)).to_be_visible()
    click(page.get_by_role("button", name="Import", exact=True))
    expect(page.get_by_text("Imported.")).to_be_visible()
