"""Days and times as people write them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.rows import InvalidCellError
from app.records.times import find_month_first, parse_day, parse_end, parse_instant, parse_start
from tests.conftest import SETTINGS

settings = SETTINGS
AFTERNOON = datetime(2026, 11, 3, 17, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-03T17:10",
        "2026-11-03 17:10:00",
        "2026-11-03T17:10:00.000Z",
        "2026-11-03T18:10+01:00",
        "20261103T171000",
        "03/11/2026 17:10",
        "3.11.2026 17.10",
        "3-11-2026, 5.10pm",
        "03/11/2026 5:10 PM",
        "3 Nov 2026 5.10 p.m.",
        "3rd November 2026 at 17:10",
        "\u200b03/11/2026\u00a017:10 ;",
    ],
)
def test_parse_instant_reads_a_time_however_it_is_written(text: str) -> None:
    assert parse_instant(text, settings) == AFTERNOON


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("17:10", "is not a time"),
        ("2026-11-03", "is a day without a time"),
        ("03/11/26 17:10", "is not a time"),
        ("31/02/2026 17:10", "is not a time"),
        ("03/11/2026 25:10", "is not a time"),
        ("03/11/2026 17", "is not a time"),
        ("03/11/2026 13.10pm", "is not a time"),
        ("03/11/2026 17.1", "fraction of a minute"),
        ("03/11/2026 17:10.5", "fraction of a minute"),
        ("03/11/1026 17:10", "of this century"),
        ("29/03/2026 01:30", "did not exist"),
        ("03/11/2026 10:00-10:40", "is not a time"),
        ("03/11/2026 17:10 and 18:10", "is not a time"),
    ],
)
def test_parse_instant_rejects_what_is_no_time(text: str, words: str) -> None:
    with pytest.raises(InvalidCellError, match=words):
        parse_instant(text, settings)


@given(st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2100-01-01")))
def test_parse_instant_reads_every_way_of_writing_a_time_alike(moment: datetime) -> None:
    moment = moment.replace(second=0, microsecond=0)
    ways = ["%Y-%m-%dT%H:%M", "%d/%m/%Y %H:%M", "%d.%m.%Y %H.%M", "%d %B %Y %I:%M %p", "%Y-%m-%d %H:%M:%S"]
    read: set[datetime | str] = set()
    for way in ways:
        try:
            read.add(parse_instant(moment.strftime(way), settings))
        except InvalidCellError as fault:
            read.add(fault.reason)
    assert len(read) == 1


def test_parse_start_and_parse_end_read_a_day_as_its_first_and_last_moment() -> None:
    assert parse_start("03/11/2026", settings) == datetime(2026, 11, 3, tzinfo=UTC)
    assert parse_end("03/11/2026", settings) == datetime(2026, 11, 3, 23, 59, 59, 999999, tzinfo=UTC)


def test_parse_end_reads_midnight_as_a_time() -> None:
    assert parse_end("2026-11-03T00:00:00", settings) == datetime(2026, 11, 3, tzinfo=UTC)


def test_parse_day_reads_a_day_and_rejects_a_time() -> None:
    assert parse_day("3/11/2026") == parse_day("2026-11-03T00:00:00") == date(2026, 11, 3)
    for text in ("2026-11-03T17:10", "3/11", "yesterday"):
        with pytest.raises(InvalidCellError, match="is not a day"):
            parse_day(text)


def test_find_month_first_finds_a_day_that_can_only_have_its_month_first() -> None:
    assert find_month_first(["03/11/2026", "2026-11-13", "11/13/2026 10:00", "12/31/2026"]) == 2
    assert find_month_first(["03/11/2026", "13/11/2026", "31/12/2026 10:00", "no day"]) is None
