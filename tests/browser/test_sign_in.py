"""Signing in, in a real browser against a real OpenID Connect provider."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.auth.configuration import GREATEST_AGE
from app.clock import real
from app.intake.files import import_table
from app.school import School
from app.settings import load_settings
from app.vocabulary import roles
from tests import people, thief
from tests.browser.conftest import click, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def address(in_service: Callable[..., str]) -> str:
    return in_service()


def test_people_see_only_their_own_pages(window: Callable[..., Page], address: str) -> None:
    """Two people in two windows at once."""
    deputy, teacher = window(), window()
    sign_in(deputy, address, "sdh")
    expect(deputy.get_by_role("heading", name="Overview")).to_be_visible()
    sign_in(teacher, address, "teacher")
    expect(teacher.get_by_role("heading", name="Log a session")).to_be_visible()
    teacher.goto(f"{address}/overview")
    expect(teacher.get_by_text("You do not have access to this page")).to_be_visible()
    deputy.goto(f"{address}/sessions")
    expect(deputy.get_by_role("heading", name="Sessions")).to_be_visible()


def test_a_link_is_opened_after_sign_in_and_the_cookie_expires_with_it(
    window: Callable[..., Page], address: str
) -> None:
    page = window()
    sign_in(page, address, "sdh", to="sessions?session=1")
    expect(page.get_by_text("There is no such session")).to_be_visible()
    assert page.url == f"{address}/sessions?session=1"
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies.keys() == {"_streamlit_user", "_streamlit_xsrf", "wanted"} | cookies.keys() & {"_streamlit_session"}
    mine = cookies["_streamlit_user"]
    assert mine["httpOnly"]
    assert all(cookie["sameSite"] == "Lax" for cookie in cookies.values())
    assert 0 < mine["expires"] - real().timestamp() <= GREATEST_AGE.total_seconds()


@pytest.mark.parametrize("name", roles.Page)
def test_no_page_shows_anything_before_sign_in(
    window: Callable[..., Page], in_service: Callable[..., str], name: str
) -> None:
    """On a server just started, of which nobody has opened the first page."""
    page = window()
    page.goto(f"{in_service()}/{name}")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    words = " ".join(page.get_by_test_id("stMain").inner_text().split())
    assert words == f"{load_settings().name}: videoconferencing protocol Sign in Use your school account. Sign in"
    assert not page.get_by_test_id("stSidebar").count()


@pytest.mark.parametrize(
    ("sub", "words"),
    [
        ("elsewhere", "This account belongs to another organisation"),
        ("namesake", "your address belongs to another account"),
        ("stranger", "not one of the school's staff"),
    ],
)
def test_other_tenants_other_accounts_and_people_not_on_the_roster_see_nothing(
    window: Callable[..., Page], address: str, sub: str, words: str
) -> None:
    page = window()
    sign_in(page, address, sub)
    expect(page.get_by_text(words)).to_be_visible()
    page.goto(f"{address}/sessions")
    expect(page.get_by_text(words)).to_be_visible()
    assert "Aled" not in page.locator("body").inner_text()


def test_signing_out_in_one_window_ends_the_other(window: Callable[..., Page], address: str) -> None:
    page = window()
    sign_in(page, address, "admin")
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{address}/administration")
    expect(other.get_by_role("heading", name="Administration")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()  # the provider's own
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    other.get_by_test_id("stSidebar").get_by_text("Protocol").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "Sen" not in other.get_by_test_id("stMain").inner_text()


def test_an_idle_window_closes_by_itself(window: Callable[..., Page], in_service: Callable[..., str]) -> None:
    page, address = window(), in_service(IDLE_MINUTES="0.5")
    sign_in(page, address, "sdh")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=120_000)
    expect(page.get_by_role("heading", name="Overview")).not_to_be_visible()
    page.goto(f"{address}/sessions")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_roles_come_from_entra_where_configured(window: Callable[..., Page], in_service: Callable[..., str]) -> None:
    address = in_service(ROLES_FROM="entra")
    leader, teacher = window(), window()
    sign_in(leader, address, "slt")
    expect(leader.get_by_role("heading", name="Overview")).to_be_visible()
    sign_in(teacher, address, "teacher")  # to whom Entra gives a role that the roster does not have
    expect(teacher.get_by_text("a role that the roster does not have yet")).to_be_visible()


def test_a_removed_role_ends_what_is_already_on_the_screen(
    window: Callable[..., Page], in_service: Callable[..., str], tmp_path: Path
) -> None:
    """Downloads and choices that were drawn before the role was removed."""
    schools: list[School] = []
    page, address = window(), in_service(schools.append)
    sign_in(page, address, "sdh")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto(f"{address}/overview?days=2020-11-01..2020-11-30")
    click(page.get_by_role("button", name="Export"))
    with page.expect_download() as download:
        click(page.get_by_role("button", name="Excel workbook"))
    assert download.value.suggested_filename.endswith(".xlsx")
    row = {"email": people.email("sdh"), "name": "Sdh", "school": "SEN", "department": "English", "roles": "tutor"}
    assert not import_table(schools[0], "staff", people.table(tmp_path / "staff.csv", [row])).rejected
    click(page.get_by_role("button", name="Inspection pack"))
    expect(page.get_by_text("Failed to generate")).to_be_visible()
    page.keyboard.press("Escape")
    click(page.get_by_role("radio", name="Checks"))
    expect(page.get_by_text("You do not have access to this page")).to_be_visible()


def test_a_file_is_served_only_to_the_sign_in_that_it_was_made_for(
    window: Callable[..., Page], address: str, tmp_path: Path
) -> None:
    deputy, teacher, visitor = window(), window(), window()
    for page, who, heading in ((deputy, "sdh", "Overview"), (teacher, "teacher", "Log a session")):
        sign_in(page, address, who)
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    deputy.goto(f"{address}/overview?days=2020-11-01..2020-11-30")
    click(deputy.get_by_role("button", name="Export"))
    with deputy.expect_download() as download:
        click(deputy.get_by_role("button", name="Excel workbook"))
    file = download.value.url
    assert len(file.rpartition("/")[2]) > 64
    mine = deputy.request.get(file)
    assert (mine.status, mine.headers["cache-control"]) == (200, "no-store")
    assert [page.request.get(file).status for page in (teacher, visitor)] == [404, 404]
    download.value.save_as(guess := tmp_path / download.value.suggested_filename)
    assert thief.search([address], [], [guess]) == []
    assert visitor.request.put(f"{address}/_stcore/upload_file/a/b").status == 403
    cookies = deputy.context.cookies()
    click(deputy.get_by_role("button", name="Sign out"))
    deputy.get_by_role("button", name="End session").click()  # the provider's own
    expect(deputy.get_by_role("heading", name="Sign in")).to_be_visible()
    visitor.context.add_cookies([{"name": c["name"], "value": c["value"], "url": address} for c in cookies])
    assert visitor.request.get(file).status == 404
