"""A session never loses its call because something else happened near it."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.intake.attendance import import_attendance
from app.intake.calls import import_calls
from app.intake.files import import_letters, import_logs
from app.intake.logs import Entered, enter_log
from app.school import School
from app.store import tables
from tests import people
from tests.judging.test_rejudge_part import judge_everything, state

pytestmark = pytest.mark.usefixtures("story_clock")

BEGIN = datetime.fromisoformat("2026-11-16T09:00")


def at(**later: float) -> str:
    return (BEGIN + timedelta(**later)).isoformat()


@pytest.fixture(params=["file", "form"])
def log_more(request: pytest.FixtureRequest, school: School, tmp_path: Path) -> Any:
    """Logs a session, from a file or by the form."""

    def log_more(ref: str, by: str, pupil: str, start: str, minutes: int = 30) -> None:
        row = people.log(by, pupil, start, minutes, ref=ref)
        if request.param == "file":
            assert not import_logs(school, people.table(tmp_path / f"{ref}.csv", [row])).rejected
        else:
            assert isinstance(enter_log(school, row, people.staff_id(school, by)), Entered)

    return log_more


def test_a_call_that_lasts_for_days_stays_with_its_log(school: School, tmp_path: Path, log_more: Any) -> None:
    long = people.call("long", at(), {"teacher": (0, 5000), "aled": (4400, 5000)})
    import_calls(school, people.calls(tmp_path / "c.json", long))
    log_more("L1", "teacher", "aled", at(minutes=4400), 120)
    before = state(school)
    assert [calls for _, _, calls in before] == [[("long", "session")]]
    log_more("L2", "hoy9", "aled", at(minutes=4500))
    assert [(ref, calls) for ref, _, calls in state(school)] == [("L1", [("long", "session")]), ("L2", [])]
    assert state(school) == judge_everything(school)


def test_days_without_a_pause_take_no_call_from_a_log(school: School, tmp_path: Path, log_more: Any) -> None:
    """A log of the night before begins within two days of the new one, and its call just before that."""
    rows = [people.log("hoy9", "carys", at(hours=1 + 8 * n), 8 * 60, ref=f"N{n}") for n in range(6)]
    import_logs(school, people.table(tmp_path / "nights.csv", rows))
    call = people.call("first", at(hours=-2), {"teacher": (0, 100), "aled": (0, 100)})
    import_calls(school, people.calls(tmp_path / "c.json", call))
    log_more("L1", "teacher", "aled", at(minutes=-25), 90)
    log_more("L2", "tutor", "bethan", at(hours=48))
    assert [calls for ref, _, calls in state(school) if ref == "L1"] == [[("first", "session")]]
    assert state(school) == judge_everything(school)


def test_a_report_stays_with_its_record_over_midnight(school: School, tmp_path: Path) -> None:
    """They have the link in common, and begin on two days."""
    link = {"joinWebUrl": "https://teams.example/one"}
    record = people.call("record", "2026-11-16T23:50:00", {"teacher": (0, 60), "aled": (0, 60)}) | link
    report = {
        "id": "report",
        "totalParticipantCount": 1,
        "meetingStartDateTime": "2026-11-17T00:05:00Z",
        "meetingEndDateTime": "2026-11-17T00:50:00Z",
        "attendanceRecords": [
            {
                "identity": {"id": people.entra("bethan"), "tenantId": people.TENANT},
                "emailAddress": people.email("bethan"),
                "role": "Attendee",
                "attendanceIntervals": [
                    {"joinDateTime": "2026-11-17T00:05:00Z", "leaveDateTime": "2026-11-17T00:50:00Z"}
                ],
            },
            {"emailAddress": "guest@elsewhere.example", "role": "Attendee", "attendanceIntervals": []},
        ],
    } | link
    import_calls(school, people.calls(tmp_path / "c.json", record))
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    import_attendance(school, tmp_path / "report.json")
    assert [calls for *_, calls in state(school)] == [[("record", "session"), ("attendance:report", "report")]]
    letter = {"pupil_email": people.email("aled"), "kind": "introduction", "sent_on": "2020-08-01"}
    import_letters(school, people.table(tmp_path / "letters.csv", [letter]))
    row = people.log("teacher", "aled", "2026-11-16T23:50", 60, ref="L1")
    assert isinstance(enter_log(school, row, people.staff_id(school, "teacher")), Entered)
    assert state(school) == judge_everything(school)


def test_a_later_version_deletes_no_call_of_a_session_that_a_concern_is_linked_to(
    school: School, tmp_path: Path
) -> None:
    """The concern is linked to the log of the session."""
    said = {"concern": "yes", "concern_summary": "Cried.", "concern_category": "distress", "ref": "L1"}
    import_logs(school, people.table(tmp_path / "l.csv", [people.log("teacher", "aled", at()) | said]))
    who = {"teacher": (0.0, 30.0), "aled": (0.0, 30.0)}
    import_calls(school, people.calls(tmp_path / "1.json", people.call("c1", at(), who)))
    alone = people.call("c1", at(), {"aled": (0, 30)}, version=2)
    assert import_calls(school, people.calls(tmp_path / "2.json", alone)).dropped == 0
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.calls.c.id)).all() == ["c1"]
