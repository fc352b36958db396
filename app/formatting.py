"""How figures, days and times are written: alike on the screen, on paper and in mail."""

from datetime import date, datetime

import pandas as pd

from app import clock


def how_many(of: int, one: str, several: str | None = None) -> str:
    """A number and what is counted: "1 session", "2,409 sessions"."""
    return f"{of:,} {one if of == 1 else several or one + 's'}"


def percent(share: float) -> str:
    """A share with one decimal, never rounded up to 100: "97.6 %"."""
    return f"{min(share * 100, 99.9 if share < 1 else 100):.1f} %"


def with_counts(share: float | None, kept: int, of: int) -> str:
    """A share beside its counts, "97.6 % (41 of 42)"; of fewer than three the counts alone."""
    if not of:
        return "–"
    if of < 3 or share is None:
        return f"{kept} of {of}"
    return f"{percent(share)} ({kept:,} of {of:,})"


def on_day(day: date) -> str:
    """A day as people say it: "Tue 3 Nov 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def on_day_at(when: datetime) -> str:
    """A day and a time, in the zone that `when` has: "Tue 3 Nov 2026, 14:05"."""
    return f"{on_day(when)}, {when:%H:%M}"


def moment(when: datetime | pd.Timestamp | None) -> str:
    """Likewise, and the year only where it is not this one: "Tue 3 Nov, 14:05"; of none ""."""
    if when is None or pd.isna(when):
        return ""
    if when.year != clock.now().astimezone(when.tzinfo).year:
        return on_day_at(when)
    return f"{when:%a} {when.day} {when:%b}, {when:%H:%M}"
