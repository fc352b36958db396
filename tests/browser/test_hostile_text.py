"""Names and notes that are code somewhere else: shown as typed on every page, harmless in every download."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select

from app.access.breaches import list_breaches_to_explain
from app.access.parents import list_letters_sent
from app.access.people import find_person
from app.intake.calls import import_calls
from app.intake.files import import_logs, import_roster
from app.parents.consents import answer_consent, ask_for_consent
from app.records.registers import Consent
from app.school import School, open_school
from app.sessions.breaches import explain_breaches
from app.store import tables
from tests import people
from tests.browser.conftest import click, look_through

pytestmark = pytest.mark.browser

TAG = "<img src=http://leak.example/a onerror=window.hacked=1>"
MARKDOWN = "![x](http://leak.example/b) **bold** :red[red] $x$ [link](javascript:window.hacked=1)"
FORMULA = '=HYPERLINK("http://leak.example/c","x")'
DATABASE = "'; drop table sessions; --"
MIRROR = "\u202egnp.\u202c Mair \u2067x"
SCRIPT = "</p><script>window.hacked=1</script>{0}{name}%s"
LONG = "Ll" * 5_000
HOSTILE = (TAG, MARKDOWN, FORMULA, DATABASE, MIRROR, SCRIPT)


@pytest.fixture(scope="module")
def school(new_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> School:
    """A school in which everything that people can type is hostile, to be viewed as anybody."""
    folder = tmp_path_factory.mktemp("hostile")
    school = open_school(new_database())
    _move_in(school, folder)
    day = (school.today() - timedelta(days=1)).isoformat()
    answers: dict[str, Any] = {"notes": LONG, "reason": TAG, "bedroom_reason": MARKDOWN, "room": FORMULA}
    rows = [
        people.log("tutor", "aled", f"{day}T09:00", ref="=L1", purpose=TAG, **answers),
        people.log("tutor", "bethan carys", f"{day}T10:00", ref="L2", purpose=MARKDOWN, notes=TAG, platform=DATABASE),
        people.log("teacher", "carys", f"{day}T11:00", ref="L3", purpose=FORMULA, notes=SCRIPT, pupil_left_alone="yes"),
        people.log("teacher", "aled", f"{day}T12:00", concern="yes", concern_summary=TAG + LONG, ref="L4"),
        people.log("hoy9", "aled", f"{day}T13:00", ref="L5", cameras_on=TAG),
    ]
    assert [refused.column for refused in import_logs(school, people.table(folder / "l.csv", rows)).rejected] == [
        "cameras_on"
    ]
    import_calls(
        school,
        people.calls(
            folder / "c.json", people.call(TAG, f"{day}T14:00", {"tutor": (0, 9), "aled": (0, 30), TAG: (0, 30)})
        ),
    )
    _explain(school)
    _ask_parents(school)
    with school.writing() as connection:
        connection.execute(insert(tables.meta).values(key="demo", value=day))
    return school


def _move_in(school: School, folder: Path) -> None:
    people.roster(folder / "roster")
    for file, words in (("staff.csv", HOSTILE), ("pupils.csv", HOSTILE[::-1])):
        path = folder / "roster" / file
        with path.open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        for place, row in enumerate(rows):
            row["name"] += f" {words[place % len(words)]}"
            if "department" in row:
                row["department"] = words[(place + 1) % len(words)]
        people.table(path, rows)
    assert not any(result.rejected for result in import_roster(school, folder / "roster"))


def _explain(school: School) -> None:
    tutor = find_person(school, people.email("tutor"))
    assert tutor
    waiting = list_breaches_to_explain(school, tutor)
    for number, words in zip(waiting["session_id"], (TAG, MARKDOWN, SCRIPT + LONG), strict=False):
        explain_breaches(school, tutor, int(number), words[:5000])


def _ask_parents(school: School) -> None:
    tutor = find_person(school, people.email("tutor"))
    assert tutor
    pupils, now = list_letters_sent(school, tutor)["pupil_id"], school.now()
    for pupil, words in zip(pupils, (TAG, MARKDOWN, SCRIPT + LONG), strict=False):
        until = now + timedelta(days=1)
        request = Consent(pupil_id=int(pupil), kind="one_to_one", covers_from=now, covers_to=until, reason=words)
        number = ask_for_consent(school, tutor, request)
        answer_consent(school, tutor, number, given=False, parent=words, at=school.now())


@pytest.fixture(scope="module")
def address(school: School, serve: Callable[..., str]) -> str:
    return serve(school.engine.url.render_as_string(hide_password=False))


def pages(school: School) -> list[tuple[str, str]]:
    """Every page, and every record by its address, each with a role to whom it opens."""
    with school.engine.connect() as connection:
        sessions = list(connection.scalars(select(tables.sessions.c.id)))
        concerns = list(connection.scalars(select(tables.concerns.c.ref)))
        consents = list(connection.scalars(select(tables.consents.c.id)))
    found = [
        ("senior_deputy_head", name) for name in ("overview", "sessions?view=list", "protocol", "concerns", "parents")
    ]
    found += [("senior_deputy_head", f"sessions?session={number}") for number in sessions]
    found += [("senior_deputy_head", f"concerns?ref={ref}") for ref in concerns]
    found += [("senior_deputy_head", f"parents?consent={number}") for number in consents]
    found += [
        *(("admin", f"administration?tab={tab}") for tab in ("Status", "Import", "Roster", "Alerts", "Audit")),
        ("tutor", "log"),
        ("tutor", "plan"),
        ("tutor", "log?correct=L2"),
        ("tutor", "concerns"),
        ("tutor", "sessions?view=explain"),
        ("tutor", "concerns?raise=yes"),
    ]
    return found


def test_text_from_people_is_never_rendered(page: Page, school: School, address: str, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    shown = ""
    cells: list[str] = []
    for role, name in pages(school):
        open_as(page, address, role, name)
        shown += page.locator("body").inner_text()
        assert page.evaluate("window.hacked") is None, name
        leading_away = page.locator("img[src*='leak'], a[href*='leak'], a[href^='javascript']")
        assert leading_away.evaluate_all("found => found.map(one => one.parentElement.outerHTML)") == [], name
        expect(page.get_by_test_id("stException")).to_have_count(0)
        cells += downloaded(page, tmp_path)
    assert not [url for url in asked if "leak.example" in url]
    for words in (TAG, MARKDOWN, FORMULA, SCRIPT, LONG[:4000]):
        assert words in shown, f"is nowhere shown as typed: {words[:60]}"
    with_marks = "\n".join(cells)
    for words in HOSTILE:
        assert words in with_marks, f"is in no download as typed: {words}"
    assert not [cell for cell in cells if re.match(r"\s*[=+\-@]", cell) and not re.fullmatch(r"[+-]?[\d.]+", cell)]


def test_text_from_a_dropped_file_is_never_rendered(page: Page, address: str, tmp_path: Path) -> None:
    """Its name, headings and cells, at every step of an import."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    name = "<img src=x onerror=window.hacked=1> **bold** :red[red].csv"
    # Addresses in the demonstration are made up: they end in .example.
    hostile = [people.email("aled"), *(f"{words}@hills.example" for words in (TAG, MARKDOWN))]
    rows = [
        {"pupil_email": who, "kind": kind, "sent_on": day, MARKDOWN: TAG, TAG: FORMULA}
        for who, kind, day in zip(hostile, (MARKDOWN, TAG, SCRIPT), ("2026-11-02", FORMULA, MARKDOWN), strict=True)
    ]
    rows.append(rows[0] | {"kind": "introduction"})
    shown = ""

    def look(words: str) -> None:
        nonlocal shown
        expect(page.get_by_text(words).first).to_be_visible()
        drawn(page)
        shown += page.locator("body").inner_text()
        assert page.evaluate("window.hacked") is None, words
        assert page.locator("img[src*='leak'], a[href*='leak'], a[href^='javascript']").count() == 0, words
        expect(page.get_by_test_id("stException")).to_have_count(0)

    open_as(page, address, "admin", "administration?tab=Import")
    content = people.table(tmp_path / "letters.csv", rows).read_bytes()
    file = page.get_by_test_id("stFileUploaderDropzoneInput").first
    file.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    look("What would change")
    click(page.get_by_role("button", name="Import", exact=True))
    look("Imported.")
    click(page.get_by_role("button", name="Import more"))
    look("Last import")
    click(page.get_by_role("button", name="Undo", exact=True))
    look("This undoes everything")
    click(page.get_by_role("button", name="Undo this import"))
    look("was undone")
    assert name in shown
    assert MARKDOWN in shown
    assert not [url for url in asked if "leak.example" in url]


def open_as(page: Page, address: str, role: str, name: str) -> None:
    """A page viewed as somebody with a role."""
    words = {"senior_deputy_head": "Senior Deputy Head", "admin": "ICT", "tutor": "Tutor"}[role]
    page.goto(f"{address}/{name}")
    look_through(page, words)
    drawn(page)


def drawn(page: Page) -> None:
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def downloaded(page: Page, folder: Path) -> list[str]:
    """The cells of every list that the page lets one take away."""
    for closed in page.get_by_test_id("stExpander").get_by_text("View as table").all():
        click(closed)
    drawn(page)
    cells: list[str] = []
    for button in page.get_by_role("button", name="Download this list").all():
        with page.expect_download() as taken:
            click(button)
        file = folder / "list.csv"
        taken.value.save_as(file)
        with file.open(encoding="utf-8-sig", newline="") as source:
            cells += [cell for row in csv.reader(source) for cell in row]
        drawn(page)
    return cells
