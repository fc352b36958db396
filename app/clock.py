"""The one place where the program reads the time."""

from collections.abc import Callable
from datetime import UTC, datetime


def real() -> datetime:
    """The time of this machine, aware, in UTC."""
    return datetime.now(UTC)


source: Callable[[], datetime] = real  # tests replace it by their own clock


def now() -> datetime:
    """The present, aware, in UTC."""
    return source()
