"""The demonstration: an invented school, with two terms of sessions up to a day.

Nobody in it is real. What it makes are files as a real school has them — rosters, logs, call records in
Graph's shape, registers — and they come in by the same import. They hold a story that a leader could
discover: see `_Story`.
"""

import csv
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Connection, delete, func, insert, select, type_coerce, update

from app import intake
from app.records.tabular import read_table
from app.school import School
from app.settings import Period, Settings
from app.store import tables
from app.store.database import DatabaseError
from app.store.writing import raise_revision, remember, remembered

NAME = "Ysgol Afon Wen"
_TENANT = "0d3e0a5c-1111-4aaa-8bbb-000000000000"
_WEEK = timedelta(weeks=1)

_FIRST = [
    "Aled",
    "Angharad",
    "Anwen",
    "Arwel",
    "Beca",
    "Bethan",
    "Betsan",
    "Bryn",
    "Cadi",
    "Caio",
    "Carys",
    "Catrin",
    "Ceri",
    "Cerys",
    "Cian",
    "Daniel",
    "Deio",
    "Dewi",
    "Dylan",
    "Efa",
    "Eira",
    "Elen",
    "Eleri",
    "Elin",
    "Elis",
    "Emily",
    "Emrys",
    "Enid",
    "Erin",
    "Esyllt",
    "Ethan",
    "Fflur",
    "Ffion",
    "Gareth",
    "George",
    "Gethin",
    "Glesni",
    "Grace",
    "Greta",
    "Gruff",
    "Gwen",
    "Gwenllian",
    "Gwion",
    "Hana",
    "Hari",
    "Hedd",
    "Heledd",
    "Hywel",
    "Iago",
    "Ianto",
    "Idris",
    "Iestyn",
    "Ifan",
    "Ioan",
    "Isla",
    "Iwan",
    "Jac",
    "Jack",
    "Leisa",
    "Lewys",
    "Lily",
    "Llew",
    "Llinos",
    "Lowri",
    "Luned",
    "Macsen",
    "Mabli",
    "Mair",
    "Manon",
    "Mared",
    "Marged",
    "Martha",
    "Mati",
    "Megan",
    "Mali",
    "Meilyr",
    "Menna",
    "Mirain",
    "Moi",
    "Morgan",
    "Myfi",
    "Nansi",
    "Nel",
    "Nia",
    "Non",
    "Oliver",
    "Olwen",
    "Osian",
    "Owain",
    "Rhian",
    "Rhodri",
    "Rhun",
    "Rhys",
    "Ruby",
    "Sara",
    "Seren",
    "Siân",
    "Siôn",
    "Sioned",
    "Steffan",
    "Taliesin",
    "Tegid",
    "Teifion",
    "Tirion",
    "Tomos",
    "Twm",
    "Wil",
    "William",
    "Ynyr",
    "Zara",
]
_LAST = [
    "Adams",
    "Bevan",
    "Bowen",
    "Brookes",
    "Bryant",
    "Cadwallader",
    "Clarke",
    "Cullen",
    "Davies",
    "Dawkins",
    "Edwards",
    "Ellis",
    "Evans",
    "Eynon",
    "Fletcher",
    "Francis",
    "Gittins",
    "Griffiths",
    "Gwilym",
    "Harries",
    "Haycock",
    "Hopkins",
    "Howells",
    "Hughes",
    "Humphreys",
    "Jenkins",
    "John",
    "Jones",
    "Kendrick",
    "Lewis",
    "Llewelyn",
    "Lloyd",
    "Maddocks",
    "Meredith",
    "Morgan",
    "Morris",
    "Mostyn",
    "Nicholas",
    "Onions",
    "Owen",
    "Parry",
    "Penhale",
    "Perrott",
    "Phillips",
    "Powell",
    "Price",
    "Pritchard",
    "Probert",
    "Prosser",
    "Pugh",
    "Rees",
    "Reynolds",
    "Richards",
    "Roberts",
    "Rowlands",
    "Samuel",
    "Savage",
    "Sayce",
    "Stephens",
    "Thomas",
    "Treharne",
    "Tudor",
    "Turner",
    "Vaughan",
    "Watkins",
    "Whittall",
    "Wilkins",
    "Williams",
    "Wynne",
    "Yorath",
]
_DEPARTMENTS = (
    "English",
    "Mathematics",
    "Sciences",
    "Modern Languages",
    "Welsh",
    "Humanities",
    "Music",
    "Art and Design",
    "Physical Education",
    "Computing",
)
_HOUSES = {"SEN": ("Monnow", "Wye", "Usk", "Teifi"), "PREP": ("Dore", "Honddu", "Trothy", "Ebbw")}
_YEARS = {"SEN": (9, 10, 11, 12, 13), "PREP": (7, 8)}


@dataclass(frozen=True)
class _Calendar:
    """Two terms and what lies in them, laid out around the day on which one looks."""

    day: date
    last_term: Period
    this_term: Period
    half_term: Period
    remote: Period


def _calendar(day: date) -> _Calendar:
    monday = day - timedelta(days=day.weekday())
    begins = monday - 11 * _WEEK
    friday = timedelta(days=4)
    before = begins - 20 * _WEEK

    def period(name: str, first: date, last: date) -> Period:
        return Period.model_validate({"name": name, "from": first, "to": last})

    return _Calendar(
        day,
        period(_term_name(before), before, before + 11 * _WEEK + friday),
        period(_term_name(begins), begins, monday + 2 * _WEEK + friday),
        period("Half-term", begins + 6 * _WEEK, begins + 6 * _WEEK + friday),
        period("Remote learning after the flood", begins + 3 * _WEEK, begins + 4 * _WEEK + friday),
    )


def _term_name(first: date) -> str:
    season = "Michaelmas" if first.month >= 7 else "Lent" if first.month <= 3 else "Summer"
    return f"{season} {first.year}"


def demonstration(settings: Settings, day: date) -> Settings:
    """The settings by which the demonstration filled up to `day` is judged: its own name, tenant, terms and
    fortnight of remote learning; the protocol's figures are the school's."""
    calendar = _calendar(day)
    return settings.model_copy(
        update={
            "name": NAME,
            "tenant_id": _TENANT,
            "terms": (calendar.last_term, calendar.this_term),
            "remote_learning": (calendar.remote,),
        }
    )


@dataclass
class DemoSchool:
    """The invented school as the files of a real one: rows of tables by column, objects of Graph."""

    schools: list[dict[str, str]] = field(default_factory=list)
    staff: list[dict[str, str]] = field(default_factory=list)
    pupils: list[dict[str, str]] = field(default_factory=list)
    logs: list[dict[str, str]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    recordings: list[dict[str, Any]] = field(default_factory=list)
    letters: list[dict[str, str]] = field(default_factory=list)
    consents: list[dict[str, str]] = field(default_factory=list)


def generate(seed: int, day: date, sessions: int, settings: Settings) -> DemoSchool:
    """The invented school up to a day. The same seed, day and number of sessions give the same school."""
    story = _Story(np.random.default_rng([seed, day.toordinal(), sessions]), _calendar(day), settings)
    story.tell(sessions)
    return story.school


@dataclass
class _Session:
    """What happened in one session, before anybody logs it."""

    staff: dict[str, str]
    pupils: list[dict[str, str]]
    purpose: str
    start: datetime
    minutes: int
    number: int = 0
    one_to_one: bool = False

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


class _Story:
    """The year so far.

    Modern Languages has drifted out of hours since half-term. One tutor hardly logs. Cameras are worse
    after 16:00. In Music pupils are left waiting alone at the end. A few pupils live abroad and have
    lessons in the evening, most with consent. A fortnight of remote learning brought one-to-ones,
    most of them as they should be. New pupils' parents were told late, or not at all.
    """

    def __init__(self, chance: np.random.Generator, calendar: _Calendar, settings: Settings) -> None:
        self.chance, self.calendar, self.zone = chance, calendar, settings.zone
        self.school = DemoSchool()
        self._people()
        self._registers()

    def often(self, share: float) -> bool:
        return bool(self.chance.random() < share)

    def one(self, of: Any) -> Any:
        return of[int(self.chance.integers(len(of)))]

    def _uuid(self) -> str:
        words = self.chance.integers(0, 2**16, 8)
        a, b, c, d, e, f, g, h = (f"{w:04x}" for w in words)
        return f"{a}{b}-{c}-4{d[1:]}-8{e[1:]}-{f}{g}{h}"

    # -- who there is ----------------------------------------------------------------------------

    def _people(self) -> None:
        self.school.schools = [
            {"code": "SEN", "name": "Senior School", "senior": "yes", "email_domain": "afonwen.example"},
            {"code": "PREP", "name": "Prep School", "senior": "no", "email_domain": "prep.afonwen.example"},
        ]
        self._taken: set[str] = set()
        self._staff("SEN", "Pastoral", "senior_deputy_head;slt")
        for _ in range(2):
            self._staff("SEN", "Pastoral", "slt")
        self._staff("SEN", "ICT", "admin")
        self.counsellors = [self._staff("SEN", "Pastoral", "counsellor") for _ in range(2)]
        for code in _YEARS:
            self._staff(code, "Pastoral", "dsp")
        for code, years in _YEARS.items():
            for year in years:
                self._staff(code, self.one(_DEPARTMENTS[:6]), "teacher;hoy", year_groups=str(year))
        for code, houses in _HOUSES.items():
            for house in houses:
                self._staff(code, self.one(_DEPARTMENTS[:6]), "teacher;hm", houses=house)
        self.tutors = {
            (code, year): [
                self._staff(code, _DEPARTMENTS[(2 * year + k) % 10 if (2 * year + k) % 10 != 6 else 0], "teacher;tutor")
                for k in range(2)
            ]
            for code, years in _YEARS.items()
            for year in years
        }
        while len(self.school.staff) < 54:
            self._staff("SEN", _DEPARTMENTS[len(self.school.staff) % 10], "teacher")
        for k in range(6):
            self._staff("PREP" if k > 3 else "SEN", "Music", "music_teacher")
        for code, years in _YEARS.items():
            for number in range(430 if code == "SEN" else 170):
                year = years[number % len(years)]
                tutor = self.tutors[code, year][number // len(years) % 2]
                self._pupil(code, year, _HOUSES[code][number % 4], tutor)
        self.forgetful = self.tutors["SEN", 10][1]
        pupils = [p for p in self.school.pupils if p["school"] == "SEN"]
        self.abroad = [pupils[i] for i in self.chance.choice(len(pupils), 12, replace=False)]
        self.new = [p for p in (self.one(self.school.pupils) for _ in range(9)) if p not in self.abroad]
        self.by_tutor: dict[str, list[dict[str, str]]] = {}
        for pupil in self.school.pupils:
            self.by_tutor.setdefault(pupil["tutor_email"], []).append(pupil)
        self.by_school = {code: [p for p in self.school.pupils if p["school"] == code] for code in _YEARS}
        self.teachers = [s for s in self.school.staff if {"teacher", "music_teacher"} & set(s["roles"].split(";"))]

    def _named(self, domain: str) -> tuple[str, str]:
        while True:
            first, last = self.one(_FIRST), self.one(_LAST)
            plain = f"{first}.{last}".lower().translate(str.maketrans("âêîôûŵŷ", "aeiouwy"))
            if plain not in self._taken:
                self._taken.add(plain)
                return f"{first} {last}", f"{plain}@{domain}"

    def _domain(self, code: str) -> str:
        return next(s["email_domain"] for s in self.school.schools if s["code"] == code)

    def _staff(self, code: str, department: str, roles: str, **looks_after: str) -> dict[str, str]:
        name, email = self._named(self._domain(code))
        person = {
            "email": email, "name": name, "school": code, "department": department, "roles": roles,
            "year_groups": "", "houses": "", "entra_id": self._uuid(),
        } | looks_after  # fmt: skip
        self.school.staff.append(person)
        return person

    def _pupil(self, code: str, year: int, house: str, tutor: dict[str, str]) -> None:
        name, email = self._named(f"pupils.{self._domain(code)}")
        self.school.pupils.append(
            {
                "email": email, "name": name, "school": code, "year_group": str(year), "house": house,
                "tutor_email": tutor["email"], "entra_id": self._uuid(),
            }
        )  # fmt: skip

    def _registers(self) -> None:
        calendar = self.calendar
        for pupil in self.school.pupils:
            if pupil in self.new:
                if self.often(0.5):
                    self._letter(
                        pupil, "introduction", calendar.half_term.to + timedelta(days=int(self.chance.integers(10, 20)))
                    )
                continue
            self._letter(pupil, "introduction", calendar.last_term.from_ - timedelta(days=10))
            if self.often(0.97):
                self._letter(pupil, "one_to_one", calendar.remote.from_ - timedelta(days=4))
        for number, pupil in enumerate(self.abroad):
            if number % 4 == 3:
                continue  # nobody asked
            late = number % 4 == 2  # asked when it had begun
            asked = calendar.this_term.from_ + timedelta(days=40 if late else -5)
            self.school.consents.append(
                {
                    "pupil_email": pupil["email"], "kind": "outside_hours", "covers_from": str(calendar.last_term.from_),
                    "covers_to": str(calendar.this_term.to), "reason": "Lives in another time zone this term",
                    "obtained_at": f"{min(asked, calendar.day)}T09:15", "given_by": "Mother",
                    "slt_informed_at": f"{min(asked, calendar.day)}T10:30",
                }
            )  # fmt: skip

    def _letter(self, pupil: dict[str, str], kind: str, sent_on: date) -> None:
        if sent_on <= self.calendar.day:
            self.school.letters.append({"pupil_email": pupil["email"], "kind": kind, "sent_on": str(sent_on)})

    # -- what happened -----------------------------------------------------------------------------

    def tell(self, sessions: int) -> None:
        """That many sessions, spread over the school days, in the order of their days."""
        days = self._school_days()
        weight = np.array([2.0 if self._remote(d) else 1.0 for d in days])
        count = self.chance.multinomial(sessions, weight / weight.sum())
        happened = [self._session(day) for day, n in zip(days, count, strict=True) for _ in range(n)]
        for number, session in enumerate(sorted(happened, key=lambda s: s.start), start=1):
            session.number = number
            if session.end.astimezone(UTC) < datetime.combine(self.calendar.day, time(16), UTC):
                self._leave_traces(session)

    def _school_days(self) -> list[date]:
        terms = (self.calendar.last_term, self.calendar.this_term)
        days = [t.from_ + timedelta(days=i) for t in terms for i in range((t.to - t.from_).days + 1)]
        holiday = self.calendar.half_term
        return [d for d in days if d.weekday() < 5 and d <= self.calendar.day and not holiday.from_ <= d <= holiday.to]

    def _remote(self, day: date) -> bool:
        return self.calendar.remote.from_ <= day <= self.calendar.remote.to

    def _session(self, day: date) -> _Session:
        kind = self.chance.random()
        if self._remote(day) and kind < 0.45:
            return self._one_to_one(day)
        if kind < 0.08:
            counsellor = self.one(self.counsellors)
            pupil = self.one(self.by_school[counsellor["school"]])
            return _Session(counsellor, [pupil], "counselling", self._at(day, 9, 16), 45)
        if kind < 0.18:
            tutor = self.forgetful if self.often(0.05) else self.one(self.one(list(self.tutors.values())))
            some = self._some(self.by_tutor[tutor["email"]], 2, 5)
            return _Session(tutor, some, "pastoral", self._at(day, 8.6, 16), 20)
        if kind < 0.22:
            pupil = self.one(self.abroad)
            staff = self.one([t for t in self.teachers if t["school"] == "SEN" and t["department"] != "Music"])
            return _Session(staff, [pupil], "academic", self._at(day, 18, 20), 40)
        staff = self.one(self.teachers)
        pupils = self.by_school[staff["school"]]
        if staff["department"] == "Music":
            return _Session(staff, self._some(pupils, 1, 1), "music", self._at(day, 9, 17), 30)
        drifted = staff["department"] == "Modern Languages" and day > self.calendar.half_term.to
        if drifted and self.often(0.45):
            return _Session(staff, self._some(pupils, 1, 4), "academic", self._at(day, 17.25, 19), 45)
        latest = 16.9 if self.often(0.985) else 17.6
        return _Session(
            staff, self._some(pupils, 1, 5), "academic", self._at(day, 8.6, latest), int(self.one((25, 30, 35)))
        )

    def _one_to_one(self, day: date) -> _Session:
        tutor = self.one(self.one(list(self.tutors.values())))
        pupil = self.one(self.by_tutor[tutor["email"]])
        place = self.chance.random()
        start = (
            self._at(day, 8.7, 8.75)
            if place < 0.3
            else self._at(day, 12.75, 13.3)
            if place < 0.95
            else self._at(day, 14, 16)
        )
        return _Session(tutor, [pupil], "pastoral", start, 12, one_to_one=True)

    def _some(self, pupils: list[dict[str, str]], least: int, most: int) -> list[dict[str, str]]:
        number = int(self.chance.integers(least, most + 1))
        return [pupils[i] for i in self.chance.choice(len(pupils), min(number, len(pupils)), replace=False)]

    def _at(self, day: date, first: float, last: float) -> datetime:
        minute = int(round(self.chance.uniform(first, last) * 12) * 5)
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone)

    # -- what is on record of it -------------------------------------------------------------------

    def _leave_traces(self, session: _Session) -> None:
        recent = (self.calendar.day - session.start.date()).days <= 1
        logged = self.often(0.7 if session.staff is self.forgetful else 0.6 if recent else 0.99)
        called = not logged or self.often(0.93)
        late = session.start.hour >= 16
        cameras_off = session.purpose != "counselling" and self.often(0.2 if late else 0.03)
        alone = 0
        if len(session.pupils) > 0 and self.often(0.09 if session.purpose == "music" else 0.008):
            alone = int(self.chance.integers(25, 200))
        early = int(self.chance.integers(20, 240)) if self.often(0.012) else 0
        recorded = session.purpose == "academic" and self.often(0.07)
        if called:
            self._call(session, alone, early, cameras_off, recorded)
        if logged:
            self._log(session, cameras_off, recorded, seen=alone == 0 or self.often(0.3))

    def _log(self, session: _Session, cameras_off: bool, recorded: bool, seen: bool) -> None:
        def yes(answer: bool) -> str:
            return "yes" if answer else "no"

        start = session.start + timedelta(minutes=int(self.chance.integers(-2, 3)))
        row = {
            "ref": f"AW-{session.number:05d}", "staff_email": session.staff["email"],
            "pupil_emails": ";".join(p["email"] for p in session.pupils), "purpose": session.purpose,
            "started_at": start.strftime("%Y-%m-%dT%H:%M"), "ended_at": session.end.strftime("%Y-%m-%dT%H:%M"),
            "platform": "teams", "account": "school", "recorded": yes(recorded), "private_recording": "no",
            "staff_opened": "yes", "staff_ended": "yes", "pupil_left_alone": yes(not seen),
            "cameras_on": "yes" if not cameras_off else "no_camera" if self.often(0.15) else "no",
            "dress_ok": yes(self.often(0.994)), "background_ok": "" if self.often(0.02) else yes(self.often(0.985)),
            "room": "public", "concern": "no",
        }  # fmt: skip
        if recorded:
            row |= {
                "recording_announced": yes(self.often(0.96)),
                "recording_on_team": yes(self.often(0.95)),
                "cameras_off_offered": yes(self.often(0.93)),
            }
        if self.often(0.07):
            row |= {
                "room": "bedroom",
                "bedroom_reason": "only_room" if self.often(0.9) else "prefers it",
                "door_open": yes(self.often(0.93)),
            }
        if session.one_to_one:
            looks_after = [
                s["email"] for s in self.school.staff if session.pupils[0]["year_group"] in s["year_groups"].split(";")
            ]
            invited = self.chance.random()
            row |= {
                "reason": self.one(("routine", "routine", "continuity", "safeguarding")),
                "second_staff_emails": looks_after[0] if invited < 0.93 else self.one(self.teachers)["email"] if invited < 0.97 else "",
                "adult_present": "yes", "adult_introduced": yes(self.often(0.95)), "adult_permission": yes(self.often(0.98)),
                "home_alone": "no",
            }  # fmt: skip
        if session.purpose != "counselling" and self.often(0.0016):
            summary, category = self.one(_CONCERNS)
            row |= {"concern": "yes", "concern_summary": summary, "concern_category": category}
        elif self.often(0.0008):
            row |= {"concern": "yes"}
        self.school.logs.append(row)

    def _call(self, session: _Session, alone: int, early: int, cameras_off: bool, recorded: bool) -> None:
        def seconds(number: Any) -> timedelta:
            return timedelta(seconds=float(number))

        start, end = session.start.astimezone(UTC), session.end.astimezone(UTC) + seconds(self.chance.integers(-90, 90))
        staff_from = start - seconds(self.chance.integers(20, 200))
        call_id = self._uuid()
        legs = [self._leg(session.staff, staff_from, end - seconds(alone), camera=True)]
        for place, pupil in enumerate(session.pupils):
            joined = start + seconds(self.chance.integers(0, 90))
            if place == 0 and early:
                joined = staff_from - seconds(early)
            left = end - seconds(self.chance.integers(0, 20)) - seconds(0 if alone and place == 0 else 3)
            off = cameras_off and (place == 0 or self.often(0.5))
            if self.often(0.05):  # the connection broke: two legs
                middle = joined + (left - joined) / 2
                legs += [
                    self._leg(pupil, joined, middle, not off),
                    self._leg(pupil, middle + seconds(15), left, not off),
                ]
            else:
                legs.append(self._leg(pupil, joined, left, not off))
        if self.often(0.03):
            legs.append(legs[-1])  # listed twice, as happens
        times = [leg[f"{edge}DateTime"] for leg in legs for edge in ("start", "end")]
        thread = f"19:{self._uuid().replace('-', '')}" + (
            "@thread.tacv2" if recorded and self.often(0.6) else "@thread.v2"
        )
        people = {p["entra_id"]: p for p in (session.staff, *session.pupils)}
        self.school.calls.append(
            {
                "id": call_id,
                "version": int(self.chance.integers(1, 4)),
                "type": "groupCall",
                "modalities": ["audio", "video"],
                "startDateTime": min(times),
                "endDateTime": max(times),
                "lastModifiedDateTime": _graph_time(end + timedelta(minutes=40)),
                "joinWebUrl": f"https://teams.microsoft.com/l/meetup-join/{thread.replace(':', '%3a').replace('@', '%40')}/0",
                "organizer_v2": {"id": session.staff["entra_id"], "identity": {"user": _identity(session.staff)}},
                "participants_v2": [{"id": i, "identity": {"user": _identity(p)}} for i, p in people.items()],
                "sessions": legs,
            }
        )
        if session.one_to_one:
            del self.school.calls[-1]["participants_v2"]  # not asked for when these were fetched
        if recorded and self.often(0.9):
            self.school.recordings.append(
                {
                    "id": f"recording-{call_id}",
                    "meetingId": f"meeting-{call_id}",
                    "callId": call_id,
                    "createdDateTime": _graph_time(start + seconds(30)),
                    "endDateTime": _graph_time(end),
                    "meetingOrganizer": {"user": _identity(session.staff)},
                }
            )

    def _leg(self, person: dict[str, str], joined: datetime, left: datetime, camera: bool) -> dict[str, Any]:
        """One participant's session with the meeting service. Teams gives no times of streams."""
        leg_id = self._uuid()
        media = [{"label": "main-audio", "streams": [{"streamDirection": "callerToCallee", "packetUtilization": 4200}]}]
        if camera:
            media.append(
                {
                    "label": "main-video",
                    "streams": [
                        {"streamDirection": "callerToCallee", "startDateTime": None, "endDateTime": None, "packetUtilization": 90000},
                        {"streamDirection": "calleeToCaller", "startDateTime": None, "endDateTime": None, "packetUtilization": 88000},
                    ],
                }
            )  # fmt: skip
        begun, ended = _graph_time(joined), _graph_time(left)
        return {
            "id": leg_id,
            "modalities": ["audio", "video"],
            "startDateTime": begun,
            "endDateTime": ended,
            "isTest": False,
            "caller": {
                "@odata.type": "#microsoft.graph.callRecords.participantEndpoint",
                "associatedIdentity": _identity(person),
            },
            "callee": {"@odata.type": "#microsoft.graph.callRecords.serviceEndpoint"},
            "segments": [{"id": leg_id, "startDateTime": begun, "endDateTime": ended, "media": media}],
        }


_CONCERNS = (
    ("Became tearful when asked about the weekend and did not want to say why.", "distress"),
    (
        "A man nobody introduced walked through the room several times and was asked to leave the camera.",
        "unknown_adult",
    ),
    ("Said that there is often shouting at home at night and that sleep is hard.", "disclosure"),
    ("Looked unwell and said there had been no breakfast again.", "seen_or_heard"),
)


def _identity(person: dict[str, str]) -> dict[str, str]:
    return {
        "id": person["entra_id"],
        "displayName": person["name"],
        "tenantId": _TENANT,
        "userPrincipalName": person["email"],
    }


def _graph_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


# --- filling --------------------------------------------------------------------------------------------

_UNFINISHED = "demo_unfinished"


def fill(
    school: School,
    sessions: int = 5000,
    seed: int = 1,
    day: date | None = None,
    progress: Callable[[str, float], None] = lambda words, share: None,
) -> None:
    """Fill an empty database with the invented school. DatabaseError if it holds anything but an earlier
    fill that was cut off, which is begun again. `progress` is told a step and the share done."""
    day = day or school.today()
    _empty(school)
    judged_by = School(school.engine, demonstration(school.settings, day))
    progress("Inventing people and sessions", 0.0)
    made = _so_far(generate(seed, day, sessions, school.settings), school.now(), school.settings)
    progress("Importing the roster", 0.25)
    for kind in ("schools", "staff", "pupils"):
        intake.import_people(judged_by, kind, read_table(_csv(kind, getattr(made, kind))))
    progress("Importing letters and consents", 0.3)
    intake.import_letters(judged_by, _csv("letters", made.letters))
    intake.import_consents(judged_by, _csv("consents", made.consents))
    with tempfile.TemporaryDirectory() as folder:
        calls, recordings = Path(folder) / "calls.jsonl", Path(folder) / "recordings.json"
        calls.write_text("\n".join(json.dumps(call) for call in made.calls), encoding="utf-8")
        recordings.write_text(json.dumps({"value": made.recordings}), encoding="utf-8")
        progress("Importing call records", 0.4)
        intake.import_recordings(judged_by, recordings)
        intake.import_calls(judged_by, calls)
    progress("Importing session logs and judging every clause", 0.7)
    intake.import_logs(judged_by, _csv("logs", made.logs))
    with school.writing() as connection:
        _date_back(connection)
        connection.execute(delete(tables.meta).where(tables.meta.c.key == _UNFINISHED))
        remember(connection, "demo", day.isoformat())
        raise_revision(connection)
    progress("Ready", 1.0)


def _so_far(made: DemoSchool, now: datetime, settings: Settings) -> DemoSchool:
    """What has happened by now: of the day itself only the sessions that are over."""
    here, there = now.astimezone(settings.zone).strftime("%Y-%m-%dT%H:%M"), now.strftime("%Y-%m-%dT%H:%M")
    return replace(
        made,
        logs=[log for log in made.logs if log["ended_at"] <= here],
        calls=[call for call in made.calls if call["endDateTime"] <= there],
        recordings=[recording for recording in made.recordings if recording["endDateTime"] <= there],
    )


def _date_back(connection: Connection) -> None:
    """Logs were entered, and concerns raised, on the day of their session; the older concerns went on."""
    hours = 3_600_000_000
    log, concern, event = tables.logs.c, tables.concerns.c, tables.concern_events.c
    connection.execute(update(tables.logs).values(entered_at=type_coerce(log.ended_at, BigInteger) + 2 * hours))
    raised = type_coerce(concern.happened_at, BigInteger) + 3 * hours
    connection.execute(update(tables.concerns).values(raised_at=raised))
    at = select(concern.raised_at).where(concern.id == event.concern_id).scalar_subquery()
    connection.execute(update(tables.concern_events).values(at=at))
    rows = connection.execute(select(concern.id, concern.raised_at).order_by(concern.raised_at)).all()
    dsp = dict(connection.execute(select(event.concern_id, event.told).where(event.kind == "alerted")).all())
    for place, (number, at_first) in enumerate(rows[:-2]):
        level = ("early help", "child protection", "monitoring")[place % 3]
        happened: list[tuple[str, str | None, str, int]] = [
            ("level", level, "Spoken with the child and with home.", 20)
        ]
        if place < len(rows) // 2:
            happened.append(("closed", None, "Support is in place; nothing new for three weeks.", 24 * 21))
        for kind, to, words, later in happened:
            connection.execute(
                insert(tables.concern_events).values(
                    concern_id=number,
                    at=at_first + timedelta(hours=later),
                    by=dsp.get(number),
                    kind=kind,
                    level=to,
                    text=words,
                )
            )


def was_cut_off(school: School) -> bool:
    """Whether a fill began and did not end."""
    with school.engine.connect() as connection:
        return remembered(connection, _UNFINISHED) is not None


def _empty(school: School) -> None:
    """Make sure that the database is empty, but for a fill that was cut off, which goes."""
    with school.writing() as connection:
        if remembered(connection, _UNFINISHED):
            for table in reversed(tables.metadata.sorted_tables):
                if table is not tables.audit:
                    connection.execute(delete(table))
        for table in (tables.schools, tables.staff, tables.pupils, tables.logs, tables.calls, tables.concerns):
            if connection.scalar(select(func.count()).select_from(table)):
                raise DatabaseError(
                    "The database is not empty: the invented school never goes beside real data. "
                    "Name another one in DATABASE_URL."
                )
        remember(connection, _UNFINISHED, "yes")


def _csv(name: str, rows: list[dict[str, str]]) -> tuple[str, bytes]:
    """Rows as the file a school would send."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or ["pupil_email", "kind", "sent_on"], restval="")
    writer.writeheader()
    writer.writerows(rows)
    return f"{name}.csv", text.getvalue().encode()
