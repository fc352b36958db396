"""From an event in a calendar to the check of who was invited: read beforehand, judged with the call and its log."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.intake.files import import_logs
from app.reports.outcomes_csv import iter_outcomes
from app.school import School
from app.settings import RemotePeriod
from tests import people
from tests.clock import Clock
from tests.graph.conftest import lesson, run
from tests.graph.standin import Fault, StandIn
from tests.graph.test_calendars import in_hours, link, meeting
from tests.intake.contents import EVER

IN_CALENDAR = "The calendar shows that the pupil's HOY or HM was invited."
NOT_IN_CALENDAR = "The pupil's HOY or HM was not in the call, and the calendar shows that they were not invited."
UNKNOWN = "Nothing on record shows whether the pupil's HOY or HM was invited."


@pytest.fixture
def school(school: School) -> School:
    """The school while pupils learn from home."""
    days = {"from": school.today() - timedelta(days=7), "to": school.today() + timedelta(days=7)}
    remote = (RemotePeriod.model_validate({"name": "Snow", **days}),)
    return replace(school, settings=school.settings.model_copy(update={"remote_learning": remote}))


def hold(school: School, graph: StandIn, folder: Path, start: datetime, **answers: str) -> dict[str, Any]:
    """What is judged of the invitation when a tutor's one-to-one has taken place, was fetched and is logged."""
    graph.add(lesson("c1", start, tutor=(0, 30), aled=(1, 29)) | {"joinWebUrl": f"{link('m')}?context=x"})
    run(school)
    row = people.log("tutor", "aled", f"{start}+00:00", ref="L1", purpose="pastoral", reason="routine")
    assert not import_logs(school, people.table(folder / "l.csv", [row | answers])).rejected
    (found,) = (row for row in iter_outcomes(school, EVER) if row["clause"] == "second-member-invited")
    assert (found["log_ref"], found["call_id"]) == ("L1", "c1")
    return {name: found[name] for name in ("outcome", "evidence", "disputed", "reason")}


def plan(graph: StandIn, *versions: dict[str, Any]) -> None:
    graph.calendars[people.entra("tutor")] = list(versions)


@pytest.mark.parametrize(
    ("invited", "answers", "expected"),
    [
        (["aled", "hoy9"], {}, ("met", "call", False, IN_CALENDAR)),
        (["aled", "hm"], {"second_staff_emails": people.email("hm")}, ("met", "call", False, IN_CALENDAR)),
        (["aled", "teacher"], {}, ("breach", "call", False, NOT_IN_CALENDAR)),
        (["aled"], {"second_staff_emails": people.email("hoy9")}, ("breach", "call", True, NOT_IN_CALENDAR)),
        (None, {}, ("no_evidence", "", False, UNKNOWN)),
    ],
)
def test_run_shows_whom_the_organisers_calendar_invited(
    school: School,
    graph: StandIn,
    clock: Clock,
    tmp_path: Path,
    invited: list[str] | None,
    answers: dict[str, str],
    expected: tuple[Any, ...],
) -> None:
    start = in_hours(2)
    if invited is not None:
        plan(graph, meeting("m", start, *invited))
    run(school)
    clock.later(hours=3)
    assert tuple(hold(school, graph, tmp_path, start, **answers).values()) == expected


def test_run_does_not_count_an_invitation_that_was_sent_after_the_session_began(
    school: School, graph: StandIn, clock: Clock, tmp_path: Path
) -> None:
    start = in_hours(2)
    plan(graph, meeting("m", start, "aled"))
    run(school)
    clock.later(hours=3)
    plan(graph, meeting("m", start, "aled", "hoy9", changed=start + timedelta(minutes=5)))
    assert hold(school, graph, tmp_path, start)["outcome"] == "breach"


def test_run_judges_a_session_again_when_its_calendar_could_be_read(
    school: School, graph: StandIn, clock: Clock, tmp_path: Path
) -> None:
    start = in_hours(2)
    graph.always = {"calendarView": Fault(403, "ErrorAccessDenied", "Access is denied.")}
    plan(graph, meeting("m", start, "hoy9"))
    run(school)
    clock.later(hours=3)
    assert hold(school, graph, tmp_path, start)["outcome"] == "no_evidence"
    graph.always = {}
    run(school, retry=True)
    assert {row["outcome"] for row in iter_outcomes(school, EVER) if row["clause"] == "second-member-invited"} == {
        "met"
    }
