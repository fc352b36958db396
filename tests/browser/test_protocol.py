"""The leadership changes the protocol on its page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.intake.files import import_logs
from app.protocol.judge import decode
from app.school import School, open_school
from app.store import tables
from app.store.versions import is_there_on, valid_versions
from tests import people
from tests.browser.conftest import Hand, click, drawn, look_through

pytestmark = pytest.mark.browser

_DEPUTY = "Senior Deputy Head"


@pytest.fixture(scope="module")
def school(new_database: Callable[..., str], demonstration: str, tmp_path_factory: pytest.TempPathFactory) -> School:
    """The demonstration, in which a tutor has called a pupil of Year 9 and one of Year 10 today."""
    school = open_school(new_database(copy_of=demonstration))
    today = school.today()
    start = f"{today}T08:45"
    rows = [
        people.log(find_tutor(school), find_pupil(school, year), start, 10, purpose="pastoral", ref=f"snow-{year}")
        for year in ("9", "10")
    ]
    file = people.table(tmp_path_factory.mktemp("logs") / "logs.csv", rows)
    assert not import_logs(school, file).rejected
    return school


def find_tutor(school: School) -> str:
    staff = valid_versions(tables.staff_versions)
    query = select(tables.staff.c.email).join(staff, staff.c.staff_id == tables.staff.c.id)
    return find(school, query.where(is_there_on(staff, school.today()), staff.c.roles.contains("tutor")))


def find_pupil(school: School, year: str) -> str:
    pupil = valid_versions(tables.pupil_versions)
    query = select(tables.pupils.c.email).join(pupil, pupil.c.pupil_id == tables.pupils.c.id)
    return find(school, query.where(is_there_on(pupil, school.today()), pupil.c.year_group == year))


def find(school: School, query: Any) -> str:
    with school.engine.connect() as connection:
        return str(connection.scalars(query.limit(1)).one())


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], school: School) -> str:
    return serve(school.engine.url.render_as_string(hide_password=False))


@pytest.fixture
def deputy(page: Page, address: str) -> Page:
    page.goto(f"{address}/protocol")
    look_through(page, _DEPUTY)
    panel = page.get_by_role("button", name="Close", exact=True)
    drawn(page)
    if panel.count():
        click(panel)
    return page


def list_broken(school: School, ref: str) -> set[str]:
    """The open breaches of a logged session."""
    session, log, breach = tables.sessions.c, tables.logs.c, tables.breaches.c
    query = select(breach.clause).join(tables.sessions, session.id == breach.session_id)
    query = query.join(tables.logs, log.id == session.log_id).where(log.ref == ref, breach.state == "open")
    with school.engine.connect() as connection:
        return set(connection.scalars(query))


def test_a_snow_day_takes_two_clicks(deputy: Page, school: School) -> None:
    """Remote learning for one year today: that day's pastoral call with one pupil becomes a one-to-one, which needs a
    reason and a second member of staff; a call with another year does not."""
    before = list_broken(school, "snow-9")
    hand = Hand(deputy)
    hand.click("button", "Year 9")
    expect(deputy.get_by_text("under this change")).to_be_visible()
    hand.click("button", "Put into force")
    expect(deputy.get_by_text("Remote learning is in force.")).to_be_visible()
    assert hand.steps == 2
    assert {"one-to-one-reason", "second-member-invited", "adult-introduced"} <= list_outcomes(school, "snow-9")
    assert not any(clause.startswith("one-to-one") for clause in list_outcomes(school, "snow-10"))
    deputy.goto(deputy.url.replace("/protocol", "/protocol?view=settings"))
    expect(deputy.get_by_role("heading", name="Change history")).to_be_visible()
    withdraw_newest(deputy, school)
    assert list_broken(school, "snow-9") == before
    assert not any(clause.startswith("one-to-one") for clause in list_outcomes(school, "snow-9"))


def list_outcomes(school: School, ref: str) -> set[str]:
    """The clauses that apply to a logged session."""
    session, log = tables.sessions.c, tables.logs.c
    query = select(session.codes).join(tables.logs, log.id == session.log_id).where(log.ref == ref)
    with school.engine.connect() as connection:
        outcomes = decode(pd.Series([connection.execute(query).scalar_one()])).iloc[0]
    return {str(name) for name, outcome in outcomes.items() if outcome != "not_applicable"}


def withdraw_newest(page: Page, school: School) -> None:
    """Open the newest decision by its address, and withdraw it."""
    newest = select(tables.protocol_entries.c.id).order_by(tables.protocol_entries.c.id.desc()).limit(1)
    with school.engine.connect() as connection:
        number = connection.scalar(newest)
    page.goto(page.url.split("?")[0] + f"?view=settings&entry={number}")
    click(page.get_by_role("button", name="Withdraw", exact=True))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Reason").fill("The snow has melted")
    click(dialog.get_by_role("button", name="Withdraw", exact=True))
    expect(page.get_by_test_id("stAlertContentSuccess").get_by_text("Withdrawn.")).to_be_visible()


def test_a_new_version_is_in_force_from_its_day_beside_last_term(deputy: Page, address: str, tmp_path: Path) -> None:
    """The words come from a file; a day before it shows the words of the version before."""
    file = tmp_path / "text.csv"
    file.write_text("clause,words\ndress,Nobody wears a hat in a video call.\nshoes,Black\n", encoding="utf-8")
    deputy.goto(f"{address}/protocol?view=settings")
    click(deputy.get_by_role("button", name="New version"))
    dialog = deputy.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("January 2027")
    fill_day(deputy, "In force from", "06012027")
    fill_day(deputy, "Next review", "01092027")
    dialog.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    expect(dialog.get_by_text("Not used, because no clause has this name: shoes.")).to_be_visible()
    expect(dialog.get_by_text("1 of 23 clauses were read from the file.")).to_be_visible()
    expect(dialog.get_by_text("Beside each clause: how often it was met in Summer 2026")).to_be_visible()
    click(dialog.get_by_role("button", name="Put into force"))
    expect(deputy.get_by_text("January 2027 is in force from Wed 6 Jan 2027.")).to_be_visible()
    deputy.goto(f"{address}/protocol")
    expect(deputy.get_by_text("Wording of January 2021")).to_be_visible()
    expect(deputy.get_by_text("Nobody wears a hat")).to_have_count(0)
    fill_day(deputy, "Version in force on", "07012027")
    deputy.get_by_role("heading", name="The protocol").click()  # closes the calendar
    expect(deputy.get_by_text("Wording of January 2027")).to_be_visible()
    expect(deputy.get_by_text("Nobody wears a hat in a video call.")).to_be_visible()


def fill_day(page: Page, label: str, digits: str) -> None:
    """Type a day into its field, digit by digit as a person does."""
    drawn(page)
    field = page.get_by_role("group", name=label).get_by_role("spinbutton").first
    field.click()
    page.keyboard.type(digits)
    page.keyboard.press("Tab")
    drawn(page)


def test_a_review_is_put_off_with_a_note(deputy: Page, address: str) -> None:
    deputy.goto(f"{address}/overview")
    click(deputy.get_by_role("link", name="due for review"))
    click(deputy.get_by_role("button", name="Postpone", exact=True))
    dialog = deputy.get_by_role("dialog")
    click(dialog.get_by_role("button", name="Save"))
    expect(dialog.get_by_text("Enter a note: what was decided, and by whom")).to_be_visible()
    dialog.get_by_role("textbox", name="Note").fill("Governors meet in February")
    click(dialog.get_by_role("button", name="Save"))
    expect(deputy.get_by_text("Postponed. The review is now due on")).to_be_visible()
    deputy.goto(f"{address}/overview")
    expect(deputy.get_by_role("heading", name="Needs attention")).to_be_visible()
    drawn(deputy)
    expect(deputy.get_by_role("link", name="due for review")).to_have_count(0)
