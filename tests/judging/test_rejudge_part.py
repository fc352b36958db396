"""Judging what a change affects gives what judging everything gives, whatever came first."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

from app.access.forms import list_calls_to_log
from app.access.sessions import list_sessions, list_unlogged_calls
from app.alerts.due import count_waiting_for_each
from app.intake.attendance import import_attendance
from app.intake.calls import import_calls
from app.intake.files import import_letters, import_logs
from app.intake.logs import preview_entered_log
from app.judging.rejudge import Affected, rejudge
from app.school import School
from app.store import tables
from tests import people

pytestmark = pytest.mark.usefixtures("story_clock")

DAY = "2026-11-24"
EVER = (people.NOW.date().replace(month=1), people.NOW.date())
EVERYTHING = Affected(times=[(-(2**62), 2**62)])
State = list[tuple[str, str, list[tuple[str, str]]]]


def meeting(call_id: str, start: str, who: dict[str, tuple[float, float]], version: int = 1) -> dict[str, Any]:
    """A call under the teacher's link."""
    organiser = {"identity": {"user": {"id": people.entra("teacher"), "tenantId": people.TENANT}}}
    record = people.call(call_id, f"{DAY}T{start}", who, version)
    return record | {"joinWebUrl": "https://teams.example/one", "organizer_v2": organiser}


LESSON = meeting("lesson", "10:00", {"teacher": (0, 30), "aled": (0, 30)})
AFTER = meeting("after", "13:00", {"aled": (0, 10), "bethan": (1, 9)})
EVENING = meeting("evening", "16:00", {"teacher": (0, 30), "bethan": (0, 30)})
BESIDE = meeting("beside", "16:10", {"carys": (0, 5)})
REPORT = {
    "id": "report",
    "totalParticipantCount": 2,
    "meetingStartDateTime": f"{DAY}T10:00:00Z",
    "meetingEndDateTime": f"{DAY}T10:30:00Z",
    "joinWebUrl": "https://teams.example/one",
    "attendanceRecords": [
        {
            "identity": {"id": people.entra(who), "tenantId": people.TENANT},
            "emailAddress": people.email(who),
            "role": role,
            "attendanceIntervals": [{"joinDateTime": f"{DAY}T10:00:00Z", "leaveDateTime": f"{DAY}T10:{minute}:00Z"}],
        }
        for who, role, minute in (("teacher", "Organizer", 30), ("aled", "Attendee", 29))
    ],
}


@pytest.fixture
def enter(school: School, tmp_path: Path) -> Any:
    """Imports calls, reports (by their shape) and rows of logs, one after the other."""

    def enter(*records: dict[str, Any]) -> None:
        for record in records:
            if "staff_email" in record:
                result = import_logs(school, people.table(tmp_path / "log.csv", [record]))
            elif "attendanceRecords" in record:
                (tmp_path / "report.json").write_text(json.dumps(record), encoding="utf-8")
                result = import_attendance(school, tmp_path / "report.json")
            else:
                result = import_calls(school, people.calls(tmp_path / "calls.json", record))
            assert not result.rejected

    return enter


def state(school: School) -> State:
    """For each session its log, outcomes, and calls in order with what they are to it."""
    session, link = tables.sessions.c, tables.session_calls.c
    query = select(session.id, session.codes, tables.logs.c.ref).outerjoin(tables.logs)
    with school.engine.connect() as connection:
        calls = connection.execute(select(link.session_id, link.call_id, link.part).order_by(link.place)).all()
        return sorted(
            (row.ref or "", row.codes, [(call.call_id, call.part) for call in calls if call.session_id == row.id])
            for row in connection.execute(query)
        )


def judge_everything(school: School) -> State:
    with school.writing() as connection:
        rejudge(connection, school, EVERYTHING)
    return state(school)


@pytest.mark.parametrize("seed", range(4))
def test_rejudge_of_a_part_gives_what_judging_everything_gives(school: School, enter: Any, seed: int) -> None:
    later = meeting("lesson", "10:00", {"teacher": (0, 30), "aled": (0, 200)}, version=2)
    gone = meeting("evening", "16:00", {"teacher": (0, 30)}, version=2)
    logs = [
        people.log("teacher", who, f"{DAY}T{hour}", ref=hour) for who, hour in (("aled", "10:00"), ("bethan", "16:00"))
    ]
    records = [LESSON, AFTER, EVENING, BESIDE, REPORT, *logs]
    Random(seed).shuffle(records)
    enter(*records)
    assert state(school) == judge_everything(school)
    for change in (later, gone):
        enter(change)
        assert state(school) == judge_everything(school)


def test_rejudge_stores_what_each_call_is_to_its_session(school: School, enter: Any) -> None:
    enter(AFTER, REPORT, LESSON, people.log("teacher", "aled", f"{DAY}T10:00", ref="log"))
    ((_, _, calls),) = state(school)
    assert calls == [("lesson", "session"), ("attendance:report", "report"), ("after", "after")]


def test_rejudge_keeps_the_number_of_a_session_when_its_call_record_comes(school: School, enter: Any) -> None:
    enter(REPORT)
    with school.engine.connect() as connection:
        before = connection.scalars(select(tables.sessions.c.id)).all()
    enter(LESSON)
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.sessions.c.id)).all() == before


def test_rejudge_of_sessions_whose_register_changed_judges_tied_calls_with_them(
    school: School, enter: Any, tmp_path: Path
) -> None:
    enter(LESSON, EVENING, BESIDE)
    assert len(state(school)) == 3
    letter = {"pupil_email": people.email("carys"), "kind": "introduction", "sent_on": "2020-08-01"}
    import_letters(school, people.table(tmp_path / "letters.csv", [letter]))
    assert len(state(school)) == 3
    assert state(school) == judge_everything(school)


def test_rooms_without_staff_are_not_to_be_logged(school: School, enter: Any) -> None:
    enter(AFTER)
    teacher, head = people.someone(school, "teacher"), people.someone(school, "sdh")
    assert list_calls_to_log(school, teacher).empty
    assert list_unlogged_calls(school, head, EVER).empty
    (session,) = list_sessions(school, teacher, EVER).to_dict("records")
    assert (session["own"], session["unlogged"], session["status"]) == (True, False, "breach")
    waiting = count_waiting_for_each(school, people.NOW).set_index("staff_id").loc[teacher.staff_id]
    assert (waiting["to_log"], waiting["to_explain"]) == (0, 1)


def test_preview_log_matches_a_room_without_staff_as_storing_it_does(school: School, enter: Any) -> None:
    enter(LESSON, AFTER)
    of_lesson = _preview(school, f"{DAY}T10:00").loc["never-alone"]
    assert of_lesson["outcome"] == "breach"
    assert "After the session" in of_lesson["reason"]
    of_room = _preview(school, f"{DAY}T13:00").loc["staff-opens"]
    assert (of_room["outcome"], of_room["evidence"]) == ("breach", "call")


def _preview(school: School, start: str) -> pd.DataFrame:
    preview = preview_entered_log(school, people.log("teacher", "aled", start))
    assert isinstance(preview, pd.DataFrame)
    return preview.set_index("clause")
