"""Links earlier calls and logs to people of the roster, and finds the sessions that a change to them touches."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, exists, not_, null, or_, select, update

from app.intake.transaction import span
from app.judging.call_rows import reread_calls
from app.records.people.roster import Roster
from app.school import School
from app.store import reading, tables
from app.vocabulary.terms import CallSource


def list_sessions_since(connection: Connection, key: str, people: Collection[int], day: date) -> set[int]:
    """The ids of the sessions, from a day on, of some pupils (`key`: "pupil_id") or staff ("staff_id"), whether these
    led, joined or were invited."""
    session, of_call, call = tables.sessions.c, tables.session_calls.c, tables.calls.c
    if not people:
        return set()

    def is_one(column: Column[Any]) -> ColumnElement[bool]:
        return reading.is_among(connection, column, people)

    if key == "pupil_id":
        queries = [select(session.id).join(tables.session_pupils).where(is_one(tables.session_pupils.c.pupil_id))]
    else:
        with_staff = [
            select(table.c.call_id).where(is_one(table.c.staff_id)) for table in (tables.call_stays, tables.call_listed)
        ]
        invited, event = tables.calendar_invited.c, tables.calendar_events.c
        keys = select(event.join_key).join(tables.calendar_invited, invited.event_id == event.id)
        with_staff.append(select(call.id).where(call.join_key.in_(keys.where(is_one(invited.staff_id)))))
        of_calls = select(session.id).join(tables.session_calls, of_call.session_id == session.id)
        queries = [
            select(session.id).where(is_one(session.staff_id)),
            *(of_calls.where(of_call.call_id.in_(calls)) for calls in with_staff),
            select(session.id)
            .join(tables.log_invited, tables.log_invited.c.log_id == session.log_id)
            .where(is_one(tables.log_invited.c.staff_id)),
        ]
    return {number for query in queries for number in connection.scalars(query.where(session.day >= day))}


def recognise(connection: Connection, school: School) -> list[tuple[int, int]]:
    """Link earlier calls and logs to people who have since been added to the roster, and drop calls in which only
    pupils turn out to have been. Returns the times of those calls and logs."""
    roster = reading.read_roster(connection)
    stays, listed, invited = tables.call_stays.c, tables.call_listed.c, tables.log_invited.c
    organiser_id = tables.calls.c.organiser_id
    calls = {
        *_recognise_in(connection, roster, stays.call_id, entra_id=stays.entra_id, upn=stays.upn),
        *_recognise_in(connection, roster, listed.call_id, entra_id=listed.entra_id, upn=listed.upn),
        *_recognise_in(connection, roster, tables.calls.c.id, entra_id=organiser_id, upn=null()),
    }
    logs = _recognise_in(connection, roster, invited.log_id, entra_id=null(), upn=invited.email)
    times = []
    for table, ids in ((tables.calls, calls), (tables.logs, logs)):
        rows = connection.execute(
            select(table.c.started_at, table.c.ended_at).where(reading.is_among(connection, table.c.id, ids))
        )
        times += [span(row.started_at, row.ended_at) for row in rows]
    if alone := _find_pupils_alone(connection, calls):
        reread_calls(connection, school, roster, alone)
    return times


def _find_pupils_alone(connection: Connection, calls: Collection[str]) -> Sequence[str]:
    """Those of some call records in which nobody but pupils was."""
    call = tables.calls.c
    others = [
        exists().where(people.c.call_id == call.id, people.c.pupil_id.is_(None))
        for people in (tables.call_stays, tables.call_listed)
    ]
    records = select(call.id).where(reading.is_among(connection, call.id, calls), call.source == CallSource.RECORD)
    return connection.scalars(records.where(not_(or_(*others)))).all()


def _recognise_in(
    connection: Connection, roster: Roster, key: Column[Any], *, entra_id: ColumnElement[Any], upn: ColumnElement[Any]
) -> set[Any]:
    """Link the rows of a table to the people whose account the roster now knows. Returns the `key` of those rows."""
    table = key.table
    ids = [table.c[name] for name in ("organiser_staff_id", "staff_id", "pupil_id") if name in table.c]
    own_key = list(table.primary_key)
    query = select(key.label("number"), entra_id.label("entra_id"), upn.label("upn"), *own_key)
    linked = set()
    for number, entra, address, *own in connection.execute(query.where(*(column.is_(None) for column in ids))).all():
        known = dict(zip(ids, roster.find_ids(entra, address), strict=False))
        if any(known.values()):
            is_own = [column == value for column, value in zip(own_key, own, strict=True)]
            connection.execute(update(table).where(*is_own).values(known))
            linked.add(number)
    return linked
