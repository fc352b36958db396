"""Imports attendance reports of Teams. A report of a session is stored like a call, with its source."""

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from app.intake.calls import check_exists, follow_pages, iter_parts, store_calls
from app.intake.demonstration import check_objects
from app.intake.result import ImportResult
from app.intake.transaction import Run, carry_out, prepare_import
from app.judging.rejudge import Affected
from app.records.evidence.attendance import Attendee, Report, iter_reports, name_report, read_report
from app.records.evidence.attendance_csv import NoReportError, name_downloaded_report, read_downloaded_report
from app.records.evidence.attendance_lines import InvalidReportError
from app.records.evidence.attendance_times import DateOrder
from app.records.evidence.call_legs import Stay
from app.records.evidence.calls import Call, Listed, digest_join_link
from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.evidence.json_files import FoundObject, iter_content, iter_objects
from app.records.people.roster import Roster
from app.records.rows import RejectedRow, UnreadableFileError
from app.school import School
from app.store import reading, tables
from app.vocabulary.terms import CallSource

Source = str | Path | tuple[str, bytes]

_LARGEST_DOWNLOAD = 20_000_000  # bytes
_EARLY = timedelta(days=1)  # clocks differ by less
_SAME_START = timedelta(seconds=2)  # one form of a report has whole seconds, another their fractions


def import_attendance(
    school: School, source: Source, *, dates: DateOrder | None = None, actor_id: int | None = None
) -> ImportResult:
    """Import attendance reports as Microsoft Graph gives them, in any form that `iter_objects` reads, or as they are
    downloaded from Teams: a file, a folder, or (name, content). `dates` is the order of day and month in downloaded
    reports that do not show it."""
    return carry_out(school, prepare_attendance(school, source, dates=dates, actor_id=actor_id))[0]


def prepare_attendance(
    school: School, source: Source, *, dates: DateOrder | None = None, actor_id: int | None = None
) -> Run:
    """The import of attendance reports, as of `import_attendance`, ready to be run once."""
    if isinstance(source, tuple):
        name, found = source[0], iter_content(source[0], io.BytesIO(source[1]))
    else:
        path = check_exists(source)
        name, found = path.name, iter_objects(path)

    def work(connection: Connection, result: ImportResult) -> Affected:
        affected = Affected()
        roster = reading.read_roster(connection)
        for part in iter_parts(follow_pages(check_objects(school, found), result)):
            reports = [report for item in part for report in _read_each(item, school, dates, result)]
            store_reports(connection, school, reports, roster, result, affected)
        return affected

    return prepare_import(school, ImportResult("attendance", name, actor_id), work)


def _read_each(found: FoundObject, school: School, dates: DateOrder | None, result: ImportResult) -> Iterator[Report]:
    """Yield the reports of an object that can be read; reject the others, unshortened, with the reason."""
    try:
        contents = [] if found.reason or found.table is not None else list(iter_reports(found.content))
    except UnreadableObjectError as error:
        found, contents = replace(found, reason=str(error), fix=error.fix), []
    for content in contents or [found.content]:
        result.read += 1
        name = name_report(content) if found.table is None else name_downloaded_report(found.table)
        try:
            report = _read(found, content, school.settings.zone, dates)
            if report.ended_at > school.now() + _EARLY:
                raise UnreadableObjectError("its times are in the future", "check the order of day and month in it")
        except (UnreadableObjectError, InvalidReportError) as error:
            if isinstance(error, NoReportError) and found.file == result.source:
                raise UnreadableFileError(
                    f"{found.file} is not an attendance report of Teams. Nothing was changed."
                ) from None
            result.rejected.append(_reject(error, found, content, name, result.source))
        else:
            result.calls |= {name: 0, report.id: 0}
            where = f"in {found.file} " if found.file != result.source else ""
            result.notes += [f"{where}{note}" for note in report.notes]
            yield report


def _read(found: FoundObject, content: Any, zone: ZoneInfo, dates: DateOrder | None) -> Report:
    if found.table is not None:
        if len(found.table) > _LARGEST_DOWNLOAD:
            raise UnreadableObjectError("the file is too large for an attendance report")
        return read_downloaded_report(found.table, zone, dates)
    if found.reason:
        raise UnreadableObjectError(found.reason, found.fix)
    return read_report(content, context=found.context)


def _reject(
    error: UnreadableObjectError | InvalidReportError, found: FoundObject, content: Any, name: str, source: str
) -> RejectedRow:
    text = found.table.replace(b"\0", b"").decode(errors="replace") if found.table is not None else found.raw
    original = {"where": found.file, "content": content if content is not None else text, "report": name}
    file = found.file if found.file != source else None
    if isinstance(error, InvalidReportError):
        return RejectedRow(error.row, error.column, error.value, error.reason, error.fix, original, file)
    fix = error.fix or "correct it, or fetch it again"
    return RejectedRow(found.number, None, None, str(error), fix, original, file)


def store_reports(
    connection: Connection,
    school: School,
    reports: Sequence[Report],
    roster: Roster,
    result: ImportResult,
    affected: Affected,
) -> None:
    """Store reports as calls: those that are sessions, and of each meeting the fullest."""
    calls = _use_known_ids(connection, [_as_call(report, roster) for report in reports], roster)
    store_calls(connection, school, calls, roster, result, affected)


def _as_call(report: Report, roster: Roster) -> Call:
    """A report as a call. Its version grows with everybody and every second that the report shows, and among equals
    with everybody whose account it names, so that the fuller of two reports is the later version."""
    organiser = report.organiser
    organiser_upn = organiser.upn if organiser else None
    stays: dict[Stay, None] = {}
    listed: dict[str, Listed] = {}
    for attendee in report.attendees:
        upn = _choose_address(attendee, roster)
        if organiser and attendee.person == organiser.key:
            organiser_upn = upn
        for joined_at, left_at in attendee.intervals:
            stay = Stay(
                person=attendee.person,
                kind=attendee.kind,
                entra_id=attendee.entra_id,
                upn=upn,
                tenant=attendee.tenant,
                caller=True,
                joined_at=joined_at,
                left_at=left_at,
                has_media=False,
            )
            stays[stay] = None
        listed[attendee.person] = Listed(attendee.person, attendee.entra_id, upn, attendee.tenant)
    if report.unlisted:
        listed["unlisted"] = Listed("unlisted", None, None, None)
    seconds = sum((stay.left_at - stay.joined_at).total_seconds() for stay in stays)
    named = sum(attendee.entra_id is not None for attendee in report.attendees)
    for person in {stay.person for stay in stays}:
        listed.pop(person)
    return Call(
        id=report.id,
        version=(int(seconds) + len(report.attendees)) * 100 + min(named, 99),
        type="groupCall",
        started_at=min([report.started_at, *(stay.joined_at for stay in stays)]),
        ended_at=max([report.ended_at, *(stay.left_at for stay in stays)]),
        organiser_id=organiser.entra_id if organiser else None,
        organiser_upn=organiser_upn,
        organiser_tenant=organiser.tenant if organiser else None,
        channel=False,
        join_key=digest_join_link(report.join_url) if report.join_url else None,
        join_url=report.join_url,
        source=CallSource.ATTENDANCE,
        stays=list(stays),
        listed=list(listed.values()),
        original=report.original,
    )


def _choose_address(attendee: Attendee, roster: Roster) -> str | None:
    """The address by which the roster knows somebody, else the surest."""
    known = (address for address in attendee.addresses if roster.find_ids(None, address) != (None, None))
    return next(known, attendee.addresses[0] if attendee.addresses else None)


# --- a report that came in another form has another id


@dataclass(frozen=True)
class _Meeting:
    """A meeting of which there is a report; `organiser` is a staff id, None if it is not known."""

    id: str
    started_at: datetime
    organiser: int | None
    pupils: frozenset[int]

    def is_of(self, other: "_Meeting") -> bool:
        """Whether two reports are of one meeting: they begin together, and the organiser or a pupil is the same."""
        if abs(self.started_at - other.started_at) > _SAME_START:
            return False
        if self.organiser is not None and other.organiser is not None:
            return self.organiser == other.organiser
        return not self.pupils.isdisjoint(other.pupils)


def _use_known_ids(connection: Connection, calls: Sequence[Call], roster: Roster) -> list[Call]:
    """The calls, each with the id under which a report of the same meeting is stored or came before it."""
    if not calls:
        return []
    known = _read_meetings(connection, calls)
    ids = {meeting.id for meeting in known}
    by_time: dict[int, list[_Meeting]] = defaultdict(list)
    for meeting in known:
        by_time[_count_pairs(meeting.started_at)].append(meeting)
    named: list[Call] = []
    for call in calls:
        if call.id in ids:
            named.append(call)
            continue
        meeting, time = _describe_meeting(call, roster), _count_pairs(call.started_at)
        near = (other for pair in (time - 1, time, time + 1) for other in by_time[pair])
        same = next((other for other in near if other.is_of(meeting)), None)
        if same is None:
            by_time[time].append(meeting)
            ids.add(call.id)
        named.append(replace(call, id=same.id) if same else call)
    return named


def _count_pairs(moment: datetime) -> int:
    """The number of times that the longest difference between two starts fits before a moment."""
    return (moment - tables.EPOCH) // _SAME_START


def _describe_meeting(call: Call, roster: Roster) -> _Meeting:
    people: list[Stay | Listed] = [*call.stays, *call.listed]
    pupils = {roster.find_ids(person.entra_id, person.upn)[1] for person in people}
    organiser, _ = roster.find_ids(call.organiser_id, call.organiser_upn)
    return _Meeting(call.id, call.started_at, organiser, frozenset(pupil for pupil in pupils if pupil is not None))


def _read_meetings(connection: Connection, calls: Sequence[Call]) -> list[_Meeting]:
    """The stored reports of meetings that began at the time of one of the calls."""
    call, stay, listed = tables.calls.c, tables.call_stays.c, tables.call_listed.c
    first, last = min(meeting.started_at for meeting in calls), max(meeting.started_at for meeting in calls)
    rows = connection.execute(
        select(call.id, call.started_at, call.organiser_staff_id).where(
            call.source == CallSource.ATTENDANCE, call.started_at.between(first - _SAME_START, last + _SAME_START)
        )
    ).all()
    pupils: dict[str, set[int]] = {row.id: set() for row in rows}
    for person in (stay, listed):
        query = select(person.call_id, person.pupil_id).where(person.pupil_id.is_not(None))
        for row in connection.execute(query.where(reading.is_among(connection, person.call_id, pupils))):
            pupils[row.call_id].add(row.pupil_id)
    return [_Meeting(row.id, row.started_at, row.organiser_staff_id, frozenset(pupils[row.id])) for row in rows]
