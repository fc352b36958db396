"""Stores what the scenarios' calendars contain, as a sync would store it."""

from typing import Any

from sqlalchemy import insert, select

from app.records.evidence.calls import digest_join_link
from app.school import School
from app.store import tables
from tests.scenarios.telling import Scenario
from tests.scenarios.writing import join_url


def store_calendars(told: list[Scenario], school: School) -> None:
    """Store every version of each calendar event in the scenarios."""
    events: list[dict[str, Any]] = []
    invited: list[dict[str, int]] = []
    with school.writing() as connection:
        staff = {row.email: row.id for row in connection.execute(select(tables.staff.c.email, tables.staff.c.id))}
        for scenario in told:
            for entry in scenario.told.get("calendar", []):
                number, changed = len(events) + 1, scenario.time(entry["changed"])
                event = {"id": number, "event_key": f"{scenario.number} {entry['call']} {entry.get('event', '')}"}
                event |= {"starts_at": scenario.time(entry["from"]), "ends_at": scenario.time(entry["to"])}
                event |= {"join_key": digest_join_link(join_url(scenario, entry["call"]))}
                events.append(event | {"changed_at": changed, "read_at": changed})
                guests = [staff[scenario.email(who)] for who in entry["invited"]]
                invited += [{"event_id": number, "staff_id": guest} for guest in guests]
        connection.execute(insert(tables.calendar_events), events)
        connection.execute(insert(tables.calendar_invited), invited)
