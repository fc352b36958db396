"""Reads the online meetings in a calendar: when they are and whom they invite, but not what they are about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.records.evidence.calls import digest_join_link
from app.records.evidence.graph_objects import UnreadableObjectError, read_lower, read_text, read_time

_LONGEST_ADDRESS, _LONGEST_URL = 320, 10_000  # characters


@dataclass(frozen=True)
class CalendarEvent:
    """A version of an online meeting.

    - `key`: the same for all versions of the meeting
    - `join_key`: the digest of `join_url`, by which calls with this link are found
    - `organiser`, `invited`: addresses in lower case, by which staff are found; never stored
    - `in_organisers_calendar`: None if Graph does not say
    """

    key: str
    join_key: str
    join_url: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    organiser: str | None
    invited: frozenset[str]
    in_organisers_calendar: bool | None


def read_event(entry: Any) -> CalendarEvent | None:
    """Read an event of a calendar. None if it invites nobody to a call, since it has no join link, is cancelled or is
    still a draft. UnreadableObjectError if it lacks what every event has."""
    if not isinstance(entry, dict):
        raise UnreadableObjectError("it is no event")
    meeting = entry.get("onlineMeeting")
    join_url = read_text(meeting.get("joinUrl"), _LONGEST_URL) if isinstance(meeting, dict) else None
    if join_url is None or entry.get("isCancelled") is True or entry.get("isDraft") is True:
        return None
    identity = read_text(entry.get("iCalUId"), 2000) or read_text(entry.get("id"), 2000)
    changed_at = read_time(entry, "lastModifiedDateTime")
    if identity is None:
        raise UnreadableObjectError("it has no id")
    if changed_at is None:
        raise UnreadableObjectError("its lastModifiedDateTime is missing or is not a time")
    if not isinstance(entry.get("attendees"), list):
        raise UnreadableObjectError("it has no list of attendees")
    starts_at, ends_at = _read_zoned_time(entry, "start"), _read_zoned_time(entry, "end")
    if ends_at < starts_at:
        raise UnreadableObjectError("its end is before its start")
    in_own = entry.get("isOrganizer")
    return CalendarEvent(
        # One meeting of a series may have the id of the series, and keeps its first start when it is moved.
        key=f"{identity}|{read_text(entry.get('originalStart')) or ''}",
        join_key=digest_join_link(join_url),
        join_url=join_url,
        starts_at=starts_at,
        ends_at=ends_at,
        changed_at=changed_at,
        organiser=_read_address(entry.get("organizer")),
        invited=frozenset(_iter_addresses(entry["attendees"])),
        in_organisers_calendar=in_own if isinstance(in_own, bool) else None,
    )


def _iter_addresses(attendees: list[Any]) -> Iterator[str]:
    for attendee in attendees:
        if address := _read_address(attendee):
            yield address


def _read_address(recipient: Any) -> str | None:
    holder = recipient.get("emailAddress") if isinstance(recipient, dict) else None
    return read_lower(holder.get("address"), _LONGEST_ADDRESS) if isinstance(holder, dict) else None


def _read_zoned_time(entry: dict[str, Any], name: str) -> datetime:
    """Read a time with its zone (UTC or an IANA name), in UTC. Windows' names of zones are not translated: UTC was
    asked for, so another zone shows that something is wrong."""
    holder = entry.get(name)
    if not isinstance(holder, dict):
        raise UnreadableObjectError(f"its {name} is missing")
    zone = read_text(holder.get("timeZone")) or ""
    try:
        moment = datetime.fromisoformat(str(holder.get("dateTime")))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC if zone.upper() == "UTC" else ZoneInfo(zone))
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError, KeyError):  # KeyError: an unknown zone
        shown = f"“{zone}”" if re.fullmatch(r"[\w ./()+-]{1,60}", zone) else "that cannot be read"
        words = "UTC was asked for, and no other is guessed"
        raise UnreadableObjectError(f"its {name} is not a time, or has a time zone {shown}; {words}") from None
    if not 2000 <= moment.year < 2100:
        raise UnreadableObjectError(f"its {name} cannot be right")
    return moment
