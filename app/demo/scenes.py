"""A few sessions on the last school days that show unusual call records and attendance reports.

Pupils in a breakout room, one of them alone. Pupils who come back through a lesson's link. A pupil for whom nobody
comes. A participant without details of the camera, and one without times. A call record that was lost, and one that an
attendance report contradicts. An unscheduled call that was recorded.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.demo import graph
from app.demo.calendar import Calendar
from app.demo.chance import Chance
from app.demo.graph import Leg
from app.demo.people import DemoSchool, Row
from app.demo.session_records import Session, SessionRecords

_RECORDED_AS_AGREED = {"recording_announced": "yes", "recording_on_team": "yes", "cameras_off_offered": "yes"}
IN_ORDER = {  # the answers of a log without issues
    "platform": "teams",
    "account": "school",
    "recorded": "no",
    "private_recording": "no",
    "staff_opened": "yes",
    "staff_ended": "yes",
    "pupil_left_alone": "no",
    "cameras_on": "yes",
    "dress_ok": "yes",
    "background_ok": "yes",
    "room": "public",
    "concern": "no",
}
_ALONE_UNNOTICED = {"pupil_left_alone": "no", "staff_ended": "yes", "cameras_on": "yes"}


class Scenes:
    """Adds these sessions. Their pupils are those of the tutor whom the demonstration shows first."""

    def __init__(self, chance: Chance, school: DemoSchool, calendar: Calendar, zone: ZoneInfo) -> None:
        self.chance, self.school, self.zone = chance, school, zone
        self.records = SessionRecords(chance, school)
        before = [day for day in calendar.school_days() if day < calendar.day]
        self._days, self._earlier = before[-3:], before[-14]
        own = school.shown_tutor["email"]
        self._pupils = [pupil for pupil in school.not_abroad if pupil["tutor_email"] == own]

    def add(self, number: int) -> None:
        """Add all of them. The first gets `number`, the others the numbers after it."""
        teachers = [teacher for year in ("11", "12") for teacher in self.school.tutors["SEN", year]]
        scenes: list[Callable[[Row], tuple[Session, Row] | None]] = [
            self._add_breakout_room,
            self._add_old_link,
            self._wait_in_vain,
            self._add_call_without_details,
            self._add_call_without_times,
            self._add_lost_record,
            self._add_differing_report,
            self._add_unscheduled_call,
        ]
        for place, (teacher, scene) in enumerate(zip(teachers, scenes, strict=True)):
            if logged := scene(teacher):
                session, answers = logged
                session.number = number + place
                self.records.add_log(session).update(answers)
        self._add_logs_without_calls(number + len(scenes))

    def _add_logs_without_calls(self, number: int) -> None:
        """Two lessons without call records, only logs: one by the tutor and one by a colleague in the same year."""
        shown, colleague = self.school.tutors["SEN", "9"][:2]
        for place, (tutor, day) in enumerate(((shown, self._earlier), (colleague, self._days[0]))):
            pupils = [pupil for pupil in self.school.not_abroad if pupil["tutor_email"] == tutor["email"]][:2]
            session = self._create_lesson(tutor, day, 14, pupils)
            session.number = number + place
            self.records.add_log(session).update(IN_ORDER)

    def _create_lesson(self, teacher: Row, day: date, hour: int, pupils: list[Row], minutes: int = 40) -> Session:
        return Session(teacher, pupils, "academic", datetime.combine(day, time(hour), self.zone), minutes)

    def _create_legs(self, session: Session, pupils: list[Row]) -> list[Leg]:
        """Legs for the member of staff and some pupils, all for the whole session."""
        start, end = session.start.astimezone(UTC), session.end.astimezone(UTC)
        staff = Leg(session.staff, start - timedelta(minutes=2), end + timedelta(seconds=20))
        return [staff, *(Leg(pupil, start, end) for pupil in pupils)]

    def _meet(self, session: Session, legs: list[Leg]) -> dict[str, Any]:
        call = graph.create_meeting(self.chance, session.staff, legs)
        self.school.calls.append(call)
        return call

    # --- rooms --------------------------------------------------------------------------------------------------

    def _add_breakout_room(self, teacher: Row) -> tuple[Session, Row]:
        """Two of four pupils go to a breakout room; one of them is later alone there."""
        session = self._create_lesson(teacher, self._days[2], 10, self._pupils[10:14])
        start, end = session.start.astimezone(UTC), session.end.astimezone(UTC)

        def at(minutes: float) -> datetime:
            return start + timedelta(minutes=minutes)

        staff, *together = self._create_legs(session, session.pupils[:2])
        first, second = session.pupils[2:]
        self._meet(
            session,
            [
                Leg(teacher, staff.joined, at(13)),
                Leg(teacher, at(16), staff.left),
                *together,
                *(leg for each in (first, second) for leg in (Leg(each, start, at(10)), Leg(each, at(26), end))),
            ],
        )
        self._meet(session, [Leg(teacher, at(9.9), at(16)), Leg(first, at(10), at(25.8)), Leg(second, at(10), at(18))])
        return session, _ALONE_UNNOTICED

    def _add_old_link(self, teacher: Row) -> tuple[Session, Row]:
        """Two pupils meet again, an hour after their lesson and through its link."""
        session = self._create_lesson(teacher, self._days[1], 9, self._pupils[10:12])
        lesson = self._meet(session, self._create_legs(session, session.pupils))
        back = session.end.astimezone(UTC) + timedelta(minutes=62)
        again = [
            Leg(pupil, back + timedelta(seconds=40 * n), back + timedelta(minutes=14))
            for n, pupil in enumerate(session.pupils)
        ]
        self.school.calls.append(
            graph.create_meeting(self.chance, teacher, again) | {"joinWebUrl": lesson["joinWebUrl"]}
        )
        return session, {}

    def _wait_in_vain(self, teacher: Row) -> None:
        """A pupil waits twelve minutes, and nobody comes."""
        session = self._create_lesson(teacher, self._days[2], 12, self._pupils[14:15], 12)
        self._meet(session, self._create_legs(session, session.pupils)[1:])

    # --- records with gaps --------------------------------------------------------------------------------------

    def _add_call_without_details(self, teacher: Row) -> tuple[Session, Row]:
        """For one pupil Teams has no details of audio and video."""
        session = self._create_lesson(teacher, self._days[1], 11, self._pupils[12:14])
        start, end = session.start.astimezone(UTC), session.end.astimezone(UTC)
        legs = self._create_legs(session, session.pupils[:1])
        self._meet(session, [*legs, Leg(session.pupils[1], start, end, details=False)])
        return session, {"cameras_on": "yes"}

    def _add_call_without_times(self, teacher: Row) -> tuple[Session, Row]:
        """One pupil is on the list of participants, but the record does not show when they were there."""
        session = self._create_lesson(teacher, self._days[0], 14, self._pupils[10:13])
        self._meet(session, self._create_legs(session, session.pupils[:2]))
        self.school.calls[-1] = graph.add_participant(self.school.calls[-1], session.pupils[2])
        return session, {"cameras_on": "yes"}

    def _add_lost_record(self, teacher: Row) -> tuple[Session, Row]:
        """The lesson's call record is lost, but there is an attendance report."""
        session = self._create_lesson(teacher, self._days[0], 10, self._pupils[13:16])
        legs = self._create_legs(session, session.pupils)
        call = graph.create_meeting(self.chance, teacher, legs)
        self.school.attendance.append(graph.create_report(self.chance, call, legs))
        return session, {"cameras_on": "yes"}

    def _add_differing_report(self, teacher: Row) -> tuple[Session, Row]:
        """The teacher left six minutes before the pupils according to the call record, but after them according to the
        attendance report."""
        session = self._create_lesson(teacher, self._days[1], 15, self._pupils[14:16])
        staff, *pupils = self._create_legs(session, session.pupils)
        early = Leg(teacher, staff.joined, staff.left - timedelta(minutes=6))
        call = self._meet(session, [early, *pupils])
        self.school.attendance.append(graph.create_report(self.chance, call, [staff, *pupils]))
        return session, _ALONE_UNNOTICED

    def _add_unscheduled_call(self, teacher: Row) -> tuple[Session, Row]:
        """The teacher rings a pupil, and records the call."""
        session = self._create_lesson(teacher, self._days[2], 14, self._pupils[10:11], 25)
        session.recorded = True
        start, end = session.start.astimezone(UTC), session.end.astimezone(UTC)
        call = graph.create_peer_to_peer_call(self.chance, Leg(teacher, start, end), Leg(session.pupils[0], start, end))
        self.school.calls.append(call)
        recording = graph.create_recording(self.chance, call, teacher, start + timedelta(seconds=30), end)
        self.school.recordings.append(recording)
        return session, _RECORDED_AS_AGREED
