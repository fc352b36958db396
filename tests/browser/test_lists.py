"""Every list of the program: its dates and numbers sort, a click on a row opens it in one step, and its download is the
list as shown, safe, with whole dates, and on the audit trail."""

import ast
import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Download, FloatRect, Locator, Page, expect
from sqlalchemy import select

from app.access.administration import list_rejected_rows
from app.access.people import list_demo_people
from app.access.repeats import list_repeats
from app.operations.rejected_rows import dismiss_rows
from app.school import open_school
from app.settings import ROOT
from app.store import tables
from tests.browser.conftest import click, drawn

pytestmark = pytest.mark.browser

_SHOWING = {"table", "select_row", "session_table", "wrapped_table", "table_expander"}  # what shows a list
_WRITTEN_DAY = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} [A-Z][a-z]{2}")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2})?$")
_NUMBER = re.compile(r"-?\d+(\.\d+)?$")


Before = Callable[[Page, Mapping[str, object]], None]


def try_settings(page: Page, _: Mapping[str, object]) -> None:
    """Check a term again under other settings."""
    until = page.get_by_role("textbox", name="Tuition until")
    until.fill("12:00")
    until.press("Tab")
    click(page.get_by_role("button", name="Run"))


def log_a_call(page: Page, _: Mapping[str, object]) -> None:
    for button in ("Log this call", "No issues", "Save log"):
        click(page.get_by_role("button", name=button).first)


def check_keys(page: Page, _: Mapping[str, object]) -> None:
    click(page.get_by_role("button", name="Check encryption keys"))


def drop_letters(page: Page, ids: Mapping[str, object]) -> None:
    rows = f"pupil_email,kind,sent_on\n{ids['email']},introduction,2026-09-01\n{ids['email']},introduction,2026-09-02\n"
    file = page.get_by_test_id("stFileUploaderDropzoneInput").first
    file.set_input_files({"name": "letters.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()


@dataclass(frozen=True)
class Shown:
    """Where a list is shown: to whom, its address and name, the box to open, the address that a row opens, and what is
    done first."""

    role: str
    path: str
    name: str
    click: str = ""
    opens: str = ""
    before: Before | None = None


_DEPUTY, _HOY, _TUTOR, _DSP, _ADMIN = "Senior Deputy Head", "Head of Year", "Tutor", "DSP", "ICT administrator"

# By the function that shows it. A function that shows a list and is not here fails the first test below.
LISTS = {
    "app/ui/sessions/lists.py show_sessions": Shown(_DEPUTY, "/sessions?view=list", "sessions", opens="session="),
    "app/ui/sessions/waiting.py show_waiting_list": Shown(
        _HOY, "/sessions?view=resolve", "sessions to resolve", opens="view=resolve&chosen="
    ),
    "app/ui/sessions/today.py _show_unlogged": Shown(
        _HOY, "/sessions", "unlogged by person", opens="show=unlogged&staff="
    ),
    "app/ui/sessions/today.py _show_tutors": Shown(_HOY, "/sessions", "my tutors", opens="view=list&staff="),
    "app/ui/sessions/pupils.py show_pupil_list": Shown(_HOY, "/sessions?view=pupils", "pupils", opens="pupil="),
    "app/ui/sessions/pupils.py _show_letters": Shown(_HOY, "/sessions?pupil={pupil}", "letters of a pupil"),
    "app/ui/sessions/pupils.py _show_consents": Shown(
        _DEPUTY, "/sessions?pupil={pupil with consent}", "consents of a pupil", opens="parents.*consent="
    ),
    "app/ui/sessions/repeats.py show_repeats": Shown(
        _DSP, "/sessions?view=repeats", "repeated one-to-ones", opens="pair="
    ),
    "app/ui/sessions/detail.py _show_clauses": Shown(_DEPUTY, "/sessions?session={session}", "clauses of a session"),
    "app/ui/sessions/detail.py show_log": Shown(_DEPUTY, "/sessions?session={session}", "log", "Session log"),
    "app/ui/sessions/spot_checks.py show_spot_checks": Shown(
        _HOY, "/sessions?view=spot-checks", "spot checks", opens="view=spot-checks&chosen="
    ),
    "app/ui/sessions/spot_checks.py _show_answered": Shown(
        _HOY, "/sessions?view=spot-checks", "spot checks reviewed", opens="session="
    ),
    "app/ui/sessions/spot_checks.py _show_draw": Shown(
        _DEPUTY, "/sessions?view=spot-checks", "seeds of spot checks", "How the sessions were drawn"
    ),
    "app/ui/parents/consents.py _show_list": Shown(_DEPUTY, "/parents", "consents", opens="consent="),
    "app/ui/parents/consent_detail.py _show_history": Shown(
        _DEPUTY, "/parents?consent={consent}", "history of a consent"
    ),
    "app/ui/concerns/lists.py _listing": Shown(_DSP, "/concerns", "open concerns", opens="ref="),
    "app/ui/concerns/lists.py _show_actions": Shown(_DEPUTY, "/concerns", "actions assigned to others"),
    "app/ui/administration/audit.py show_audit": Shown(_ADMIN, "/administration?tab=Audit", "audit trail"),
    "app/ui/administration/roster.py show_roster": Shown(
        _ADMIN, "/administration?tab=Roster", "roster staff", "Staff ("
    ),
    "app/ui/overview/charts.py _choose_cell": Shown(
        _DEPUTY, "/overview", "department and hour", "Select by department"
    ),
    "app/ui/overview/charts.py show_by_clause": Shown(_DEPUTY, "/overview", "clause by clause"),
    "app/ui/overview/charts.py show_by_week": Shown(_DEPUTY, "/overview", "week by week"),
    "app/ui/overview/attention.py show_attention": Shown(_DEPUTY, "/overview", "unresolved breaches"),
    "app/ui/overview/listing.py show_list": Shown(
        _DEPUTY, "/overview?list=breach", "sessions with a breach", opens="session="
    ),
    "app/ui/parents/letters.py _show_register": Shown(_HOY, "/parents?tab=Letters", "letters"),
    "app/ui/sessions/attendance.py _show_table": Shown(_DEPUTY, "/sessions?session={session}", "who was in the call"),
    "app/ui/sessions/repeats.py _list_sessions": Shown(
        _DEPUTY, "/sessions?view=repeats&pair={pair}", "one-to-ones of a pair", opens="session="
    ),
    "pages/administration.py _show_imports": Shown(_ADMIN, "/administration?tab=Import", "imports"),
    "pages/administration.py _show_retention": Shown(_ADMIN, "/administration", "how long records are kept"),
    "pages/administration.py _show_pupil_policies": Shown(
        _ADMIN, "/administration", "pupils with a different meeting policy", "Pupils with a different meeting policy"
    ),
    "pages/administration.py _show_alerts": Shown(_ADMIN, "/administration?tab=Alerts", "alerts waiting"),
    "pages/administration.py _show_keys": Shown(_ADMIN, "/administration", "keys", before=check_keys),
    "app/ui/administration/rejected_rows.py _show_unresolved": Shown(
        _ADMIN, "/administration?tab=Import", "rejected rows"
    ),
    "app/ui/administration/rejected_rows.py _show_resolved": Shown(
        _ADMIN, "/administration?tab=Import", "resolved rows", "Resolved ("
    ),
    "app/ui/administration/import_preview.py _show_new": Shown(
        _ADMIN, "/administration?tab=Import", "new letters", "New: ", before=drop_letters
    ),
    "app/ui/concerns/lists.py _show_own": Shown(_TUTOR, "/concerns", "my concerns"),
    "pages/log.py show_saved": Shown(_TUTOR, "/log", "the logged session", before=log_a_call),
    "app/ui/confirmations.py show_confirmations": Shown(
        _DEPUTY, "/protocol?view=confirmations&show=confirmed", "read and understood"
    ),
    "pages/protocol.py show_changes": Shown(
        _DEPUTY, "/protocol?view=what-if", "what if by department", before=try_settings
    ),
    "app/ui/protocol/remote_learning.py show_remote_learning": Shown(
        _DEPUTY, "/protocol?view=settings", "remote learning", opens="entry="
    ),
    "app/ui/protocol/versions.py show_versions": Shown(_DEPUTY, "/protocol?view=settings", "versions", opens="entry="),
    "app/ui/protocol/terms.py show_terms": Shown(_DEPUTY, "/protocol?view=settings", "terms", opens="entry="),
    "app/ui/protocol/history.py show_history": Shown(
        _DEPUTY, "/protocol?view=settings", "protocol changes", opens="entry="
    ),
    "pages/protocol.py show_sessions": Shown(
        _DEPUTY, "/protocol?view=what-if", "what if sessions", opens="session=", before=try_settings
    ),
}

# Tables of long texts, which do not sort.
WRAPPED = {
    "app/ui/sessions/detail.py _show_clauses",
    "app/ui/sessions/spot_checks.py _show_draw",
    "pages/log.py show_saved",
}

# The demonstration takes no roster, from a file or from Microsoft Entra, and sends families no email about a consent.
NOT_IN_THE_DEMONSTRATION = {
    "app/ui/administration/import_preview.py _show_changed",
    "app/ui/administration/import_leavers.py show_names",
    "app/ui/administration/entra_roster.py _show_faults",
    "app/ui/parents/family_emails.py show_request_emails",
}


def list_places() -> set[str]:
    """The functions that show a list, by file and name."""
    found = set()
    for file in [*(ROOT / "app" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        if file.name == "lists.py" and file.parent.name == "ui":
            continue
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                calls = [call.func for call in ast.walk(function) if isinstance(call, ast.Call)]
                if any(isinstance(call, ast.Name) and call.id in _SHOWING for call in calls):
                    found.add(f"{file.relative_to(ROOT)} {function.name}")
    return found


def test_every_list_is_checked_below() -> None:
    assert list_places() == LISTS.keys() | NOT_IN_THE_DEMONSTRATION


@pytest.fixture(scope="module")
def database(new_database: Callable[..., str], demonstration: str) -> str:
    """The demonstration, in which one rejected row was dismissed."""
    url = new_database(copy_of=demonstration)
    school = open_school(url)
    admin = next(person for person in list_demo_people(school) if "admin" in person.roles)
    dismiss_rows(school, admin, [int(list_rejected_rows(school, admin)["id"].iloc[0])], "A mistake.")
    school.engine.dispose()
    return url


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], database: str) -> str:
    return serve(database)


@pytest.fixture(scope="module")
def ids(database: str) -> dict[str, object]:
    """A session with a log, a consent, and pupils, to put into addresses."""
    school, session, consent = open_school(database), tables.sessions.c, tables.consents.c
    logged = select(session.id).where(session.log_id.is_not(None), session.purpose == "academic")
    deputy = next(person for person in list_demo_people(school) if "senior_deputy_head" in person.roles)
    term = next(term for term in reversed(school.settings.terms) if term.from_ <= school.today())
    pairs = list_repeats(school, deputy, (term.from_, school.today())).pairs
    with school.engine.connect() as connection:
        found: dict[str, object] = {
            "session": connection.scalars(logged).first(),
            "consent": connection.scalars(select(consent.id)).first(),
            "pupil with consent": connection.scalars(select(consent.pupil_id)).first(),
            "email": connection.scalars(select(tables.pupils.c.email)).first(),
            "pupil": connection.scalars(
                select(tables.pupil_versions.c.pupil_id).where(tables.pupil_versions.c.year_group == "9")
            ).first(),
        }
    school.engine.dispose()
    pair = pairs.iloc[0] if len(pairs) else None
    return found | {"pair": "" if pair is None else f"{pair.adult_id}-{pair.pupil_id}"}


@pytest.mark.parametrize("place", LISTS)
def test_a_list_downloads_sorts_and_opens(
    view_as: Callable[[str], Page], address: str, database: str, ids: dict[str, object], place: str
) -> None:
    shown = LISTS[place]
    page = view_as(shown.role)
    page.goto("about:blank")  # so that nothing is ahead in the browser's history
    page.goto(address + shown.path.format_map(ids))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if shown.before:
        drawn(page)
        shown.before(page, ids)
    drawn(page)
    behind = page.locator(f".st-key-behind-{as_class(shown.name)} summary")
    box = page.locator("summary").filter(has_text=shown.click) if shown.click else behind
    if shown.click or behind.count():
        click(box.first)
    button = page.locator(f"[class*='st-key-download-{as_class(shown.name)}']").first
    expect(button).to_be_visible()
    drawn(page)
    with page.expect_download() as taken:
        click(button.get_by_role("button"))
    rows = read(taken.value)
    assert rows
    is_safe_and_whole(rows)
    drawn(page)  # the entry is made by the run of the page that follows
    is_on_record(database, shown.name)
    grid = page.locator(f"xpath=({xpath(button)}/preceding::*[@data-testid='stDataFrame'])[last()]")
    if place not in WRAPPED:
        sorts(grid, rows)
    if shown.opens:
        opens(page, grid, shown.opens)


def as_class(name: str) -> str:
    """A key as Streamlit writes it into the class of what has it."""
    return re.sub("[^a-zA-Z0-9_-]", "-", name)


def xpath(button: Locator) -> str:
    found = button.get_attribute("class") or ""
    key = next(word for word in found.split() if word.startswith("st-key-download"))
    return f"//*[contains(concat(' ', @class, ' '), ' {key} ')]"


def read(file: Download) -> list[dict[str, str]]:
    text = Path(file.path()).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def is_safe_and_whole(rows: list[dict[str, str]]) -> None:
    """No cell is a formula, and no day is text, which would sort by weekday and lack its year."""
    for row in rows:
        for heading, cell in row.items():
            assert cell[:1] not in ("=", "+", "-", "@", "\t") or _NUMBER.match(cell), (heading, cell)
            assert not _WRITTEN_DAY.match(cell), (heading, cell)


def is_on_record(database: str, name: str) -> None:
    school = open_school(database)
    with school.engine.connect() as connection:
        entries = connection.scalars(select(tables.audit.c.subject).where(tables.audit.c.action == "exported")).all()
    school.engine.dispose()
    assert [entry for entry in entries if entry.startswith(name)]


# The headings, or the menu of a column, show what a click did; one on the line between two columns does nothing.
_ANSWERED = """([head, before, since]) => head.innerHTML !== before || performance.now() - since > 2000 ||
  document.querySelector('[data-testid=stDataFrameColumnMenu]')"""


def sorts(grid: Locator, rows: list[dict[str, str]]) -> None:
    """A click on the heading of a column of days or numbers puts its least first."""
    whole = [
        heading
        for heading in rows[0]
        if all(_ISO.match(row[heading]) for row in rows) or all(_NUMBER.match(row[heading]) for row in rows)
    ]
    if not whole or len(rows) < 2:
        return
    end = int(find_box(grid)["width"]) - 10
    # Most columns are wide; a narrow one is mostly the button of its menu.
    for across in (*range(60, end, 75), *range(60, end, 15)):
        before = grid.locator("thead").inner_html()
        click_at(grid, across, 17)
        since = grid.page.evaluate("performance.now()")
        grid.page.wait_for_function(_ANSWERED, arg=[grid.locator("thead").element_handle(), before, since])
        grid.page.keyboard.press("Escape")  # the menu of the column, if the click met its button
        expect(grid.page.get_by_test_id("stDataFrameColumnMenu")).to_have_count(0)
        headings = [words.strip() for words in grid.locator("th").all_text_contents()]
        column = next((words.removeprefix("↑").strip() for words in headings if words.startswith("↑")), "")
        if column in whole:
            break
    else:
        raise AssertionError(f"no column of days or numbers sorts: {whole}")
    first = grid.locator("tbody tr").first.locator("td").all_text_contents()[headings.index(f"↑ {column}")]
    least = min((row[column] for row in rows), key=lambda cell: float(cell) if _NUMBER.match(cell) else cell)
    assert as_in_file(first) == least


def find_box(grid: Locator) -> FloatRect:
    """Where a list is, once its rows are drawn."""
    grid.scroll_into_view_if_needed()
    expect(grid.locator("tbody tr").first).to_be_attached()
    box = grid.bounding_box()
    assert box
    return box


def click_at(grid: Locator, across: float, down: float) -> None:
    """Click at a place in a list as a hand does, which is above it before it presses."""
    box = find_box(grid)
    grid.page.mouse.move(box["x"] + across, box["y"] + down)
    drawn(grid.page)
    box = find_box(grid)
    grid.page.mouse.click(box["x"] + across, box["y"] + down)


def as_in_file(cell: str) -> str:
    """What the grid holds, in the words of the file: a time as in the school's zone."""
    if not cell[:4].isdecimal() or not _ISO.match(cell[:10]):
        return cell.replace(",", "")
    when = datetime.fromisoformat(cell)
    return f"{when.astimezone(ZoneInfo('Europe/London')):%Y-%m-%d %H:%M}" if when.tzinfo else f"{when:%Y-%m-%d}"


def opens(page: Page, grid: Locator, pattern: str) -> None:
    """A click on a row, at its middle, opens it in one step; Back leads to the list, and reloading shows the same."""
    before, steps = page.url, page.evaluate("history.length")
    click_at(grid, find_box(grid)["width"] / 2, 35 + 17)
    expect(page).to_have_url(re.compile(pattern))
    drawn(page)
    assert page.evaluate("history.length") == steps + 1
    opened, heading = page.url, page.get_by_role("heading", level=1).inner_text()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    drawn(page)
    assert page.url == opened
    page.go_back()
    expect(page).to_have_url(before)
