"""What the number format of a cell shows: a number, a day, a time, or both."""

import re
from enum import Enum

_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)


class Shows(Enum):
    NUMBER = "number"
    DAY = "day"
    TIME = "time"
    BOTH = "both"


def find_shown(code: str) -> Shows:
    """What a format shows, such as "dd/mm/yyyy hh:mm"."""
    plain = _LITERAL.sub("", code).partition(";")[0].lower()
    if plain.strip() in ("", "general", "@"):
        return Shows.NUMBER
    has_time = "h" in plain or "s" in plain
    has_day = "d" in plain or "y" in plain or ("m" in plain and not has_time)
    if has_day and has_time:
        return Shows.BOTH
    return Shows.DAY if has_day else Shows.TIME if has_time else Shows.NUMBER


# The formats that a workbook names by number alone.
BUILT_IN = {
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58), Shows.DAY),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47, 55, 56), Shows.TIME),
    22: Shows.BOTH,
}
