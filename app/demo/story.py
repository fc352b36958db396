"""The year so far at the fictional school.

Modern Languages has drifted out of hours since half-term. One tutor hardly logs this term. Cameras are worse
after 16:00. In Music pupils are left waiting alone at the end, while the teacher fetches the next. Some pupils
live abroad and have their lessons in the evening, most with consent. A fortnight of remote learning brought
one-to-ones, most of them as they should be. New pupils' parents were told late, or not at all.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.demo import graph
from app.demo.calendar import Calendar
from app.demo.chance import Chance
from app.demo.graph import Leg
from app.demo.people import DRIFTING, WAITING, People, Person, consent_row
from app.demo.recent import recent_sessions
from app.demo.session import Mishaps, Session
from app.demo.words import CONCERNS, ELSE, FORGOTTEN, HOME_ALONE, SENIOR_FROM


class Story:
    """Tells what happened and what is on record of it: `logs`, `calls`, `recordings`, `consents`."""

    def __init__(self, chance: Chance, people: People, calendar: Calendar, zone: ZoneInfo) -> None:
        self.chance, self.people, self.calendar, self.zone = chance, people, calendar, zone
        self.logs: list[Person] = []
        self.corrections: list[Person] = []
        self.calls: list[dict[str, Any]] = []
        self.recordings: list[dict[str, Any]] = []
        self.consents: list[Person] = []
        self._logged: list[Session] = []  # the session of each log
        away = {pupil["email"] for pupil, _ in people.abroad}
        new = {pupil["email"] for pupil in people.new}
        here = [pupil for pupil in people.pupils if pupil["email"] not in away]
        self._present = {True: here, False: [pupil for pupil in here if pupil["email"] not in new]}  # this term, last
        self._school_pupils = {
            (code, this_term): [p for p in present if p["school"] == code]
            for this_term, present in self._present.items()
            for code in ("SEN", "PREP")
        }

    def tell(self, sessions: int) -> None:
        """That many sessions, spread over the school days, and all that is on record of them."""
        days = self.calendar.school_days()
        weights = [2.0 if self.calendar.is_remote(day) else 1.0 for day in days]
        count = self.chance.generator.multinomial(sessions, [weight / sum(weights) for weight in weights]).tolist()
        happened = [self._session(day) for day, number in zip(days, count, strict=True) for _ in range(number)]
        happened.sort(key=lambda session: session.start)
        for number, session in enumerate(happened, start=1):
            session.number = number
            self._leave_traces(session)
        self._worries()
        self._second_thoughts()
        self._slips()
        self._no_sessions(sessions // 150)
        self._recent(sessions + 10)

    # -- what happened -----------------------------------------------------------------------------

    def _session(self, day: date) -> Session:
        kind = self.chance.share()
        if self.calendar.is_remote(day) and kind < 0.45:
            return self._one_to_one(day)
        if kind < 0.06:
            counsellor = self.people.counsellors[self.chance.often(0.25)]
            return Session(counsellor, self._pupils(counsellor, day, 1), "counselling", self._at(day, 9, 16), 45)
        if kind < 0.16:
            return self._welfare(day)
        if kind < 0.2:
            return self._from_abroad(day)
        if kind < 0.31:
            staff = self.chance.one(self.people.teachers[WAITING])
            return Session(staff, self._pupils(staff, day, 1), "music", self._at(day, 9, 16.9), 30)
        return self._lesson(day)

    def _lesson(self, day: date) -> Session:
        departments = [name for name in self.people.teachers if name != WAITING]
        staff = self.chance.one(self.people.teachers[self.chance.one(departments)])
        pupils = self._pupils(staff, day, self.chance.whole(1, 5))
        weeks = (day - self.calendar.half_term.to).days / 7
        if staff["department"] == DRIFTING and weeks > 0 and self.chance.often(0.4 + 0.08 * weeks):
            return Session(staff, pupils, "academic", self._at(day, 17.25, 19), 45)
        minutes = self.chance.one((25, 30, 35))
        if self.chance.often(0.004):  # it ran over
            return Session(staff, pupils, "academic", self._at(day, 16.8, 16.95), 50)
        first = 16 if self.chance.often(0.25) else 8.6
        purpose = self.chance.one(ELSE) if self.chance.often(0.004) else "academic"
        return Session(staff, pupils, purpose, self._at(day, first, 17.4 - minutes / 60), minutes)

    def _welfare(self, day: date) -> Session:
        """A tutor, or sometimes somebody who may not, looks after a few of the tutor's pupils."""
        tutor = self._tutor()
        pupils = self._pupils(tutor, day, self.chance.whole(2, 5), of_tutor=True)
        if self.chance.often(0.015):
            tutor = self.chance.one(self.people.teachers[WAITING][:4])
        return Session(tutor, pupils, "pastoral", self._at(day, 8.6, 16), 20)

    def _from_abroad(self, day: date) -> Session:
        place = int(len(self.people.abroad) * self.chance.share())
        pupil, _ = self.people.abroad[place]
        staff = self.chance.one([t for t in self.people.teachers["English"] if t["school"] == "SEN"])
        start = self._at(day, 18, 19.5) if place < 9 else self._at(day, 7.2, 7.7)
        return Session(staff, [pupil], "academic", start, 40)

    def _one_to_one(self, day: date) -> Session:
        tutor = self._tutor()
        pupil = self._pupils(tutor, day, 1, of_tutor=True)[0]
        hoy, hm = self.people.hoys[pupil["year_group"]], self.people.hms[pupil["house"]]
        staff, second = tutor, hoy if self.chance.often(0.7) else hm
        if self.chance.often(0.12):
            staff, second = self.chance.one((hoy, hm)), self.people.senior_deputy_head
        asked = self.chance.share()
        invited = second if asked < 0.93 else self.chance.one(self.people.teachers[WAITING]) if asked < 0.96 else None
        when = self.chance.share()
        if when < 0.3:
            start = self._at(day, 8.67, 8.75)
        elif when < 0.92:
            start = self._at(day, 12.75, 13.4)
        else:
            start = self._at(day, 14, 16)
            if self.chance.often(0.6):
                covers = tuple(f"{start + timedelta(minutes=m):%Y-%m-%dT%H:%M}" for m in (-15, 45))
                given = day - timedelta(days=1)
                reason = "Asked for a time when a parent is at home"
                self.consents.append(consent_row(pupil, "one_to_one", (covers[0], covers[1]), reason, given, "Mother"))
        return Session(staff, [pupil], "pastoral", start, 12, one_to_one=True, second=invited)

    def _tutor(self) -> Person:
        if self.chance.often(0.07):
            return self.people.forgetful
        return self.chance.one(self.chance.one(list(self.people.tutors.values())))

    def _pupils(self, staff: Person, day: date, number: int, of_tutor: bool = False) -> list[Person]:
        pupils = self._school_pupils[staff["school"], day >= self.calendar.this_term.from_]
        if of_tutor:
            pupils = [pupil for pupil in pupils if pupil["tutor_email"] == staff["email"]]
        return self.chance.some(pupils, number)

    def _at(self, day: date, first: float, last: float) -> datetime:
        """A time on the day, to five minutes, between two hours."""
        minute = round(self.chance.between(first, last) * 12) * 5
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone)

    # -- what is on record of it -------------------------------------------------------------------

    def _leave_traces(self, session: Session) -> None:
        logged = self.chance.often(1 - self._unlogged(session))
        recorded = session.purpose == "academic" and self.chance.often(0.07)
        session.direct = len(session.pupils) == 1 and not (session.second or recorded) and self.chance.often(0.06)
        mishaps = self._mishaps(session)
        if not logged or self.chance.often(0.94):
            self._connect(session, mishaps, recorded)
        if logged:
            self.logs.append(self._log(session, mishaps, recorded))
            self._logged.append(session)

    def _unlogged(self, session: Session) -> float:
        day = session.start.date()
        if session.staff is self.people.forgetful and day >= self.calendar.this_term.from_:
            return 0.55
        # The newest are still to be logged, and most of them will be.
        return 0.25 if self.calendar.day - day <= timedelta(days=1) else 0.005

    def _mishaps(self, session: Session) -> Mishaps:
        often, between = self.chance.often, self.chance.between
        mishaps = Mishaps(noticed=often(0.65))
        off = 0.01 if session.purpose == "counselling" else 0.22 if session.late else 0.022
        if often(off):
            mishaps.cameras_off = [p["email"] for p in session.pupils if p is session.pupils[0] or often(0.4)]
        if session.direct:
            return mishaps
        if often(0.13 if session.purpose == "music" else 0.004):
            mishaps.waiting = between(25, 240)
        elif often(0.004):
            mishaps.cut_off = between(20, 90)
        if often(0.009):
            mishaps.early = between(20, 240)
        mishaps.as_guest = often(0.0015)
        return mishaps

    def _connect(self, session: Session, mishaps: Mishaps, recorded: bool) -> None:
        """The call records of a session: one, or two where the connection broke for everybody."""
        chance = self.chance
        start, end = session.start.astimezone(UTC), session.end.astimezone(UTC)
        if session.direct:
            self.calls.append(self._one_with_one(session, start, end, mishaps))
            return
        in_channel = recorded and chance.often(0.6)
        smooth = not (mishaps.early or mishaps.waiting or mishaps.cut_off)
        parts = [(start, end)]
        if smooth and session.minutes >= 30 and not recorded and chance.often(0.015):
            broke = start + (end - start) * chance.between(0.3, 0.7)
            parts = [(start, broke), (broke + timedelta(minutes=chance.between(2, 4)), end)]
        for begun, over in parts:
            legs = self._legs(session, begun, over, mishaps)
            invited = [session.second] if session.second and chance.often(0.6) else []
            call = graph.meeting(chance, session.staff, legs, [*session.pupils, *invited], in_channel, recorded)
            if call["version"] > 1 and chance.often(0.05):
                self.calls.append(graph.earlier_version(call))
            self.calls.append(call)
        if recorded and not in_channel and chance.often(0.95):  # of a channel's meetings Graph lists none
            since = start + timedelta(seconds=chance.between(20, 60))
            self.recordings.append(graph.recording(chance, call, session.staff, since, end - timedelta(seconds=70)))

    def _legs(self, session: Session, start: datetime, end: datetime, mishaps: Mishaps) -> list[Leg]:
        """Who was in the meeting when: staff first to come and last to leave, unless something went wrong."""

        def seconds(low: float, high: float) -> timedelta:
            return timedelta(seconds=self.chance.between(low, high))

        often = self.chance.often
        opened, over = start - seconds(20, 200), end + seconds(-60, 60)
        closed = over - timedelta(seconds=mishaps.waiting)
        staff = None if mishaps.as_guest else session.staff
        shows = session.purpose == "academic" and often(0.4)
        legs = [Leg(staff, opened, closed, shares_screen=shows)]
        if mishaps.cut_off:
            broke = opened + (closed - opened) * self.chance.between(0.3, 0.7)
            back = broke + timedelta(seconds=mishaps.cut_off)
            legs = [Leg(staff, opened, broke), Leg(staff, back, closed)]
        elif often(0.02):
            legs.append(Leg(staff, opened + seconds(60, 200), closed - seconds(60, 200), camera=False))  # a tablet too
        if session.second and often(0.3):
            legs.append(Leg(session.second, start + seconds(0, 120), closed - seconds(20, 60)))
        in_room = session.purpose == "music" and often(0.15)  # a room system says for how long it sent video
        for place, pupil in enumerate(session.pupils):
            first = place == 0
            joined = opened - timedelta(seconds=mishaps.early) if first and mishaps.early else start + seconds(0, 75)
            left = over if first and mishaps.waiting else closed - seconds(3, 20)
            on = pupil["email"] not in mishaps.cameras_off
            filmed = self.chance.between(0.9, 1.0) if on else self.chance.between(0.2, 0.7)
            legs += self._stays(Leg(pupil, joined, left, on, filmed if in_room else None))
        if session.one_to_one and often(0.03):
            legs.append(Leg(None, start + seconds(30, 90), closed - seconds(30, 90)))  # a parent, as a visitor
        return legs

    def _stays(self, leg: Leg) -> list[Leg]:
        """Somebody's time in a call as Graph lists it: at one go, in two, with a second device, or twice."""
        kind = self.chance.share()
        if kind < 0.05:
            broke = leg.joined + (leg.left - leg.joined) * self.chance.between(0.3, 0.7)
            back = broke + timedelta(seconds=self.chance.between(5, 40))
            return [
                Leg(leg.person, leg.joined, broke, leg.camera, leg.filmed),
                Leg(leg.person, back, leg.left, leg.camera, leg.filmed),
            ]
        if kind < 0.08:
            later = leg.joined + timedelta(seconds=self.chance.between(20, 120))
            return [leg, Leg(leg.person, later, leg.left, camera=False)]
        return [leg, leg] if kind < 0.1 else [leg]

    def _one_with_one(self, session: Session, start: datetime, end: datetime, mishaps: Mishaps) -> dict[str, Any]:
        (pupil,) = session.pupils
        on = not mishaps.cameras_off
        teacher, child = Leg(session.staff, start, end), Leg(pupil, start, end, on)
        by_pupil = self.chance.often(0.02)
        return graph.peer_to_peer(self.chance, *((child, teacher) if by_pupil else (teacher, child)))

    def _log(self, session: Session, mishaps: Mishaps, recorded: bool) -> Person:
        often = self.chance.often
        start = session.start + timedelta(minutes=self.chance.whole(0 if session.one_to_one else -2, 2))
        wrong = mishaps.noticed
        cameras = "yes"
        if mishaps.cameras_off and (wrong or often(0.8)):
            cameras = "no_camera" if often(0.15) else "objected" if recorded and often(0.5) else "no"
        row = {
            "ref": f"AW-{session.number:05d}",
            "staff_email": session.staff["email"],
            "pupil_emails": ";".join(pupil["email"] for pupil in session.pupils),
            "purpose": session.purpose,
            "started_at": f"{start:%Y-%m-%dT%H:%M}",
            "ended_at": f"{session.end:%Y-%m-%dT%H:%M}",
            "platform": "teams",
            "account": "personal" if mishaps.as_guest and wrong else "school",
            "recorded": _yes(recorded),
            "private_recording": _yes(often(0.001)),
            "staff_opened": _yes(not (mishaps.early and wrong)),
            "staff_ended": _yes(not (mishaps.waiting and wrong)),
            "pupil_left_alone": _yes(bool((mishaps.waiting or mishaps.cut_off) and wrong)),
            "cameras_on": cameras,
            "dress_ok": _yes(often(0.996)),
            "background_ok": _yes(often(0.989)),
            "room": "public",
            "concern": "no",
        }
        if recorded:
            row |= {
                "recording_announced": _yes(often(0.97)),
                "recording_on_team": _yes(often(0.95)),
                "cameras_off_offered": _yes(often(0.95)),
            }
        if often(0.065):
            reason = "only_room" if often(0.85) else "quarantine" if often(0.6) else "more comfortable there"
            row |= {"room": "bedroom", "bedroom_reason": reason, "door_open": _yes(often(0.94))}
        if session.one_to_one:
            row |= self._one_to_one_answers(session)
        if often(0.012):
            row[self.chance.one(FORGOTTEN)] = ""
        return row

    def _one_to_one_answers(self, session: Session) -> Person:
        often = self.chance.often
        return {
            "reason": "catching up on homework"
            if often(0.02)
            else self.chance.one(("routine", "routine", "continuity", "safeguarding")),
            "second_staff_emails": session.second["email"] if session.second else "",
            "adult_present": "yes",
            "adult_introduced": "" if often(0.01) else _yes(often(0.955)),
            "adult_permission": _yes(often(0.99)),
            "home_alone": "no",
        }

    # -- what else came in -------------------------------------------------------------------------

    def _worries(self) -> None:
        """Logs that tell of a concern about one child: most in words, so that it reaches the DSP; two without."""
        plain = [
            (session, row)
            for session, row in self._before_today()
            if row["purpose"] in ("academic", "pastoral") and len(session.pupils) == 1
        ]
        for share, summary, category in CONCERNS:
            row = self._nearest(plain, int(share * len(plain)), senior=share > SENIOR_FROM)
            row |= {"concern": "yes", "concern_summary": summary, "concern_category": category}
        plain[int(0.6 * len(plain))][1]["concern"] = "yes"
        young = [
            row
            for session, row in zip(self._logged, self.logs, strict=True)
            if session.one_to_one and session.pupils[0]["year_group"] in ("7", "8", "9")
        ]
        alone = {"adult_present": "no", "adult_introduced": "no", "adult_permission": "no", "home_alone": "yes"}
        told = {"concern": "yes", "concern_summary": HOME_ALONE, "concern_category": "home_alone"}
        for share, answers in ((0.2, alone | told), (0.45, alone | told), (0.7, alone | told), (0.9, alone)):
            if young:
                young[int(share * len(young))] |= answers

    def _before_today(self) -> list[tuple[Session, Person]]:
        """The logged sessions of earlier days, with their logs: of today's, some may be still to come."""
        logged = zip(self._logged, self.logs, strict=True)
        return [(session, row) for session, row in logged if session.start.date() < self.calendar.day]

    @staticmethod
    def _nearest(logged: list[tuple[Session, Person]], wanted: int, senior: bool) -> Person:
        """The log nearest to a place that tells of no concern yet, and is of the Senior School if so wished."""
        places = [
            place
            for place, (session, row) in enumerate(logged)
            if row["concern"] == "no" and (session.pupils[0]["school"] == "SEN" or not senior)
        ]
        return logged[min(places, key=lambda place: abs(place - wanted))][1]

    def _second_thoughts(self) -> None:
        """A few logs corrected by those who wrote them."""
        blank = [row for row in self.logs if "" in (row[name] for name in FORGOTTEN) and row["purpose"] == "academic"]
        for row in blank[-3:]:
            full = {name: row[name] or ("public" if name == "room" else "yes") for name in FORGOTTEN}
            if not row["private_recording"]:
                full["private_recording"] = "no"
            self.corrections.append(row | full | {"why": "I had left a question out."})

    def _slips(self) -> None:
        """Three rows as people do type them, which the import rejects and somebody has to fix."""
        slips = (("pupil_emails", "nobody.here@pupils.afonwen.example"), ("ended_at", ""), ("cameras_on", "mostly"))
        past = [row for _, row in self._before_today()]
        written = [row for row in past[min(-len(past) // 20, -8) :] if row["concern"] == "no"]
        for place, (column, typed) in enumerate(slips, start=1):
            number = self._logged[-1].number + place
            self.logs.append(written[place] | {"ref": f"AW-{number:05d}", column: typed})

    def _no_sessions(self, number: int) -> None:
        """Calls that are no session: among staff, and among pupils. The import drops them."""
        days = self.calendar.school_days()
        for _ in range(number):
            start = self._at(self.chance.one(days), 13, 19).astimezone(UTC)
            end = start + timedelta(minutes=self.chance.whole(5, 50))
            staff = [Leg(person, start, end) for person in self.chance.some(self.people.staff, 4)]
            friends = [Leg(person, start, end) for person in self.chance.some(self.people.pupils, 2)]
            assert staff[0].person
            self.calls.append(graph.meeting(self.chance, staff[0].person, staff, []))
            self.calls.append(graph.peer_to_peer(self.chance, friends[0], friends[1]))

    def _recent(self, number: int) -> None:
        """What the people who are shown first find to do; the first session gets `number`."""
        for place, recent in enumerate(recent_sessions(self.people, self.calendar, self.zone)):
            session, mishaps = recent.session, recent.mishaps
            session.number = number + place
            self._connect(session, mishaps, recorded=False)
            if recent.log is not None:
                self.logs.append(self._log(session, mishaps, recorded=False) | recent.log)


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
