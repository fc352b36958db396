"""Some sessions judged again have the outcomes that they have when all are judged."""

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from app.access.session_detail import get_session
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.judging.parts import find_sessions, read_part
from app.protocol.judge import judge
from app.reports.outcomes_csv import iter_outcomes
from app.school import School
from app.store import tables
from tests import people

DAY = people.NOW.date() - timedelta(days=3)


def meeting(call_id: str, start: str, who: dict[str, tuple[float, float]], link: str = "one") -> dict[str, Any]:
    """A call under a link of the teacher's; `start` is a time of DAY or has a day of its own."""
    organiser = {"identity": {"user": {"id": people.entra("teacher"), "tenantId": people.TENANT}}}
    record = people.call(call_id, start if "T" in start else f"{DAY}T{start}", who)
    return record | {"joinWebUrl": f"https://teams.example/{link}", "organizer_v2": organiser}


def make_meeting(random: Random, number: int) -> dict[str, Any]:
    """A meeting at any time of two days, with staff or without."""
    staff = random.choice((["teacher"], ["musician"], []))
    pupils = random.sample(["aled", "bethan", "carys"], random.choice((1, 2)))
    length, day = random.choice((5, 30, 120)), DAY + timedelta(days=random.choice((0, 1)))
    start = f"{day}T{random.randrange(8, 18):02d}:{random.choice((0, 10, 30)):02d}"
    return meeting(f"call-{number}", start, dict.fromkeys(staff + pupils, (0, length)), random.choice(("one", "two")))


@pytest.mark.parametrize("seed", range(3))
def test_read_part_gives_the_outcomes_of_judging_everything(school: School, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    import_calls(school, people.calls(tmp_path / "calls.json", *(make_meeting(random, n) for n in range(25))))
    rows = [
        people.log(who, pupil, f"{DAY}T{hour:02d}:00", 90, ref=f"{who} {hour}")
        for who, pupil, hour in (("teacher", "aled", 9), ("musician", "bethan", 12), ("teacher", "carys", 15))
    ]
    import_logs(school, people.table(tmp_path / "logs.csv", rows))
    session = tables.sessions.c
    with school.engine.connect() as connection:
        stored = {row.id: row.codes for row in connection.execute(select(session.id, session.codes))}
        assert len(stored) > 10
        for some in [*([one] for one in stored), *(random.sample(sorted(stored), 4) for _ in range(10))]:
            judged = judge(read_part(connection, school.settings, some), school.settings, school.now())
            number = find_sessions(connection, judged, some)
            assert dict(zip(some, judged.sessions["codes"][number], strict=True)) == {one: stored[one] for one in some}


@pytest.fixture
def beside(school: School, tmp_path: Path) -> dict[str, int]:
    """Under one link a lesson, and later a room without staff beside another lesson, so that it follows neither: the
    session of each by its call."""
    lesson = meeting("lesson", "10:00", {"teacher": (0, 30), "aled": (0, 30)})
    running = meeting("running", "12:50", {"musician": (0, 60), "carys": (0, 60)})
    room = meeting("room", "13:00", {"aled": (0, 10), "bethan": (1, 9)})
    import_calls(school, people.calls(tmp_path / "calls.json", lesson, running, room))
    with school.engine.connect() as connection:
        link = tables.session_calls.c
        return {row.call_id: row.session_id for row in connection.execute(select(link.call_id, link.session_id))}


def test_get_session_leaves_out_a_room_beside_another_lesson(school: School, beside: dict[str, int]) -> None:
    teacher = people.someone(school, "teacher")
    for call, outcome in (("lesson", "met"), ("room", "breach")):
        view = people.found(get_session(school, teacher, beside[call]))
        assert view.call_ids == [call]
        assert view.clauses.set_index("clause").loc["never-alone", "outcome"] == outcome


def test_iter_outcomes_gives_each_session_once(school: School, beside: dict[str, int]) -> None:
    rows = list(iter_outcomes(school, (DAY, DAY)))
    alone = {row["call_id"]: row["outcome"] for row in rows if row["clause"] == "never-alone"}
    assert alone == {"lesson": "met", "running": "met", "room": "breach"}
    assert len(rows) == 3 * len({row["clause"] for row in rows})
