"""What is past its keeping goes, and nothing else; the audit trail still proves what is left."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from app import audit
from app.intake import import_calls, import_consents, import_logs
from app.retention import past_keeping, purge
from app.school import School
from app.store import tables
from tests import people

OLD, NEW = "2016-11-07", "2026-11-03"


@pytest.fixture
def long_ago(school: School, tmp_path: Path) -> School:
    """Sessions of ten years ago and of this term; one of the old ones led to a concern."""
    rows = [
        people.log("teacher", "aled", f"{day}T10:00", ref=f"{name}-{day}", **more)
        for day in (OLD, NEW)
        for name, more in (("quiet", {}), ("worry", {"concern": "yes", "concern_summary": "cried"}))
    ]
    for n, row in enumerate(rows):
        row |= {
            "started_at": row["started_at"].replace("T10", f"T1{n}"),
            "ended_at": row["ended_at"].replace("T10", f"T1{n}"),
        }
    assert not import_logs(school, people.table(tmp_path / "l.csv", rows)).refused
    records = [
        people.call(f"call-{day}", f"{day}T15:00:00", {"tutor": (0, 20), "bethan": (0, 20)}) for day in (OLD, NEW)
    ]
    assert not import_calls(school, people.calls(tmp_path / "c.json", *records)).refused
    consents = [
        {"pupil_email": people.email("bethan"), "kind": "one_to_one", "covers_from": day, "covers_to": day,
         "obtained_at": day, "given_by": "her mother", "reason": "r"}
        for day in (OLD, NEW)
    ]  # fmt: skip
    assert not import_consents(school, people.table(tmp_path / "p.csv", consents)).refused
    return school


def held(school: School) -> dict[str, int]:
    with school.engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in tables.metadata.tables.items()
        }


def logs(school: School) -> Iterable[str]:
    with school.engine.connect() as connection:
        return set(connection.scalars(select(tables.logs.c.ref)))


def told(found: Iterable[object]) -> dict[str, int]:
    return {past.what: past.number for past in found if past.number}  # type: ignore[attr-defined]


def test_a_dry_run_says_what_would_go_and_changes_nothing(long_ago: School) -> None:
    before = held(long_ago)
    would = past_keeping(long_ago)
    assert held(long_ago) == before
    assert told(would) == told(purge(long_ago))
    assert told(would) == {"sessions": 2, "parents' consents": 1}


def test_old_sessions_go_with_all_that_is_theirs_but_not_what_a_concern_hangs_on(long_ago: School) -> None:
    purge(long_ago)
    assert logs(long_ago) == {f"worry-{OLD}", f"worry-{NEW}", f"quiet-{NEW}"}
    now = held(long_ago)
    assert (now["sessions"], now["calls"], now["consents"], now["concerns"]) == (4, 1, 1, 2)
    assert now["call_stays"] == 2
    assert past_keeping(long_ago)[1].number == 0


def test_a_closed_concern_goes_after_its_years_and_then_its_session(long_ago: School) -> None:
    of_years_ago = datetime(1999, 1, 1, tzinfo=UTC)
    link, event = tables.concern_sessions.c, tables.concern_events
    with long_ago.writing() as connection:
        old = connection.scalar(select(link.concern_id).where(link.log_ref == f"worry-{OLD}"))
        connection.execute(event.update().where(event.c.concern_id == old).values(at=of_years_ago))
    assert told(purge(long_ago)).get("closed concerns") is None, "an open concern never goes"
    with long_ago.writing() as connection:
        connection.execute(insert(tables.concern_events).values(concern_id=old, at=of_years_ago, kind="closed"))
    assert told(purge(long_ago)) == {"closed concerns": 1, "sessions": 1}
    assert held(long_ago)["concerns"] == 1


def test_the_trail_lets_go_its_beginning_says_so_and_still_proves_the_rest(long_ago: School) -> None:
    with long_ago.writing() as connection:
        audit.add(connection, at=long_ago.now(), by=audit.COMMAND, what="changed", about="log L1, version 1")
        kept = held(long_ago)["audit"]
        by_now = datetime(2026, 1, 1, tzinfo=UTC)
        assert audit.remove_before(connection, by_now, at=long_ago.now(), by=audit.COMMAND) == 0
    with long_ago.writing() as connection:
        gone = audit.remove_before(connection, long_ago.now(), at=long_ago.now(), by=audit.COMMAND)
    assert gone == kept + 1
    with long_ago.engine.connect() as connection:
        number, fault = audit.verify(connection)
    assert (number, fault) == (gone + 1, None)
    with pytest.raises(DBAPIError, match="only ever added to"), long_ago.writing() as connection:
        connection.execute(text("delete from audit"))
    with long_ago.writing() as connection:  # an anchor moved by hand does not hide what was taken away with it
        connection.execute(text("update meta set value = replace(value, ' ', '9 ') where key = 'audit_anchor'"))
    with long_ago.engine.connect() as connection:
        assert audit.verify(connection)[1]
