"""Recordings: of which call, or at least whose and when."""

from typing import Any

import pytest

from app.records.graph_objects import UnreadableObjectError
from app.records.recordings import Recording, read_recording
from tests.records.shapes import MAIR, at, utc

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
        "recording-1", "cccccccc-0000-4000-8000-000000000003", MAIR["id"], utc("14:06:00"), utc("14:30:00")
    )


@pytest.mark.parametrize("call_id", [None, "", 7, "c" * 101])
def test_read_recording_without_its_call_has_organiser_and_time(call_id: Any) -> None:
    read = read_recording(RECORDING | {"callId": call_id, "endDateTime": None})
    assert (read.call_id, read.organiser_id, read.ended_at) == (None, MAIR["id"], None)


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
        (RECORDING | {"callId": None, "meetingOrganizer": None}, "neither its call nor its organiser"),
    ],
)
def test_read_recording_rejects_what_is_not_a_recording(told: Any, why: str) -> None:
    with pytest.raises(UnreadableObjectError, match=why):
        read_recording(told)
