"""Nothing real gets into the demonstration's database, by whatever way; made-up people do."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.graph.errors import NotConfiguredError
from app.graph.runs import require_registration
from app.intake.attendance import import_attendance
from app.intake.calls import import_calls, import_recordings
from app.intake.files import import_consents, import_letters, import_logs, import_roster
from app.school import School, open_school
from app.store import reading, tables
from app.store.database import DatabaseError
from tests import people
from tests.people import log, table
from tests.records.evidence.reports import LESSON, download

REAL = "carys.owen@habsmonmouth.org"
Import = Callable[[School, Path], object]


@pytest.fixture
def demo(new_database: Callable[..., str], demonstration: str) -> Iterator[School]:
    school = open_school(new_database(copy_of=demonstration))
    yield school
    school.engine.dispose()


def count(school: School) -> dict[str, int]:
    names = ("logs", "letters", "consents", "calls", "recordings", "quarantine", "imports", "staff", "pupils", "audit")
    with school.engine.connect() as connection:
        counts = {
            name: connection.scalar(select(func.count()).select_from(tables.metadata.tables[name])) for name in names
        }
        return {name: number or 0 for name, number in counts.items()}


def _letters(*addresses: str) -> list[dict[str, str]]:
    return [{"pupil_email": address, "kind": "introduction", "sent_on": "2026-09-01"} for address in addresses]


def _consent(address: str) -> list[dict[str, str]]:
    times = {"covers_from": "2026-11-03T09:00", "covers_to": "2026-11-03T12:00", "obtained_at": "2026-11-02T09:00"}
    return [{"pupil_email": address, "kind": "one_to_one", "given_by": "Rhian Owen"} | times]


def _report(folder: Path, address: str) -> Path:
    started_at = datetime(2025, 11, 10, 10, tzinfo=UTC)
    content = download(started_at, LESSON).decode("utf-16").replace("habs.example", address.partition("@")[2])
    (folder / "report.csv").write_bytes(content.encode("utf-16"))
    return folder / "report.csv"


_WAYS: dict[str, Import] = {
    "roster": lambda school, folder: import_roster(school, people.roster(folder / "roster")),
    "logs": lambda school, folder: import_logs(
        school, table(folder / "l.csv", [log("teacher", REAL, "2026-11-03T10:00")])
    ),
    "logs, one of many": lambda school, folder: import_logs(
        school,
        table(
            folder / "l.csv",
            [log("teacher", who, f"2026-11-03T1{n}:00") for n, who in enumerate(("aled", "bethan", REAL))],
        ),
    ),
    "letters": lambda school, folder: import_letters(school, table(folder / "l.csv", _letters(REAL))),
    "letters without an address": lambda school, folder: import_letters(
        school, table(folder / "l.csv", _letters("Carys Owen"))
    ),
    "consents": lambda school, folder: import_consents(school, table(folder / "c.csv", _consent(REAL))),
    "calls": lambda school, folder: import_calls(
        school, people.calls(folder / "c.json", people.call("c1", "2026-11-03T10:00", {"teacher": (0, 30)}))
    ),
    "recordings": lambda school, folder: import_recordings(
        school, people.calls(folder / "r.json", {"id": "r1", "callId": "c1", "createdDateTime": "2026-11-03T10:00:00Z"})
    ),
    "attendance": lambda school, folder: import_attendance(school, _report(folder, REAL)),
}


@pytest.mark.parametrize("way", _WAYS)
def test_no_import_brings_real_people_into_the_demonstration(demo: School, tmp_path: Path, way: str) -> None:
    before = count(demo)
    with pytest.raises(DatabaseError, match=r"no real people .* empty database"):
        _WAYS[way](demo, tmp_path)
    assert count(demo) == before


@pytest.mark.parametrize("way", sorted(_WAYS.keys() - {"calls", "recordings"}))
def test_no_import_brings_real_people_into_the_demonstration_while_it_is_filled(
    demo: School, tmp_path: Path, way: str
) -> None:
    with demo.writing() as connection:
        connection.execute(update(tables.meta).where(tables.meta.c.key == "demo").values(key="demo_unfinished"))
    before = count(demo)
    with pytest.raises(DatabaseError, match=r"no real people .* empty database"):
        _WAYS[way](demo, tmp_path)
    assert count(demo) == before


def test_the_number_of_a_chat_in_an_attendance_report_is_not_taken_for_an_address(demo: School, tmp_path: Path) -> None:
    def report(thread: str) -> Path:
        people_there = [{"emailAddress": "x@habs.example", "role": "Organizer", "attendanceIntervals": []}]
        content = {"id": "r1", "chatInfo": {"threadId": thread}, "attendanceRecords": people_there}
        file = tmp_path / "r.json"
        file.write_text(json.dumps(content))
        return file

    for thread in ("19:meeting_abc@thread.v2", "19:abc@thread.tacv2"):
        assert import_attendance(demo, report(thread)).read == 1
    with pytest.raises(DatabaseError, match="no real people"):
        import_attendance(demo, report("carys@thread.v2.org"))


def test_no_sync_brings_real_people_into_the_demonstration(demo: School, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {"GRAPH_TENANT_ID": people.TENANT, "GRAPH_CLIENT_ID": "x", "GRAPH_CLIENT_SECRET": "x"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotConfiguredError, match="demonstration"):
        require_registration(demo)


def test_imports_of_made_up_people_can_be_tried_in_the_demonstration(demo: School, tmp_path: Path) -> None:
    with demo.engine.connect() as connection:
        pupil = next(iter(reading.read_roster(connection).pupils))
    tried = import_letters(demo, table(tmp_path / "l.csv", _letters(pupil, "nobody@x.example")))
    assert (tried.added + tried.unchanged, len(tried.rejected)) == (1, 1)
    assert import_attendance(demo, _report(tmp_path, "x@habs.example")).read == 1
