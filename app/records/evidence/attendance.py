"""Attendance reports of Teams: who was in a meeting, and from when to when. They say nothing of cameras or devices.

`read_report` reads a report from Microsoft Graph; `attendance_csv` reads the file that an organiser downloads.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.records.evidence.graph_keys import check_keys, has_next_page
from app.records.evidence.graph_objects import (
    Identity,
    UnreadableObjectError,
    damaged,
    read_entry,
    read_identity,
    read_lower,
    read_text,
    read_time,
    read_word,
    to_json,
)

PREFIX = "attendance:"  # begins the ids of calls that come from a report
_LONGEST_ID = 80
_USUAL = frozenset(  # the keys that a record usually has; if it has others, their spelling is checked
    [
        "@odata.type",
        "id",
        "emailAddress",
        "totalAttendanceInSeconds",
        "role",
        "identity",
        "attendanceIntervals",
        "registrationId",
        "externalRegistrationInformation",
    ]
)
_USUAL_OF_REPORT = frozenset(  # likewise for the report itself
    [
        "@odata.context",
        "@odata.type",
        "attendanceRecords@odata.context",
        "id",
        "totalParticipantCount",
        "meetingStartDateTime",
        "meetingEndDateTime",
        "attendanceRecords",
    ]
)
_OF_USER = re.compile(r"users\('([0-9a-fA-F-]{36})'\)/onlineMeetings")
IMPORT_REPORT = "import it with “python -m app import attendance”"


@dataclass(frozen=True)
class Attendee:
    """Somebody in a report.

    - `person`: the person's key within the report
    - `kind`: as in `call_legs.Stay`
    - `addresses`: the most reliable one first; ids and addresses are in lower case
    - `intervals`: when they joined and left, in UTC; intervals of no length are left out
    """

    person: str
    kind: str
    entra_id: str | None
    addresses: tuple[str, ...]
    tenant: str | None
    is_organiser: bool
    intervals: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True)
class Report:
    """The report on one meeting. `unlisted` is the number of people who took part and are not in the report; `original`
    is the report as it arrived; `notes` report what was not read."""

    id: str
    started_at: datetime
    ended_at: datetime
    organiser: Identity | None
    join_url: str | None
    attendees: tuple[Attendee, ...]
    unlisted: int
    original: bytes
    notes: tuple[str, ...] = ()


def is_report(content: Any) -> bool:
    """Whether an object is an attendance report, or a meeting with its reports."""
    if not isinstance(content, dict) or "sessions" in content:
        return False
    names = content.keys() & {"attendanceRecords", "meetingStartDateTime", "attendanceReports"}
    return bool(names) or "attendanceReport" in str(content.get("@odata.type"))


def iter_reports(content: Any) -> Iterator[Any]:
    """The reports in an object: the object itself, or those of a meeting, each with the meeting's link and organiser.
    Keys that a program has spelt differently are changed to Graph's spelling. UnreadableObjectError if parts of a
    report are on other pages, or under a key of that program's own."""
    if not isinstance(content, dict):
        yield content
        return
    records = content.get("attendanceRecords")
    is_usual = (
        content.keys() <= _USUAL_OF_REPORT
        and isinstance(records, list)
        and all(type(record) is dict and record.keys() <= _USUAL for record in records)
    )
    content = content if is_usual else check_keys(content)
    reports = content.get("attendanceReports")
    if not isinstance(reports, list):
        yield content
        return
    meeting = {name: content[name] for name in ("joinWebUrl", "participants") if name in content}
    for report in reports:
        yield meeting | report if isinstance(report, dict) else report


def read_report(
    content: Any, *, organiser: Identity | None = None, join_url: str | None = None, context: str = ""
) -> Report:
    """Read a report whose `attendanceRecords` are expanded. `organiser` and `join_url` are the meeting's, if known;
    `context` is the @odata.context of the report's page. UnreadableObjectError if the report is incomplete, or lacks
    what every report has."""
    report_id, records = _check_report(content)
    started_at, ended_at = (read_time(content, name) for name in ("meetingStartDateTime", "meetingEndDateTime"))
    if started_at is None or ended_at is None:
        raise UnreadableObjectError("its meetingStartDateTime or meetingEndDateTime is not a time")
    if ended_at < started_at:
        raise UnreadableObjectError("its meetingEndDateTime is before its meetingStartDateTime")
    attendees = [attendee for number, record in enumerate(records) if (attendee := _read_record(record, number))]
    total = content.get("totalParticipantCount")
    return Report(
        id=report_id,
        started_at=started_at,
        ended_at=ended_at,
        organiser=organiser or _read_organiser(content) or find_organiser(attendees) or _read_owner(content, context),
        join_url=join_url or read_text(content.get("joinWebUrl"), 10_000),
        attendees=tuple(attendees),
        unlisted=max(0, total - len(records)) if isinstance(total, int) and total < 10_000 else 0,
        original=to_json(content),
    )


def name_report(content: Any) -> str:
    """The id of the call that a report stands for; "" if the report has no id."""
    report_id = read_lower(content.get("id"), _LONGEST_ID) if isinstance(content, dict) else None
    return f"{PREFIX}{report_id}" if report_id else ""


def _check_report(content: Any) -> tuple[str, list[Any]]:
    """Check that an object is a whole report; return the id (see `name_report`) and the records."""
    if not isinstance(content, dict):
        raise UnreadableObjectError("it is not an attendance report")
    if "error" in content and "id" not in content:
        raise UnreadableObjectError("it is an error of Microsoft Graph, not an attendance report")
    if "sessions" in content:
        raise UnreadableObjectError("it is a call record", "import it with “python -m app import calls”")
    if not is_report(content):
        raise UnreadableObjectError("it is not an attendance report")
    if not (report_id := name_report(content)):
        raise UnreadableObjectError("it has no id")
    if has_next_page(content):
        raise UnreadableObjectError(
            "it has only its first records", "fetch the rest from attendanceRecords@odata.nextLink"
        )
    records = content.get("attendanceRecords")
    if not isinstance(records, list) or (not records and content.get("totalParticipantCount") != 0):
        raise UnreadableObjectError(
            "its attendanceRecords are missing, as in every list of reports",
            "fetch each report on its own with $expand=attendanceRecords",
        )
    return report_id, records


def _read_record(record: Any, number: int) -> Attendee | None:
    """Read the record of one person; None for a bot or a recorder."""
    if not isinstance(record, dict):
        raise damaged(f"record {number + 1} was cut off")
    identity = record.get("identity")
    # An address that somebody typed to register proves nothing.
    is_typed = not identity and record.get("registrationId")
    address = None if is_typed else read_lower(record.get("emailAddress"), 320)
    what, key = f"record {number + 1}", address or f"record:{number}"
    if not identity and (identity is None or type(identity) is dict):
        person: Identity | None = Identity(key, "unknown", None, None, None)
    elif type(identity) is dict:
        person = read_identity(identity, key, what)
    else:
        raise damaged(f"the identity of {what} was cut off")
    if person is None:
        return None
    upn = person.upn
    return Attendee(
        person=person.key,
        kind=person.kind,
        entra_id=person.entra_id,
        addresses=tuple(dict.fromkeys(filter(None, (upn, address)))),
        tenant=person.tenant,
        is_organiser=read_word(record, "role", what) == "organizer",
        intervals=_read_intervals(record.get("attendanceIntervals"), what),
    )


def _read_intervals(intervals: Any, what: str) -> tuple[tuple[datetime, datetime], ...]:
    """Read when somebody joined and left; () if the times are not known."""
    if not isinstance(intervals, list):
        if intervals is None:
            return ()
        raise damaged(f"the attendanceIntervals of {what} were cut off")
    read = []
    for interval in intervals:
        if not isinstance(interval, dict):
            raise damaged(f"an interval of {what} was cut off")
        joined, left = read_time(interval, "joinDateTime", what), read_time(interval, "leaveDateTime", what)
        if joined is None or left is None:
            raise UnreadableObjectError(f"an interval of {what} has no time")
        if left < joined:
            raise UnreadableObjectError(f"an interval of {what} ends before it begins")
        if left > joined:
            read.append((joined, left))
    return tuple(read)


def _read_organiser(content: Mapping[str, Any]) -> Identity | None:
    """The organiser of the meeting that contained the report; None if there was none."""
    participants = content.get("participants")
    entry = participants.get("organizer") if isinstance(participants, dict) else None
    if not isinstance(entry, dict):
        return None
    found = read_entry(entry, "organiser")
    upn = read_lower(entry.get("upn"), 320)
    return Identity(found.key, found.kind, found.entra_id, found.upn or upn, found.tenant) if found else None


def find_organiser(attendees: Sequence[Attendee]) -> Identity | None:
    """The person with the role of organiser; None if nobody or several people have it."""
    found = {attendee.person: attendee for attendee in attendees if attendee.is_organiser}
    if len(found) != 1:
        return None
    (organiser,) = found.values()
    upn = organiser.addresses[0] if organiser.addresses else None
    return Identity(organiser.person, organiser.kind, organiser.entra_id, upn, organiser.tenant)


def _read_owner(content: Mapping[str, Any], context: str) -> Identity | None:
    """The organiser on whose behalf Graph was asked, taken from the @odata.context; None if it names nobody."""
    found = _OF_USER.search(str(content.get("@odata.context") or context))
    return Identity(found[1].lower(), "user", found[1].lower(), None, None) if found else None
