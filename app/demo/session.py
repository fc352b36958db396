"""What happened in a session at the fictional school, before anything is on record of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.demo.people import Person

_LATE = 16  # o'clock, from when on cameras are worse


@dataclass
class Session:
    """What happened in one session, before anybody logs it."""

    staff: Person
    pupils: list[Person]
    purpose: str
    start: datetime
    minutes: int
    one_to_one: bool = False
    second: Person | None = None  # the second member of staff who was invited
    direct: bool = False  # one called the other, without a meeting
    number: int = 0

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    @property
    def late(self) -> bool:
        return self.start.hour >= _LATE


@dataclass
class Mishaps:
    """What went wrong in a call, in seconds, and whose camera was off."""

    early: float = 0  # a pupil came before staff
    waiting: float = 0  # a pupil stayed after staff
    cut_off: float = 0  # staff's connection broke
    cameras_off: list[str] = field(default_factory=list)
    as_guest: bool = False  # staff came with a personal account
    noticed: bool = True  # and said so in the log
