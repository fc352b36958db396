"""Fetching: nothing lost, nothing doubled, nothing kept of what is no session."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from app import lease
from app.graph.errors import StoppedError
from app.graph.runs import Lease
from app.graph.sync import read_sync_state
from app.intake.files import import_roster
from app.school import School
from app.store import tables
from tests import people
from tests.graph.conftest import ago, ids, lesson, recording, run, stored, term
from tests.graph.standin import BROKEN, PAGE, Fault, StandIn

# --- what comes in


def whole_database(school: School) -> str:
    with school.engine.connect() as connection:
        return "\n".join(
            repr(tuple(row)) for table in tables.metadata.tables.values() for row in connection.execute(select(table))
        )


def test_sync_stores_every_session_once_and_judges_it(school: School, graph: StandIn) -> None:
    graph.add(*term(200))
    done = run(school)
    assert (done.listed, done.fetched, done.added, done.dropped, done.quarantined) == (200, 200, 120, 80, 0)
    assert set(ids(school)) == {f"call-{number:05}" for number in range(200) if number % 5 not in (2, 4)}
    with school.engine.connect() as connection:
        assert len(connection.execute(select(tables.session_calls)).all()) == 120
    assert len(graph.asked_for(r"callRecords\?")) == 4
    assert len(graph.asked_for("callRecords/")) == 200


def test_sync_stores_nothing_of_a_call_that_is_not_a_session(school: School, graph: StandIn) -> None:
    graph.add(lesson("staff-alone", ago(days=1), teacher=(0, 9), sdh=(0, 9)), lesson("lesson", ago(days=1)))
    run(school)
    assert "staff-alone" not in whole_database(school)
    assert "lesson" in whole_database(school)


def test_sync_requests_no_content_of_meetings(school: School, graph: StandIn) -> None:
    graph.add(*term(20))
    graph.recordings = {people.entra("teacher"): [recording("r1", "call-00000", ago(days=20))]}
    run(school)
    assert not graph.asked_for("content|transcript|chat|message")


def test_sync_fetches_only_records_with_a_newer_version(school: School, graph: StandIn) -> None:
    graph.add(*(lesson(f"c{number}", ago(days=2, hours=number)) for number in range(10)))
    run(school)
    before = stored(school.engine)
    graph.asked.clear()
    assert run(school).fetched == 0
    assert not graph.asked_for("callRecords/")
    assert stored(school.engine) == before

    graph.add(lesson("c3", ago(days=2, hours=3), version=2, teacher=(0, 30), aled=(1, 20)))
    assert (run(school).changed, ids(school)["c3"]) == (1, 2)
    graph.add(lesson("c3", ago(days=2, hours=3), version=1))
    run(school)
    assert ids(school)["c3"] == 2


def test_sync_fetches_everything_where_the_list_has_no_versions(school: School, graph: StandIn) -> None:
    graph.add(*term(100))
    graph.unsaid = ("version", "lastModifiedDateTime")
    graph.faults = [("skiptoken", Fault(400, "BadRequestError", "no such page"))]
    with pytest.raises(StoppedError):
        run(school)
    assert run(school).fetched == 100 - PAGE  # what the run that broke off had fetched counts
    assert run(school, days=30).fetched == 100
    assert len(ids(school)) == 60


def test_a_new_pupil_turns_ignored_calls_into_sessions(school: School, graph: StandIn, tmp_path: Path) -> None:
    call = lesson("c1", ago(days=1), teacher=(0, 30), newcomer=(0, 29))
    graph.add(call)
    assert run(school).dropped == 1
    folder = people.roster(tmp_path / "later")
    row = {"email": people.email("newcomer"), "name": "New", "school": "SEN", "year_group": "9", "house": "Wye"}
    people.table(folder / "pupils.csv", [row])
    import_roster(school, folder)
    assert run(school).added == 1


def test_sync_misses_nothing_of_a_list_that_changes_between_pages(school: School, graph: StandIn) -> None:
    graph.add(*term(150))

    def early_one_appears(number: int, address: str) -> None:
        if "skiptoken=60" in address and "early" not in graph.calls:
            graph.add(lesson("early", ago(days=25)))

    graph.when_asked = early_one_appears
    done = run(school)
    assert "early" in ids(school)
    assert (done.listed, done.fetched) == (151, 151)


# --- what does not come


def test_sync_notes_a_deleted_record_and_continues(school: School, graph: StandIn) -> None:
    graph.add(lesson("c1", ago(days=1)), lesson("c2", ago(days=1)))
    graph.always = {"callRecords/c1": Fault(404, "NotFound", "gone")}
    done = run(school)
    assert (done.gone, done.quarantined, set(ids(school))) == (1, 0, {"c2"})


def test_sync_stops_at_a_next_link_to_another_host_and_keeps_earlier_pages(
    school: School, graph: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.add(*term(100))
    elsewhere = "https://elsewhere.example/v1.0/communications/callRecords?$skiptoken=60"
    monkeypatch.setattr(graph, "_link", lambda address, start: elsewhere)
    with pytest.raises(StoppedError, match="not at the configured Graph host"):
        run(school)
    assert len(ids(school)) == PAGE * 3 / 5


def test_sync_keeps_what_it_fetched_before_the_service_failed(school: School, graph: StandIn) -> None:
    graph.add(*term(100))

    def down(number: int, address: str) -> None:
        if len(graph.asked) > 40:
            graph.always = {"v1.0": BROKEN}

    graph.when_asked = down
    with pytest.raises(StoppedError, match="does not answer"):
        run(school)
    kept = len(ids(school))
    assert kept > 10
    graph.when_asked, graph.always = (lambda number, address: None), {}
    graph.asked.clear()
    run(school)
    assert len(ids(school)) == 60
    assert len(graph.asked_for("callRecords/")) < 100


# --- recordings


def recorded(school: School) -> set[str]:
    with school.engine.connect() as connection:
        return set(connection.scalars(select(tables.recordings.c.id)))


def test_sync_stores_recordings_of_sessions_only(school: School, graph: StandIn) -> None:
    start = ago(days=1)
    graph.add(lesson("c1", start), lesson("staff", ago(days=2), teacher=(0, 30), sdh=(0, 30)))
    graph.recordings[people.entra("teacher")] = [
        recording("of c1", "c1", start),
        recording("by time", None, start + timedelta(minutes=5)),
        recording("of staff", "staff", ago(days=2)),
        recording("of no call", None, ago(days=2)),
        "nonsense",
    ]
    done = run(school)
    assert recorded(school) == {"of c1", "by time"}
    assert (done.recordings, done.quarantined) == (2, 1)
    assert run(school).recordings == 0


def test_sync_notes_a_refused_organiser_and_fetches_the_others(school: School, graph: StandIn) -> None:
    start = ago(days=1)
    graph.add(lesson("c1", start), lesson("c2", start, musician=(0, 30), carys=(0, 30)))
    graph.recordings = {
        people.entra("teacher"): Fault(403, "ForbiddenError", "No application access policy found for this app."),
        people.entra("musician"): [recording("r2", "c2", start, "musician")],
    }
    done = run(school)
    assert (recorded(school), done.rejected, done.quarantined) == ({"r2"}, 1, 0)
    state = read_sync_state(school)
    assert state.last_run is not None
    assert "application access policy" in state.last_run.error


# --- one at a time


def test_only_one_sync_runs_at_a_time(school: School, graph: StandIn) -> None:
    with Lease(school), pytest.raises(lease.BusyError, match="running"):
        run(school)
    run(school)


def hold(school: School, holder: str, minutes: float) -> None:
    row = {"name": "sync", "holder": holder, "expires_at": school.now() + timedelta(minutes=minutes)}
    with school.writing() as connection:
        connection.execute(insert(tables.leases).values(row))


def test_lease_expires_by_itself(school: School, graph: StandIn) -> None:
    hold(school, "elsewhere|abc", minutes=-0.1)
    run(school)
    hold(school, "elsewhere|abc", minutes=2)
    with pytest.raises(lease.BusyError, match="elsewhere"):
        run(school)


def test_sync_writes_nothing_after_it_lost_its_lease(school: School, graph: StandIn) -> None:
    graph.add(*term(100))

    def taken(number: int, address: str) -> None:
        if "skiptoken" in address:
            with school.writing() as connection:
                connection.execute(update(tables.leases).values(holder="elsewhere|abc"))

    graph.when_asked = taken
    with pytest.raises(lease.LostError, match="took this one's place"):
        run(school)
    assert len(ids(school)) == PAGE * 3 / 5
