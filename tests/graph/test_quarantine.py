"""What the sync cannot read: kept in quarantine, tried again, and no hindrance to the rest."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.access.administration import list_rejected_rows, list_resolved_rows
from app.access.people import find_person
from app.graph.sync import read_sync_state
from app.intake.calls import import_calls
from app.operations.rejected_rows import dismiss_rows
from app.school import School
from app.store import tables
from tests import people
from tests.graph.conftest import ago, ids, lesson, move_back, run
from tests.graph.standin import BROKEN, StandIn

BROKEN_RECORDS: list[Any] = [
    [],
    17,
    "text",
    None,
    {},
    {"error": {"code": "x"}},
    {"id": "c1", "version": "new", "sessions": []},
    {"id": "c1", "version": 1, "sessions": 5},
    {
        "id": "other",
        "version": 1,
        "sessions": [],
        "startDateTime": "2026-11-03T10:00:00Z",
        "endDateTime": "2026-11-03T11:00:00Z",
    },
    {"id": "c1", "version": 1, "sessions": [], "startDateTime": "yesterday"},
    b"{'id': 1}",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b"",
]


@pytest.mark.parametrize("content", BROKEN_RECORDS, ids=lambda content: repr(content)[:30])
def test_sync_quarantines_what_cannot_be_read_and_tries_it_again(school: School, graph: StandIn, content: Any) -> None:
    graph.add(lesson("c1", ago(days=1)), lesson("c2", ago(days=1)))
    graph.raw["c1"] = content
    assert run(school).quarantined == 1
    assert set(ids(school)) == {"c2"}
    assert read_sync_state(school).quarantined == 1
    with school.engine.connect() as connection:
        entry = connection.execute(select(tables.quarantine)).one()
    assert (entry.kind, entry.source, entry.call_id, entry.attempts) == ("calls", "sync", "c1", 1)
    assert entry.reason
    assert entry.original == (content if isinstance(content, bytes) else json.dumps(content).encode())
    graph.raw.clear()
    move_back(school, days=-5)  # so that the list does not hold it any more
    assert run(school, retry=True).quarantined == 0
    assert set(ids(school)) == {"c1", "c2"}
    assert read_sync_state(school).quarantined == 0


def test_a_record_in_quarantine_is_listed_and_can_be_dismissed(school: School, graph: StandIn) -> None:
    graph.add(lesson("c1", ago(days=1)))
    graph.raw["c1"] = {"id": "c1", "displayName": "Aled Pugh"}
    run(school)
    admin = people.found(find_person(school, people.email("admin")))
    entry = list_rejected_rows(school, admin).iloc[0]
    assert (entry["source"], entry["place"], entry["attempts"], entry["fixable"]) == ("sync", "call c1", 1, ())
    assert "--retry" in entry["fix"]
    assert "Aled" not in str(entry.to_dict())
    assert dismiss_rows(school, admin, [int(entry["id"])], "a test call") == 1
    assert read_sync_state(school).quarantined == 0
    assert list_resolved_rows(school, admin)["place"].tolist() == ["call c1"]
    graph.calls.clear()  # no longer listed
    graph.asked.clear()
    run(school, retry=True)
    assert not graph.asked_for("callRecords/c1")


def test_a_file_replaces_a_record_that_sync_could_not_read(school: School, graph: StandIn, tmp_path: Path) -> None:
    graph.add(lesson("c1", ago(days=1)), lesson("c2", ago(days=1)))
    graph.raw |= {"c1": {}, "c2": {}}
    run(school)
    result = import_calls(school, people.calls(tmp_path / "calls.json", lesson("c1", ago(days=1))))
    assert (result.added, result.resolved, read_sync_state(school).quarantined) == (1, 1, 1)


def test_the_sync_tries_records_of_files_again(school: School, graph: StandIn, tmp_path: Path) -> None:
    record, old = lesson("c1", ago(days=1)), lesson("c9", ago(days=50))
    import_calls(school, people.calls(tmp_path / "calls.json", record | {"sessions": None}, old | {"sessions": []}))
    run(school)
    graph.add(record)
    assert run(school, retry=True).quarantined == 0
    assert set(ids(school)) == {"c1"}
    with school.engine.connect() as connection:
        waiting = select(tables.quarantine.c.call_id).where(tables.quarantine.c.resolved_at.is_(None))
        assert connection.scalars(waiting).all() == ["c9"]  # Graph does not have it


def test_a_record_that_cannot_be_stored_stops_no_other(school: School, graph: StandIn) -> None:
    graph.add(*(lesson(f"c{number}", ago(days=1, hours=number)) for number in range(6)))
    graph.calls["c1"]["version"] = 2**70
    graph.calls["c2"]["sessions"][0]["segments"] = [{"media": 5}]
    graph.calls["c3"]["sessions"][0]["caller"]["associatedIdentity"]["userPrincipalName"] = "\ud800\x00"
    graph.calls["c4"]["organizer_v2"] = {"identity": {"user": {"id": ["a list"]}}}
    done = run(school)
    assert {"c0", "c5"} <= set(ids(school))
    assert done.added + done.quarantined == 6
    assert done.quarantined >= 1


def test_sync_quarantines_strange_entries_of_the_list(school: School, graph: StandIn) -> None:
    graph.add(lesson("c1", ago(days=1)))
    graph.strange_entries = [None, 5, {}, {"id": 7}, {"id": ".."}, {"id": "x" * 500}, {"id": "a/../b"}]
    done = run(school)
    assert (done.quarantined, set(ids(school))) == (7, {"c1"})
    graph.strange_entries = []
    run(school, retry=True)
    assert read_sync_state(school).quarantined == 0


def test_a_record_that_never_arrives_is_tried_again_by_itself(school: School, graph: StandIn) -> None:
    graph.add(lesson("c1", ago(days=10)), lesson("c2", ago(days=1)))
    graph.always = {"callRecords/c1": BROKEN}
    assert run(school).quarantined == 1
    graph.always = {}
    assert run(school).quarantined == 0
    assert set(ids(school)) == {"c1", "c2"}
