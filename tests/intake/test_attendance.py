"""Attendance reports: stored like calls if they are sessions, the fullest of each meeting, in whichever form."""

import json
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from app.intake.attendance import import_attendance
from app.intake.calls import import_calls
from app.intake.files import import_consents, import_letters, import_logs, import_roster
from app.records.evidence.attendance_times import DateOrder
from app.records.rows import UnreadableFileError
from app.school import School
from app.store import tables
from app.vocabulary.terms import CallSource
from tests.intake.contents import all_rows, outcomes
from tests.people import email, entra, log, staff_id, table
from tests.records.evidence.reports import BRITISH, LESSON, Stays, download, graph_report

pytestmark = pytest.mark.usefixtures("story_clock")

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
AMBIGUOUS = datetime(2026, 11, 10, 10, tzinfo=UTC)
SHORT: Stays = {"teacher": [(0, 20)], "aled": [(1, 10)]}


def saved(file: Path, *reports: object) -> Path:
    file.write_text(json.dumps({"value": reports}), encoding="utf-8")
    return file


def ids(school: School) -> dict[str, int]:
    with school.engine.connect() as connection:
        rows = connection.execute(select(tables.calls.c.id, tables.calls.c.version)).all()
        return {row.id: row.version for row in rows}


def test_import_attendance_stores_a_session_like_a_call(school: School, tmp_path: Path) -> None:
    link = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0"
    report = graph_report("AR-1", START, {**LESSON, "bethan": [(0, 0)]}, joinWebUrl=link, totalParticipantCount=3)
    result = import_attendance(school, saved(tmp_path / "r.json", report))
    assert (result.kind, result.read, result.added, result.rejected) == ("attendance", 1, 1, [])
    with school.engine.connect() as connection:
        call = connection.execute(select(tables.calls)).one()
        stays = connection.execute(select(tables.call_stays).order_by(tables.call_stays.c.joined_at)).all()
        listed = connection.execute(select(tables.call_listed)).one()
        (url,) = connection.scalars(select(tables.meeting_links.c.url))
    assert (call.id, call.source, call.type) == ("attendance:ar-1", CallSource.ATTENDANCE, "groupCall")
    assert (call.organiser_staff_id, url) == (staff_id(school, "teacher"), link)
    assert [(stay.upn, stay.has_media) for stay in stays] == [(email("teacher"), False), *[(email("aled"), False)] * 2]
    assert listed.entra_id == entra("bethan")
    assert outcomes(school, "staff-opens") == {("", "attendance:ar-1"): "no_evidence"}  # Bethan may have come first


def test_import_attendance_judges_a_log_by_its_report(school: School, tmp_path: Path) -> None:
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-24T10:00", ref="L1")]))
    late: Stays = {"teacher": [(0, 20)], "aled": [(1, 29)]}
    import_attendance(school, ("r.csv", download(START, late)))
    ((ref, _), outcome), *others = outcomes(school, "staff-ends").items()
    assert (ref, outcome, others) == ("L1", "breach", [])


@pytest.mark.parametrize("who", [{"teacher": [(0, 9)], "tutor": [(0, 9)]}, {"nobody@x.example": [(0, 9)]}])
def test_import_attendance_stores_nothing_of_a_meeting_that_is_no_session(
    school: School, tmp_path: Path, who: Stays
) -> None:
    result = import_attendance(school, saved(tmp_path / "r.json", graph_report("AR-1", START, who)))
    assert (result.added, result.dropped) == (0, 1)
    stored = all_rows(school)
    assert not any(stored[name] for name in ("calls", "call_originals", "call_stays", "call_listed", "sessions"))


def test_import_attendance_changes_nothing_the_second_time(school: School, tmp_path: Path) -> None:
    file = saved(tmp_path / "r.json", graph_report("AR-1", START, LESSON))
    import_attendance(school, file)
    import_attendance(school, ("r.csv", download(START, SHORT)))
    before = all_rows(school)
    assert import_attendance(school, file).unchanged == 1
    assert import_attendance(school, ("r.csv", download(START, SHORT))).unchanged == 1
    assert all_rows(school) == before


def test_import_attendance_keeps_the_fuller_report_of_a_meeting_in_either_form(school: School, tmp_path: Path) -> None:
    assert import_attendance(school, ("r.csv", download(START, SHORT))).added == 1
    ((first, version),) = ids(school).items()
    file = saved(tmp_path / "r.json", graph_report("AR-1", START.replace(microsecond=400_000), LESSON))
    assert import_attendance(school, file).changed == 1
    assert [*ids(school)] == [first]
    assert ids(school)[first] > version
    other = graph_report("AR-2", START, {"tutor": [(0, 30)], "bethan": [(0, 30)]})
    assert import_attendance(school, saved(tmp_path / "o.json", other)).added == 1


def test_import_attendance_recognises_a_meeting_by_a_pupil_if_the_organiser_is_not_known(
    school: School, tmp_path: Path
) -> None:
    report = graph_report("AR-1", START, LESSON)
    for record in report["attendanceRecords"]:
        record["role"] = "None"
    import_attendance(school, saved(tmp_path / "r.json", report))
    assert import_attendance(school, ("r.csv", download(START, LESSON))).added == 0


def test_import_attendance_asks_for_the_order_of_dates_and_then_resolves_the_rejection(school: School) -> None:
    file = ("r.csv", download(AMBIGUOUS, LESSON, BRITISH))
    (rejected,) = import_attendance(school, file).rejected
    assert (rejected.row, rejected.column) == (4, "Start time")
    assert ids(school) == {}
    result = import_attendance(school, file, dates=DateOrder.DMY)
    assert (result.added, result.resolved) == (1, 1)


def test_import_attendance_resolves_the_rejection_of_a_report_that_was_not_expanded(
    school: School, tmp_path: Path
) -> None:
    report = graph_report("AR-1", START, LESSON)
    bare = saved(tmp_path / "bare.json", report | {"attendanceRecords": []})
    (rejected,) = import_attendance(school, bare).rejected
    assert "$expand=attendanceRecords" in rejected.fix
    assert import_attendance(school, saved(tmp_path / "whole.json", report)).resolved == 1


def test_import_attendance_refuses_times_to_come(school: School) -> None:
    (rejected,) = import_attendance(school, ("r.csv", download(START.replace(year=2027), LESSON))).rejected
    assert "in the future" in rejected.reason


def test_import_attendance_reads_a_folder_and_names_what_it_cannot_read(school: School, tmp_path: Path) -> None:
    saved(tmp_path / "a.json", graph_report("AR-1", START, LESSON))
    (tmp_path / "b.csv").write_bytes(download(START.replace(hour=12), LESSON))
    (tmp_path / "c.csv").write_bytes(download(START.replace(hour=14), LESSON)[:700])
    (tmp_path / "d.jsonl").write_text(json.dumps(graph_report("AR-4", START.replace(hour=8), LESSON)))
    result = import_attendance(school, tmp_path)
    assert (result.read, result.added) == (4, 3)
    assert result.rejected[0].file == "c.csv"


def test_import_attendance_says_which_part_of_a_report_it_did_not_read(school: School, tmp_path: Path) -> None:
    content = download(START, LESSON) + "\r\n4. Reactions\r\nName\tLiked\r\n".encode("utf-16-le")
    assert import_attendance(school, ("r.csv", content)).notes == ["part 4, from row 19, was not read"]
    (tmp_path / "b.csv").write_bytes(content)
    assert import_attendance(school, tmp_path).notes == ["in b.csv part 4, from row 19, was not read"]


def test_import_attendance_refuses_what_is_not_there(school: School, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        import_attendance(school, tmp_path / "nothing")


def test_import_attendance_stores_nothing_of_another_file(school: School, tmp_path: Path) -> None:
    before = all_rows(school)
    with pytest.raises(UnreadableFileError, match="not an attendance report"):
        import_attendance(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-24T10:00")]))
    assert all_rows(school) == before


def test_other_imports_refuse_an_attendance_report_and_name_its_command(school: School, tmp_path: Path) -> None:
    before = all_rows(school)
    report = saved(tmp_path / "r.json", graph_report("AR-1", START, LESSON))
    file = tmp_path / "r.csv"
    file.write_bytes(download(START, LESSON))
    with pytest.raises(UnreadableFileError, match=r"attendance report.*import attendance"):
        import_calls(school, report)
    for import_other in (import_logs, import_letters, import_consents, import_roster):
        with pytest.raises(UnreadableFileError, match=r"attendance report.*import attendance"):
            import_other(school, file)
    (tmp_path / "folder").mkdir()
    file.rename(tmp_path / "folder" / "pupils.csv")
    with pytest.raises(UnreadableFileError, match=r"attendance report.*import attendance"):
        import_roster(school, tmp_path / "folder")
    assert all_rows(school) == before


def test_import_attendance_keeps_the_file_word_for_word(school: School) -> None:
    content = download(START, LESSON)
    import_attendance(school, ("r.csv", content))
    with school.engine.connect() as connection:
        (original,) = connection.scalars(select(tables.call_originals.c.original))
    assert zlib.decompress(original) == content
