"""The Administration page: imports, rejected rows, the audit trail and keys."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.access.administration import list_rejected_rows
from app.access.forms import list_pupils_to_choose
from app.access.people import list_demo_people
from app.intake.files import import_letters
from app.school import open_school
from tests import people
from tests.apptest import AppTest
from tests.pages.conftest import Opened, press, text
from tests.records.evidence.reports import LESSON, download


def test_the_administrator_of_the_demonstration_sees_that_sync_is_off(opened: Opened) -> None:
    at = opened("administration", "admin")
    assert "No sync is configured" in text(at)
    assert "Sync now" not in [button.label for button in at.button]


def test_administration_imports_an_attendance_report_in_the_order_of_dates_that_is_chosen(opened: Opened) -> None:
    report = ("report.csv", download(datetime(2025, 11, 10, 10, tzinfo=UTC), LESSON), "text/csv")
    at = opened("administration", "admin", tab="Import")
    assert "1 row: 1 rejected." in _upload(at, report, "As the file shows it")
    assert "day first or month first" in " ".join(list_rejected_rows(open_school(), opened.people["admin"])["reason"])
    shown = _upload(at, report, "Month first (12/31/2026)")
    assert "1 row: nothing." in shown
    assert "This import resolved 1 earlier rejection" in shown


def _upload(at: AppTest, report: tuple[str, bytes, str], dates: str) -> str:
    """Import a report, and return what the page then shows, without its marks."""
    next(one for one in at.file_uploader if one.label == "Attendance report").set_value(report)
    next(one for one in at.selectbox if one.label == "Dates in the report").select(dates)
    press(at, "Import report")
    assert not at.exception
    return re.sub("<[^>]+>", "", text(at))


def test_administration_fixes_and_dismisses_rejected_rows(opened: Opened, tmp_path: Path) -> None:
    rows = [
        {"pupil_email": "nobody@x.example", "kind": kind, "sent_on": "2026-09-01"} for kind in ("introduction", "x")
    ]
    import_letters(open_school(), people.table(tmp_path / "of pages.csv", rows))
    pupil = list_pupils_to_choose(open_school(), opened.people["tutor"])["email"].iloc[-1]
    at = opened("administration", "admin", tab="Import")
    row = at.selectbox(key="rejected row")
    mine = [int(name) for name, words in zip(_numbers(), row.options, strict=True) if words.startswith("of pages.csv")]
    row.set_value(mine[0]).run()
    at.text_input(key=f"fix {mine[0]} sent_on").set_value("2026-09-02")
    press(at, "Import row 2")
    assert "was rejected again" in text(at)
    at.text_input(key=f"fix {mine[0]} pupil_email").set_value(pupil)
    press(at, "Import row 2")
    assert "Row 2 was imported" in " ".join(element.value for element in at.success)
    at.selectbox(key="rejected row").set_value(mine[1]).run()
    press(at, "Dismiss")
    assert "Say why" in text(at)
    next(one for one in at.text_input if one.label == "Reason").set_value("a test")
    press(at, "Dismiss")
    assert "1 row dismissed" in " ".join(element.value for element in at.success)
    assert not {*mine} & {*_numbers()}


@pytest.mark.parametrize(
    ("tab", "button", "words"),
    [("Audit", "Verify the audit trail", "are as written"), ("Status", "Check encryption keys", "no key is set")],
)
def test_administration_checks_the_audit_trail_and_keys(opened: Opened, tab: str, button: str, words: str) -> None:
    at = opened("administration", "admin", tab=tab)
    press(at, button)
    assert words in text(at)


@pytest.mark.parametrize("tab", ["Status", "Import", "Roster", "Alerts", "Audit"])
def test_administration_shows_one_tab_at_a_time(opened: Opened, tab: str) -> None:
    at = opened("administration", "admin", tab=tab)
    assert not at.exception
    headings = {"Status": "System status", "Import": "Rejected rows", "Audit": "Audit trail"}
    shown = [element.value for element in at.header]
    assert headings.get(tab, tab) in shown
    assert sum(heading in shown for heading in (*headings.values(), "Roster", "Alerts")) == 1


def _numbers() -> list[int]:
    school = open_school()
    admin = next(p for p in list_demo_people(school) if "admin" in p.roles)
    return list(list_rejected_rows(school, admin)["id"])
