"""How numbers, days and times are written on screens, in documents and in emails."""

from datetime import date, datetime

import pandas as pd

from app import clock

FEW = 3  # shares of fewer than this are shown as counts, never as percentages


def how_many(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun: "1 session", "2,409 sessions"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def start_sentence(words: str) -> str:
    """The words with a capital first letter; the others are unchanged."""
    return words[:1].upper() + words[1:]


def percent(share: float) -> str:
    """A share (0 to 1) as a percentage with one decimal, "97.6%", never rounded up to 100%."""
    return f"{min(share * 100, 99.9 if share < 1 else 100):.1f}%"


def with_counts(share: float | None, part: int, whole: int) -> str:
    """A share with its counts, "97.6% (41 of 42)". Of a whole less than three only the counts; "–" if it is 0."""
    if not whole:
        return "–"
    if whole < FEW or share is None:
        return f"{part} of {whole}"
    return f"{percent(share)} ({part:,} of {whole:,})"


def on_day(day: date) -> str:
    """A day with its year: "Tue 3 Nov 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def on_short_day(day: date, today: date) -> str:
    """A day, with the year only if it is not this year: "3 Dec", "3 Dec 2025"."""
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def on_day_at(when: datetime) -> str:
    """A day and a time, in the time zone of `when`: "Tue 3 Nov 2026, 14:05"."""
    return f"{on_day(when)}, {when:%H:%M}"


def moment(when: datetime | pd.Timestamp | None) -> str:
    """A day and a time, with the year only if it is not this year: "Tue 3 Nov, 14:05"; "" for None or NaT."""
    if when is None or pd.isna(when):
        return ""
    if when.year != clock.now().astimezone(when.tzinfo).year:
        return on_day_at(when)
    return f"{when:%a} {when.day} {when:%b}, {when:%H:%M}"
