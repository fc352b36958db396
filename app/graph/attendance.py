"""Fetches attendance reports for times without call records: before the first sync, or lost since.

Microsoft keeps reports for about a year, the 50 newest of each meeting, and call records for only 30 days. A meeting is
found by its join link, which call records contain. Counsellors' meetings are never asked about.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from app.access.scope import select_past_and_present_counsellors
from app.graph.asking import Context, ask_people
from app.graph.client import Client
from app.graph.errors import ForbiddenError, GoneError, RequestFailedError
from app.graph.runs import KEPT_BY_GRAPH
from app.graph.sources import Source, list_askable
from app.intake import quarantine
from app.intake.attendance import store_reports
from app.intake.confidential import count_confidential
from app.intake.quarantine import RejectedRecord, reject_entry
from app.intake.result import ImportResult
from app.judging.rejudge import Affected
from app.records.evidence.attendance import Report, name_report, read_report
from app.records.evidence.graph_objects import Identity, UnreadableObjectError, read_text, read_time
from app.store import reading
from app.store.meeting_links import MeetingLink
from app.store.tables import calls, meeting_links, staff, sync_runs
from app.vocabulary.terms import CallSource

KEPT = timedelta(days=365)  # about as long as Microsoft keeps reports
_READ_AGAIN = timedelta(days=1)
_MOST_LINKS = 500  # in one run; the next run reads the others
_MORE_RECORDS = "attendancerecords@odata.nextlink"

Times = tuple[datetime, datetime]


@dataclass(frozen=True)
class _Gaps:
    """Periods without call records, and when the latest was found."""

    times: Sequence[Times]
    found_at: datetime

    def has(self, moment: datetime) -> bool:
        return any(begin <= moment < end for begin, end in self.times)


@dataclass
class _Answer:
    """What was read for some links: the reports, the records that cannot be read, and whether everything was read, by
    link."""

    reports: list[Report] = field(default_factory=list)
    wrong: list[RejectedRecord] = field(default_factory=list)
    whole: dict[str, bool] = field(default_factory=dict)


def fetch_reports(context: Context) -> None:
    """Store the attendance reports of known meetings that fall in a gap. Each link is read once for each gap, and again
    after a day if that failed."""
    now = context.school.now()
    with context.school.writing() as connection:
        context.lease.hold(connection)
        connection.execute(delete(meeting_links).where(meeting_links.c.seen_at < now - KEPT))
        gaps = _find_gaps(connection, now)
        due = _list_due(connection, gaps, now) if gaps else {}
        links = {link.join_key for of_organiser in due.values() for link in of_organiser}
        recorded = _list_recorded(connection, links)
    if gaps is None or not due:
        return

    def ask(organiser: str) -> _Answer:
        return _ReportReader(context.client, gaps, recorded).ask(due[organiser])

    def fail(organiser: str, error: RequestFailedError) -> None:
        context.done.errors.append(f"{Source.ATTENDANCE.label} of a meeting could not be read ({error.words}).")
        _store(context, _Answer(whole=dict.fromkeys((link.join_key for link in due[organiser]), False)))

    for _, answer in ask_people(context, Source.ATTENDANCE, list(due), ask, fail):
        _store(context, answer)


def _find_gaps(connection: Connection, now: datetime) -> _Gaps | None:
    """The periods of the last year whose call records were never fetched and no longer can be, or None."""
    run, oldest = sync_runs.c, now - KEPT
    latest = select(func.max(run.id)).scalar_subquery()
    completed = select(run.from_at, run.started_at).where(or_(run.complete_until.is_not(None), run.id == latest))
    first = connection.execute(completed.order_by(run.from_at).limit(1)).first()
    lost = connection.execute(select(run.lost_from, run.lost_to, run.started_at).where(run.lost_from.is_not(None)))
    found = [(row.lost_from, row.lost_to, row.started_at) for row in lost]
    if first is not None:
        found.append((oldest, min(first.from_at, now - KEPT_BY_GRAPH + _READ_AGAIN), first.started_at))
    found = [gap for gap in found if oldest < gap[1]]
    return _Gaps([(begin, end) for begin, end, _ in found], max(at for *_, at in found)) if found else None


def _list_due(connection: Connection, gaps: _Gaps, now: datetime) -> dict[str, list[MeetingLink]]:
    """The links to read now, by organiser."""
    link = meeting_links.c
    unread = or_(~link.reports_whole, link.reports_read_at < gaps.found_at)
    is_due = or_(link.reports_read_at.is_(None), and_(link.reports_read_at <= now - _READ_AGAIN, unread))
    query = select(link.join_key, link.organiser_id, link.url).where(is_due, _is_of_teaching(link.organiser_id))
    waiting: dict[str, list[MeetingLink]] = defaultdict(list)
    for row in connection.execute(query.order_by(link.organiser_id, link.join_key)):
        waiting[row.organiser_id].append(MeetingLink(*row))
    due: dict[str, list[MeetingLink]] = {}
    places = _MOST_LINKS
    for organiser in list_askable(connection, Source.ATTENDANCE, list(waiting), now):
        if places > 0:
            due[organiser] = waiting[organiser][:places]
            places -= len(due[organiser])
    return due


def find_link(connection: Connection) -> MeetingLink | None:
    """The most recently seen link that may be asked about, or None."""
    link = meeting_links.c
    query = select(link.join_key, link.organiser_id, link.url).where(_is_of_teaching(link.organiser_id))
    row = connection.execute(query.order_by(link.seen_at.desc(), link.join_key).limit(1)).first()
    return MeetingLink(*row) if row else None


def iter_report_entries(client: Client, link: MeetingLink) -> Iterator[tuple[str, Any]]:
    """The attendance reports listed for the meetings with a link: yields the path of the list and the entry. Raises
    RequestFailedError if a meeting has no id."""
    of_organiser = f"/users/{quote(link.organiser_id, safe='')}/onlineMeetings"
    url = link.url.replace("'", "''")
    for meeting in client.list_entries(of_organiser, {"$filter": f"JoinWebUrl eq '{url}'"}):
        meeting_id = read_text(meeting.get("id"), 1000) if isinstance(meeting, dict) else None
        if meeting_id is None:
            raise RequestFailedError("a meeting has no id")
        reports = f"{of_organiser}/{quote(meeting_id, safe='')}/attendanceReports"
        for entry in client.list_entries(reports):
            yield reports, entry


def _is_of_teaching(organiser: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether an organiser is on the roster as staff, and never was a counsellor."""
    counsellors = select_past_and_present_counsellors()
    by_roster = select(staff.c.entra_id).where(staff.c.entra_id.is_not(None))
    by_calls = select(calls.c.organiser_id).where(calls.c.organiser_id.is_not(None))
    with_counsellor = or_(
        organiser.in_(by_roster.where(staff.c.id.in_(counsellors))),
        organiser.in_(by_calls.where(calls.c.organiser_staff_id.in_(counsellors))),
    )
    with_staff = or_(organiser.in_(by_roster), organiser.in_(by_calls.where(calls.c.organiser_staff_id.is_not(None))))
    return and_(with_staff, ~with_counsellor)


def _list_recorded(connection: Connection, links: set[str]) -> Mapping[str, Sequence[Times]]:
    """The start and end of every call that has a call record, by link."""
    call = calls.c
    query = select(call.join_key, call.started_at, call.ended_at).where(call.source == CallSource.RECORD)
    times: dict[str, list[Times]] = defaultdict(list)
    for key, begin, end in connection.execute(query.where(reading.is_among(connection, call.join_key, links))):
        times[key].append((begin, end))
    return dict(times)


class _ReportReader:
    """Asks for the reports of links. Each thread uses an instance of its own."""

    def __init__(self, client: Client, gaps: _Gaps, recorded: Mapping[str, Sequence[Times]]) -> None:
        self._client, self._gaps, self._recorded = client, gaps, recorded
        self._answer = _Answer()

    def ask(self, links: Sequence[MeetingLink]) -> _Answer:
        """Read the reports of one organiser's links. Raises the last error if none of the links could be read."""
        failed: RequestFailedError | None = None
        for link in links:
            self._answer.whole[link.join_key] = True
            try:
                for reports, entry in iter_report_entries(self._client, link):
                    self._ask_report(link, reports, entry)
            except ForbiddenError:
                raise
            except GoneError:
                continue
            except RequestFailedError as error:
                failed, self._answer.whole[link.join_key] = error, False
        if failed and not any(self._answer.whole.values()):
            raise failed
        return self._answer

    def _ask_report(self, link: MeetingLink, reports: str, entry: Any) -> None:
        report_id = read_text(entry.get("id")) if name_report(entry) else None
        if report_id is None:
            self._reject(link, reject_entry("attendance", entry, "an entry of the list has no id"))
            return
        try:
            begin, end = (read_time(entry, name) for name in ("meetingStartDateTime", "meetingEndDateTime"))
        except UnreadableObjectError as error:
            self._reject(link, reject_entry("attendance", entry, str(error)))
            return
        if begin and end and (not self._gaps.has(begin) or self._is_recorded(link, begin, end)):
            return
        address = f"{reports}/{quote(report_id, safe='')}"
        content = self._client.get(address, {"$expand": "attendanceRecords"})
        for key in [key for key in content if key.lower() == _MORE_RECORDS] if isinstance(content, dict) else []:
            if content.pop(key) is not None:
                content["attendanceRecords"] = self._client.list_entries(f"{address}/attendanceRecords")
        organiser = Identity(link.organiser_id, "user", link.organiser_id, None, None)
        try:
            self._answer.reports.append(read_report(content, organiser=organiser, join_url=link.url))
        except Exception as error:  # as with call records
            is_foreseen = isinstance(error, UnreadableObjectError)
            reason = str(error) if is_foreseen else f"it is not what a report is ({type(error).__name__})"
            rejected = reject_entry("attendance", content, reason)
            self._reject(link, replace(rejected, key=name_report(entry)))

    def _is_recorded(self, link: MeetingLink, begin: datetime, end: datetime) -> bool:
        return any(first < end and begin < last for first, last in self._recorded.get(link.join_key, ()))

    def _reject(self, link: MeetingLink, record: RejectedRecord) -> None:
        self._answer.wrong.append(record)
        self._answer.whole[link.join_key] = False


def _store(context: Context, answer: _Answer) -> None:
    """Store the reports of sessions, put what cannot be read into quarantine, and note which links were read."""
    with context.school.writing() as connection:
        context.lease.hold(connection)
        result, affected = ImportResult("attendance", "sync"), Affected()
        store_reports(connection, context.school, answer.reports, reading.read_roster(connection), result, affected)
        context.judge(connection, affected)
        count_confidential(connection, result)
        context.done.count(result)
        quarantine.delete_reports(connection, [report.id for report in answer.reports])
        context.quarantine(connection, answer.wrong)
        for whole in (True, False):
            keys = [key for key, was_whole in answer.whole.items() if was_whole is whole]
            read = update(meeting_links).where(reading.is_among(connection, meeting_links.c.join_key, keys))
            connection.execute(read.values(reports_read_at=context.school.now(), reports_whole=whole))
        context.log.save(connection)
