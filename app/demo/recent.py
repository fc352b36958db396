"""The last school days of the people whom the demonstration shows first.

Chance alone would leave some of them with nothing to do on some days of the year.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from app.demo.calendar import Calendar
from app.demo.people import People, Person
from app.demo.session import Mishaps, Session

_CONCERN = {
    "concern": "yes",
    "concern_summary": "Said they do not want to go home after the match on Saturday.",
    "concern_category": "disclosure",
}


@dataclass(frozen=True)
class Recent:
    """A session, what went wrong in its call, and what its log says beside the usual; None: it is not logged."""

    session: Session
    mishaps: Mishaps = field(default_factory=Mishaps)
    log: Person | None = None


def recent_sessions(people: People, calendar: Calendar, zone: ZoneInfo) -> Iterator[Recent]:
    """Sessions before `calendar.day` that leave the tutor three calls to log and a breach to explain, the tutor's HOY
    and HM breaches to resolve, the DSP a new concern and the counsellor a call to log."""
    third, second, last = [day for day in calendar.school_days() if day < calendar.day][-3:]
    tutor, counsellor = people.shown_tutor, people.counsellors[0]
    away = {pupil["email"] for pupil, _ in people.abroad}
    here = [pupil for pupil in people.pupils if pupil["email"] not in away]
    tutees = [pupil for pupil in here if pupil["tutor_email"] == tutor["email"]]

    def by_tutor(day: date, hour: int, pupils: list[Person], purpose: str = "pastoral") -> Session:
        return Session(tutor, pupils, purpose, datetime.combine(day, time(hour), zone), 25)

    yield Recent(by_tutor(third, 9, tutees[:2]))
    yield Recent(by_tutor(second, 14, tutees[2:5]), Mishaps(cameras_off=[tutees[3]["email"]]))
    yield Recent(by_tutor(last, 11, tutees[5:7]))
    yield Recent(by_tutor(second, 9, tutees[7:9]), Mishaps(waiting=120), log={})
    yield Recent(by_tutor(last, 15, tutees[9:10], "academic"), log=_CONCERN)
    yield Recent(Session(counsellor, here[:1], "counselling", datetime.combine(last, time(10), zone), 45))
