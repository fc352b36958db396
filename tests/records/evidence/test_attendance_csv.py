"""Attendance reports that an organiser downloads: in any language and order of dates, read whole or not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.evidence.attendance_csv import read_downloaded_report
from app.records.evidence.attendance_lines import InvalidReportError, refuse_attendance_report
from app.records.evidence.attendance_times import DateOrder, read_written_time
from app.records.rows import UnreadableFileError
from tests import people
from tests.records.evidence.reports import AMERICAN, BRITISH, DIALECTS, LESSON, LONDON, Dialect, Stays, download

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
AMBIGUOUS = datetime(2026, 11, 10, 10, tzinfo=UTC)
TEXT = download(START, LESSON).decode("utf-16")

Read = dict[str, list[tuple[datetime, datetime]]]


def read(content: bytes, dates: DateOrder | None = None) -> Read:
    """When each person was in the meeting, by address."""
    report = read_downloaded_report(content, LONDON, dates)
    return {attendee.addresses[0]: list(attendee.intervals) for attendee in report.attendees}


def meant(start: datetime, who: Stays) -> Read:
    return {
        people.email(one): [(start + timedelta(minutes=a), start + timedelta(minutes=b)) for a, b in stays if b > a]
        for one, stays in who.items()
    }


def refused(content: bytes, dates: DateOrder | None = None) -> InvalidReportError:
    with pytest.raises(InvalidReportError) as error:
        read(content, dates)
    return error.value


@pytest.mark.parametrize("dialect", DIALECTS)
def test_read_downloaded_report_reads_every_dialect(dialect: Dialect) -> None:
    dates = _order_of(dialect) if "%y" in dialect.date else None  # the year might be the day
    report = read_downloaded_report(download(START, LESSON, dialect), LONDON, dates)
    assert read(download(START, LESSON, dialect), dates) == meant(START, LESSON)
    assert report.organiser is not None
    assert report.organiser.upn == people.email("teacher")
    assert report.id == read_downloaded_report(download(START, LESSON), LONDON, None).id


whole_seconds = st.integers(0, 3 * 3600).map(lambda seconds: seconds / 60)
stays = st.lists(st.tuples(whole_seconds, whole_seconds).map(lambda pair: (min(pair), max(pair))), min_size=1)
meetings = st.dictionaries(st.sampled_from(["teacher", "tutor", *people.PUPILS]), stays, min_size=1)
SECONDS = int(timedelta(days=365 * 9).total_seconds())
starts = st.integers(0, SECONDS).map(lambda seconds: datetime(2020, 9, 1, tzinfo=UTC) + timedelta(seconds=seconds))


@given(start=starts, who=meetings, dialect=st.sampled_from(DIALECTS))
@settings(max_examples=200)
def test_read_downloaded_report_reads_what_was_written_or_refuses_it(
    start: datetime, who: Stays, dialect: Dialect
) -> None:
    order = _order_of(dialect)
    for dates in [None, order] if order is not DateOrder.YMD else [None]:
        found, reason = _read_or_refuse(download(start, who, dialect), dates)
        in_doubt = "day first or month first" in reason and dates is None
        assert found == meant(start, who) or in_doubt or "clock shows twice" in reason


def _read_or_refuse(content: bytes, dates: DateOrder | None) -> tuple[Read | None, str]:
    try:
        return read(content, dates), ""
    except InvalidReportError as error:
        return None, error.reason


def _order_of(dialect: Dialect) -> DateOrder:
    return DateOrder("".join(letter for letter in dialect.date.lower() if letter in "dmy")[:3])


def test_read_downloaded_report_asks_for_the_order_that_the_file_does_not_show() -> None:
    error = refused(download(AMBIGUOUS, LESSON))
    assert (error.row, error.column) == (4, "Start time")
    assert "--dates dmy" in error.fix
    assert read(download(AMBIGUOUS, LESSON), DateOrder.MDY) == meant(AMBIGUOUS, LESSON)
    october = datetime(2026, 10, 11, 9, tzinfo=UTC)
    assert read(download(AMBIGUOUS, LESSON), DateOrder.DMY) == meant(october, LESSON)


def test_read_downloaded_report_refuses_an_order_that_does_not_fit() -> None:
    assert "cannot be read as dmy" in refused(download(START, LESSON), DateOrder.DMY).reason


def test_read_downloaded_report_reads_a_year_that_comes_first_whatever_the_order() -> None:
    for dialect in DIALECTS:
        if _order_of(dialect) is DateOrder.YMD:
            for dates in DateOrder:
                assert read(download(AMBIGUOUS, LESSON, dialect), dates) == meant(AMBIGUOUS, LESSON)


def test_read_downloaded_report_sees_the_order_from_a_meeting_over_midnight() -> None:
    evening = datetime(2026, 11, 10, 23, 50, tzinfo=UTC)
    for dialect in (AMERICAN, BRITISH):
        assert read(download(evening, LESSON, dialect)) == meant(evening, LESSON)


def test_read_downloaded_report_needs_no_order_where_both_give_the_same_day() -> None:
    day = datetime(2026, 11, 11, 10, tzinfo=UTC)
    assert read(download(day, LESSON)) == meant(day, LESSON)


@pytest.mark.parametrize(
    ("before", "after", "row", "reason"),
    [
        ("3. In-Meeting Activities", "", None, "ends the file before its third part"),
        ("Attended participants\t2", "Attended participants\t3", 4, "1 are not listed"),
        ("11/24/26, 10:29:00 AM\t9m", "later\t9m", 17, "is not a time"),
        ("11/24/26, 10:12:00 AM\t", "11/24/26, 10:40:00 AM\t", 17, "leaving before that of joining"),
        ("teacher@habs.example\tOrganizer", "teacher at habs\tOrganizer", 10, "is not an email address"),
        ("Aled\t11/24/26, 10:12:00 AM", "Dai\t11/24/26, 10:12:00 AM", None, ""),
        ("Name\tJoin Time", "Aled\t11/24/26, 10:12:00 AM", 14, "should name the columns"),
        ("End time\t11/24/26", "End time\t11/23/26", None, "before the start"),
        ("End time\t11/24/26", "End time\t11/20/26", 4, "30 hours"),
        ("Start time\t11/24/26, 10:00:00 AM", "Start time\t", 2, "start and the end"),
        ("\t9m", '\t"9m', None, "quotation mark"),
        ("9m", "9m\t\t\t\t\tx", None, "more cells"),
        ("10:00:00 AM", "10:00:00 in the morning", None, ""),
        ("10:00:00 AM", "15:00:00 PM", None, ""),
        ("Aled\t11/24/26, 10:12:00 AM", "Aled\t11/24/26, 10:12 AM", None, "no seconds"),
    ],
)
def test_read_downloaded_report_refuses_a_report_with_one_bad_row(
    before: str, after: str, row: int | None, reason: str
) -> None:
    assert before in TEXT
    content = TEXT.replace(before, after, 1).encode("utf-16")
    try:
        error = refused(content)
    except pytest.fail.Exception:
        assert not reason  # a name alone changes nothing: people are recognised by their addresses
        assert read(content) == meant(START, LESSON)
        return
    assert reason in error.reason
    assert row in (None, error.row)
    assert error.fix


def test_read_downloaded_report_takes_a_number_for_a_title_and_a_count_for_those_who_came() -> None:
    assert read(download(START, LESSON, title="7")) == meant(START, LESSON)
    registered = TEXT.replace("Attended participants", "Registered participants\t30\r\nAttended participants")
    assert read(registered.encode("utf-16")) == meant(START, LESSON)


def test_read_downloaded_report_ignores_blank_cells_that_a_spreadsheet_program_adds() -> None:
    padded = "".join(f"{line}\t\t\r\n" for line in TEXT.splitlines())
    report, whole = (read_downloaded_report(text.encode("utf-16"), LONDON, None) for text in (padded, TEXT))
    assert (report.organiser, report.attendees) == (whole.organiser, whole.attendees)
    assert whole.organiser is not None


def test_read_downloaded_report_names_further_parts() -> None:
    further = "\r\n4. Reactions\r\nName\tLiked\r\nAled\t2\r\n\r\n5. Questions\r\n"
    report = read_downloaded_report((TEXT + further).encode("utf-16"), LONDON, None)
    assert report.notes == ("part 4, from row 19, was not read", "part 5, from row 23, was not read")
    assert read((TEXT + further).encode("utf-16")) == meant(START, LESSON)
    assert read_downloaded_report(TEXT.encode("utf-16"), LONDON, None).notes == ()


def test_read_downloaded_report_refuses_a_file_that_was_cut_off() -> None:
    lines = TEXT.splitlines(keepends=True)
    for length in range(1, 17):
        refused("".join(lines[:length]).encode("utf-16"))


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (datetime(2026, 10, 25, 0, 40, tzinfo=UTC), "clock shows twice"),
        (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "clock shows twice"),
    ],
)
def test_read_downloaded_report_refuses_the_hour_that_comes_twice(start: datetime, reason: str) -> None:
    assert reason in refused(download(start, LESSON)).reason


def test_read_downloaded_report_refuses_the_hour_that_never_was() -> None:
    content = download(datetime(2026, 3, 29, 10, tzinfo=UTC), LESSON).decode("utf-16")
    skipped = content.replace("3/29/26, 11:", "3/29/26, 1:")
    assert "clocks went forward" in refused(skipped.encode("utf-16")).reason


def test_read_downloaded_report_joins_the_rows_of_guests_of_one_name() -> None:
    def guest(text: str) -> str:
        return text.replace("aled@pupils.habs.example", "")

    report = read_downloaded_report(guest(TEXT).encode("utf-16"), LONDON, None)
    assert [attendee.addresses for attendee in report.attendees] == [("teacher@habs.example",), ()]
    assert len(report.attendees[1].intervals) == 2
    assert "aled" not in report.attendees[1].person.lower()


def test_read_downloaded_report_reads_the_older_form_of_one_part() -> None:
    stays = (("teacher", "Organizer", 0, 30), ("aled", "Presenter", 1, 10), ("aled", "Presenter", 12, 29))
    day = "11/24/2021, 10"
    rows = [
        "Meeting Summary",
        "Total Number of Participants\t2",
        "Meeting Title\tMathematics",
        "Meeting Start Time\t11/24/2021, 10:00:00 AM",
        "Meeting End Time\t11/24/2021, 10:30:00 AM",
        "",
        "Full Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole\tParticipant ID (UPN)",
        *(
            f"{one}\t{day}:{a:02}:00 AM\t{day}:{b:02}:00 AM\t9m\t{people.email(one)}\t{role}\t{one}@id"
            for one, role, a, b in stays
        ),
    ]
    report = read_downloaded_report("\r\n".join(rows).encode("utf-16"), LONDON, None)
    teacher, aled = report.attendees
    assert (teacher.is_organiser, aled.is_organiser) == (True, False)
    assert aled.addresses == ("aled@id", "aled@pupils.habs.example")
    start = datetime(2021, 11, 24, 10, tzinfo=UTC)
    assert list(aled.intervals) == meant(start, LESSON)["aled@pupils.habs.example"]


def test_read_downloaded_report_refuses_the_oldest_form_which_has_no_addresses() -> None:
    rows = ["Full Name\tUser Action\tTimestamp", "Aled Pugh\tJoined\t24/11/2020, 10:00:00"]
    assert "without addresses" in refused("\r\n".join(rows).encode("utf-16")).reason


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"ref,staff_email\n1,x@y", b"\x89PNG\r\n\x1a\n", b"1. Summary\n"]
)
def test_read_downloaded_report_refuses_what_is_no_report(content: bytes) -> None:
    refused(content)


def test_refuse_attendance_report_leaves_other_files_alone() -> None:
    for content in (b"ref,staff_email\n1,x@y", b'{"value": [{"id": "c", "sessions": []}]}', b"", b"[]"):
        refuse_attendance_report(("file", content))
    with pytest.raises(UnreadableFileError, match="import attendance"):
        refuse_attendance_report(("file", b'[{"id": "x", "meetingStartDateTime": "2026"}]'))


@pytest.mark.parametrize(
    "text", ["", "40m 5s", "2026-11-24", "10:00", "24/11/2026", "0/11/2026 10:00", "1/2/3/4 10:00", "11-24/2026 10:00"]
)
def test_read_written_time_reads_nothing_else(text: str) -> None:
    assert read_written_time(text) is None
