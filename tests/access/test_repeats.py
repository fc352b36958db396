"""Repeated one-to-ones: who is listed, to whom, and who never sees their own."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.access.people import find_person
from app.access.policy import NotAllowedError
from app.access.repeats import list_repeats
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.school import School
from tests import people

DAYS = (date(2025, 9, 1), date(2025, 12, 31))


@pytest.fixture
def school(empty_school: School, tmp_path: Path) -> School:
    """The school of `tests.people`, not the small one of these tests."""
    people.move_in(empty_school, tmp_path)
    return empty_school


def listed(school: School, who: str) -> list[tuple[str, str, int, int, int]]:
    person = find_person(school, people.email(who))
    assert person
    pairs = list_repeats(school, person, DAYS).pairs
    columns = ["adult", "pupil", "most", "out_of_hours", "unlogged"]
    return [tuple(row) for row in pairs[columns].itertuples(index=False, name=None)]


def enter(school: School, tmp_path: Path, logs: list[dict[str, str]], *calls: dict[str, Any]) -> None:
    if logs:
        assert not import_logs(school, people.table(tmp_path / "logs.csv", logs)).rejected
    if calls:
        assert not import_calls(school, people.calls(tmp_path / "calls.json", *calls)).rejected


def days_of(who: str, pupils: str, *days: str, **answers: Any) -> list[dict[str, str]]:
    return [people.log(who, pupils, f"2025-{day}", **answers) for day in days]


NOONS = [f"11-{day:02}T12:00" for day in (3, 4, 5, 6, 7, 10)]


def test_list_repeats_shows_repeated_and_out_of_hours_sessions(school: School, tmp_path: Path) -> None:
    weekly = [f"{day}T12:00" for day in ("10-06", "10-13", "10-20", "10-27", "11-03", "11-10")]
    logs = [
        *days_of("tutor", "aled", *NOONS[1:]),  # and one call that nobody logged
        *days_of("teacher", "bethan", *weekly),  # never six within 28 days
        *days_of("teacher", "aled bethan", *NOONS),  # two pupils
        *days_of("musician", "carys", "11-08T10:00", "11-12T19:00"),  # a Saturday, and an evening
        *days_of("musician", "bethan", "11-12T19:00"),
    ]
    alone = people.call("call-1", "2025-11-11T12:00", {"tutor": (0, 30), "aled": (0, 30)})
    with_others = [
        people.call(f"call-{day}", f"2025-11-{day}T12:00", {"hm": (0, 30), "hoy9": (0, 30), "carys": (0, 30)})
        for day in range(12, 22)
    ]
    enter(school, tmp_path, logs, alone, *with_others)
    assert listed(school, "sdh") == [("Musician", "Carys Owen", 2, 2, 0), ("Tutor", "Aled Pugh", 6, 0, 1)]
    sdh = find_person(school, people.email("sdh"))
    assert sdh
    found = list_repeats(school, sdh, DAYS).sessions
    # The newest first: the evening, the call, the Monday, the Saturday, four more.
    assert list(found["out_of_hours"]) == [True, False, False, True, *[False] * 4]
    assert list(found["logged"]) == [True, False, *[True] * 6]


def test_list_repeats_counts_calls_minutes_apart_once(school: School, tmp_path: Path) -> None:
    evening = {
        "1": ("2025-11-11T18:40", 0.5),
        "2": ("2025-11-11T18:41", 30),  # the connection had dropped
        "3": ("2025-11-11T19:26", 5),  # at the edge: 15 minutes later
    }
    calls = [
        people.call(f"call-{name}", start, {"tutor": (0, minutes), "aled": (0, minutes)})
        for name, (start, minutes) in evening.items()
    ]
    enter(school, tmp_path, [], *calls)
    assert listed(school, "sdh") == []
    again = people.call("call-4", "2025-11-11T19:46:01", {"tutor": (0, 9), "aled": (0, 9)})
    enter(school, tmp_path, [], again)
    assert listed(school, "sdh") == [("Tutor", "Aled Pugh", 2, 2, 2)]
    sdh = find_person(school, people.email("sdh"))
    assert sdh
    found = list_repeats(school, sdh, DAYS)
    assert list(found.pairs["sessions"]) == [2]
    assert f"{found.pairs['last'].iloc[0]:%H:%M:%S}" == "19:46:01"
    assert len(found.sessions) == 4


def test_a_second_member_only_in_the_log_still_counts_as_a_repeat(school: School, tmp_path: Path) -> None:
    enter(school, tmp_path, days_of("tutor", "aled", *NOONS, second_staff_emails=people.email("hoy9")))
    assert [row[:2] for row in listed(school, "sdh")] == [("Tutor", "Aled Pugh")]


def test_the_dsp_sees_the_pupils_of_their_school_and_counselling_is_in_no_list(school: School, tmp_path: Path) -> None:
    logs = days_of("preptutor", "dai", *NOONS) + days_of("counsellor", "bethan", *NOONS, purpose="counselling")
    enter(school, tmp_path, logs)
    assert [row[:2] for row in listed(school, "prepdsp")] == [("Preptutor", "Dai Prosser")]
    assert listed(school, "dsp") == []
    assert [row[:2] for row in listed(school, "sdh")] == [("Preptutor", "Dai Prosser")]
    for who in ("slt", "hoy9", "hm", "tutor", "preptutor", "counsellor", "admin"):
        with pytest.raises(NotAllowedError):
            listed(school, who)


def test_nobody_reviews_their_own_sessions(school: School, tmp_path: Path) -> None:
    enter(school, tmp_path, days_of("sdh", "aled", *NOONS) + days_of("dsp", "bethan", *NOONS))
    assert [row[0] for row in listed(school, "sdh")] == ["Dsp"]
    assert [row[0] for row in listed(school, "dsp")] == ["Sdh"]
