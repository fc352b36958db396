"""Microsoft Graph's recordings of meetings: that there is one, of which call. Never its content."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.records.calls import Unreadable, _from_set, _lower, _text, _time


@dataclass(frozen=True)
class Recording:
    """A recording; where `call_id` is blank, organiser and time tell the call."""

    id: str
    call_id: str | None
    organiser_id: str | None
    created_at: datetime
    ended_at: datetime | None


def read_recording(entry: Any) -> Recording:
    """A callRecording. Unreadable if it lacks its id or its time."""
    if not isinstance(entry, dict):
        raise Unreadable("it is no recording but something else")
    recording_id, created_at = _text(entry.get("id"), 1000), _time(entry.get("createdDateTime"))
    if recording_id is None:
        raise Unreadable("it has no id")
    if created_at is None:
        raise Unreadable("its createdDateTime is no time")
    organiser = _from_set(entry.get("meetingOrganizer"), "organiser")
    call_id = _text(entry.get("callId"), 100)
    organiser_id = (organiser.entra_id if organiser else None) or _lower(entry.get("meetingOrganizerId"))
    if call_id is None and organiser_id is None:
        raise Unreadable("it names neither its call nor its organiser")
    return Recording(
        id=recording_id,
        call_id=call_id,
        organiser_id=organiser_id,
        created_at=created_at,
        ended_at=_time(entry.get("endDateTime")),
    )
