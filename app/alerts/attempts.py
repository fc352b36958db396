"""Shared by the sending of alerts and of emails to families: the lease, the result, and the pauses between attempts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_

from app import lease

_LONGEST_PAUSE = timedelta(hours=1)
MOST_BROKEN = 3  # broken connections in a row that end a run


class Lease(lease.Lease):
    """The right to send alerts and emails to families."""

    name, what = "alerts", "sending of alerts"


@dataclass
class Run:
    """The result of one sending: the numbers `sent`, still `waiting`, and `failed` for good; `error`: a message to
    show, blank if there was none. Confidential alerts leave no trace in it: the administrator reads it."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0
    error: str = ""


def get_next_attempt(now: datetime, attempts: int) -> datetime:
    """The time of the next attempt after `attempts` earlier ones: after 1, 2, 4 … minutes, at most an hour."""
    doublings: int = 2 ** min(attempts, 6)
    return now + min(timedelta(minutes=doublings), _LONGEST_PAUSE)


def is_time(next_attempt_at: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """Whether it is time for an attempt. A time further ahead than any pause was set by a clock that was ahead, so it
    counts too."""
    return or_(next_attempt_at <= now, next_attempt_at > now + 2 * _LONGEST_PAUSE)
