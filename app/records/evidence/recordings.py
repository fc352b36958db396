"""Reads which calls Microsoft Graph has recordings of, but never the recordings themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.records.evidence.graph_keys import check_keys
from app.records.evidence.graph_objects import (
    UnreadableObjectError,
    read_identity_set,
    read_lower,
    read_object,
    read_text,
    read_time,
)

_MAX_URL = 10_000  # characters


@dataclass(frozen=True)
class Recording:
    """A recording. If `call_id` is None, organiser and time identify the call. `content_url` is where it is stored;
    `expires_at` is until when, or None if unknown."""

    id: str
    call_id: str | None
    organiser_id: str | None
    created_at: datetime
    ended_at: datetime | None
    content_url: str | None = None
    expires_at: datetime | None = None


def read_recording(entry: Any, context: str = "") -> Recording:
    """Read a callRecording. `context` is the @odata.context of its page. UnreadableObjectError if it lacks its id or
    its time, names neither call nor organiser, or is a transcript."""
    if not isinstance(entry, dict):
        raise UnreadableObjectError("it is not a recording")
    fields = check_keys(entry)
    kind = f"{fields.get('@odata.type') or ''} {fields.get('@odata.context') or context}".lower()
    if "calltranscript" in kind or "transcripts" in kind or "transcriptContentUrl" in fields:
        raise UnreadableObjectError("it is a transcript, not a recording", "fetch recordings, by getAllRecordings")
    recording_id, created_at = read_text(fields.get("id"), 1000), read_time(fields, "createdDateTime")
    if recording_id is None:
        raise UnreadableObjectError("it has no id")
    if created_at is None:
        raise UnreadableObjectError("it has no createdDateTime")
    organiser = read_object(fields, "meetingOrganizer", "the recording")
    person = read_identity_set(organiser, "organiser", "the organiser") if organiser else None
    call_id = read_lower(fields.get("callId"), 100)
    organiser_id = (person.entra_id if person else None) or read_lower(fields.get("meetingOrganizerId"))
    if call_id is None and organiser_id is None:
        raise UnreadableObjectError("it names neither its call nor its organiser")
    return Recording(
        id=recording_id,
        call_id=call_id,
        organiser_id=organiser_id,
        created_at=created_at,
        ended_at=read_time(fields, "endDateTime"),
        content_url=read_text(fields.get("recordingContentUrl"), _MAX_URL),
        expires_at=read_time(fields, "expirationDateTime"),
    )
