"""Reads which calls Microsoft Graph has recordings of, never their content."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.records.graph_objects import UnreadableObjectError, read_identity_set, read_lower, read_text, read_time

_MAX_URL = 10_000  # characters


@dataclass(frozen=True)
class Recording:
    """A recording; if `call_id` is None, organiser and time identify the call. `content_url`: where it is stored;
    `expires_at`: until when, if that is known."""

    id: str
    call_id: str | None
    organiser_id: str | None
    created_at: datetime
    ended_at: datetime | None
    content_url: str | None = None
    expires_at: datetime | None = None


def read_recording(entry: Any) -> Recording:
    """Read a callRecording. UnreadableObjectError if it lacks its id or its time."""
    if not isinstance(entry, dict):
        raise UnreadableObjectError("it is not a recording")
    recording_id, created_at = read_text(entry.get("id"), 1000), read_time(entry.get("createdDateTime"))
    if recording_id is None:
        raise UnreadableObjectError("it has no id")
    if created_at is None:
        raise UnreadableObjectError("its createdDateTime is not a time")
    organiser = read_identity_set(entry.get("meetingOrganizer"), "organiser")
    call_id = read_text(entry.get("callId"), 100)
    organiser_id = (organiser.entra_id if organiser else None) or read_lower(entry.get("meetingOrganizerId"))
    if call_id is None and organiser_id is None:
        raise UnreadableObjectError("it names neither its call nor its organiser")
    return Recording(
        id=recording_id,
        call_id=call_id,
        organiser_id=organiser_id,
        created_at=created_at,
        ended_at=read_time(entry.get("endDateTime")),
        content_url=read_text(entry.get("recordingContentUrl"), _MAX_URL),
        expires_at=read_time(entry.get("expirationDateTime")),
    )
