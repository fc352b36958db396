"""Reading attendance reports, compared with parsing the same bytes as JSON in the same run.

The reports have the size and the structure of Microsoft Graph's: a teacher and some pupils, each of whom joined once or
twice.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from app.records.evidence.attendance import iter_reports, read_report
from benchmarks.records import quickest

_START = datetime(2026, 3, 3, 9, tzinfo=UTC)


def _stamp(seconds: float) -> str:
    return f"{_START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.1234567Z"


def _record(report: int, person: int) -> dict[str, Any]:
    stays = [(person, 1200), (1300, 2400)] if person % 2 else [(person, 2400)]
    return {
        "id": f"{report:08d}-0000-0000-0000-{person:012d}",
        "emailAddress": f"person{person}@school.example",
        "totalAttendanceInSeconds": 2300,
        "role": "Presenter" if person else "Organizer",
        "registrationId": None,
        "identity": {
            "@odata.type": "#microsoft.graph.communicationsUserIdentity",
            "id": f"{person:08d}-0000-0000-0000-00000000abcd",
            "displayName": f"Person {person}",
            "tenantId": "00000000-0000-0000-0000-000000000001",
        },
        "attendanceIntervals": [
            {"joinDateTime": _stamp(joined), "leaveDateTime": _stamp(left), "durationInSeconds": left - joined}
            for joined, left in stays
        ],
    }


def report(number: int, people: int) -> dict[str, Any]:
    """The report of a meeting."""
    return {
        "id": f"{number:08d}-2222-2222-2222-222222222222",
        "totalParticipantCount": people,
        "meetingStartDateTime": _stamp(0),
        "meetingEndDateTime": _stamp(2500),
        "attendanceRecords": [_record(number, person) for person in range(people)],
    }


def measure(reports: int = 10_000, people: int = 6) -> float:
    """The time to parse the JSON and read the reports, divided by the time to parse it alone."""
    written = [json.dumps(report(number, people)).encode() for number in range(reports)]
    parsing = quickest(lambda: [json.loads(one) for one in written])
    reading = quickest(lambda: [read_report(one) for text in written for one in iter_reports(json.loads(text))])
    return reading / parsing


if __name__ == "__main__":
    print(f"Reading attendance reports takes {measure():.1f} times as long as parsing their JSON (at most 5).")
