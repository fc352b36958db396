"""Deleting what is past its retention period: the periods are in the settings, the reasons in docs/settings.md.

A session that a concern about a child is linked to stays as long as the concern does, with its call records,
and an open concern stays. Concerns about conduct are kept as long, but delay no deletion and are in no
count: the person named must not learn from what is deleted that there is one. Letters to
parents and the roster are not touched: a letter of long ago is evidence for a pupil who is still here.
Counselling is deleted like everything else, but is in no count.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import pandas as pd
from sqlalchemy import Column, ColumnElement, Connection, Delete, and_, delete, func, not_, or_, select

from app.access.forms import CONDUCT_DRAFT
from app.access.scope import confidential, is_counselling
from app.school import School
from app.store import audit_log, session_days, tables
from app.store.concerns import CHILD, CONDUCT, Register
from app.store.reading import is_among
from app.store.writing import raise_revision

_session, _of_call = tables.sessions.c, tables.session_calls.c
_log, _call, _link = tables.logs.c, tables.calls.c, tables.concern_sessions.c
_COUNSELLING = confidential().label("counselling")
_AUDIT = "entries of the audit trail"
# Drafts of a concern about conduct, and of a step of one.
_about_conduct = or_(tables.drafts.c.form == CONDUCT_DRAFT, tables.drafts.c.form.startswith(CONDUCT.prefix))


@dataclass(frozen=True)
class Past:
    """What of one kind is past its keeping: everything from before a day, and how many records that is."""

    what: str
    before: date
    number: int


@dataclass(frozen=True)
class _Part:
    """What is past its keeping, and how it goes: the rows with these keys, then what these statements delete."""

    told: Past
    keys: Sequence[tuple[Column[Any], Collection[Any]]] = ()
    statements: Sequence[Delete] = ()


def keeping(school: School) -> dict[str, date]:
    """For each kind of record, as named in the settings, the first day that is kept."""
    today = pd.Timestamp(school.today())
    return {
        kind: (today - pd.DateOffset(years=years)).date()
        for kind, years in school.settings.retention.model_dump().items()
    }


def past_keeping(school: School) -> list[Past]:
    """What `purge` would take away now; nothing is changed, and nobody who writes has to wait."""
    with school.engine.connect() as connection:
        return [part.told for part in _parts(connection, school)]


def purge(school: School) -> list[Past]:
    """Take away what is past its keeping, all of it or nothing, and say so on the audit trail."""
    with school.writing() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("pragma secure_delete=on")  # overwritten in the file, not only let go
        parts = list(_parts(connection, school))
        for part in parts:
            for column, values in part.keys:
                connection.execute(delete(column.table).where(is_among(connection, column, values)))
            for statement in part.statements:
                connection.execute(statement)
            if part.told.number and part.told.what != _AUDIT:
                about = f"{part.told.what} from before {part.told.before}"
                school.add_to_trail(connection, audit_log.COMMAND, "purged", about)
        since = _moment(school, keeping(school)["audit"])
        audit_log.remove_before(connection, since, at=school.now(), by=audit_log.COMMAND)
        session_days.pack(connection)
        raise_revision(connection)
    return [part.told for part in parts]


def _moment(school: School, day: date) -> datetime:
    return datetime.combine(day, time(), school.settings.zone)


def _parts(connection: Connection, school: School) -> Iterator[_Part]:
    day = keeping(school)
    since = {kind: _moment(school, first) for kind, first in day.items()}
    concerns = _closed_concerns(connection, CHILD, since["concerns"])
    of_conduct = _closed_concerns(connection, CONDUCT, since["concerns"])
    of_concern = (tables.concern_events, tables.concern_sessions, tables.concern_pupils)
    *hanging_on_conduct, conduct_concerns = tables.CONDUCT
    yield _Part(
        Past("closed concerns", day["concerns"], len(concerns)),
        [
            *((table.c.concern_id, concerns) for table in of_concern),
            (tables.concerns.c.id, concerns),
            *((table.c.concern_id, of_conduct) for table in hanging_on_conduct),
            (conduct_concerns.c.id, of_conduct),
        ],
    )
    linked = _linked(concerns)
    yield _sessions(connection, day["sessions"], since["sessions"], linked)
    consents = _consents(connection, day["sessions"], since["sessions"], linked)
    yield _Part(
        Past("parents' consents", day["sessions"], len(consents)),
        [(tables.consent_events.c.consent_id, consents), (tables.consents.c.id, consents)],
    )
    staying = or_(_session.id.is_(None), and_(_session.day >= day["sessions"], not_(linked)))
    yield _originals(connection, day["call_originals"], since["call_originals"], staying)
    yield _unfinished(connection, day["unfinished"], since["unfinished"])
    told = tables.alerts.c.queued_at < since["unfinished"]
    number = _count(connection, tables.alerts.c.id, and_(told, not_(tables.alerts.c.confidential)))
    yield _Part(Past("alerts", day["unfinished"], number), statements=[delete(tables.alerts).where(told)])
    imported, list_day = tables.imports.c, min(day["audit"], day["unfinished"])  # no earlier than its refused rows
    done_with = imported.imported_at < _moment(school, list_day)
    yield _Part(
        Past("entries of the list of imports", list_day, _count(connection, imported.id, done_with)),
        statements=[delete(tables.imports).where(done_with)],
    )
    yield _Part(Past(_AUDIT, day["audit"], audit_log.number_before(connection, since["audit"])))


def _count(connection: Connection, key: Column[Any], which: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count(key)).where(which)) or 0


def _closed_concerns(connection: Connection, register: Register, since: datetime) -> list[int]:
    """Those that are closed and to which nothing has happened since; that somebody looks is nothing."""
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


def _linked(gone: Collection[int]) -> ColumnElement[bool]:
    """Whether a concern that stays hangs on a session."""
    by_log = select(_log.id).join(tables.concern_sessions, _link.log_ref == _log.ref)
    by_call = select(_of_call.session_id).join(tables.concern_sessions, _link.call_id == _of_call.call_id)
    stays = _link.concern_id.not_in(gone)
    # A session without a log is in no list of logs, but NULL `in` a list is not false.
    of_log = and_(_session.log_id.is_not(None), _session.log_id.in_(by_log.where(stays)))
    return or_(of_log, _session.id.in_(by_call.where(stays)))


def _sessions(connection: Connection, day: date, since: datetime, linked: ColumnElement[bool]) -> _Part:
    """With their logs, calls, recordings and exceptions."""
    rows = connection.execute(select(_session.id, _COUNSELLING).where(_session.day < day, not_(linked))).all()
    old = [row.id for row in rows]
    calls = _found(connection, _of_call.call_id, _of_call.session_id, old)
    refs = _found(connection, _log.ref, _log.id, _found(connection, _session.log_id, _session.id, old))
    logs = _found(connection, _log.id, _log.ref, refs)
    exceptions = _found(connection, tables.breaches.c.id, tables.breaches.c.session_id, old)
    of_calls = (tables.call_originals, tables.call_stays, tables.call_videos, tables.call_listed, tables.recordings)
    recording, exception = tables.recordings.c, tables.breaches.c
    during = select(_call.id).where(
        _call.organiser_id == recording.organiser_id, recording.created_at.between(_call.started_at, _call.ended_at)
    )
    nobodys = and_(
        recording.created_at < since,
        or_(recording.call_id.is_(None), recording.call_id.not_in(select(_call.id))),
        ~during.exists(),
    )
    left = and_(exception.opened_at < since, exception.session_id.not_in(select(_session.id)))
    left_events = select(exception.id).where(left)
    return _Part(
        Past("sessions", day, sum(not row.counselling for row in rows)),
        [
            (tables.breach_events.c.breach_id, exceptions),
            (exception.id, exceptions),
            (tables.session_pupils.c.session_id, old),
            (_of_call.session_id, old),
            (_session.id, old),
            (tables.log_pupils.c.log_id, logs),
            (tables.log_invited.c.log_id, logs),
            (_log.id, logs),
            *((table.c.call_id, calls) for table in of_calls),
            (_call.id, calls),
        ],
        [
            delete(tables.recordings).where(nobodys),
            delete(tables.breach_events).where(tables.breach_events.c.breach_id.in_(left_events)),
            delete(tables.breaches).where(left),
        ],
    )


def _found(connection: Connection, wanted: Column[Any], column: Column[Any], values: Collection[Any]) -> list[Any]:
    query = select(wanted).where(is_among(connection, column, values), wanted.is_not(None))
    return list(connection.scalars(query.distinct()))


def _consents(connection: Connection, day: date, since: datetime, linked: ColumnElement[bool]) -> list[int]:
    """Those that ended before, but for pupils of whom an older session is still kept."""
    consent, among = tables.consents.c, tables.session_pupils.c
    older = select(among.pupil_id).join(tables.sessions, _session.id == among.session_id)
    kept = older.where(_session.day < day, linked)
    return list(connection.scalars(select(consent.id).where(consent.covers_to < since, consent.pupil_id.not_in(kept))))


def _originals(connection: Connection, day: date, since: datetime, which: ColumnElement[bool]) -> _Part:
    rows = connection.execute(
        select(_call.id, _COUNSELLING)
        .join(tables.call_originals, tables.call_originals.c.call_id == _call.id)
        .outerjoin(tables.session_calls, _of_call.call_id == _call.id)
        .outerjoin(tables.sessions, _session.id == _of_call.session_id)
        .where(_call.ended_at < since, which)
    ).all()
    return _Part(
        Past("original call records", day, sum(not row.counselling for row in rows)),
        [(tables.call_originals.c.call_id, [row.id for row in rows])],
    )


def _unfinished(connection: Connection, day: date, since: datetime) -> _Part:
    imported = select(tables.imports.c.id).where(tables.imports.c.imported_at < since)
    old: list[tuple[Column[Any], ColumnElement[bool]]] = [
        (tables.rejected_rows.c.id, tables.rejected_rows.c.import_id.in_(imported)),
        (tables.drafts.c.staff_id, and_(tables.drafts.c.saved_at < since, not_(_about_conduct))),
        (tables.sync_quarantine.c.ref, tables.sync_quarantine.c.last_seen_at < since),
    ]
    plan = tables.plans.c
    open_plans = and_(plan.ended_at < since, not_(is_counselling(plan.purpose, plan.staff_id)))
    number = sum(_count(connection, key, which) for key, which in [*old, (plan.id, open_plans)])
    uncounted = delete(tables.drafts).where(tables.drafts.c.saved_at < since, _about_conduct)
    plans = list(connection.scalars(select(plan.id).where(plan.ended_at < since)))
    return _Part(
        Past("rejected rows, drafts, plans and unreadable records", day, number),
        [(tables.plan_pupils.c.plan_id, plans), (tables.plan_invited.c.plan_id, plans), (plan.id, plans)],
        [*(delete(key.table).where(which) for key, which in old), uncounted],
    )
