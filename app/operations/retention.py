"""Deleting what is past its retention period: the periods are in the settings, the reasons in docs/settings.md.

A session that is linked to a concern about a child stays, with its call records, as long as the concern, and an open
concern always stays. Concerns about conduct are kept for the same time, but delay no other deletion and are not
counted, so that the person named cannot learn of one from what is deleted. Letters to parents and the roster are kept:
an old letter is evidence for a pupil who is still here. Counselling is deleted like everything else, but not counted.
The addresses of a pupil's family are deleted some time after the pupil left.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    Update,
    and_,
    delete,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.schema import DropSchema

from app.access.administration import is_import_shown
from app.access.forms import CONDUCT_DRAFT
from app.access.scope import is_confidential, is_counselling, select_past_and_present_counsellors
from app.school import School
from app.store import audit_log, changes, session_days, tables
from app.store.concerns import CHILD, CONDUCT, Register
from app.store.copies import list_older_copies, list_older_schemas
from app.store.database import empty_write_ahead_log
from app.store.reading import is_among
from app.store.versions import valid_versions
from app.store.writing import raise_revision

_session, _of_call = tables.sessions.c, tables.session_calls.c
_log, _call, _link = tables.logs.c, tables.calls.c, tables.concern_sessions.c
_COUNSELLING = is_confidential().label("counselling")
_by_counsellor = tables.drafts.c.staff_id.in_(select_past_and_present_counsellors())
# Drafts of a concern about conduct, and of an update to one.
_about_conduct = or_(tables.drafts.c.form == CONDUCT_DRAFT, tables.drafts.c.form.startswith(CONDUCT.prefix))


@dataclass(frozen=True)
class Past:
    """The records of one kind that are past their retention period: all from before a day, and how many; None if the
    number would tell of counselling."""

    what: str
    before: date
    number: int | None


_Part = tuple[Past, Sequence[Delete | Update | DropSchema]]  # and the statements that delete it


def find_first_days_kept(school: School) -> dict[str, date]:
    """For each kind of record, as named in the settings, the first day that is kept."""
    today = pd.Timestamp(school.today())
    return {
        kind: (today - pd.DateOffset(years=years)).date()
        for kind, years in school.settings.retention.model_dump().items()
    }


def find_expired(school: School) -> list[Past]:
    """What `purge` would delete now. Changes nothing, and makes no writer wait."""
    with school.engine.connect() as connection:
        return [past for past, _ in _find_parts(connection, school)]


def purge(school: School) -> list[Past]:
    """Delete what is past its retention period, all of it or nothing, and record that on the audit trail."""
    with school.writing() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("pragma secure_delete=on")  # so that SQLite overwrites the data in the file
        parts = list(_find_parts(connection, school))
        for past, statements in parts:
            for statement in statements:
                connection.execute(statement)
            if past.number:
                school.add_to_trail(connection, audit_log.COMMAND, "purged", f"{past.what} from before {past.before}")
        audit_log.remove_before(connection, _find_starts(school)["audit"], at=school.now(), by=audit_log.COMMAND)
        changes.forget(connection)  # undoing an import would bring back what was deleted
        session_days.pack(connection)
        raise_revision(connection)
    for copy in _list_copies(school):
        copy.unlink(missing_ok=True)
    empty_write_ahead_log(school.engine)  # it holds the pages as they were; next time if others are reading them
    return [past for past, _ in parts]


def _list_copies(school: School) -> list[Path]:
    """The copies of an embedded database, made at an upgrade or a restore, that are past their retention period."""
    url = school.engine.url
    if school.engine.dialect.name != "sqlite" or not url.database:
        return []
    return list_older_copies(Path(url.database), _find_starts(school)["unfinished"])


def _find_copies(connection: Connection, school: School) -> _Part:
    """Copies made at an upgrade or a restore: of PostgreSQL the schemas; files are deleted at the end."""
    since = _find_starts(school)["unfinished"]
    if connection.dialect.name == "sqlite":
        return Past("copies of the database", since.date(), len(_list_copies(school))), []
    schemas = list_older_schemas(connection, since)
    drops = [DropSchema(schema, cascade=True) for schema in schemas]
    return Past("copies of the database", since.date(), len(schemas)), drops


def _find_starts(school: School) -> dict[str, datetime]:
    """The start of each day of `find_first_days_kept`."""
    days = find_first_days_kept(school)
    return {kind: datetime.combine(day, time(), school.settings.zone) for kind, day in days.items()}


def _find_parts(connection: Connection, school: School) -> Iterator[_Part]:
    since = _find_starts(school)
    concerns = _find_closed_concerns(connection, CHILD, since["concerns"])
    yield _find_concerns(connection, since["concerns"], concerns)
    linked = _is_linked(concerns)
    yield _find_sessions(connection, since["sessions"], linked)
    yield _find_consents(connection, since["sessions"], linked)
    yield _find_remote_learning(connection, since["sessions"], linked)
    staying = or_(_session.id.is_(None), and_(_session.day >= since["sessions"].date(), not_(linked)))
    yield _find_originals(connection, since["call_originals"], staying)
    yield _find_unfinished(connection, since["unfinished"])
    yield _find_contacts(connection, since["unfinished"])
    alert = tables.alerts.c
    queued = alert.queued_at < since["unfinished"]
    number = _count(connection, tables.alerts, and_(queued, not_(alert.confidential)))
    yield Past("alerts", since["unfinished"].date(), number), [delete(tables.alerts).where(queued)]
    emailed = tables.family_emails.c.queued_at < since["unfinished"]
    number = _count(connection, tables.family_emails, emailed)
    yield (
        Past("emails to families", since["unfinished"].date(), number),
        [delete(tables.family_emails).where(emailed)],
    )
    first_import = min(since["audit"], since["unfinished"])  # an import stays as long as its rejected rows
    imported = tables.imports.c.imported_at < first_import
    number = _count(connection, tables.imports, and_(imported, is_import_shown()))
    yield Past("entries of the list of imports", first_import.date(), number), [delete(tables.imports).where(imported)]
    yield _find_copies(connection, school)
    yield Past("entries of the audit trail", since["audit"].date(), None), []


def _count(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(condition)) or 0


def _create_deletes(connection: Connection, columns: Sequence[Column[Any]], values: Collection[Any]) -> list[Delete]:
    """The statements that delete, from each column's table, the rows in which the column has one of the values."""
    return [delete(column.table).where(is_among(connection, column, values)) for column in columns]


def _find(connection: Connection, target: Column[Any], column: Column[Any], values: Collection[Any]) -> list[Any]:
    """The distinct values of `target` in the rows in which `column` has one of the values."""
    query = select(target).where(is_among(connection, column, values), target.is_not(None))
    return list(connection.scalars(query.distinct()))


def _find_closed_concerns(connection: Connection, register: Register, since: datetime) -> list[int]:
    """The ids of concerns that are closed and unchanged since; reading one does not count as a change."""
    event = register.events.c
    state: dict[int, tuple[bool, datetime]] = {}
    for row in connection.execute(
        select(event.concern_id, event.kind, event.occurred_at)
        .where(event.kind.not_in(("read", "viewed", "taken")))
        .order_by(event.occurred_at, event.id)
    ):
        closed = row.concern_id in state and state[row.concern_id][0]
        state[row.concern_id] = (row.kind == "closed" or (closed and row.kind != "reopened"), row.occurred_at)
    return [number for number, (closed, last) in state.items() if closed and last < since]


def _find_concerns(connection: Connection, since: datetime, concerns: Collection[int]) -> _Part:
    """Closed concerns about children and, uncounted, about conduct."""
    about_conduct = _find_closed_concerns(connection, CONDUCT, since)
    of_child = (tables.concern_events, tables.concern_sessions, tables.concern_pupils)
    *of_conduct, conduct_concerns = tables.CONDUCT_TABLES
    return Past("closed concerns", since.date(), len(concerns)), [
        *_create_deletes(connection, [*(table.c.concern_id for table in of_child), tables.concerns.c.id], concerns),
        *_create_deletes(connection, [*(t.c.concern_id for t in of_conduct), conduct_concerns.c.id], about_conduct),
    ]


def _is_linked(gone: Collection[int]) -> ColumnElement[bool]:
    """Whether a session is linked to a concern that stays."""
    by_log = select(_log.id).join(tables.concern_sessions, _link.log_ref == _log.ref)
    by_call = select(_of_call.session_id).join(tables.concern_sessions, _link.call_id == _of_call.call_id)
    stays = _link.concern_id.not_in(gone)
    # NULL `in` a list is not false, so sessions without a log are excluded first.
    of_log = and_(_session.log_id.is_not(None), _session.log_id.in_(by_log.where(stays)))
    return or_(of_log, _session.id.in_(by_call.where(stays)))


def _find_sessions(connection: Connection, since: datetime, linked: ColumnElement[bool]) -> _Part:
    """Sessions with their logs, calls, recordings, breaches and spot checks, those without a session, and meetings in
    calendars."""
    rows = connection.execute(select(_session.id, _COUNSELLING).where(_session.day < since.date(), not_(linked))).all()
    sessions = [row.id for row in rows]
    calls = _find(connection, _of_call.call_id, _of_call.session_id, sessions)
    refs = _find(connection, _log.ref, _log.id, _find(connection, _session.log_id, _session.id, sessions))
    logs = _find(connection, _log.id, _log.ref, refs)
    breach, recording = tables.breaches.c, tables.recordings.c
    left = and_(breach.opened_at < since, breach.session_id.not_in(select(_session.id)))
    breaches = _find(connection, breach.id, breach.session_id, sessions)
    breaches += connection.scalars(select(breach.id).where(left)).all()
    check = tables.spot_checks.c
    checks = _find(connection, check.id, check.session_id, sessions)
    unattached = and_(check.drawn_at < since, check.session_id.not_in(select(_session.id)))
    checks += connection.scalars(select(check.id).where(unattached)).all()
    event = tables.calendar_events.c
    kept_links = (
        select(_call.join_key)
        .join(tables.session_calls, _of_call.call_id == _call.id)
        .join(tables.sessions, _session.id == _of_call.session_id)
        .where(_session.day < since.date(), linked, _call.join_key.is_not(None))
    )
    old_events = select(event.id).where(event.starts_at < since, event.join_key.not_in(kept_links))
    events = connection.scalars(old_events).all()
    surrounding_calls = select(_call.id).where(
        _call.organiser_id == recording.organiser_id, recording.created_at.between(_call.started_at, _call.ended_at)
    )
    of_no_call = and_(
        recording.created_at < since,
        or_(recording.call_id.is_(None), recording.call_id.not_in(select(_call.id))),
        ~surrounding_calls.exists(),
    )
    of_calls = (tables.call_originals, tables.call_stays, tables.call_videos, tables.call_listed, tables.recordings)
    return Past("sessions", since.date(), sum(not row.counselling for row in rows)), [
        *_create_deletes(connection, [tables.breach_events.c.breach_id, breach.id], breaches),
        *_create_deletes(connection, [check.id], checks),
        *_create_deletes(connection, [tables.session_pupils.c.session_id, _of_call.session_id, _session.id], sessions),
        *_create_deletes(connection, [tables.log_pupils.c.log_id, tables.log_invited.c.log_id, _log.id], logs),
        *_create_deletes(connection, [*(table.c.call_id for table in of_calls), _call.id], calls),
        delete(tables.recordings).where(of_no_call),
        *_create_deletes(connection, [tables.calendar_invited.c.event_id, event.id], events),
    ]


def _find_consents(connection: Connection, since: datetime, linked: ColumnElement[bool]) -> _Part:
    """Consents that ended before `since`, except those of pupils with an older session that stays."""
    consent = tables.consents.c
    ended = select(consent.id).where(consent.covers_to < since, consent.pupil_id.not_in(_select_pupils(since, linked)))
    consents = connection.scalars(ended).all()
    of_consent = (tables.family_emails.c.consent_id, tables.consent_events.c.consent_id, consent.id)
    statements = _create_deletes(connection, of_consent, consents)
    return Past("parents' consents", since.date(), len(consents)), statements


def _find_remote_learning(connection: Connection, since: datetime, linked: ColumnElement[bool]) -> _Part:
    """Remote learning of single pupils that ended before `since`, except of those with an older session that stays."""
    entry = tables.remote_pupils.c
    ended = select(entry.id).where(entry.to_day < since.date(), entry.pupil_id.not_in(_select_pupils(since, linked)))
    entries = connection.scalars(ended).all()
    statements = _create_deletes(connection, [entry.id], entries)
    return Past("remote learning of single pupils", since.date(), len(entries)), statements


def _select_pupils(since: datetime, linked: ColumnElement[bool]) -> Select[Any]:
    """The pupils of sessions before `since` that stay."""
    participant = tables.session_pupils.c
    older = select(participant.pupil_id).join(tables.sessions, _session.id == participant.session_id)
    return older.where(_session.day < since.date(), linked)


def _find_originals(connection: Connection, since: datetime, condition: ColumnElement[bool]) -> _Part:
    rows = connection.execute(
        select(_call.id, _COUNSELLING)
        .join(tables.call_originals, tables.call_originals.c.call_id == _call.id)
        .outerjoin(tables.session_calls, _of_call.call_id == _call.id)
        .outerjoin(tables.sessions, _session.id == _of_call.session_id)
        .where(_call.ended_at < since, condition)
    ).all()
    statements = _create_deletes(connection, [tables.call_originals.c.call_id], [row.id for row in rows])
    return Past("original call records", since.date(), sum(not row.counselling for row in rows)), statements


def _find_contacts(connection: Connection, since: datetime) -> _Part:
    """The addresses of the families of pupils who left before `since`."""
    version, pupil = valid_versions(tables.pupil_versions), tables.pupils.c
    gone = and_(version.c.until.is_(None), version.c.has_left, version.c.from_day < since.date())
    query = (
        select(pupil.id).join(version, version.c.pupil_id == pupil.id).where(gone, pupil.contact_emails.is_not(None))
    )
    pupils = connection.scalars(query).all()
    forget = update(tables.pupils).where(is_among(connection, pupil.id, pupils)).values(contact_emails=None)
    return Past("families' addresses of pupils who left", since.date(), len(pupils)), [forget]


def _find_unfinished(connection: Connection, since: datetime) -> _Part:
    rejected = tables.quarantine.c.rejected_at < since
    drafted = tables.drafts.c.saved_at < since
    plan = tables.plans.c
    planned = plan.ended_at < since
    number = sum(
        _count(connection, table, condition)
        for table, condition in (
            (tables.quarantine, rejected),
            (tables.drafts, and_(drafted, not_(_about_conduct), not_(_by_counsellor))),
            (tables.plans, and_(planned, not_(is_counselling(plan.purpose, plan.staff_id)))),
        )
    )
    plans = connection.scalars(select(plan.id).where(planned)).all()
    return Past("rejected rows, drafts, plans and unreadable records", since.date(), number), [
        *_create_deletes(connection, [tables.plan_pupils.c.plan_id, tables.plan_invited.c.plan_id, plan.id], plans),
        delete(tables.quarantine).where(rejected),
        delete(tables.drafts).where(drafted),
        delete(tables.meeting_links).where(tables.meeting_links.c.seen_at < since),
    ]
