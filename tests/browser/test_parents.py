"""A teacher and SLT with the parents' registers of a real school, its mail server and quick fingers."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from app.clock import real
from app.school import School
from app.settings import load_settings
from app.store import tables
from tests import people
from tests.browser.conftest import click, drawn, open_window, sign_in, wait_until
from tests.mail_server import ADDRESS, MailServer

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
MAM, DAD = "mam@cartref.example", "dad@adref.example"


class Parents:
    """The program with a mail server that rejects one of the two addresses of Aled's family until it is told better."""

    def __init__(self, in_service: Callable[..., str], browser: Browser) -> None:
        self.server, self.browser = MailServer(), browser
        self.server.at_word = lambda word, address: "550 no such user" if address == DAD else None
        self.address = in_service(self._keep, ALERT_URL=self.server.url, APP_URL=ADDRESS)

    def _keep(self, school: School) -> None:
        self.school = school
        family = {"contact_emails": f"{MAM};{DAD}", "language": "cy"}
        with school.engine.begin() as connection:
            connection.execute(
                update(tables.pupils).where(tables.pupils.c.id == people.find_pupil(school, "aled")).values(family)
            )

    @contextmanager
    def as_(self, who: str, to: str = "parents") -> Iterator[Page]:
        """A page of the program in a browser of its own, as somebody who signed in."""
        page = open_window(self.browser)
        with page.context:
            sign_in(page, self.address, who, to=to)
            yield page

    def events(self) -> list[str]:
        event = tables.consent_events.c
        with self.school.engine.connect() as connection:
            return list(connection.scalars(select(event.kind).order_by(event.id)))

    def emailed(self) -> list[str]:
        """To whom of the family an email went. Staff get others, by the time of the day: this server has the real
        one."""
        return [address for address in self.server.to() if address in (MAM, DAD)]


@pytest.fixture(scope="module")
def parents(in_service: Callable[..., str], browser: Browser) -> Iterator[Parents]:
    parents = Parents(in_service, browser)
    with parents.server.running():
        yield parents
    parents.school.engine.dispose()


def press_twice(page: Page, name: str) -> None:
    """Click twice at the same place: the second time whatever is there by then."""
    drawn(page)
    box = page.get_by_role("button", name=name, exact=True).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    page.wait_for_timeout(50)
    page.mouse.click(x, y)
    drawn(page)
    page.keyboard.press("Escape")  # the second click may have opened another dialog


def write_day(page: Page, field: str, typed: str) -> None:
    click(page.get_by_role("group", name=field).get_by_role("spinbutton").first)
    page.keyboard.type(typed)
    page.keyboard.press("Tab")


def choose_who_and_when(page: Page) -> None:
    page.get_by_role("textbox", name="Which parent?").fill("Mam")
    now = real().astimezone(load_settings().zone)
    click(page.get_by_role("group", name="Time").get_by_role("spinbutton").first)
    page.keyboard.type(f"{now:%H%M}")
    page.keyboard.press("Tab")


def test_a_request_is_emailed_answered_and_confirmed_whatever_is_clicked_twice(parents: Parents) -> None:
    tomorrow = f"{real() + timedelta(days=1):%d%m%Y}"
    with parents.as_("teacher", to="parents?ask=yes") as page:
        click(page.get_by_role("combobox", name="Pupil"))
        page.keyboard.type("Aled")
        click(page.get_by_role("option").first)
        click(page.get_by_text(re.compile("Academic tuition outside")))
        write_day(page, "Last day", tomorrow)
        write_day(page, "First day", tomorrow)
        page.get_by_role("textbox", name=re.compile("Reason")).fill("A concert & a flight")
        press_twice(page, "Save request")
        expect(page.get_by_text("Request saved.")).to_be_visible()
        assert parents.events() == ["asked"]

        click(page.get_by_role("button", name="Email the request"))
        expect(page.get_by_role("dialog").get_by_text("Rheswm: A concert & a flight")).to_be_visible()
        press_twice(page, "Send now")
        wait_until(page, lambda: parents.events() == ["asked", "sent"])
        wait_until(page, lambda: parents.emailed() == [MAM])
        page.reload()
        expect(page.get_by_role("button", name="Send failed emails again")).to_be_visible()
        parents.server.at_word = lambda word, address: None
        click(page.get_by_role("button", name="Send failed emails again"))
        press_twice(page, "Send now")
        wait_until(page, lambda: parents.emailed() == sorted([MAM, DAD]))

        page.reload()
        click(page.get_by_role("button", name="Record the answer"))
        click(page.get_by_text("They consent", exact=True))
        choose_who_and_when(page)
        press_twice(page, "Save answer")
        expect(page.get_by_text("Answer saved: they consent.").or_(page.get_by_text("✓ Given"))).not_to_have_count(0)
        assert parents.events() == ["asked", "sent", "given"]
        expect(page.get_by_role("button", name="Save withdrawal")).to_have_count(0)

        click(page.get_by_role("button", name="Inform SLT", exact=True))
        press_twice(page, "Inform SLT now")
        wait_until(page, lambda: parents.events() == ["asked", "sent", "given", "slt_informed"])

    with parents.as_("slt") as page:
        press_twice(page, "Confirm")
        expect(page.get_by_role("button", name="Confirmed")).to_be_visible()
        assert parents.events() == ["asked", "sent", "given", "slt_informed", "confirmed"]
        assert MAM not in page.locator("body").inner_text()
