"""Call records: sessions are stored by their highest version, and nothing of other calls."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from app.access.administration import list_rejected_rows
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.judging.upkeep import refresh
from app.school import School
from app.store import reading, tables
from app.store.writing import set_meta
from tests.intake.contents import WHO, all_rows, outcomes
from tests.people import call, calls, entra, log, someone, staff_id, table

pytestmark = pytest.mark.usefixtures("story_clock")


def test_import_calls_never_replaces_a_newer_version(school: School, tmp_path: Path) -> None:
    long, short = {"teacher": (0, 30), "aled": (1, 35)}, {"teacher": (0, 30), "aled": (1, 29)}
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-03T10:00", long, version=2)))
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-03T10:00", short, version=1)))
    assert outcomes(school, "staff-ends") == {("", "c1"): "breach"}
    import_calls(school, calls(tmp_path / "3.json", call("c1", "2026-11-03T10:00", short, version=3)))
    assert outcomes(school, "staff-ends") == {("", "c1"): "met"}


@pytest.mark.parametrize(
    "who", [{"aled": (0, 9), "bethan": (0, 9)}, {"teacher": (0, 9), "tutor": (0, 9)}, {"aled": (0, 9)}]
)
def test_import_calls_stores_nothing_of_a_call_that_is_not_a_session(
    school: School, tmp_path: Path, who: dict[str, tuple[int, int]]
) -> None:
    result = import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", who)))
    assert (result.added, result.dropped) == (0, 1)
    stored = all_rows(school)
    assert not any(stored[name] for name in ("calls", "call_originals", "call_stays", "call_listed", "sessions"))


def test_import_calls_deletes_a_call_that_turns_out_not_to_be_a_session(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-03T10:00", WHO)))
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-03T10:00", {"aled": (0, 9)}, version=2)))
    assert outcomes(school, "logged") == {}


def test_import_calls_judges_a_log_without_a_call_that_is_not_a_session(school: School, tmp_path: Path) -> None:
    def stored() -> tuple[int, str]:
        with school.engine.connect() as connection:
            return reading.get_revision(connection), connection.scalars(select(tables.sessions.c.codes)).one()

    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    _, by_log = stored()
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-03T10:00", WHO)))
    before, by_call = stored()
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-03T10:00", {"aled": (0, 9)}, version=2)))
    after, now = stored()
    assert after > before
    assert by_call != now == by_log


def test_import_calls_ignores_versions_before_one_that_was_not_a_session(school: School, tmp_path: Path) -> None:
    def version(number: int, who: dict[str, tuple[int, int]]) -> Path:
        return calls(tmp_path / f"{number}.json", call("c1", "2026-11-03T10:00", who, version=number))

    import_calls(school, version(2, {"aled": (0, 9)}))
    again = import_calls(school, version(1, WHO))
    assert (again.added, again.unchanged, outcomes(school, "logged")) == (0, 1, {})
    assert import_calls(school, version(3, WHO)).added == 1


def test_import_logs_leaves_the_session_of_their_call_its_number(school: School, tmp_path: Path) -> None:
    def numbers() -> list[int]:
        with school.engine.connect() as connection:
            return list(connection.scalars(select(tables.sessions.c.id)))

    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", WHO)))
    before = numbers()
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    assert outcomes(school, "logged") == {("L1", "c1"): "met"}
    assert numbers() == before


def test_import_calls_stores_the_originals(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", WHO)))
    with school.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.call_originals)) == 1


BOTH = call("c1", "2026-11-03T10:00", WHO)


def without(record: dict[str, Any], name: str) -> dict[str, Any]:
    """A record whose sessions lack something."""
    return record | {
        "sessions": [{key: value for key, value in one.items() if key != name} for one in record["sessions"]]
    }


def listing(*who: str) -> list[dict[str, Any]]:
    return [{"id": entra(one), "identity": {"user": {"id": entra(one)}}} for one in who]


def rows(school: School, table_name: str, *columns: str) -> list[tuple[Any, ...]]:
    stored = tables.metadata.tables[table_name]
    with school.engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(select(*(stored.c[name] for name in columns))))


@pytest.mark.parametrize("fuller", [BOTH, without(BOTH, "segments") | {"participants_v2": listing("teacher", "carys")}])
def test_import_calls_takes_the_fuller_of_two_records_of_one_version(
    school: School, tmp_path: Path, fuller: dict[str, Any]
) -> None:
    bare, full = calls(tmp_path / "b.json", without(BOTH, "segments")), calls(tmp_path / "f.json", fuller)
    import_calls(school, bare)
    assert import_calls(school, full).changed == 1
    held = [rows(school, name, "call_id", "person") for name in ("call_stays", "call_videos", "call_listed")]
    for file in (bare, full):
        again = import_calls(school, file)
        assert (again.changed, again.unchanged) == (0, 1)
    import_calls(school, calls(tmp_path / "both.json", fuller, without(BOTH, "segments")))
    assert [rows(school, name, "call_id", "person") for name in ("call_stays", "call_videos", "call_listed")] == held


def test_import_calls_knows_a_call_by_its_id_in_any_case(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "1.json", BOTH | {"id": "C1"}))
    assert import_calls(school, calls(tmp_path / "2.json", BOTH)).unchanged == 1
    assert rows(school, "calls", "id") == [("c1",)]


@pytest.mark.parametrize(
    "damaged",
    [{"sessions": []}, {"sessions": "System.Object[]"}, {"sessions@odata.nextLink": "https://x"}, {"sessions": None}],
)
def test_import_calls_removes_nothing_for_a_damaged_record(
    school: School, tmp_path: Path, damaged: dict[str, Any]
) -> None:
    import_calls(school, calls(tmp_path / "1.json", BOTH))
    result = import_calls(school, calls(tmp_path / "2.json", BOTH | {"version": 2} | damaged))
    assert (len(result.rejected), result.dropped) == (1, 0)
    assert outcomes(school, "logged") == {("", "c1"): "breach"}


def test_import_calls_keeps_a_call_that_a_concern_is_linked_to(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "1.json", BOTH, BOTH | {"id": "c2"}))
    with school.writing() as connection:
        opened = {"raised_at": school.now(), "raised_by": staff_id(school, "teacher"), "summary": "x"}
        columns = {column.name: opened.get(column.name, "") for column in tables.concerns.c if not column.nullable}
        columns.pop("id", None)
        number = connection.scalar(insert(tables.concerns).values(columns).returning(tables.concerns.c.id))
        connection.execute(insert(tables.concern_sessions).values(concern_id=number, call_id="c1"))
    alone = call("c1", "2026-11-03T10:00", {"aled": (0, 9)}, version=2)
    result = import_calls(school, calls(tmp_path / "2.json", alone, alone | {"id": "c2"}))
    assert result.dropped == 1
    assert rows(school, "calls", "id", "version") == [("c1", 1)]


def test_import_calls_keeps_people_who_are_only_listed_and_rooms_without_staff(school: School, tmp_path: Path) -> None:
    alone = call("c1", "2026-11-03T10:00", {"aled": (0, 9)})
    organiser = {"identity": {"user": {"id": entra("teacher")}}}
    listed = alone | {"id": "c2", "participants_v2": listing("aled", "teacher")}
    room = alone | {"id": "c3", "organizer_v2": organiser}
    assert import_calls(school, calls(tmp_path / "1.json", alone, listed, room)).added == 2
    assert rows(school, "call_listed", "call_id", "person", "staff_id") == [
        ("c2", entra("teacher"), staff_id(school, "teacher"))
    ]


def page(file: Path, *records: dict[str, Any], link: str = "https://graph.microsoft.com/x") -> Path:
    file.write_text(json.dumps({"@odata.nextLink": link, "value": records}), encoding="utf-8")
    return file


def test_import_calls_says_that_the_last_page_is_missing(school: School, tmp_path: Path) -> None:
    page(tmp_path / "first.json", call("c1", "2026-11-03T10:00:00", WHO))
    page(tmp_path / "second.json")
    result = import_calls(school, tmp_path)
    assert (result.read, result.added, result.rejected, result.notes) == (1, 1, [], [])
    (words,) = result.unread
    assert "more records than are in first.json, second.json" in words
    calls(tmp_path / "third.json", call("c2", "2026-11-03T12:00:00", WHO))
    result = import_calls(school, tmp_path)
    assert (result.added, result.rejected, result.unread) == (1, [], [])
    assert result.notes == [words.removesuffix(".").split(": ", 1)[1].replace(", and they were not read", "")]


def test_import_calls_names_the_files_of_a_folder(school: School, tmp_path: Path) -> None:
    folder = tmp_path / "dump"
    folder.mkdir()
    calls(folder / "a.json", BOTH)
    calls(folder / "b.json", BOTH | {"sessions": None})
    (folder / "notes.pdf").write_bytes(b"%PDF")
    result = import_calls(school, folder)
    assert (result.added, [row.file for row in result.rejected]) == (1, ["b.json", "notes.pdf"])
    sources = list_rejected_rows(school, someone(school, "admin"))["source"].tolist()
    assert sources == ["dump/b.json", "dump/notes.pdf"]


def test_refresh_reads_originals_of_an_older_reader_again(school: School, tmp_path: Path) -> None:
    link = {"joinWebUrl": "https://teams.microsoft.com/l/meetup-join/1"}
    import_calls(school, calls(tmp_path / "c.json", *(BOTH | link | {"id": name} for name in ("c1", "c2", "c3"))))
    refresh(school)
    held = [rows(school, name, "call_id", "person") for name in ("call_stays", "call_videos", "call_listed")]
    join_keys = rows(school, "calls", "id", "join_key")
    with school.writing() as connection:
        set_meta(connection, "read_by", "1")
        connection.execute(update(tables.calls).values(reader=1, join_key=None))
        connection.execute(tables.call_videos.delete())
        original = tables.call_originals
        connection.execute(original.delete().where(original.c.call_id == "c2"))
        lost = update(original).where(original.c.call_id == "c3")
        connection.execute(lost.values(original=zlib.compress(b'{"id": "c3"}')))
    refresh(school)
    assert rows(school, "call_stays", "call_id", "person") == held[0]
    assert {name for name, _ in rows(school, "call_videos", "call_id", "person")} == {"c1"}
    assert [key is not None for _, key in rows(school, "calls", "id", "join_key")] == [True, False, False]
    assert rows(school, "calls", "id", "join_key")[0] == join_keys[0]
    (rejected,) = rows(school, "quarantine", "call_id", "reason")
    assert rejected == ("c3", "a newer reader rejects it: it has no startDateTime")
    refresh(school)
    assert len(rows(school, "quarantine", "attempts")) == 1
