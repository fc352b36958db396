"""Shared by the sending of alerts and of emails to families: one sender at a time, its result, and pauses."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_

from app import lease

_LONGEST_PAUSE = timedelta(hours=1)
MOST_BROKEN = 3  # broken connections in a row after which the rest of a run waits


class Lease(lease.Lease):
    """The right to send alerts and emails to families."""

    name, what = "alerts", "sending of alerts"


@dataclass
class Run:
    """The result of one sending: the numbers `sent`, still `waiting`, and `failed` for good; `error`: a message to
    show, blank if there was none."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0
    error: str = ""


def get_next_attempt(now: datetime, attempts: int) -> datetime:
    """The time of the next attempt after some that failed: after a pause of 1, 2, 4 … minutes, at most an hour."""
    doublings: int = 2 ** min(attempts, 6)
    return now + min(timedelta(minutes=doublings), _LONGEST_PAUSE)


def is_time(next_attempt_at: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Whether it is time for an attempt. One that lies further ahead than any pause comes from a clock that was
    ahead."""
    return or_(next_attempt_at <= now, next_attempt_at > now + 2 * _LONGEST_PAUSE)
