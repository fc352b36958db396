"""Session logs: what is read of each cell, and why a row is rejected."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.log_questions import QUESTIONS
from app.records.logs import COLUMNS, Log, find_ref, parse_log, parse_logs
from app.records.rows import InvalidCellError, UnreadableFileError
from app.records.tables.tabular import Table
from app.records.times import parse_instant
from tests.records.evidence.shapes import LOG, NOW, ROSTER, SETTINGS, table

LONDON = ZoneInfo("Europe/London")
YES_NO = [question.name for question in QUESTIONS if question.is_yes_no]


def log(**cells: str) -> Log:
    return parse_log(LOG | cells, ROSTER, SETTINGS, NOW)


def fault(**cells: str) -> str | None:
    """The column for which a row with these cells is rejected, among good rows that are read."""
    parsed = parse_logs(table(LOG, LOG | cells, LOG, columns=COLUMNS), ROSTER, SETTINGS, NOW)
    assert [read.number for read in parsed.rows] == [2, 4]
    (rejected,) = parsed.rejected
    assert rejected.row == 3
    assert rejected.reason
    assert rejected.fix
    assert rejected.original["staff_email"] == (LOG | cells)["staff_email"]
    # What is printed for a row may hold a made-up address as an example, never one from the row.
    addresses = {word for cell in (LOG | cells).values() for word in cell.split(";") if "@" in word}
    assert not any(address in rejected.reason + rejected.fix for address in addresses)
    assert rejected.value == (None if rejected.column is None else (LOG | cells).get(rejected.column, "").strip())
    return rejected.column


def test_parse_log_reads_people_and_times() -> None:
    told = log(
        pupil_emails=" Bethan.Rees@pupils.example ;; aled.pugh@PUPILS.example; aled.pugh@pupils.example",
        second_staff_emails="huw.vaughan@school.example; Visitor@elsewhere.example;",
    )
    assert told.staff_id == 1
    assert told.pupil_ids == (11, 12)
    assert told.invited == (("huw.vaughan@school.example", 2), ("visitor@elsewhere.example", None))
    assert told.started_at == datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
    assert told.ended_at == datetime(2026, 11, 3, 14, 35, tzinfo=UTC)
    assert {name for name, answer in told.answers.items() if answer is not None} == {"purpose"}


@pytest.mark.parametrize("column", YES_NO)
def test_parse_log_reads_yes_no_and_not_stated(column: str) -> None:
    for cell in ("yes", "YES", "true", "y", "1"):
        assert log(**{column: cell}).answers[column] is True
    for cell in ("no", "False", "N", "0"):
        assert log(**{column: cell}).answers[column] is False
    assert log(**{column: ""}).answers[column] is None
    assert log(**{column: "  "}).answers[column] is None
    assert fault(**{column: "maybe"}) == column


@pytest.mark.parametrize(
    ("column", "cell", "read"),
    [
        ("purpose", "MUSIC", "music"),
        ("purpose", "Book club", "Book club"),
        ("platform", "Teams", "teams"),
        ("platform", "Microsoft Teams", "teams"),
        ("platform", "Zoom", "Zoom"),
        ("purpose", "Music;", "music"),
        ("recorded", " No\u200b;", False),
        ("account", "School account", "school"),
        ("account", "SCHOOL", "school"),
        ("cameras_on", "Yes", "yes"),
        ("cameras_on", "true", "yes"),
        ("cameras_on", "No_Camera", "no_camera"),
        ("cameras_on", "", None),
        ("room", "Bedroom", "bedroom"),
        ("room", "Grandmother's shed", "Grandmother's shed"),
        ("bedroom_reason", "only room", "only_room"),
        ("reason", "Continuity", "continuity"),
        ("concern_category", "Home_Alone", "home_alone"),
        ("concern_category", "A child home alone;", "home_alone"),
        ("concern_category", "Weather", "weather"),
        ("notes", "=1+1", "=1+1"),
        ("concern_summary", ";", None),
    ],
)
def test_parse_log_reads_words(column: str, cell: str, read: str | bool | None) -> None:
    assert log(**{column: cell}).answers[column] == read


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"staff_email": ""}, "staff_email"),
        ({"staff_email": "nobody@school.example"}, "staff_email"),
        ({"staff_email": "aled.pugh@pupils.example"}, "staff_email"),
        ({"pupil_emails": ""}, "pupil_emails"),
        ({"pupil_emails": " ; "}, "pupil_emails"),
        ({"pupil_emails": "aled.pugh@pupils.example; nobody@pupils.example"}, "pupil_emails"),
        ({"pupil_emails": "aled.pugh@pupils.example bethan.rees@pupils.example"}, "pupil_emails"),
        ({"staff_email": "mailto:mair.howell@school.example"}, "staff_email"),
        ({"dress_ok": "#N/A"}, "dress_ok"),
        ({"notes": "########"}, "notes"),
        ({"ref": "1.23457E+11"}, "ref"),
        ({"purpose": ""}, "purpose"),
        ({"cameras_on": "mostly"}, "cameras_on"),
        ({"second_staff_emails": "Huw"}, "second_staff_emails"),
        ({"started_at": ""}, "started_at"),
        ({"started_at": "yesterday"}, "started_at"),
        ({"started_at": "2026-11-03"}, "started_at"),
        ({"started_at": "03/11/26 14:05"}, "started_at"),
        ({"started_at": "03/11/2026"}, "started_at"),
        ({"started_at": "2026-02-30T14:05"}, "started_at"),
        ({"started_at": "0001-01-01T00:00+14:00"}, "started_at"),
        ({"started_at": "2026-03-29T01:30", "ended_at": "2026-03-29T02:30"}, "started_at"),
        ({"ended_at": "2026-11-03T14:05"}, "ended_at"),
        ({"ended_at": "2026-11-03T13:05"}, "ended_at"),
        ({"ended_at": "2026-11-04T02:06"}, "ended_at"),
        ({"ended_at": "14:35"}, "ended_at"),
        ({"started_at": "2026-11-20T12:01", "ended_at": "2026-11-20T12:02"}, "started_at"),
        ({"started_at": "2026-11-20T11:01", "ended_at": "2026-11-20T12:02"}, "ended_at"),
        ({"concern": "no", "concern_summary": "Words."}, "concern"),
        ({"ref": "r" * 201}, "ref"),
        ({"notes": "a\0b"}, "notes"),
    ],
)
def test_parse_logs_rejects_a_row_by_its_column(cells: dict[str, str], column: str) -> None:
    assert fault(**cells) == column


def test_parse_logs_notes_purposes_and_categories_that_count_as_another() -> None:
    rows = (
        {"purpose": "accademic"},
        {"concern_category": "weather"},
        {"purpose": "music", "concern_category": "other"},
    )
    parsed = parse_logs(table(*(LOG | row for row in rows), columns=COLUMNS), ROSTER, SETTINGS, NOW)
    assert parsed.notes == [
        "the purpose of 1 row (row 2) is not one of music, academic, pastoral, counselling, and counts as another one",
        "row 3, column concern_category: is not one of the categories, and counts as “Something else”",
    ]


def test_parse_log_accepts_twelve_hours_until_now() -> None:
    assert log(started_at="2026-11-20T00:00", ended_at="2026-11-20T12:00").ended_at == NOW


@pytest.mark.parametrize("between", [";", ", ", "\n", ";\r\n"])
def test_parse_log_reads_lists_whatever_separates_them(between: str) -> None:
    assert log(pupil_emails=between.join(["aled.pugh@pupils.example", "bethan.rees@pupils.example"])).pupil_ids == (
        11,
        12,
    )


def test_parse_logs_refuses_a_file_with_the_month_first() -> None:
    rows = [LOG, LOG | {"started_at": "11/13/2026 14:05"}]
    with pytest.raises(UnreadableFileError, match="row 3, column started_at: days are written with the month first"):
        parse_logs(table(*rows), ROSTER, SETTINGS, NOW)


def test_parse_logs_rejects_a_row_that_does_not_match_the_columns() -> None:
    spoilt = [(2, LOG | {"": "a cell too many"}), (3, {"": 'x,"never closed'})]
    parsed = parse_logs(Table("a.csv", COLUMNS, spoilt), ROSTER, SETTINGS, NOW)
    assert [(rejected.row, rejected.column) for rejected in parsed.rejected] == [(2, None), (3, None)]


def test_parse_logs_needs_its_columns_and_ignores_unknown_ones() -> None:
    with pytest.raises(UnreadableFileError, match="missing: pupil_emails, ended_at"):
        parse_logs(table({"staff_email": "", "purpose": "", "started_at": ""}), ROSTER, SETTINGS, NOW)
    assert parse_logs(table(LOG | {"Mood": "good"}), ROSTER, SETTINGS, NOW).unknown_columns == ["mood"]


def test_parse_log_derives_a_reference_from_staff_start_and_pupils_alone() -> None:
    both = "aled.pugh@pupils.example;bethan.rees@pupils.example"
    one = log(pupil_emails=both, ref="  ")
    same = log(
        pupil_emails="BETHAN.REES@pupils.example;aled.pugh@pupils.example",
        notes="x",
        started_at="2026-11-03T15:05+01:00",
    )
    assert one.ref == same.ref
    assert (
        len(
            {
                one.ref,
                log().ref,
                log(started_at="2026-11-03T14:06", pupil_emails=both).ref,
                log(staff_email="huw.vaughan@school.example", pupil_emails=both).ref,
            }
        )
        == 4
    )
    assert log(ref=" L 7 ").ref == "L 7"
    assert find_ref(LOG, SETTINGS) == log().ref
    assert find_ref(LOG | {"started_at": "soon"}, SETTINGS) is None


def test_fingerprint_depends_on_what_a_log_says_not_on_how_it_is_typed() -> None:
    said = log(recorded="yes", notes="calm")
    assert said.fingerprint == log(recorded="TRUE", notes=" calm ", started_at="2026-11-03T14:05:00Z").fingerprint
    others = [
        log(),
        log(recorded="no", notes="calm"),
        log(recorded="yes", notes="calm", purpose="music"),
        log(recorded="yes", notes="calm", second_staff_emails="huw.vaughan@school.example"),
        log(recorded="yes", notes="calm", ended_at="2026-11-03T14:36"),
    ]
    assert len({said.fingerprint, *(other.fingerprint for other in others)}) == 6


around_summer_time = st.sampled_from(["2026-03-28", "2026-10-24"]).flatmap(
    lambda day: st.integers(0, 2 * 24 * 60).map(lambda n: datetime.fromisoformat(day) + timedelta(minutes=n))
)


@given(around_summer_time)
def test_parse_instant_without_offset_is_the_first_at_which_the_clock_showed_it(shown: datetime) -> None:
    offsets = (timedelta(hours=1), timedelta(0))  # summer time comes first
    instants = [shown.replace(tzinfo=UTC) - offset for offset in offsets]
    right = [moment for moment in instants if moment.astimezone(LONDON).replace(tzinfo=None) == shown]
    if right:
        assert parse_instant(shown.isoformat(), SETTINGS) == min(right)
    else:
        with pytest.raises(InvalidCellError, match="clocks went forward"):
            parse_instant(shown.isoformat(), SETTINGS)


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=30), max_size=6))
def test_parse_logs_of_any_cells_gives_a_log_or_a_column_at_fault(cells: dict[str, str]) -> None:
    parsed = parse_logs(Table("a.csv", COLUMNS, [(2, LOG | cells)]), ROSTER, SETTINGS, NOW)
    assert all(read.row.started_at < read.row.ended_at <= NOW for read in parsed.rows)
    assert [rejected.column in COLUMNS for rejected in parsed.rejected] == [True] * (1 - len(parsed.rows))
