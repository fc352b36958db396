"""Days and times as people write them: ISO 8601, and the British way with the day first."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from app.records.rows import InvalidCellError
from app.settings import Settings
from app.vocabulary.words import tidy

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS = "January February March April May June July August September October November December".lower().split()
_DAY = re.compile(
    r"(?P<y>\d{4})(?P<mark>[-/.]?)(?P<m>\d{2})(?P=mark)(?P<d>\d{2})"
    r"|(?P<d2>\d{1,2})(?P<mark2>[-/.])(?P<m2>\d{1,2})(?P=mark2)(?P<y2>\d{4})"
    r"|(?P<d3>\d{1,2})(?:st|nd|rd|th)?[- ]?(?P<word>[a-z]{3,9})[- ,]{0,2}(?P<y3>\d{4})",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?P<h>\d{1,2})(?:[:.](?P<min>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<part>\d+))?)?)?\s*(?P<half>[ap]\.?m\.?)?"
    r"|(?P<h2>\d{2})(?P<min2>\d{2})(?P<s2>\d{2})?",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"\s*(Z|[+-]\d{2}(?::?\d{2})?)$", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"\s*(\d{1,2})([-/.])(\d{1,2})\2\d{4}\b")
_FIX_TIME = "write it as 2026-11-03T14:05 or 03/11/2026 14:05, in school time or with an offset"
_FIX_DAY = "write it as 2026-11-03 or 03/11/2026, with the day first"


def parse_instant(value: str, settings: Settings) -> datetime:
    """A day and a time as an instant in UTC; without an offset it is in school time. Of a time that the clock shows
    twice in autumn, the first is meant. InvalidCellError if there is no time, or the clock skipped it in spring."""
    moment, offset = _read(value, "time")
    if not isinstance(moment, datetime):
        raise InvalidCellError("is a day without a time", _FIX_TIME)
    if offset is not None:
        return (moment - offset).replace(tzinfo=UTC)
    utc = moment.replace(tzinfo=settings.zone).astimezone(UTC)
    if utc.astimezone(settings.zone).replace(tzinfo=None) != moment:
        raise InvalidCellError(
            "is a time that did not exist: the clocks went forward", "write the time that the clock showed"
        )
    return utc


def parse_day(value: str) -> date:
    """A day. It may be followed by a time of midnight, as Excel may write it."""
    moment, offset = _read(value, "day")
    if not isinstance(moment, datetime):
        return moment
    if moment.time() != time.min or offset is not None:
        raise InvalidCellError("is not a day", _FIX_DAY)
    return moment.date()


def parse_start(value: str, settings: Settings) -> datetime:
    """A day and a time as an instant in UTC; for a day alone, its beginning."""
    moment, _ = _read(value, "time")
    return parse_instant(value if isinstance(moment, datetime) else f"{moment}T00:00", settings)


def parse_end(value: str, settings: Settings) -> datetime:
    """A day and a time as an instant in UTC; for a day alone, its end. A written midnight is the beginning of the
    day."""
    moment, _ = _read(value, "time")
    if isinstance(moment, datetime):
        return parse_instant(value, settings)
    return parse_instant(f"{moment + timedelta(days=1)}T00:00", settings) - timedelta(microseconds=1)


def find_month_first(values: Iterable[str]) -> int | None:
    """The index of the first value whose day can only be read with the month first, such as 10/13/2026; else None."""
    for place, value in enumerate(values):
        match = _MONTH_FIRST.match(value)
        if match and int(match[1]) <= 12 < int(match[3]) <= 31:
            return place
    return None


def _read(value: str, what: str) -> tuple[date | datetime, timedelta | None]:
    """Parse a day, or a day and a time with or without an offset; the time is as written. InvalidCellError if the text
    is neither; it says that the text is not a `what`: "day" or "time"."""
    text = tidy(value)
    wrong = InvalidCellError(f"is not a {what}", _FIX_TIME if what == "time" else _FIX_DAY)
    found = _DAY.match(text)
    if not found:
        raise wrong
    day = _build_day(found, wrong)
    if not 1900 < day.year < 2200:
        raise InvalidCellError(f"is not a {what} of this century", "correct the year")
    rest = text[found.end() :]
    if not rest:
        return day, None
    clock = re.sub(r"^(?:t|,? at |[, ]+)", "", rest, count=1, flags=re.IGNORECASE)
    if clock == rest:
        raise wrong
    offset = _OFFSET.search(clock) if found["y"] else None  # only ISO 8601 has offsets; others may write 10:00-10:40
    shown = _parse_clock(clock[: offset.start()] if offset else clock, wrong)
    return datetime.combine(day, shown), _parse_offset(offset[1], wrong) if offset else None


def _build_day(found: re.Match[str], wrong: InvalidCellError) -> date:
    if found["word"]:
        word = found["word"].lower()
        names = [word[:3]] if word in (*_MONTHS, "sept", *_FULL_MONTHS) else []
        if not names:
            raise wrong
        year, month, day = found["y3"], str(_MONTHS.index(names[0]) + 1), found["d3"]
    else:
        year, month, day = (found[name] or found[f"{name}2"] for name in ("y", "m", "d"))
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise wrong from None


def _parse_clock(text: str, wrong: InvalidCellError) -> time:
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        if re.fullmatch(r"\d{1,2}[:.]\d{2}[.,]\d+|\d{1,2}[:.]\d|\d{1,2}\.\d{3,}", text.strip()):
            raise InvalidCellError("has a fraction of a minute", "write hours and minutes, such as 17.10 or 17:10")
        raise wrong
    hour, half = int(found["h"] or found["h2"]), (found["half"] or "").lower()
    if (half and not 1 <= hour <= 12) or not (half or found["min"] or found["min2"]):
        raise wrong
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    try:
        microsecond = int((found["part"] or "").ljust(6, "0")[:6])
        return time(hour, int(found["min"] or found["min2"] or 0), int(found["s"] or found["s2"] or 0), microsecond)
    except ValueError:
        raise wrong from None


def _parse_offset(text: str, wrong: InvalidCellError) -> timedelta:
    if text.upper() == "Z":
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[3:].strip(":") or 0)
    if hours > 14 or minutes > 59:
        raise wrong
    return timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)
