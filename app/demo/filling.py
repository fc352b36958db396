"""Fills a database with the fictional school, through the same imports as a real one."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Connection, case, delete, func, literal, select, type_coerce, update

from app.access.policy import list_roles_with
from app.demo import asking, casework, checking, confirming, emails, resolving
from app.demo.calendar import POLICIES, Calendar, create_demo_settings
from app.demo.chance import Chance
from app.demo.people import DemoSchool, Rows, ask_parents_abroad, invent, send_letters
from app.demo.story import Story
from app.intake.attendance import import_attendance
from app.intake.calendars import store_calendar
from app.intake.calls import import_calls, import_recordings
from app.intake.files import create_work, import_consents, import_letters, import_logs
from app.intake.logs import enter_log
from app.intake.pupil_policies import store_policies
from app.intake.result import ImportResult
from app.intake.transaction import run_import
from app.judging.upkeep import refresh
from app.records.evidence.calendars import read_event
from app.records.people.roster import ROSTER_TABLES
from app.records.tables.tabular import read_table
from app.school import OWN_SETTINGS, OwnSettings, School
from app.settings import Settings
from app.store import reading, tables
from app.store.database import DatabaseError
from app.store.protocol import store_settings
from app.store.writing import get_meta, raise_revision, set_meta
from app.vocabulary.roles import Resource, Scope
from app.vocabulary.terms import BreachState

SESSIONS = 2500  # enough to fill the charts, and few enough to wait for
_SEED = 1
_UNFINISHED = "demo_unfinished"
_HOUR = 3_600_000_000  # in microseconds


def generate(seed: int, day: date, sessions: int, settings: Settings) -> DemoSchool:
    """The fictional school up to a day. The same seed, day and number of sessions give the same school."""
    chance, calendar = Chance(seed, day.toordinal(), sessions), Calendar(day)
    school = invent(chance)
    send_letters(school, calendar, chance)
    ask_parents_abroad(school, calendar)
    Story(chance, school, calendar, settings.zone).tell(sessions)
    return school


def fill(school: School, sessions: int = SESSIONS, progress: Callable[[str, float], None] = lambda *_: None) -> None:
    """Fill an empty database with the fictional school up to today, or restart a fill that was cut off. Raises
    DatabaseError if the database holds anything else. `progress` is called with a step and the share done."""
    day = school.today()
    _delete_unfinished(school)
    judged_by = School(school.engine, create_demo_settings(school.settings, day))
    refresh(judged_by)  # while nothing is stored: otherwise the first visit would judge everything again
    progress("Inventing people and sessions", 0.0)
    made = _select_past(generate(_SEED, day, sessions, school.settings), school.now(), school.settings)
    progress("Importing the roster", 0.07)
    for kind in ROSTER_TABLES:
        table = read_table(_create_csv(kind, getattr(made, kind)))
        run_import(judged_by, ImportResult(kind, table.name), create_work(judged_by, table))
    progress("Importing letters and consents", 0.09)
    import_letters(judged_by, _create_csv("letters", made.letters))
    import_consents(judged_by, _create_csv("consents", made.consents))
    with school.writing() as connection:
        _store_calendars(connection, made.events)
        _store_policies(connection, made, school.now())
        checking.store_seeds(connection, judged_by)
    _import_calls(judged_by, made, progress)
    progress("Importing session logs and judging every clause", 0.5)
    import_logs(judged_by, _create_csv("logs", made.logs))
    progress("Correcting logs", 0.81)
    _correct(judged_by, made.corrections)
    with school.writing() as connection:
        _date_back(connection, school.now())
        checking.date_back(connection)
        casework.follow_up(connection, school.now(), day)
        casework.raise_about_conduct(connection, school.now(), day)
        emails.enter_emails(connection, judged_by, made)
    scopes = (Scope.YEAR_GROUPS, Scope.HOUSES, Scope.REMAINING)
    roles = [role for scope in scopes for role in list_roles_with(Resource.BREACHES, scope)]
    leaders = [row["email"] for role in roles for row in made.staff if role in row["roles"].split(";")]
    progress("Resolving breaches and asking for consents", 0.88)
    resolving.resolve(judged_by, leaders, Chance(_SEED, day.toordinal()))
    checking.answer(judged_by, leaders, made.shown_tutor["email"])
    asking.ask(judged_by, made)
    confirmed = confirming.list_confirmed(judged_by, made)
    with school.writing() as connection:
        confirming.confirm(connection, judged_by, confirmed, Chance(_SEED, day.toordinal()))
        connection.execute(delete(tables.meta).where(tables.meta.c.key == _UNFINISHED))
        set_meta(connection, "demo", day.isoformat())
        own = OwnSettings(**{name: getattr(judged_by.settings, name) for name in OwnSettings.model_fields})
        set_meta(connection, OWN_SETTINGS, own.model_dump_json(by_alias=True))
        store_settings(connection, judged_by.settings, school.now())
        set_meta(connection, "demo_usual", ";".join(made.shown))
        raise_revision(connection)
    progress("Ready", 1.0)


def _store_calendars(connection: Connection, events: list[dict[str, Any]]) -> None:
    """Store the meetings as they were in the calendars of staff before they began."""
    roster = reading.read_roster(connection)
    for address, own in groupby(sorted(events, key=_get_organiser), key=_get_organiser):
        owner_id, _ = roster.find_ids(None, address)
        meetings = [meeting for event in own if (meeting := read_event(event))]
        first = min(meeting.starts_at for meeting in meetings)
        assert owner_id
        store_calendar(connection, owner_id, meetings, (first, first), roster, first)


def _get_organiser(event: dict[str, Any]) -> str:
    return str(event["organizer"]["emailAddress"]["address"])


def _store_policies(connection: Connection, made: DemoSchool, now: datetime) -> None:
    """Store the Teams policies that apply to each pupil: the school's, except for two new pupils who have not been
    given them."""
    roster = reading.read_roster(connection)
    late = [pupil["email"] for pupil in made.new[:2]]
    usual = dict.fromkeys(POLICIES, "Global (Org-wide default)")
    policies = {number: usual if email in late else POLICIES for email, number in roster.pupils.items()}
    store_policies(connection, policies, now)


def _import_calls(school: School, made: DemoSchool, progress: Callable[[str, float], None]) -> None:
    """Import the call records, recordings and attendance reports from files, as a school would."""
    with tempfile.TemporaryDirectory() as folder:
        calls, recordings = Path(folder) / "calls.jsonl", Path(folder) / "recordings.json"
        with calls.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(call) + "\n" for call in made.calls)
        recordings.write_text(json.dumps({"value": made.recordings}), encoding="utf-8")
        progress("Importing call records", 0.17)
        import_recordings(school, recordings)
        import_calls(
            school, calls, progress=lambda read: progress("Importing call records", 0.17 + 0.3 * read / len(made.calls))
        )
        reports = Path(folder) / "attendance.json"
        reports.write_text(json.dumps(made.attendance), encoding="utf-8")
        import_attendance(school, reports)


def _select_past(made: DemoSchool, now: datetime, settings: Settings) -> DemoSchool:
    """The school's records up to now: today's sessions only if they have ended."""
    here, there = now.astimezone(settings.zone).strftime("%Y-%m-%dT%H:%M"), now.strftime("%Y-%m-%dT%H:%M")
    return replace(
        made,
        logs=[log for log in made.logs if log["ended_at"] <= here],
        corrections=[log for log in made.corrections if log["ended_at"] <= here],
        calls=[call for call in made.calls if call["endDateTime"] <= there],
        recordings=[recording for recording in made.recordings if recording["endDateTime"] <= there],
        events=[event for event in made.events if event["end"]["dateTime"] <= there],
    )


def _correct(school: School, corrections: Rows) -> None:
    with school.engine.connect() as connection:
        ids = {row.email: row.id for row in connection.execute(select(tables.staff.c.email, tables.staff.c.id))}
    for row in corrections:
        values = {column: value for column, value in row.items() if column != "why"}
        enter_log(school, values, ids[row["staff_email"]], row["why"])


def _date_back(connection: Connection, now: datetime) -> None:
    """Date entries as if made at the time, but never after `now`: logs within two hours and corrections a day later,
    concerns and breaches some hours after their session. Breaches that were closed only because of the order of this
    import are deleted."""

    def later(moment: Any, hours: Any) -> Any:
        """A moment some hours later in microseconds, but never after now."""
        at = type_coerce(moment, BigInteger) + literal(_HOUR, BigInteger) * hours
        present = literal(int(now.timestamp()) * 1_000_000, BigInteger)
        return case((at > present, present), else_=at)

    log, concern, event = tables.logs.c, tables.concerns.c, tables.concern_events.c
    connection.execute(update(tables.logs).values(entered_at=later(log.ended_at, 2 + 19 * (log.version - 1))))
    connection.execute(update(tables.concerns).values(raised_at=later(concern.happened_at, 3)))
    raised_at = select(concern.raised_at).where(concern.id == event.concern_id).scalar_subquery()
    connection.execute(update(tables.concern_events).values(occurred_at=raised_at))

    breach, session = tables.breaches.c, tables.sessions.c
    closed = breach.state == BreachState.CLOSED
    of_closed = tables.breach_events.c.breach_id.in_(select(breach.id).where(closed))
    connection.execute(delete(tables.breach_events).where(of_closed))
    connection.execute(delete(tables.breaches).where(closed))
    ended_at = select(session.ended_at).where(session.id == breach.session_id).scalar_subquery()
    connection.execute(update(tables.breaches).values(opened_at=later(ended_at, 5)))


def was_cut_off(school: School) -> bool:
    """Whether a fill began and did not finish."""
    with school.engine.connect() as connection:
        return get_meta(connection, _UNFINISHED) is not None


def _delete_unfinished(school: School) -> None:
    """Delete the data of a fill that was cut off, and mark a new fill as begun. Raises DatabaseError if the database
    holds anything else."""
    with school.writing() as connection:
        if get_meta(connection, _UNFINISHED):
            for table in reversed(tables.metadata.sorted_tables):
                if table is not tables.audit:
                    connection.execute(delete(table))
        for table in (tables.schools, tables.staff, tables.pupils, tables.logs, tables.calls, tables.concerns):
            if connection.scalar(select(func.count()).select_from(table)):
                raise DatabaseError(
                    "The database is not empty: the fictional school never goes beside real data. "
                    "Name another one in DATABASE_URL."
                )
        set_meta(connection, _UNFINISHED, "yes")


def _create_csv(name: str, rows: Rows) -> tuple[str, bytes]:
    """Rows as a file of the kind that a school would upload: its name and content."""
    return f"{name}.csv", pd.DataFrame(rows).to_csv(index=False).encode()
