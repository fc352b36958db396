"""The one place where the program reads the time."""

from collections.abc import Callable
from datetime import UTC, datetime


def real() -> datetime:
    """The time of this machine, aware, in UTC."""
    return datetime.now(UTC)


source: Callable[[], datetime] = real  # the tests put a clock of their own here


def now() -> datetime:
    """The present, aware, in UTC."""
    return source()
