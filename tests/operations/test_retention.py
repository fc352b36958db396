"""What is past its keeping goes, and nothing else; the audit trail still proves what is left."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from app.__main__ import cli
from app.access.concern_history import LinkedSession
from app.concerns.raising import Report, open_concern
from app.intake.calls import import_calls
from app.intake.files import import_consents, import_logs
from app.operations.retention import Past, find_expired, purge
from app.school import School
from app.store import audit_log, tables
from app.store.concerns import CHILD
from app.store.meeting_links import MeetingLink, remember_links
from tests import people
from tests.clock import Clock
from tests.conftest import SchoolWith

pytestmark = pytest.mark.usefixtures("story_clock")

OLD, NEW = "2016-11-07", "2026-11-03"


def go_back_ten_years(school: School, folder: Path) -> None:
    """Sessions of ten years ago and of this term; one of the old ones led to a concern."""
    answers: dict[str, dict[str, Any]] = {"quiet": {}, "worry": {"concern": "yes", "concern_summary": "cried"}}
    rows = [
        people.log("teacher", "aled", f"{day}T10:00", ref=f"{name}-{day}", **more)
        for day in (OLD, NEW)
        for name, more in answers.items()
    ]
    for n, row in enumerate(rows):
        row |= {
            "started_at": row["started_at"].replace("T10", f"T1{n}"),
            "ended_at": row["ended_at"].replace("T10", f"T1{n}"),
        }
    assert not import_logs(school, people.table(folder / "l.csv", rows)).rejected
    records = [
        people.call(f"call-{day}", f"{day}T15:00:00", {"tutor": (0, 20), "bethan": (0, 20)}) for day in (OLD, NEW)
    ]
    assert not import_calls(school, people.calls(folder / "c.json", *records)).rejected
    consents = [
        {
            "pupil_email": people.email("bethan"),
            "kind": "one_to_one",
            "covers_from": day,
            "covers_to": day,
            "obtained_at": day,
            "given_by": "her mother",
            "reason": "r",
        }
        for day in (OLD, NEW)
    ]
    assert not import_consents(school, people.table(folder / "p.csv", consents)).rejected


@pytest.fixture
def long_ago(school_with: SchoolWith) -> School:
    return school_with(go_back_ten_years)


def held(school: School) -> dict[str, int]:
    with school.engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in tables.metadata.tables.items()
        }


def logs(school: School) -> Iterable[str]:
    with school.engine.connect() as connection:
        return set(connection.scalars(select(tables.logs.c.ref)))


def told(found: Iterable[Past]) -> dict[str, int]:
    return {past.what: past.number for past in found if past.number}


def test_purge_dry_run_lists_what_would_be_deleted_and_changes_nothing(long_ago: School) -> None:
    before = held(long_ago)
    would = find_expired(long_ago)
    assert held(long_ago) == before
    assert told(would) == told(purge(long_ago))
    assert told(would) == {"sessions": 2, "parents' consents": 1}


def test_purge_deletes_remote_learning_but_not_of_pupils_with_a_session_that_stays(long_ago: School) -> None:
    old, new = date.fromisoformat(OLD), date.fromisoformat(NEW)
    entry = tables.remote_pupils.c
    with long_ago.writing() as connection:
        pupils = dict(connection.execute(select(tables.pupils.c.email, tables.pupils.c.id)).all())
        who = {"reason": "r", "entered_by": 1, "entered_at": long_ago.now()}
        for pupil in pupils.values():
            for day in (old, new):
                row = {"pupil_id": pupil, "from_day": day, "to_day": day} | who
                connection.execute(insert(tables.remote_pupils).values(row))
    assert told(purge(long_ago))["remote learning of single pupils"] == len(pupils) - 1
    with long_ago.engine.connect() as connection:
        kept = connection.execute(select(entry.pupil_id, entry.to_day)).all()
    of_concern = pupils[people.email("aled")]
    assert set(kept) == {(of_concern, old), *((pupil, new) for pupil in pupils.values())}


def test_purge_deletes_original_call_records_first_unless_a_concern_needs_them(
    long_ago: School, tmp_path: Path
) -> None:
    records = [
        people.call(f"two-years-{n}", "2024-11-04T15:00:00", {who: (0, 20), pupil: (0, 20)})
        for n, (who, pupil) in enumerate([("tutor", "aled"), ("teacher", "bethan"), ("counsellor", "carys")])
    ]
    assert not import_calls(long_ago, people.calls(tmp_path / "two.json", *records)).rejected
    with long_ago.writing() as connection:
        report = Report(CHILD, summary="s", categories=["other"], pupil_ids=[1], told_dsp=True)
        session = LinkedSession(None, "two-years-0")
        open_concern(connection, report, raised_by=1, raised_at=long_ago.now(), day=long_ago.today(), session=session)
    number = told(purge(long_ago))["original call records"]
    assert number == 1, "the counsellor's went as well, and no number tells of it"
    with long_ago.engine.connect() as connection:
        kept = set(connection.scalars(select(tables.call_originals.c.call_id)))
        assert kept == {"two-years-0", f"call-{NEW}"}
        assert connection.scalar(select(func.count()).select_from(tables.calls)) == 4


def test_purge_deletes_meetings_in_calendars_but_not_those_of_sessions_that_stay(long_ago: School) -> None:
    with long_ago.writing() as connection:
        report = Report(CHILD, summary="s", categories=["other"], pupil_ids=[1], told_dsp=True)
        session = LinkedSession(None, f"call-{OLD}")
        open_concern(connection, report, raised_by=1, raised_at=long_ago.now(), day=long_ago.today(), session=session)
        connection.execute(
            update(tables.calls).where(tables.calls.c.id == f"call-{OLD}").values(join_key="of the concern")
        )
        for key, day in (("of the concern", OLD), ("other", OLD), ("new", NEW)):
            at = datetime.fromisoformat(f"{day}T15:00+00:00")
            times = dict.fromkeys(("starts_at", "ends_at", "changed_at", "read_at"), at)
            event = insert(tables.calendar_events).values(event_key=key, join_key=key, **times)
            number = connection.execute(event.returning(tables.calendar_events.c.id)).scalar_one()
            connection.execute(insert(tables.calendar_invited).values(event_id=number, staff_id=1))
    purge(long_ago)
    with long_ago.engine.connect() as connection:
        assert set(connection.scalars(select(tables.calendar_events.c.join_key))) == {"of the concern", "new"}
    assert held(long_ago)["calendar_invited"] == 2


def test_purge_deletes_join_links_a_year_after_they_were_seen_and_no_sooner(school: School) -> None:
    links = [MeetingLink(f"key {days}", people.entra("tutor"), f"https://teams.example/{days}") for days in (364, 367)]
    with school.writing() as connection:
        for link, days in zip(links, (364, 367), strict=True):
            remember_links(connection, [link], school.now() - timedelta(days=days))
    would, before = find_expired(school), held(school)
    assert told(would) == {}, "they are nobody's work, and are not counted"
    assert before["meeting_links"] == 2
    purge(school)
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.meeting_links.c.url)).all() == ["https://teams.example/364"]
    with school.writing() as connection:
        remember_links(connection, links[:1], school.now())  # seen once more
    purge(school)
    assert held(school)["meeting_links"] == 1


def test_purge_forgets_the_families_of_pupils_who_left_long_ago(school: School) -> None:
    pupil, version = tables.pupils, tables.pupil_versions
    with school.writing() as connection:
        connection.execute(update(pupil).values(contact_emails="mam@cartref.example"))
        ids = connection.scalars(select(pupil.c.id).order_by(pupil.c.id)).all()
        for number, day in ((ids[0], date(2025, 7, 1)), (ids[1], date(2026, 7, 1))):
            facts = {"name": "Gone", "school": "SEN", "year_group": "9", "house": "Wye", "has_left": True}
            connection.execute(insert(version).values(pupil_id=number, from_day=day, **facts))
    assert told(purge(school)) == {"families' addresses of pupils who left": 1}
    with school.engine.connect() as connection:
        kept = connection.scalars(select(pupil.c.id).where(pupil.c.contact_emails.is_not(None)))
        assert set(kept) == set(ids[1:])


def test_purge_deletes_counselling_without_counting_it(school: School, tmp_path: Path) -> None:
    row = people.log("counsellor", "carys", f"{OLD}T10:00", ref="K", purpose="counselling")
    assert not import_logs(school, people.table(tmp_path / "k.csv", [row])).rejected
    assert held(school)["sessions"] == 1
    assert told(purge(school)) == {}
    assert held(school)["sessions"] == held(school)["logs"] == held(school)["log_pupils"] == 0


def test_purge_deletes_leftovers(long_ago: School) -> None:
    """Rejected rows, drafts, records in quarantine, imports, and what belongs to no session any more."""
    old, new = (datetime.fromisoformat(f"{day}T12:00+00:00") for day in (OLD, NEW))
    with long_ago.writing() as connection:
        connection.execute(
            insert(tables.imports).values(
                kind="logs", source="f", imported_at=old, read=1, added=0, changed=0, unchanged=0, dropped=0, rejected=1
            )
        )
        rejected = {"reason": "w", "fix": "m", "attempts": 1}
        connection.execute(
            insert(tables.quarantine).values(
                kind="logs", source="f", row=2, original=b"{}", fingerprint="x", rejected_at=old, **rejected
            )
        )
        for n, at in enumerate((old, new)):
            connection.execute(insert(tables.drafts).values(staff_id=1, form=f"f{n}", content="{}", saved_at=at))
            connection.execute(
                insert(tables.quarantine).values(
                    kind="calls", source="sync", call_id=f"r{n}", fingerprint=f"r{n}", rejected_at=at, **rejected
                )
            )
            connection.execute(insert(tables.recordings).values(id=f"of nobody {n}", created_at=at))
            connection.execute(
                insert(tables.breaches).values(session_id=-n - 1, clause="logged", opened_at=at, state="open")
            )
    before = held(long_ago)
    assert told(find_expired(long_ago))["rejected rows, drafts, plans and unreadable records"] == 3
    assert told(purge(long_ago))["entries of the list of imports"] == 1
    after = held(long_ago)
    gone = {"quarantine": 2, "drafts": 1, "recordings": 1, "imports": 1}
    assert {name: before[name] - after[name] for name in gone} == gone
    with long_ago.engine.connect() as connection:
        assert set(
            connection.scalars(select(tables.breaches.c.session_id).where(tables.breaches.c.session_id < 0))
        ) == {-2}


def test_purge_dry_run_does_not_wait_for_writers(long_ago: School) -> None:
    with long_ago.writing() as connection:
        connection.execute(insert(tables.meta).values(key="held", value="open"))
        assert told(find_expired(long_ago))["sessions"] == 2


def test_purge_reports_what_it_deletes_and_runs_once(long_ago: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", long_ago.engine.url.render_as_string(hide_password=False))
    dry = CliRunner().invoke(cli, ["purge", "--dry-run"])
    assert dry.exit_code == 0
    assert "2 sessions from before 20" in dry.output
    assert "would be deleted" in dry.output
    assert "2 sessions from before 20" in CliRunner().invoke(cli, ["purge"]).output
    assert "0 sessions from before 20" in CliRunner().invoke(cli, ["purge"]).output
    with long_ago.engine.connect() as connection:
        trail = audit_log.list_entries(connection)
    assert trail.loc[trail["action"] == "purged", "actor"].tolist() == [audit_log.COMMAND] * 2


def test_purge_deletes_old_sessions_unless_a_concern_needs_them(long_ago: School) -> None:
    purge(long_ago)
    assert logs(long_ago) == {f"worry-{OLD}", f"worry-{NEW}", f"quiet-{NEW}"}
    now = held(long_ago)
    assert (now["sessions"], now["calls"], now["consents"], now["concerns"]) == (4, 1, 1, 2)
    assert now["call_stays"] == 2
    assert find_expired(long_ago)[1].number == 0


def test_purge_deletes_an_old_closed_concern_and_then_its_session(long_ago: School) -> None:
    of_years_ago = datetime(1999, 1, 1, tzinfo=UTC)
    link, event = tables.concern_sessions.c, tables.concern_events
    with long_ago.writing() as connection:
        old = connection.scalar(select(link.concern_id).where(link.log_ref == f"worry-{OLD}"))
        connection.execute(event.update().where(event.c.concern_id == old).values(occurred_at=of_years_ago))
    assert told(purge(long_ago)).get("closed concerns") is None, "an open concern never goes"
    with long_ago.writing() as connection:
        connection.execute(
            insert(tables.concern_events).values(concern_id=old, occurred_at=of_years_ago, kind="closed")
        )
    assert told(purge(long_ago)) == {"closed concerns": 1, "sessions": 1}
    assert held(long_ago)["concerns"] == 1


def test_remove_before_shortens_the_trail_which_still_verifies(long_ago: School, story_clock: Clock) -> None:
    with long_ago.writing() as connection:
        audit_log.add(
            connection,
            occurred_at=long_ago.now(),
            actor=audit_log.COMMAND,
            action="changed",
            subject="log L1, version 1",
        )
        kept = held(long_ago)["audit"]
        by_now = datetime(2026, 1, 1, tzinfo=UTC)
        assert audit_log.remove_before(connection, by_now, at=long_ago.now(), by=audit_log.COMMAND) == 0
    story_clock.later(minutes=1)
    with long_ago.writing() as connection:
        gone = audit_log.remove_before(connection, long_ago.now(), at=long_ago.now(), by=audit_log.COMMAND)
    assert gone == kept + 1
    with long_ago.engine.connect() as connection:
        number, fault = audit_log.verify(connection)
    assert (number, fault) == (gone + 1, None)
    with pytest.raises(DBAPIError, match="only ever added to"), long_ago.writing() as connection:
        connection.execute(text("delete from audit"))
    with long_ago.writing() as connection:  # an anchor moved by hand does not hide what was taken away with it
        connection.execute(text("update meta set value = replace(value, ' ', '9 ') where key = 'audit_anchor'"))
    with long_ago.engine.connect() as connection:
        assert audit_log.verify(connection)[1]
