"""Stores the online meetings of a calendar: times, join link and invited staff, one row for each version."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from app.judging.rejudge import Affected
from app.records.evidence.calendars import CalendarEvent
from app.records.people.roster import Roster
from app.store import tables
from app.store.meeting_links import MeetingLink, remember_links
from app.store.quarantined import digest
from app.store.reading import is_among
from app.store.writing import insert_rows

View = tuple[datetime, datetime]  # what was read of a calendar: events that overlap the time from one to the other

_event, _invited = tables.calendar_events.c, tables.calendar_invited.c


def store_calendar(
    connection: Connection, owner_id: int, events: Sequence[CalendarEvent], view: View, roster: Roster, now: datetime
) -> Affected:
    """Store the meetings that a member of staff (`owner_id`) organises, from a reading of their calendar. Returns the
    sessions to be judged again.

    Copies in the calendars of those invited are left out: they may be changed there. A version that is known gets the
    time of this reading. A meeting that was cancelled, deleted or moved away before it was last seen to have begun is
    removed, because nothing shows that anybody was invited to it when it began.
    """
    own = {digest(event.key): event for event in events if _is_own(event, owner_id, roster)}
    organiser_id = connection.scalar(select(tables.staff.c.entra_id).where(tables.staff.c.id == owner_id))
    if organiser_id is not None:
        links = (MeetingLink(event.join_key, organiser_id, event.join_url) for event in own.values())
        remember_links(connection, links, now)
    changed = _remove_vanished(connection, _event.organiser_id == owner_id, view, list(own))
    for key, event in own.items():
        staff = {roster.find_ids(None, address)[0] for address in (event.organiser, *event.invited) if address}
        invited = {owner_id, *(number for number in staff if number is not None)}
        if _store_version(connection, key, event, owner_id, now, invited):
            changed.add(event.join_key)
    return Affected(sessions=_find_sessions(connection, changed))


def _is_own(event: CalendarEvent, owner_id: int, roster: Roster) -> bool:
    if event.in_organisers_calendar is not None:
        return event.in_organisers_calendar
    return event.organiser is not None and roster.find_ids(None, event.organiser)[0] == owner_id


def _remove_vanished(
    connection: Connection, of_owner: ColumnElement[bool], view: View, keys: Sequence[str]
) -> set[str]:
    """Remove versions that a reading did not show and that were last seen before they began. Returns their join
    keys."""
    in_view = and_(_event.starts_at < view[1], _event.ends_at > view[0])
    stored = select(_event.id, _event.event_key, _event.join_key).where(
        of_owner, in_view, _event.read_at < _event.starts_at
    )
    vanished = [row for row in connection.execute(stored) if row.event_key not in keys]
    remove_events(connection, is_among(connection, _event.id, [row.id for row in vanished]))
    return {row.join_key for row in vanished}


def remove_events(connection: Connection, condition: ColumnElement[bool]) -> None:
    """Delete events and whom they invite."""
    connection.execute(delete(tables.calendar_invited).where(_invited.event_id.in_(select(_event.id).where(condition))))
    connection.execute(delete(tables.calendar_events).where(condition))


def _store_version(
    connection: Connection, key: str, event: CalendarEvent, owner_id: int, now: datetime, invited: set[int]
) -> bool:
    """Store a version with the staff whom it invites. Returns whether anything is new."""
    same = and_(_event.event_key == key, _event.changed_at == event.changed_at)
    number = connection.scalar(update(tables.calendar_events).where(same).values(read_at=now).returning(_event.id))
    if number is None:
        row = {
            "event_key": key,
            "join_key": event.join_key,
            "starts_at": event.starts_at,
            "ends_at": event.ends_at,
            "changed_at": event.changed_at,
            "read_at": now,
            "organiser_id": owner_id,
        }
        number = connection.execute(insert(tables.calendar_events).values(row).returning(_event.id)).scalar_one()
    known = set(connection.scalars(select(_invited.staff_id).where(_invited.event_id == number)))
    new = [{"event_id": number, "staff_id": staff_id} for staff_id in sorted(invited - known)]
    insert_rows(connection, tables.calendar_invited, new)
    return bool(new)  # the organiser is among them, so that a new version always has some


def _find_sessions(connection: Connection, join_keys: set[str]) -> set[int]:
    """The sessions with a call that has one of the join links."""
    sessions = select(tables.session_calls.c.session_id).join(tables.calls)
    return set(connection.scalars(sessions.where(is_among(connection, tables.calls.c.join_key, join_keys))))
