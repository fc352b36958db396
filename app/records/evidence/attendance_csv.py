"""Reads the attendance report that an organiser downloads from Teams.

The file has three numbered parts: the meeting, its participants, and when each of them joined and left. Further parts
do not concern attendance. The words are in the language of whoever downloaded the file, so it is recognised by its
structure: the numbers of its parts, the positions of its columns and the form of its values.

An older form has one part after the meeting, with a row for each time that somebody joined.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.records.evidence.attendance import PREFIX, Attendee, Report, find_organiser
from app.records.evidence.attendance_lines import (
    AGAIN,
    FEWEST_COLUMNS,
    JOINED,
    InvalidReportError,
    Layout,
    Line,
    find_blocks,
    find_layout,
    find_parts,
    split_lines,
)
from app.records.evidence.attendance_times import DateOrder, WrittenTime, find_order, read_instant, read_written_time
from app.records.rows import InvalidCellError

_NAME, _LEFT, _EMAIL = 0, 2, 4  # indexes of columns, the same in every language and form
# Words for the organiser in the column of roles. With any other word, the organiser is unknown.
_ORGANISER = frozenset(
    [
        "organizer",
        "organiser",
        "organisator",
        "organisateur",
        "organisatrice",
        "organizador",
        "organizadora",
        "organizzatore",
        "trefnydd",
        "arrangör",
        "arrangør",
        "järjestäjä",
        "organizator",
        "organizátor",
        "szervező",
        "διοργανωτής",
        "организатор",
        "组织者",
        "召集人",
        "開催者",
    ]
)


_Span = tuple[Line, WrittenTime, WrittenTime]


@dataclass
class _Person:
    """Somebody in the report; `line` is their first row. `stays` has the times of each joining and leaving, `spans` the
    times of the first joining and the last leaving, each with its row."""

    line: Line
    name: str
    addresses: tuple[str, ...]
    role: str
    stays: list[_Span] = field(default_factory=list)
    spans: list[_Span] = field(default_factory=list)


_AGAIN_IN_ENGLISH = "download the report again when the meeting is over, with Teams in English or on a 24-hour clock"
_ROUNDED = timedelta(minutes=1)


class NoReportError(InvalidReportError):
    """A file that is not an attendance report."""


def read_downloaded_report(content: bytes, zone: ZoneInfo, dates: DateOrder | None) -> Report:
    """Read a downloaded report, whose times are in `zone`. `dates` is the order of day and month to use if the file
    does not show it. InvalidReportError if any row cannot be used: a report is read as a whole or not at all."""
    lines = split_lines(content)
    layout = find_layout(lines)
    further: Sequence[Sequence[Line]] = []
    if layout is Layout.PARTS:
        parts = find_parts(lines)
        further = parts[3:]
        if len(parts) < 3:
            raise InvalidReportError(lines[-1].number, "ends the file before its third part", AGAIN)
        meeting = _read_meeting(parts[0][1:], titled=True)
        people = _read_participants(parts[1], meeting)
        _read_activities(parts[2], people)
    elif layout is Layout.ONE_PART:
        summary, rows = find_blocks(lines)[:2]
        meeting = _read_meeting(summary, titled=False)
        people = _read_joinings(rows)
    elif layout is Layout.NAMES_ONLY:
        raise InvalidReportError(
            1, "is an old list of names without addresses: nobody can be recognised", "download the attendance report"
        )
    else:
        raise NoReportError(1, "does not begin an attendance report of Teams", AGAIN)
    notes = tuple(f"part {number}, from row {part[0].number}, was not read" for number, part in enumerate(further, 4))
    return replace(_Times(meeting, people, zone, dates).build(content), notes=notes)


def name_downloaded_report(content: bytes) -> str:
    """A digest by which a report is recognised again after a row was corrected: of everything before its second part,
    or of the whole file if there is none."""
    lines = content.replace(b"\0", b"").split(b"\n2.")[0]
    return hashlib.sha256(lines).hexdigest()


# --- the contents of the parts


@dataclass(frozen=True)
class _Meeting:
    title: str
    begins: tuple[Line, WrittenTime]
    ends: tuple[Line, WrittenTime]
    attended: int  # the number of people according to the report; 0 if it gives none


def _read_meeting(lines: Sequence[Line], *, titled: bool) -> _Meeting:
    """Read the part about the meeting, whose lines are a name and a value; if `titled`, the first is the title."""
    values = [(line, line.get(1)) for line in lines]
    title = values[0][1] if titled and values else ""
    times = [(line, at) for line, value in values[1:] if (at := read_written_time(value))]
    if len(times) != 2:
        row = lines[0].number if lines else 1
        raise InvalidReportError(
            row, "begins a part in which the start and the end of the meeting cannot be read", _AGAIN_IN_ENGLISH
        )
    before = [value for line, value in values[1:] if line.number < times[0][0].number]
    numbers = [int(value) for value in before if value.isdecimal()]
    texts = [value for value in before if value and not value.isdecimal()]
    return _Meeting(title or "".join(texts[:1]), begins=times[0], ends=times[1], attended=min(numbers, default=0))


def _read_table(lines: Sequence[Line]) -> tuple[Line, Sequence[Line]]:
    """The line of headings and the rows of a part. InvalidReportError if it is not a table."""
    if not lines or len(lines[0].cells) < FEWEST_COLUMNS:
        first = lines[0].number if lines else 1
        raise InvalidReportError(first, "does not name the columns of an attendance report", AGAIN)
    header, *rows = lines
    if any("@" in cell or read_written_time(cell) for cell in header.cells):
        raise InvalidReportError(header.number, "should name the columns", AGAIN)
    for row in rows:
        if any(row.cells[len(header.cells) :]):
            raise InvalidReportError(row.number, "has more cells than there are columns", AGAIN)
    return header, rows


def _read_participants(part: Sequence[Line], meeting: _Meeting) -> list[_Person]:
    """Read the second part: the people, with the first joining and the last leaving of each."""
    header, rows = _read_table(part[1:])
    if len(rows) < meeting.attended:
        reason = f"begins a report on {meeting.attended} people, of whom {meeting.attended - len(rows)} are not listed"
        raise InvalidReportError(meeting.begins[0].number, reason, AGAIN)
    people: dict[str, _Person] = {}
    for row in _iter_people(header, rows):
        person = people.setdefault(_name_person(row), row)
        if row.line.get(JOINED) or row.line.get(_LEFT):
            person.spans.append((row.line, *_read_stay(header, row.line)))
    return list(people.values())


def _name_person(row: _Person) -> str:
    """A key that identifies a person in the report. Guests with the same name count as one person."""
    return row.addresses[0] if row.addresses else f"name {row.name}"


def _iter_people(header: Line, rows: Sequence[Line]) -> Iterator[_Person]:
    further = range(_EMAIL + 1, len(header.cells))
    with_address = [place for place in further if any("@" in row.get(place) for row in rows)]
    with_role = [place for place in further if place not in with_address]
    for row in rows:
        addresses = [_read_address(header, row, place) for place in (*with_address, _EMAIL)]
        known = tuple(dict.fromkeys(address for address in addresses if address))
        yield _Person(row, row.get(_NAME), known, row.get(with_role[-1]) if with_role else "")


def _read_address(header: Line, row: Line, place: int) -> str:
    address = row.get(place).lower()
    if address and not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise InvalidReportError(
            row.number, "is not an email address", AGAIN, header.cells[place], value=row.get(place)
        )
    return address if len(address) <= 320 else ""


def _read_activities(part: Sequence[Line], people: Sequence[_Person]) -> None:
    """Read the third part, and add each joining and leaving to the people of the second part."""
    header, rows = _read_table(part[1:])
    by_address = {address: person for person in people for address in person.addresses}
    for row in rows:
        address = _read_address(header, row, _EMAIL)
        named = [person for person in people if person.name == row.get(_NAME)]
        person = by_address.get(address) if address else named[0] if len(named) == 1 else None
        if person is None:
            raise InvalidReportError(row.number, "is about somebody who is not in the second part", AGAIN)
        person.stays.append((row, *_read_stay(header, row)))


def _read_joinings(block: Sequence[Line]) -> list[_Person]:
    """Read the single part of the older form, with a row for each joining."""
    header, rows = _read_table(block)
    people: dict[str, _Person] = {}
    for row in _iter_people(header, rows):
        people.setdefault(_name_person(row), row).stays.append((row.line, *_read_stay(header, row.line)))
    return list(people.values())


def _read_stay(header: Line, row: Line) -> tuple[WrittenTime, WrittenTime]:
    joined, left = (read_written_time(row.get(place)) for place in (JOINED, _LEFT))
    if joined is None or left is None:
        place = JOINED if joined is None else _LEFT
        raise InvalidReportError(
            row.number, "is not a time", _AGAIN_IN_ENGLISH, header.cells[place], value=row.get(place)
        )
    if not (joined.has_seconds and left.has_seconds):  # without seconds it is not known who came first
        place = _LEFT if joined.has_seconds else JOINED
        reason = "has no seconds: a spreadsheet program left them out"
        raise InvalidReportError(row.number, reason, AGAIN, header.cells[place], value=row.get(place))
    return joined, left


@dataclass
class _Times:
    """Makes a report from what was read: finds the order of the dates, and converts the times."""

    meeting: _Meeting
    people: Sequence[_Person]
    zone: ZoneInfo
    dates: DateOrder | None

    def build(self, content: bytes) -> Report:
        begins, ends = self.meeting.begins, self.meeting.ends
        spans = [span for person in self.people for span in (*person.stays, *person.spans)]
        try:
            order = find_order([begins[1], ends[1], *(at for _, *times in spans for at in times)], self.dates)
        except InvalidCellError as fault:
            raise InvalidReportError(begins[0].number, fault.reason, fault.fix, begins[0].get(0)) from None
        started_at, ended_at = (self._read(line, at, order) for line, at in (begins, ends))
        if ended_at < started_at:
            raise InvalidReportError(ends[0].number, "is before the start", AGAIN, ends[0].get(0))
        attendees = [self._build_attendee(person, order) for person in self.people]
        organiser = find_organiser(attendees)
        identity = f"{self.meeting.title}\n{started_at.isoformat()}\n{organiser.upn if organiser else ''}"
        return Report(
            id=PREFIX + hashlib.sha256(identity.encode()).hexdigest(),
            started_at=started_at,
            ended_at=ended_at,
            organiser=organiser,
            join_url=None,
            attendees=tuple(attendees),
            unlisted=0,
            original=content,
        )

    def _build_attendee(self, person: _Person, order: DateOrder) -> Attendee:
        stays = [self._read_span(stay, order) for stay in person.stays]
        for span in person.spans:
            first, last = self._read_span(span, order)
            covered = stays and min(stays)[0] <= first + _ROUNDED and max(left for _, left in stays) >= last - _ROUNDED
            if not covered:
                reason = "is about somebody of whom rows are missing in the third part"
                raise InvalidReportError(span[0].number, reason, AGAIN)
        return Attendee(
            person=person.addresses[0][:200] if person.addresses else f"row:{person.line.number}",
            kind="user" if person.addresses else "unknown",
            entra_id=None,
            addresses=person.addresses,
            tenant=None,
            is_organiser=person.role.casefold() in _ORGANISER,
            intervals=tuple(stay for stay in stays if stay[1] > stay[0]),
        )

    def _read_span(self, span: _Span, order: DateOrder) -> tuple[datetime, datetime]:
        line, *times = span
        joined, left = (self._read(line, at, order) for at in times)
        if left < joined:
            raise InvalidReportError(line.number, "has a time of leaving before that of joining", AGAIN)
        return joined, left

    def _read(self, line: Line, written: WrittenTime, order: DateOrder) -> datetime:
        try:
            return read_instant(written, order, self.zone)
        except InvalidCellError as fault:
            raise InvalidReportError(line.number, fault.reason, fault.fix) from None
