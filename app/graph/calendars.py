"""Reads from the calendars of pastoral staff who is invited to their meetings, before the sessions take place."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, or_, select

from app.access.scope import select_past_and_present_counsellors
from app.graph.asking import Context, ask_people
from app.graph.client import Client, stamp
from app.graph.runs import LISTED
from app.graph.sources import Source, read_states
from app.intake.calendars import store_calendar
from app.records.evidence.calendars import CalendarEvent, read_event
from app.records.evidence.graph_objects import UnreadableObjectError
from app.store import reading, tables
from app.store.versions import is_there_on, list_contains, valid_versions
from app.vocabulary.roles import Role

_AHEAD, _BACK = timedelta(hours=48), timedelta(hours=24)
_PASTORAL = (Role.TUTOR, Role.HOY, Role.HM, Role.SENIOR_DEPUTY_HEAD)
_IN_UTC = 'outlook.timezone="UTC"'


def fetch_calendars(context: Context) -> None:
    """Store the online meetings of pastoral staff in the next 48 hours. Meetings of the last day, or since the
    calendars were last read, are read again, so that a last-minute change is not missed."""
    now = context.school.now()
    with context.school.engine.connect() as connection:
        people = list_pastoral_staff(connection, context.school.today())
        last = read_states(connection)[Source.CALENDARS].answered_at
        roster = reading.read_roster(connection)
    since = max(min(last or now, now - _BACK), now - LISTED)
    view = (since, now + _AHEAD)
    wrong: list[str] = []
    for person, entries in ask_people(
        context, Source.CALENDARS, list(people), lambda person: list_events(context.client, person, view)
    ):
        events = _read(entries, wrong)
        with context.school.writing() as connection:
            context.lease.hold(connection)
            context.judge(connection, store_calendar(connection, people[person], events, view, roster, now))
    if wrong:
        # Not stored, not even in quarantine: an event contains its subject and the names of those invited.
        context.done.errors.append(f"{len(wrong)} meetings in calendars could not be read ({wrong[0]}).")


def list_events(client: Client, person: str, view: tuple[datetime, datetime]) -> list[Any]:
    """The events of a calendar. Sent without `$select`, because only then does Graph say when they were changed."""
    times = {"startDateTime": stamp(view[0]), "endDateTime": stamp(view[1])}
    return client.list_entries(f"/users/{quote(person, safe='')}/calendarView", times, prefer=_IN_UTC)


def list_pastoral_staff(connection: Connection, today: date) -> Mapping[str, int]:
    """The ids of the pastoral staff on a day whose calendars may be read, by Entra id. Nobody who is, was or will be a
    counsellor is included."""
    version = valid_versions(tables.staff_versions)
    is_pastoral = or_(*(list_contains(version.c.roles, role) for role in _PASTORAL))
    query = (
        select(tables.staff.c.entra_id, tables.staff.c.id)
        .join(version, version.c.staff_id == tables.staff.c.id)
        .where(is_there_on(version, today), is_pastoral, tables.staff.c.entra_id.is_not(None))
        .where(tables.staff.c.id.not_in(select_past_and_present_counsellors()))
        .order_by(tables.staff.c.id)
    )
    return {row.entra_id: row.id for row in connection.execute(query)}


def _read(entries: Sequence[Any], wrong: list[str]) -> list[CalendarEvent]:
    """The online meetings among the events of a calendar. The reasons why others cannot be read are appended to
    `wrong`."""
    events = []
    for entry in entries:
        try:
            event = read_event(entry)
        except UnreadableObjectError as error:
            wrong.append(str(error))
        except Exception as error:  # no event may end the run, whatever is wrong with it
            wrong.append(f"it is not what an event is ({type(error).__name__})")
        else:
            events += [event] if event else []
    return events
