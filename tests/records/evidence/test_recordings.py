"""Recordings: of which call, or at least whose and when."""

from typing import Any

import pytest

from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.evidence.recordings import Recording, read_recording
from tests.records.evidence.shapes import MAIR, at, utc

RECORDING = {
    "@odata.type": "#microsoft.graph.callRecording",
    "id": "recording-1",
    "meetingId": "meeting-1",
    "callId": "cccccccc-0000-4000-8000-000000000003",
    "createdDateTime": at("14:06:00"),
    "endDateTime": at("14:30:00"),
    "contentCorrelationId": "x",
    "recordingContentUrl": "https://graph.microsoft.com/v1.0/users/x/content",
    "meetingOrganizer": {"application": None, "device": None, "user": MAIR | {"id": MAIR["id"].upper()}},
}


def test_read_recording_reads_call_organiser_and_times() -> None:
    assert read_recording(RECORDING) == Recording(
        "recording-1",
        "cccccccc-0000-4000-8000-000000000003",
        MAIR["id"],
        utc("14:06:00"),
        utc("14:30:00"),
        "https://graph.microsoft.com/v1.0/users/x/content",
        None,
    )


@pytest.mark.parametrize("call_id", [None, "", 7, "c" * 101])
def test_read_recording_without_its_call_has_organiser_and_time(call_id: Any) -> None:
    read = read_recording(RECORDING | {"callId": call_id, "endDateTime": None})
    assert (read.call_id, read.organiser_id, read.ended_at) == (None, MAIR["id"], None)


def test_read_recording_rejects_an_entry_of_a_page_of_transcripts() -> None:
    with pytest.raises(UnreadableObjectError, match="transcript"):
        read_recording(RECORDING | {"@odata.type": None}, "https://x/$metadata#Collection(callTranscript)")


def test_read_recording_reads_ids_in_any_case_and_where_it_is_kept() -> None:
    told = RECORDING | {"callId": "CCCC", "expirationDateTime": at("15:00:00")}
    read = read_recording(told)
    assert (read.call_id, read.expires_at) == ("cccc", utc("15:00:00"))


def test_read_recording_without_its_organiser_has_its_call() -> None:
    assert read_recording(RECORDING | {"meetingOrganizer": None}).organiser_id is None
    read = read_recording(RECORDING | {"meetingOrganizer": None, "meetingOrganizerId": MAIR["id"]})
    assert read.organiser_id == MAIR["id"]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "not a recording"),
        ([RECORDING], "not a recording"),
        (RECORDING | {"id": None}, "no id"),
        (RECORDING | {"createdDateTime": "soon"}, "createdDateTime"),
        (RECORDING | {"createdDateTime": "2026-11-03T14:06:00"}, "neither Z nor an offset"),
        (RECORDING | {"@odata.type": "#microsoft.graph.callTranscript"}, "a transcript"),
        (RECORDING | {"TranscriptContentUrl": "https://x"}, "a transcript"),
        (RECORDING | {"@odata.context": "x#Collection(callTranscript)"}, "a transcript"),
        (
            {"odata.type" if name == "@odata.type" else name: value for name, value in RECORDING.items()}
            | {"odata.type": "#microsoft.graph.callTranscript"},
            "a transcript",
        ),
        (RECORDING | {"meetingOrganizer": "@{user=}"}, "damaged"),
        (RECORDING | {"callId": None, "meetingOrganizer": None}, "neither its call nor its organiser"),
    ],
)
def test_read_recording_rejects_what_is_not_a_recording(told: Any, why: str) -> None:
    with pytest.raises(UnreadableObjectError, match=why):
        read_recording(told)
