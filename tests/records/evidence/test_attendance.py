"""Attendance reports of Microsoft Graph: read whole or not at all."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.records.evidence.attendance import iter_reports, read_report
from app.records.evidence.calls import read_call
from app.records.evidence.graph_objects import UnreadableObjectError
from tests import people
from tests.records.evidence.reports import LESSON, graph_report

START = datetime(2026, 11, 10, 10, tzinfo=UTC)
WHOLE = graph_report("AR-1", START, LESSON)


def at(minute: int) -> datetime:
    return START.replace(minute=minute)


def with_record(**more: Any) -> dict[str, Any]:
    """The report with the first record changed."""
    first, *others = WHOLE["attendanceRecords"]
    return WHOLE | {"attendanceRecords": [first | more, *others]}


def test_read_report_reads_people_their_times_and_the_organiser() -> None:
    report = read_report(WHOLE)
    assert (report.id, report.started_at, report.ended_at, report.unlisted) == ("attendance:ar-1", at(0), at(30), 0)
    assert report.organiser is not None
    assert report.organiser.entra_id == people.entra("teacher")
    teacher, aled = report.attendees
    assert (teacher.entra_id, teacher.addresses, teacher.is_organiser) == (
        people.entra("teacher"),
        (people.email("teacher"),),
        True,
    )
    assert aled.intervals == ((at(1), at(10)), (at(12), at(29)))


@pytest.mark.parametrize("role", ["Presenter", "Attendee", "None", "Coorganizer", "Something new", None])
def test_read_report_takes_only_the_role_of_an_organiser_for_one(role: str | None) -> None:
    assert read_report(with_record(role=role)).organiser is None


def test_read_report_knows_no_organiser_if_two_have_the_role() -> None:
    records = [record | {"role": "Organizer"} for record in WHOLE["attendanceRecords"]]
    assert read_report(WHOLE | {"attendanceRecords": records}).organiser is None


def test_read_report_counts_people_without_a_record() -> None:
    assert read_report(WHOLE | {"totalParticipantCount": 5}).unlisted == 3


def test_read_report_takes_a_bot_for_nobody_and_a_guest_for_somebody() -> None:
    bot = {"@odata.type": "#microsoft.graph.identity", "applicationInstance": {"id": "b"}}
    assert len(read_report(with_record(identity=bot)).attendees) == 1
    guest = read_report(with_record(identity=None, emailAddress="")).attendees[0]
    assert (guest.person, guest.entra_id, guest.addresses) == ("record:0", None, ())
    registered = read_report(with_record(identity=None, registrationId="r1")).attendees[0]
    assert registered.addresses == ()


def test_read_report_keeps_people_without_times() -> None:
    assert read_report(with_record(attendanceIntervals=[])).attendees[0].intervals == ()
    assert read_report(with_record(attendanceIntervals=None)).attendees[0].intervals == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (WHOLE | {"attendanceRecords": []}, "$expand=attendanceRecords"),
        ({name: value for name, value in WHOLE.items() if name != "attendanceRecords"}, "$expand=attendanceRecords"),
        (WHOLE | {"attendanceRecords@odata.nextLink": "https://graph.example/x"}, "only its first records"),
        (WHOLE | {"id": None}, "no id"),
        (WHOLE | {"meetingEndDateTime": "soon"}, "not a time"),
        (WHOLE | {"meetingEndDateTime": WHOLE["meetingStartDateTime"][:11] + "09:00:00Z"}, "before"),
        (WHOLE | {"attendanceRecords": "System.Object[]"}, "missing"),
        (with_record(identity="@{id=1}"), "cut off"),
        (with_record(attendanceIntervals="System.Object[]"), "cut off"),
        (with_record(attendanceIntervals=["@{joinDateTime=}"]), "cut off"),
        (with_record(attendanceIntervals=[{"joinDateTime": "2026-11-10T10:00:00Z"}]), "no time"),
        (
            with_record(
                attendanceIntervals=[{"joinDateTime": "2026-11-10T10:05:00Z", "leaveDateTime": "2026-11-10T10:00:00Z"}]
            ),
            "ends before it begins",
        ),
        ({"id": "c1", "sessions": []}, "import calls"),
        ({"error": {"code": "Forbidden"}}, "an error of Microsoft Graph"),
        ({"id": "x"}, "not an attendance report"),
        ("text", "not an attendance report"),
    ],
)
def test_read_report_refuses_what_is_not_whole(content: Any, reason: str) -> None:
    with pytest.raises(UnreadableObjectError) as refused:
        read_report(content)
    assert reason in f"{refused.value} {refused.value.fix}"


def test_read_report_reads_a_report_of_nobody() -> None:
    assert read_report(WHOLE | {"attendanceRecords": [], "totalParticipantCount": 0}).attendees == ()


def test_iter_reports_gives_the_reports_of_a_meeting_its_link_and_organiser() -> None:
    organiser = {"identity": {"user": {"id": people.entra("tutor")}}, "upn": people.email("tutor")}
    meeting = {
        "id": "m1",
        "joinWebUrl": "https://teams.example/join",
        "participants": {"organizer": organiser},
        "attendanceReports": [WHOLE, WHOLE | {"id": "AR-2"}],
    }
    first, second = (read_report(one) for one in iter_reports(meeting))
    assert (first.id, second.id) == ("attendance:ar-1", "attendance:ar-2")
    assert first.organiser is not None
    assert (first.join_url, first.organiser.entra_id) == ("https://teams.example/join", people.entra("tutor"))


def test_read_report_finds_the_organiser_in_whose_name_graph_was_asked() -> None:
    context = f"https://graph.microsoft.com/v1.0/$metadata#users('{people.entra('hm')}')/onlineMeetings('x')/$entity"
    report = read_report(with_record(role="None") | {"@odata.context": context})
    assert report.organiser is not None
    assert report.organiser.entra_id == people.entra("hm")


def test_read_call_names_an_attendance_report() -> None:
    with pytest.raises(UnreadableObjectError, match="attendance report") as refused:
        read_call(WHOLE)
    assert "import attendance" in refused.value.fix


def test_iter_reports_spells_keys_as_graph_does() -> None:
    def respell(part: Any) -> Any:
        if isinstance(part, list):
            return [respell(one) for one in part]
        return (
            {name[0].upper() + name[1:]: respell(one) for name, one in part.items()} if isinstance(part, dict) else part
        )

    (found,) = iter_reports(respell(WHOLE))
    assert read_report(found).attendees == read_report(WHOLE).attendees


def test_iter_reports_refuses_parts_that_are_elsewhere() -> None:
    with pytest.raises(UnreadableObjectError, match="AdditionalProperties"):
        list(iter_reports(WHOLE | {"attendanceRecords": [{"AdditionalProperties": {"role": "Organizer"}}]}))


@pytest.mark.parametrize("key", ["attendanceRecordsNextLink", "attendanceRecords_odata_next_link", "@odata.nextLink"])
def test_iter_reports_refuses_a_report_with_further_records(key: str) -> None:
    with pytest.raises(UnreadableObjectError, match="not whole"):
        list(iter_reports(WHOLE | {key: "https://graph.example/x"}))
