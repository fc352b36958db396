"""Reads the times in an attendance report that was downloaded from Teams.

Teams writes them according to the settings of whoever downloads the report: day or month first, on a 12-hour or a
24-hour clock, without an offset. All times of a file together decide which number is the day; it is never guessed.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.records.rows import InvalidCellError

_FIRST_YEAR = 2020  # Teams has had attendance reports since then
_LONGEST = timedelta(hours=30)  # Teams ends a meeting after this time
_CLOCK = r"(?P<hour>\d{1,2})(?P<mark>[:.])(?P<minute>\d\d)(?:(?P=mark)(?P<second>\d\d))?"
_TIME = re.compile(
    r"(?P<a>\d{1,4}) ?(?P<sign>[./-]) ?(?P<b>\d{1,2}) ?(?P=sign) ?(?P<c>\d{1,4})\.?,? "
    rf"(?P<before>[^\d\s]+ ?)?{_CLOCK}(?P<after> ?[^\d]+)?"
)
# The words of a 12-hour clock, without full stops and spaces.
_MORNING = frozenset(["am", "yb", "오전", "上午", "午前", "πμ", "de", "fm", "dop", "ap", "ص"])
_AT = frozenset(["klo", "kl", "à", "às", "at", "um", "г"])  # words between day and time, without a meaning of their own
_AFTERNOON = frozenset(["pm", "yh", "오후", "下午", "午後", "μμ", "du", "em", "odp", "ip", "م"])


class DateOrder(StrEnum):
    """The order of day (d), month (m) and year (y) in a date."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


@dataclass(frozen=True)
class WrittenTime:
    """A time as it is written: the three numbers of the date, and the time of day. `orders` are the orders that the
    form of the date allows; `has_seconds` says whether the time is written to the second."""

    numbers: tuple[int, int, int]
    at: time
    orders: frozenset[DateOrder]
    has_seconds: bool

    def read(self, order: DateOrder) -> datetime | None:
        """The local time, without a zone; None if it cannot be read in this order."""
        if order not in self.orders:
            return None
        number = dict(zip(order, self.numbers, strict=True))
        year = number["y"] + 2000 if number["y"] < 100 else number["y"]
        if not _FIRST_YEAR <= year < 2100:
            return None
        try:
            return datetime.combine(date(year, number["m"], number["d"]), self.at)
        except ValueError:
            return None


def read_written_time(text: str) -> WrittenTime | None:
    """Read a date with a time of day, in any form that is known; None if the text is something else."""
    found = _TIME.fullmatch(_simplify(text))
    if not found:
        return None
    hour = _read_hour(int(found["hour"]), (found["before"] or "") + (found["after"] or ""))
    try:
        at = time(-1 if hour is None else hour, int(found["minute"]), int(found["second"] or 0))
    except ValueError:
        return None
    first, _, last = numbers = int(found["a"]), int(found["b"]), int(found["c"])
    if len(found["a"]) > 2:
        orders = {DateOrder.YMD}
    elif len(found["c"]) > 2:
        orders = {DateOrder.DMY, DateOrder.MDY}
    else:
        orders = set(DateOrder)
    if found["sign"] == ".":  # no language that separates numbers by full stops puts the month first
        orders -= {DateOrder.MDY}
    return WrittenTime(numbers, at, frozenset(orders), found["second"] is not None) if first and last else None


def _simplify(text: str) -> str:
    """The text with ASCII digits and single spaces, without invisible characters."""
    plain = unicodedata.normalize("NFKC", text)
    visible = (c for c in plain if unicodedata.category(c) != "Cf")
    digits = (str(unicodedata.digit(c)) if c.isdigit() else c for c in visible)
    return " ".join("".join(digits).split())


def _read_hour(hour: int, words: str) -> int | None:
    """The hour on a 24-hour clock; None if there is no such hour, or the words beside it are unknown."""
    half = re.sub(r"[.,\s]", "", words).lower()
    if not half or half in _AT:
        return hour
    if half not in _MORNING | _AFTERNOON or not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half in _AFTERNOON else 0)


def find_order(times: Sequence[WrittenTime], asked_for: DateOrder | None) -> DateOrder:
    """The order in which all times of a report can be read as those of one meeting. InvalidCellError if there is none,
    or if several orders give different times and none was `asked_for`. With `asked_for`, only that order and YMD, which
    is never ambiguous, are tried."""
    orders = [asked_for, DateOrder.YMD] if asked_for else list(DateOrder)
    readings = {order: [written.read(order) for written in times] for order in orders}
    possible = {order: read for order, read in readings.items() if _is_one_meeting(read)}
    if not possible and asked_for:
        raise InvalidCellError(
            f"cannot be read as {asked_for}, or is more than {_LONGEST // timedelta(hours=1)} hours from the others",
            "import the file again without --dates, or with the other order",
        )
    if not possible:
        raise InvalidCellError(
            f"does not fit the other times: no order of day and month puts all of them within "
            f"{_LONGEST // timedelta(hours=1)} hours",
            "download the report again",
        )
    order, first = next(iter(possible.items()))
    if order != asked_for and any(read != first for read in possible.values()):
        raise InvalidCellError(
            "has a date that can be read day first or month first",
            "import the file again and say which: day first (--dates dmy) or month first (--dates mdy)",
        )
    return order


def _is_one_meeting(times: Sequence[datetime | None]) -> bool:
    read = [at for at in times if at is not None]
    return len(read) == len(times) and max(read) - min(read) <= _LONGEST


def read_instant(written: WrittenTime, order: DateOrder, zone: ZoneInfo) -> datetime:
    """Convert a time in the school's time zone to UTC. It must be readable in this order. InvalidCellError if the clock
    shows it twice in autumn, or never in spring."""
    shown = written.read(order)
    assert shown is not None, "find_order has read it"
    first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != shown:
        raise InvalidCellError(
            "is a time that did not exist in the school's time zone: the clocks went forward",
            "download the report on a computer that is set to the school's time zone",
        )
    if first != second:
        raise InvalidCellError(
            "is in the hour that the clock shows twice when it goes back",
            "import the report as Microsoft Graph gives it, with times in UTC",
        )
    return first
