"""The clock shared by a test, the program in it and the processes that it starts.

`pytest --today` chooses the day, and a test may set its own (fixture `clock`). `python -m tests.clock MODULE
ARGUMENTS…` runs a module by the clock of the test that starts it, because the program itself has no setting for this.
"""

import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta

from app import clock

AHEAD = "TESTS_CLOCKAHEAD"  # seconds by which the clock is ahead of the real one
REAL = {AHEAD: "0"}  # the environment of a process that uses the real time


class Clock:
    """A clock that stands still until a test moves it. In a process that a test starts, time goes on from there."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def __call__(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)
        os.environ[AHEAD] = str((self._at - clock.real()).total_seconds())

    def later(self, **much: float) -> None:
        """Move the clock on. `much` are the arguments of `timedelta`."""
        self.set(self._at + timedelta(**much))


@contextmanager
def stopped_at(at: datetime) -> Iterator[Clock]:
    """A context manager with a clock that only the test moves, for all threads."""
    before = clock.source, os.environ.get(AHEAD, "0")
    clock.source = ours = Clock(at)
    try:
        yield ours
    finally:
        clock.source, os.environ[AHEAD] = before


def moment(text: str) -> datetime:
    """A day or a moment in UTC: "2027-08-15" is noon of that day, "2027-03-28T00:55" that moment. Raises ValueError
    otherwise."""
    if "T" in text:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    return datetime.combine(datetime.fromisoformat(text), time(12), UTC)


def start_at(at: datetime) -> None:
    """Make the time of this process, and of those that it starts, go on from `at`."""
    os.environ[AHEAD] = str((at - clock.real()).total_seconds())
    follow()


def follow() -> None:
    """Use the time of the process that started this one."""
    ahead = timedelta(seconds=float(os.environ.get(AHEAD, "0")))
    clock.source = lambda: clock.real() + ahead


if __name__ == "__main__":
    del sys.argv[0]
    follow()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
