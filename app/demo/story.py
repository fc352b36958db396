"""The year so far at the fictional school.

Modern Languages has drifted out of hours since half-term. One tutor rarely logs calls this term. Cameras are off more
often after 16:00. In Music pupils are left waiting alone at the end, while the teacher fetches the next one. Some
pupils live abroad and have their lessons in the evening, most with consent. A fortnight of remote learning brought
one-to-ones, most of them held as they should be. New pupils' parents were informed late, or not at all.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.demo import graph
from app.demo.calendar import Calendar
from app.demo.chance import Chance
from app.demo.graph import Leg
from app.demo.people import DRIFTING, WAITING, DemoSchool, Row, create_consent_row
from app.demo.scenes import Scenes
from app.demo.session_records import FORGOTTEN, Session, SessionRecords

_OTHER_PURPOSES = ("Parents' evening", "Duke of Edinburgh planning", "Revision club", "Debating")

# For each concern: how far into the two terms (as a share) it arose in a session, the narrative and the category.
_CONCERNS = (
    (0.06, "Looked unwell and said there had been no breakfast again.", "seen_or_heard"),
    (0.15, "Said that there is often shouting at home at night and that sleep is hard.", "disclosure"),
    (0.27, "Became tearful when asked about the weekend and did not want to say why.", "distress"),
    (0.38, "A man nobody introduced walked through the room several times.", "unknown_adult"),
    (0.69, "Said that nobody at home knows about being bullied in a group chat.", "disclosure"),
    (0.81, "Very quiet for the third week, gave short answers and looked away.", "distress"),
    (0.93, "Heard an argument in the next room; the pupil muted and came back upset.", "seen_or_heard"),
)
_SENIOR_FROM = 0.5  # the later concerns are in the Senior School, whose DSP is shown first
_HOME_ALONE = {"adult_present": "no", "adult_introduced": "no", "adult_permission": "no", "home_alone": "yes"}


def _as_concern(summary: str, category: str) -> Row:
    return {"concern": "yes", "concern_summary": summary, "concern_category": category}


class Story:
    """Invents what happened, and adds its records to the files of the school."""

    def __init__(self, chance: Chance, school: DemoSchool, calendar: Calendar, zone: ZoneInfo) -> None:
        self.chance, self.school, self.calendar, self.zone = chance, school, calendar, zone
        self.records = SessionRecords(chance, school)
        self._logged: list[tuple[Session, Row]] = []  # each logged session with its log
        self._pupils_of = {
            (code, this_term): [
                pupil
                for pupil in school.not_abroad
                if pupil["school"] == code and (this_term or pupil not in school.new)
            ]
            for code in ("SEN", "PREP")
            for this_term in (True, False)
        }

    def tell(self, sessions: int) -> None:
        """Add this many sessions, spread over the school days, with all their records."""
        days = self.calendar.school_days()
        weights = [2.0 if self.calendar.is_remote(day) else 1.0 for day in days]
        count = self.chance.generator.multinomial(sessions, [weight / sum(weights) for weight in weights]).tolist()
        happened = [self._pick_session(day) for day, number in zip(days, count, strict=True) for _ in range(number)]
        happened.sort(key=lambda session: session.start)
        for number, session in enumerate(happened, start=1):
            session.number = number
            self._put_on_record(session)
        self._add_concerns()
        self._add_corrections()
        self._add_faulty_rows()
        self._add_other_calls(sessions // 150)
        self._add_recent(sessions + 10)
        Scenes(self.chance, self.school, self.calendar, self.zone).add(sessions + 20)

    # --- what happened --------------------------------------------------------------------------------------

    def _pick_session(self, day: date) -> Session:
        kind = self.chance.share()
        if self.calendar.is_remote(day) and kind < 0.45:
            return self._create_one_to_one(day)
        if kind < 0.06:
            counsellor = self.school.counsellors[self.chance.often(0.25)]
            pupils, start = self._pick_pupils(counsellor, day, 1), self._pick_time(day, 9, 16)
            return Session(counsellor, pupils, "counselling", start, 45)
        if kind < 0.16:
            return self._create_pastoral(day)
        if kind < 0.2:
            return self._create_from_abroad(day)
        if kind < 0.31:
            staff = self.chance.one(self.school.teachers[WAITING])
            return Session(staff, self._pick_pupils(staff, day, 1), "music", self._pick_time(day, 9, 16.9), 30)
        return self._create_lesson(day)

    def _create_lesson(self, day: date) -> Session:
        departments = [name for name in self.school.teachers if name != WAITING]
        staff = self.chance.one(self.school.teachers[self.chance.one(departments)])
        pupils = self._pick_pupils(staff, day, self.chance.whole(1, 5))
        weeks = (day - self.calendar.half_term.to).days / 7
        if staff["department"] == DRIFTING and weeks > 0 and self.chance.often(0.4 + 0.08 * weeks):
            return Session(staff, pupils, "academic", self._pick_time(day, 17.25, 19), 45)
        minutes = self.chance.one((25, 30, 35))
        if self.chance.often(0.004):  # it ran over
            return Session(staff, pupils, "academic", self._pick_time(day, 16.8, 16.95), 50)
        first = 16 if self.chance.often(0.25) else 8.6
        purpose = self.chance.one(_OTHER_PURPOSES) if self.chance.often(0.004) else "academic"
        return Session(staff, pupils, purpose, self._pick_time(day, first, 17.4 - minutes / 60), minutes)

    def _create_pastoral(self, day: date) -> Session:
        """A pastoral session: a tutor, or sometimes somebody who is not allowed to, meets a few of the tutor's
        pupils."""
        tutor = self._pick_tutor()
        pupils = self._pick_tutees(tutor, day, self.chance.whole(2, 5))
        if self.chance.often(0.015):
            tutor = self.chance.one(self.school.teachers[WAITING][:4])
        return Session(tutor, pupils, "pastoral", self._pick_time(day, 8.6, 16), 20)

    def _create_from_abroad(self, day: date) -> Session:
        place = int(len(self.school.abroad) * self.chance.share())
        pupil, _ = self.school.abroad[place]
        staff = self.chance.one([t for t in self.school.teachers["English"] if t["school"] == "SEN"])
        start = self._pick_time(day, 18, 19.5) if place < 9 else self._pick_time(day, 7.2, 7.7)
        return Session(staff, [pupil], "academic", start, 40)

    def _create_one_to_one(self, day: date) -> Session:
        tutor = self._pick_tutor()
        pupil = self._pick_tutees(tutor, day, 1)[0]
        hoy, hm = self.school.hoys[pupil["year_group"]], self.school.hms[pupil["house"]]
        staff, second = tutor, hoy if self.chance.often(0.7) else hm
        if self.chance.often(0.12):
            staff, second = self.chance.one((hoy, hm)), self.school.senior_deputy_head
        asked = self.chance.share()
        invited = second if asked < 0.93 else self.chance.one(self.school.teachers[WAITING]) if asked < 0.96 else None
        when = self.chance.share()
        if when < 0.3:
            start = self._pick_time(day, 8.67, 8.75)
        elif when < 0.92:
            start = self._pick_time(day, 12.75, 13.4)
        else:
            start = self._pick_time(day, 14, 16)
            if self.chance.often(0.6):
                covers = [f"{start + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}" for minutes in (-15, 45)]
                reason = "Asked for a time when a parent is at home"
                given = day - timedelta(days=1)
                self.school.consents.append(create_consent_row(pupil, "one_to_one", covers, reason, given, "Mother"))
        log_names, calendar_shows = self.chance.often(0.96), self.chance.often(0.98)
        return Session(
            staff,
            [pupil],
            "pastoral",
            start,
            12,
            one_to_one=True,
            invited=invited,
            invited_in_log=log_names,
            invited_in_calendar=calendar_shows,
        )

    def _pick_tutor(self) -> Row:
        if self.chance.often(0.07):
            return self.school.forgetful
        return self.chance.one(self.chance.one(list(self.school.tutors.values())))

    def _pick_pupils(self, staff: Row, day: date, number: int) -> list[Row]:
        return self.chance.some(self._list_present(staff, day), number)

    def _pick_tutees(self, tutor: Row, day: date, number: int) -> list[Row]:
        own = [pupil for pupil in self._list_present(tutor, day) if pupil["tutor_email"] == tutor["email"]]
        return self.chance.some(own, number)

    def _list_present(self, staff: Row, day: date) -> list[Row]:
        """The pupils of a person's school on the day who are not abroad."""
        return self._pupils_of[staff["school"], day >= self.calendar.this_term.from_]

    def _pick_time(self, day: date, first: float, last: float) -> datetime:
        """A random time on the day between two hours, to the nearest five minutes."""
        minute = round(self.chance.between(first, last) * 12) * 5
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone)

    # --- the records of it ----------------------------------------------------------------------------

    def _put_on_record(self, session: Session) -> None:
        often = self.chance.often
        logged = often(1 - self._share_unlogged(session))
        session.recorded = session.purpose == "academic" and often(0.07)
        is_alone = len(session.pupils) == 1 and not session.one_to_one
        session.direct = is_alone and not session.recorded and often(0.06)
        self.records.add_mishaps(session)
        says_nothing = session.one_to_one and not session.names_second_member  # then the calendar has to name them
        if not logged or says_nothing or often(0.94):
            self.records.add_calls(session)
        if logged:
            self._logged.append((session, self.records.add_log(session)))

    def _share_unlogged(self, session: Session) -> float:
        day = session.start.date()
        if session.staff is self.school.forgetful and day >= self.calendar.this_term.from_:
            return 0.55
        # The newest sessions may still be logged, and most will be.
        return 0.25 if self.calendar.day - day <= timedelta(days=1) else 0.005

    def _add_concerns(self) -> None:
        """Add concerns about one child to logs. Most have a narrative, which reaches the DSP; two have none."""
        plain = [
            (session, row)
            for session, row in self._list_logged_before_today()
            if row["purpose"] in ("academic", "pastoral") and len(session.pupils) == 1
        ]
        for share, summary, category in _CONCERNS:
            target = int(share * len(plain))
            places = [
                place
                for place, (session, row) in enumerate(plain)
                if row["concern"] == "no" and (share < _SENIOR_FROM or session.pupils[0]["school"] == "SEN")
            ]
            nearest = min(places, key=lambda place: abs(place - target))
            plain[nearest][1].update(_as_concern(summary, category))
        plain[int(0.6 * len(plain))][1]["concern"] = "yes"
        young = [
            row
            for session, row in self._logged
            if session.one_to_one and session.pupils[0]["year_group"] in ("7", "8", "9")
        ]
        reported = _as_concern("Alone in the house since breakfast; no adult before four o'clock.", "home_alone")
        for share in (0.2, 0.45, 0.7, 0.9) if young else ():
            young[int(share * len(young))].update(_HOME_ALONE | (reported if share < 0.9 else {}))

    def _list_logged_before_today(self) -> list[tuple[Session, Row]]:
        """The logged sessions of earlier days, with their logs. Some of today's may not have happened yet."""
        return [(session, row) for session, row in self._logged if session.start.date() < self.calendar.day]

    def _add_corrections(self) -> None:
        """Add corrections of a few logs by their authors."""
        usual = {"dress_ok": "yes", "background_ok": "yes", "private_recording": "no", "room": "public"}
        blank = [
            row for _, row in self._logged if row["purpose"] == "academic" and "" in (row[name] for name in FORGOTTEN)
        ]
        for row in blank[-3:]:
            full = {name: row[name] or usual[name] for name in FORGOTTEN}
            self.school.corrections.append(row | full | {"why": "I had left a question out."})

    def _add_faulty_rows(self) -> None:
        """Add three log rows with typical typing errors, which the import rejects and somebody has to fix."""
        slips = (("pupil_emails", "nobody.here@pupils.afonwen.example"), ("ended_at", ""), ("cameras_on", "mostly"))
        past = [row for _, row in self._list_logged_before_today()]
        written = [row for row in past[min(-len(past) // 20, -8) :] if row["concern"] == "no"]
        last, _ = self._logged[-1]
        for place, (column, typed) in enumerate(slips, start=1):
            self.school.logs.append(written[place] | {"ref": f"AW-{last.number + place:05d}", column: typed})

    def _add_other_calls(self, number: int) -> None:
        """Add calls that are not sessions (between staff, and between pupils), which the import drops."""
        days = self.calendar.school_days()
        for _ in range(number):
            start = self._pick_time(self.chance.one(days), 13, 19).astimezone(UTC)
            end = start + timedelta(minutes=self.chance.whole(5, 50))
            staff = self.chance.some(self.school.staff, 4)
            caller, callee = (Leg(pupil, start, end) for pupil in self.chance.some(self.school.pupils, 2))
            meeting = graph.create_meeting(self.chance, staff[0], [Leg(person, start, end) for person in staff])
            self.school.calls += [meeting, graph.create_peer_to_peer_call(self.chance, caller, callee)]

    def _add_recent(self, number: int) -> None:
        """Add sessions on the last school days for the people whom the demonstration shows first; otherwise, on some
        days of the year, some of them could have nothing to do. The tutor gets three calls to log and a breach to
        explain, the tutor's HOY and HM breaches to resolve, the DSP a new concern, and the counsellor a call to log;
        one teacher has two evening lessons with one pupil. The first session gets `number`."""
        third, second, last = [day for day in self.calendar.school_days() if day < self.calendar.day][-3:]
        tutor, counsellor, pupils = self.school.shown_tutor, self.school.counsellors[0], self.school.not_abroad
        tutees = [pupil for pupil in pupils if pupil["tutor_email"] == tutor["email"]]
        concern = _as_concern("Said they do not want to go home after the match on Saturday.", "disclosure")

        def by_tutor(day: date, hour: int, pupils: list[Row], purpose: str = "pastoral", **mishaps: Any) -> Session:
            return Session(tutor, pupils, purpose, datetime.combine(day, time(hour), self.zone), 25, **mishaps)

        def in_the_evening(day: date) -> Session:
            musician, at_six = self.school.teachers[WAITING][0], datetime.combine(day, time(18), self.zone)
            return Session(musician, tutees[:1], "music", at_six, 30)

        at_ten = datetime.combine(last, time(10), self.zone)
        sessions_with_logs: list[tuple[Session, Row | None]] = [
            (by_tutor(third, 9, tutees[:2]), None),
            (by_tutor(second, 14, tutees[2:5], cameras_off=[tutees[3]["email"]]), None),
            (by_tutor(last, 11, tutees[5:7]), None),
            (by_tutor(second, 9, tutees[7:9], waiting=120), {}),
            (by_tutor(last, 15, tutees[9:10], "academic"), concern),
            (Session(counsellor, pupils[:1], "counselling", at_ten, 45), None),
            (in_the_evening(third), {}),
            (in_the_evening(last), {}),
        ]
        for place, (session, answers) in enumerate(sessions_with_logs):
            session.number = number + place
            self.records.add_calls(session)
            if answers is not None:
                self.records.add_log(session).update(answers)
