"""Attendance reports as Microsoft Graph gives them and as Teams writes them for download, with invented people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests import people

LONDON = ZoneInfo("Europe/London")
Stays = Mapping[str, Sequence[tuple[float, float]]]  # minutes from the start, by a short name or an address
LESSON: Stays = {"teacher": [(0, 30)], "aled": [(1, 10), (12, 29)]}


def graph_report(report_id: str, start: datetime, who: Stays, **more: Any) -> dict[str, Any]:
    """A report in Graph's shape; the first person organised the meeting."""

    def at(minute: float) -> str:
        return (start + timedelta(minutes=minute)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")

    times = [minute for stays in who.values() for stay in stays for minute in stay]
    return {
        "id": report_id,
        "totalParticipantCount": len(who),
        "meetingStartDateTime": at(min(times)),
        "meetingEndDateTime": at(max(times)),
        "attendanceRecords": [
            {
                "emailAddress": people.email(one),
                "identity": {"id": people.entra(one), "displayName": one, "tenantId": None}
                if one in people.STAFF | people.PUPILS
                else None,
                "role": "Organizer" if number == 0 else "Presenter",
                "attendanceIntervals": [
                    {"joinDateTime": at(joined), "leaveDateTime": at(left)} for joined, left in stays
                ],
            }
            for number, (one, stays) in enumerate(who.items())
        ],
    } | more


@dataclass(frozen=True)
class Dialect:
    """How a language and its settings write a report."""

    date: str = "%-m/%-d/%y, "  # of strftime
    clock: str = "%-I:%M:%S %p"
    half: tuple[str, str] = ("AM", "PM")
    headings: tuple[str, str, str] = ("1. Summary", "2. Participants", "3. In-Meeting Activities")
    organiser: str = "Organizer"
    encoding: str = "utf-16"
    delimiter: str = "\t"
    has_upn: bool = True

    def write(self, moment: datetime) -> str:
        shown = moment.astimezone(LONDON)
        clock = self.clock.replace("%p", self.half[shown.hour >= 12])
        return shown.strftime(self.date) + shown.strftime(clock)


AMERICAN = Dialect()
BRITISH = Dialect("%d/%m/%Y, ", "%H:%M:%S")
DIALECTS = [
    AMERICAN,
    BRITISH,
    Dialect("%d/%m/%Y, ", "%-I:%M:%S %p", ("am", "pm"), encoding="utf-8-sig"),
    Dialect(
        "%d.%m.%Y, ",
        "%H:%M:%S",
        headings=("1. Zusammenfassung", "2. Teilnehmer", "3. Aktivitäten"),
        organiser="Organisator",
    ),
    Dialect(
        "%d/%m/%Y %H:%M:%S",
        "",
        headings=("1. Crynodeb", "2. Cyfranogwyr", "3. Gweithgareddau"),
        organiser="Trefnydd",
        encoding="utf-8",
        delimiter=",",
    ),
    Dialect("%-d.%-m.%Y klo ", "%-H.%M.%S", headings=("1. Yhteenveto", "2. Osallistujat", "3. Toiminnot")),
    Dialect("%Y. %-m. %-d. ", "%p %-I:%M:%S", ("오전", "오후"), ("1. 요약", "2. 참가자", "3. 활동"), "Organizer"),
    Dialect("%-d.%m.%Y г., ", "%-H:%M:%S", headings=("1. Резюме", "2. Участници", "3. Дейности")),
    Dialect("%Y/%m/%d ", "%H:%M:%S", headings=("1. 概要", "2. 参加者", "3. 会議中の活動"), organiser="開催者"),
    Dialect("%d-%m-%y ", "%H:%M:%S", headings=("1. Overzicht", "2. Deelnemers", "3. Activiteiten"), delimiter=";"),
    Dialect("%-d/%-m/%y, ", "%-I:%M:%S\u202f%p", ("a.\u00a0m.", "p.\u00a0m."), organiser="Organizador", has_upn=False),
]


def download(start: datetime, who: Stays, dialect: Dialect = AMERICAN, title: str = "Mathematics") -> bytes:
    """A report as Teams writes it for download; the first person organised the meeting."""

    def at(minute: float) -> str:
        return dialect.write(start + timedelta(minutes=minute))

    def role(one: str) -> str:
        return dialect.organiser if one == next(iter(who)) else "Presenter"

    def name(one: str) -> str:
        return one.title()

    times = [minute for stays in who.values() for stay in stays for minute in stay]
    upn = ["Participant ID (UPN)"] if dialect.has_upn else []
    rows = [
        [dialect.headings[0]],
        ["Meeting title", title],
        ["Attended participants", str(len(who))],
        ["Start time", at(min(times))],
        ["End time", at(max(times))],
        ["Meeting duration", "40m 5s"],
        [],
        [dialect.headings[1]],
        ["Name", "First Join", "Last Leave", "In-Meeting Duration", "Email", *upn, "Role"],
        *(
            [
                name(one),
                at(min(stay[0] for stay in stays)),
                at(max(stay[1] for stay in stays)),
                "29m",
                people.email(one),
                *([people.email(one)] if dialect.has_upn else []),
                role(one),
            ]
            for one, stays in who.items()
        ),
        [],
        [dialect.headings[2]],
        ["Name", "Join Time", "Leave Time", "Duration", "Email", "Role"],
        *(
            [name(one), at(joined), at(left), "9m", people.email(one), role(one)]
            for one, stays in who.items()
            for joined, left in stays
        ),
        [],
    ]
    quoted = ([f'"{cell}"' if dialect.delimiter in cell else cell for cell in row] for row in rows)
    return "\r\n".join(dialect.delimiter.join(row) for row in quoted).encode(dialect.encoding)
