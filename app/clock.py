"""The one place where the program reads the time."""

from collections.abc import Callable
from datetime import UTC, datetime


def real() -> datetime:
    """The machine's time, in UTC with its time zone."""
    return datetime.now(UTC)


source: Callable[[], datetime] = real  # tests set their own clock here


def now() -> datetime:
    """The present time, in UTC with its time zone."""
    return source()
