"""Reading events of calendars: only online meetings, only in times that are certain."""

from typing import Any

import pytest

from app.records.evidence.calendars import read_event
from app.records.evidence.calls import digest_join_link
from app.records.evidence.graph_objects import UnreadableObjectError

LINK = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0?context=x"


def event(**values: Any) -> dict[str, Any]:
    return {
        "id": "own-id",
        "iCalUId": "uid-1",
        "subject": "About Aled",
        "bodyPreview": "His mother rang",
        "createdDateTime": "2026-11-02T08:00:00.1234567Z",
        "lastModifiedDateTime": "2026-11-02T09:00:00.1234567Z",
        "isOrganizer": True,
        "type": "unknownFutureValue",
        "start": {"dateTime": "2026-11-03T12:45:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-03T13:00:00.0000000", "timeZone": "UTC"},
        "onlineMeeting": {"joinUrl": LINK},
        "organizer": {"emailAddress": {"name": "Tutor", "address": "Tutor@habs.example"}},
        "attendees": [{"type": "required", "emailAddress": {"name": "Head", "address": " HOY9@habs.example "}}],
    } | values


def test_read_event_keeps_times_link_and_addresses_and_nothing_else() -> None:
    found = read_event(event())
    assert found is not None
    assert f"{found.starts_at:%d %H:%M} {found.ends_at:%H:%M} {found.changed_at:%d %H:%M}" == "03 12:45 13:00 02 09:00"
    assert (found.join_key, set(found.invited)) == (digest_join_link(LINK), {"hoy9@habs.example"})
    assert (found.organiser, found.in_organisers_calendar) == ("tutor@habs.example", True)
    assert not any(word in repr(found) for word in ("Aled", "mother", "Head"))


@pytest.mark.parametrize(
    "values",
    [
        {"onlineMeeting": None},
        {"onlineMeeting": {"joinUrl": None}},
        {"onlineMeeting": "yes"},
        {"isCancelled": True},
        {"isDraft": True},
    ],
)
def test_read_event_leaves_out_what_invites_nobody_to_a_call(values: dict[str, Any]) -> None:
    assert read_event(event(**values)) is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"start": {"dateTime": "2026-07-03T12:45:00", "timeZone": "GMT Standard Time"}}, "“GMT Standard Time”"),
        ({"end": {"dateTime": "2026-11-03T12:45:00", "timeZone": "tzone://Microsoft/Custom"}}, "cannot be read"),
        ({"end": {"dateTime": "2026-11-03T12:45:00"}}, "cannot be read"),
        ({"start": {"dateTime": "Tuesday", "timeZone": "UTC"}}, "not a time"),
        ({"start": None}, "start is missing"),
        ({"start": {"dateTime": "2026-11-03T13:45:00", "timeZone": "UTC"}}, "before its start"),
        ({"lastModifiedDateTime": None}, "lastModifiedDateTime"),
        ({"iCalUId": None, "id": ""}, "no id"),
        ({"attendees": None}, "list of attendees"),
    ],
)
def test_read_event_refuses_what_is_not_certain(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnreadableObjectError, match=reason):
        read_event(event(**values))


def test_read_event_takes_zones_of_the_iana_database() -> None:
    found = read_event(
        event(
            start={"dateTime": "2026-07-03T12:45:00", "timeZone": "Europe/London"},
            end={"dateTime": "2026-07-03T14:00:00+02:00", "timeZone": "utc"},
        )
    )
    assert found is not None
    assert f"{found.starts_at:%H:%M} {found.ends_at:%H:%M}" == "11:45 12:00"


def test_read_event_leaves_out_odd_attendees() -> None:
    odd = [None, "x", {}, {"emailAddress": None}, {"emailAddress": {"address": ""}}, {"emailAddress": {"address": 5}}]
    found = read_event(event(attendees=odd, organizer=None, isOrganizer=None))
    assert found is not None
    assert not found.invited
    assert (found.organiser, found.in_organisers_calendar) == (None, None)
