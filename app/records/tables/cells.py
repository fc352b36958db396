"""The cells of a sheet in memory: their text, and what is wrong with those that hold no value."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

import xlrd

from app.records.tables.number_formats import Shows
from app.records.tables.text_tables import MOST_CELLS, Lines, too_large

MOST_TEXT = 100_000_000  # characters in the cells of a sheet; a text that many cells share counts in each

Place = tuple[int, int]  # row and column, both from 0
Block = tuple[int, int, int, int]  # the first and the last row, the first and the last column
Words = tuple[str, str]  # what is wrong, and the fix

UNVALUED: Words = (
    "holds a formula whose value is not in the file",
    "open the file in Excel, save it and import it again, or type the value",
)
STALE: Words = (
    "holds a formula whose value may not be in the file",
    "open the file in Excel, save it as an .xlsx file and import that, or type the value",
)


@dataclass(frozen=True)
class Sheet:
    """A sheet, or a text file. `faults` says what is wrong with cells that hold no value; `hidden_rows` counts from
    0."""

    name: str
    lines: Lines
    faults: dict[Place, Words] = field(default_factory=dict)
    is_hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()

    @property
    def kind(self) -> str:
        return "hidden sheet" if self.is_hidden else "sheet"


@dataclass
class Marks:
    """What a library does not report of a sheet. Rows and columns count from 0.

    - `texts`: the text of cells that the library reads as something else, such as errors
    - `faults`: what is wrong with cells that hold no value
    - `instants`: cells whose format shows a day and a time, so that a day alone means midnight
    - `merged`: blocks of merged cells
    """

    texts: dict[Place, str] = field(default_factory=dict)
    faults: dict[Place, Words] = field(default_factory=dict)
    instants: set[Place] = field(default_factory=set)
    merged: list[Block] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)


def name_column(column: int) -> str:
    """The letters of a column, counted from 0, as a spreadsheet shows them."""
    return (name_column(column // 26 - 1) if column >= 26 else "") + chr(65 + column % 26)


def build_sheet(name: str, title: str, lines: Lines, marks: Marks, *, is_hidden: bool) -> Sheet:
    """Make a sheet: the marks change `lines` and give the faults. `title` is the name of the sheet.
    UnreadableFileError, with the `name` of the file, if too many cells are merged."""
    for row, column in marks.instants:
        if _has(lines, row, column) and len(lines[row][column]) == len("2026-11-03"):
            _put(lines, row, column, f"{lines[row][column]}T00:00:00")
    for (row, column), text in marks.texts.items():
        _put(lines, row, column, text)
    faults = marks.faults | _find_covered(name, marks.merged, lines)
    return Sheet(title, lines, faults, is_hidden, frozenset(marks.hidden_rows))


def _has(lines: Lines, row: int, column: int) -> bool:
    return 0 <= row < len(lines) and 0 <= column < len(lines[row])


def _put(lines: Lines, row: int, column: int, text: str) -> None:
    lines += ([] for _ in range(row + 1 - len(lines)))
    line = lines[row]
    if isinstance(line, list):
        line += [""] * (column + 1 - len(line))
        line[column] = text


def _find_covered(name: str, merged: Iterable[Block], lines: Lines) -> dict[Place, Words]:
    """A fault for every cell of a merged block but the first. Blocks whose first cell is blank have none."""
    faults: dict[Place, Words] = {}
    covered = 0
    for top, bottom, left, right in merged:
        rows = range(top, min(bottom, len(lines) - 1) + 1)
        columns = range(left, min(right, len(lines[top]) - 1) + 1) if top < len(lines) else range(0)
        if not (columns and lines[top][left]):
            continue
        covered += len(rows) * len(columns)
        if covered > MOST_CELLS:
            raise too_large(name)
        for row in rows:
            for column in columns:
                if (row, column) != (top, left):
                    side = "above it" if row > top else "before it"
                    faults[row, column] = (
                        f"is merged with the cell {side}",
                        "unmerge the cells in the spreadsheet, and fill in each",
                    )
    return faults


# Many cells hold the same number or moment.
@lru_cache(10_000)
def _format_number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"


@lru_cache(10_000)
def _format_moment(value: datetime) -> str:
    # Excel stores times as fractions of a day, which are slightly inexact.
    return (value + timedelta(milliseconds=500)).replace(microsecond=0).isoformat()


# How a CSV file would hold a cell, by the type of its value.
FORMATS: dict[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "TRUE" if value else "FALSE",
    int: str,
    float: _format_number,
    datetime: _format_moment,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: str,
}


def format_cell(value: Any) -> str:
    """The text that a CSV file would hold for a cell."""
    return FORMATS[type(value)](value)


def format_serial(value: float, shows: Shows, *, from_1904: bool) -> str:
    """The text for a number from an Excel file. If its format shows a day or a time, the number counts days since 1900
    or 1904. Midnight is written only if the format shows a time."""
    if shows is Shows.NUMBER:
        return _format_number(value)
    try:
        moment: datetime = xlrd.xldate_as_datetime(value, int(from_1904))
    except (ValueError, OverflowError):
        return _format_number(value)
    text = _format_moment(moment)
    day, _, clock = text.partition("T")
    if 0 <= value < 1:
        return clock
    return day if shows is Shows.DAY and clock == "00:00:00" else text
