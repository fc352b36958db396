"""From a school's own export to a working dashboard, counted step by step as docs/import.md describes it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import Locator, Page, expect

from app.intake.files import import_table
from app.school import open_school
from app.settings import load_settings
from tests.browser.conftest import click, drawn, free_port
from tests.browser.exports import export_pupils, export_staff
from tests.clock import REAL

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
ADMIN = ("staff.csv", b"email,name,school,department,roles\nadmin@habs.example,Ida Tech,SEN,ICT,admin\n")
SCHOOL = ("schools.csv", b"code,name,senior,email_domain\nSEN,Habs Monmouth,yes,habs.example\n")
Files = dict[str, bytes]


def _user(name: str) -> User:
    address = f"{name}@habs.example"
    tenant = load_settings().tenant_id
    return User(sub=name, claims={"tid": tenant, "preferred_username": address, "email": address})


@pytest.fixture
def address(serve: Callable[..., str], new_database: Callable[..., str], tmp_path: Path) -> Iterator[str]:
    """The program of a school that ICT has set up: one school, one administrator."""
    url = new_database()
    school = open_school(url)
    for kind, file in (("schools", SCHOOL), ("staff", ADMIN)):
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
    """What somebody does, counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.number = page, 0

    def click(self, control: Locator) -> None:
        self.number += 1
        click(control)

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


@pytest.mark.slow
def test_an_export_becomes_a_dashboard_in_few_steps_and_the_next_one_in_two(page: Page, address: str) -> None:
    _sign_in(page, address, "admin")
    steps = Steps(page)
    steps.click(page.get_by_test_id("stSidebar").get_by_role("link", name="Administration"))
    steps.click(page.get_by_role("tab", name="Import"))
    steps.drop({"isams pupils.xlsx": export_pupils(), "isams staff.xlsx": export_staff()})
    expect(page.get_by_text("600 new")).to_be_visible()
    steps.click(page.get_by_role("button", name="Import", exact=True))
    expect(page.get_by_text("Imported.")).to_be_visible()
    assert steps.number <= 10

    click(page.get_by_role("button", name="Import more"))
    next_year = Steps(page)
    next_year.drop(
        {"isams pupils.xlsx": export_pupils(620, first_year=8, left=100), "isams staff.xlsx": export_staff()}
    )
    expect(page.get_by_text("20 new, 500 changed")).to_be_visible()
    expect(page.get_by_text("Not in the file: 100 pupils")).to_be_visible()
    next_year.click(page.get_by_role("button", name="Import", exact=True))
    expect(page.get_by_text("Imported.")).to_be_visible()
    assert next_year.number == 2
    click(page.get_by_role("button", name="Undo"))
    click(page.get_by_role("button", name="Undo this import"))
    expect(page.get_by_text("was undone")).to_be_visible()

    leader = page.context.browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()  # type: ignore[union-attr]
    _sign_in(leader, address, "staff0")
    expect(leader.get_by_role("heading", name="Overview")).to_be_visible()
    leader.context.close()
