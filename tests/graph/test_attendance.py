"""Attendance reports from Graph: read for times without call records, seldom, and without ending a run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.graph.attendance import KEPT
from app.graph.sources import Source, read_states
from app.records.evidence.calls import digest_join_link
from app.school import School
from app.store import tables
from app.store.meeting_links import MeetingLink, remember_links
from tests import people
from tests.clock import Clock
from tests.graph.conftest import ago, ids, lesson, move_back, run
from tests.graph.standin import BROKEN, BUSY, THROTTLED, Fault, StandIn
from tests.records.evidence.reports import LESSON, Stays, graph_report

LINK = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_o'neill%40thread.v2/0?context=%7b%22Tid%22%3a1%7d"
REFUSED = Fault(403, "Forbidden", "No application access policy found for this app.")


def meet(graph: StandIn, *times: datetime, who: str = "teacher", link: str = LINK, **more: Any) -> None:
    """A meeting of somebody's, with a report for each time."""
    stays: Stays = {who: LESSON["teacher"], "aled": LESSON["aled"]}
    meeting = {
        "id": f"meeting-of-{who}",
        "joinWebUrl": link,
        "attendanceReports": [
            graph_report(f"{who}-{number}", time.replace(tzinfo=UTC), stays, **more)
            for number, time in enumerate(times)
        ],
    }
    graph.meetings.setdefault(people.entra(who), []).append(meeting)


def know(school: School, who: str = "teacher", link: str = LINK) -> None:
    """Let the school know a join link."""
    with school.writing() as connection:
        known = MeetingLink(digest_join_link(link), people.entra(who), link)
        remember_links(connection, [known], school.now())


def asked(graph: StandIn) -> list[str]:
    return graph.asked_for("onlineMeetings(?!/getAll)")


def test_fetch_reports_fills_the_time_before_the_first_sync(school: School, graph: StandIn) -> None:
    meet(graph, ago(days=60), ago(days=40), ago(days=3))
    graph.add(lesson("c1", ago(days=3)) | {"joinWebUrl": LINK})
    done = run(school)
    assert (done.added, done.errors) == (3, [])
    assert set(ids(school)) == {"c1", "attendance:teacher-0", "attendance:teacher-1"}
    with school.engine.connect() as connection:
        keys = set(connection.scalars(select(tables.calls.c.join_key)))
    assert keys == {digest_join_link(LINK)}
    assert len(graph.asked_for(r"attendanceReports/[^/]+\?")) == 2


def test_fetch_reports_reads_a_link_once_for_each_gap(school: School, graph: StandIn, clock: Clock) -> None:
    meet(graph, ago(days=40))
    know(school)
    run(school)
    before = len(asked(graph))
    assert before == 3
    run(school)
    clock.later(days=2)
    run(school)
    assert len(asked(graph)) == before
    clock.later(days=40)
    meet(graph, ago(days=35), link=LINK)
    run(school)
    assert "attendance:teacher-0" in ids(school)
    assert len(asked(graph)) > before


def test_fetch_reports_fills_the_time_that_was_lost(school: School, graph: StandIn) -> None:
    run(school)
    move_back(school, days=400)
    meet(graph, ago(days=200), ago(days=20))
    know(school)
    assert set(ids(school)) == set()
    run(school)
    assert set(ids(school)) == {"attendance:teacher-0"}


def test_fetch_reports_asks_nothing_when_there_is_no_gap(school: School, graph: StandIn) -> None:
    run(school)
    move_back(school, days=KEPT.days + 40)
    with school.writing() as connection:
        connection.execute(update(tables.sync_runs).values(complete_until=school.now() - timedelta(hours=1)))
    meet(graph, ago(days=100))
    know(school)
    run(school)
    assert asked(graph) == []


def test_fetch_reports_never_asks_about_counsellors_or_strangers(school: School, graph: StandIn) -> None:
    for who in ("counsellor", "aled"):
        meet(graph, ago(days=40), who=who, link=f"{LINK}{who}")
        know(school, who, f"https://teams.example/{who}")
    run(school)
    assert asked(graph) == []


def test_fetch_reports_leaves_out_a_meeting_with_a_call_record(school: School, graph: StandIn) -> None:
    start = ago(days=29, hours=23).replace(tzinfo=UTC)
    graph.add(lesson("c1", start.replace(tzinfo=None)) | {"joinWebUrl": LINK})
    run(school)
    with school.writing() as connection:
        connection.execute(update(tables.sync_runs).values(from_at=start + timedelta(hours=2)))
        connection.execute(update(tables.meeting_links).values(reports_read_at=None))
    meet(graph, start)
    run(school)
    assert asked(graph)
    assert set(ids(school)) == {"c1"}


@pytest.mark.parametrize("fault", [THROTTLED, BUSY])
@pytest.mark.parametrize("place", ["onlineMeetings%3F|onlineMeetings\\?", "attendanceReports$", "attendanceReports/"])
def test_fetch_reports_tries_again_what_failed_once(school: School, graph: StandIn, fault: Fault, place: str) -> None:
    meet(graph, ago(days=40))
    know(school)
    graph.faults = [(place, fault)]
    assert run(school).errors == []
    assert set(ids(school)) == {"attendance:teacher-0"}


def test_fetch_reports_asks_again_after_a_day_when_it_failed(school: School, graph: StandIn, clock: Clock) -> None:
    meet(graph, ago(days=40))
    know(school)
    graph.always = {"attendanceReports": BROKEN}
    (error,) = run(school).errors
    assert "Attendance reports" in error
    graph.always = {}
    run(school)
    assert ids(school) == {}
    clock.later(hours=25)
    run(school)
    assert set(ids(school)) == {"attendance:teacher-0"}


def test_fetch_reports_carries_on_when_it_is_refused(school: School, graph: StandIn) -> None:
    know(school)
    graph.meetings[people.entra("teacher")] = REFUSED
    graph.add(lesson("c1", ago(days=3)))
    done = run(school)
    assert (done.added, done.rejected) == (1, 1)
    assert "Attendance reports were refused" in done.errors[0]
    assert "help to decide “Staff open the call”" in done.errors[0]
    with school.engine.connect() as connection:
        assert read_states(connection)[Source.ATTENDANCE].refused_at is not None


def test_fetch_reports_quarantines_what_cannot_be_read_until_it_can(
    school: School, graph: StandIn, clock: Clock
) -> None:
    meet(graph, ago(days=40), ago(days=41), totalParticipantCount=2)
    know(school)
    broken = graph.meetings[people.entra("teacher")][0]["attendanceReports"][0]
    records = broken.pop("attendanceRecords")
    done = run(school)
    assert (done.quarantined, set(ids(school))) == (1, {"attendance:teacher-1"})
    run(school, retry=True)
    broken["attendanceRecords"] = records
    clock.later(hours=25)
    run(school)
    assert len(ids(school)) == 2
    with school.engine.connect() as connection:
        assert connection.execute(select(tables.quarantine)).all() == []


@pytest.mark.parametrize("key", ["attendanceRecords@odata.nextLink", "attendanceRecords@OData.nextlink"])
def test_fetch_reports_fetches_the_records_of_all_pages(school: School, graph: StandIn, key: str) -> None:
    meet(graph, ago(days=40), totalParticipantCount=2)
    know(school)
    (report,) = graph.meetings[people.entra("teacher")][0]["attendanceReports"]
    graph.records[report["id"]] = report["attendanceRecords"]
    report |= {"attendanceRecords": report["attendanceRecords"][:1], key: "https://elsewhere.example/x"}
    run(school)
    with school.engine.connect() as connection:
        assert len(connection.execute(select(tables.call_stays)).all()) == 3


def test_fetch_reports_stores_nothing_of_a_meeting_that_is_no_session(school: School, graph: StandIn) -> None:
    stays: Stays = {"teacher": [(0, 9)], "tutor": [(0, 9)]}
    meeting = {
        "id": "m",
        "joinWebUrl": LINK,
        "attendanceReports": [graph_report("staff-alone", ago(days=40).replace(tzinfo=UTC), stays)],
    }
    graph.meetings[people.entra("teacher")] = [meeting]
    know(school)
    assert run(school).dropped == 1
    assert ids(school) == {}
