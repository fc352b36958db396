"""The rows of a file: those that can be used, and those rejected.

A rejected row is never lost: it is reported with its column, the reason and the fix, and stored unchanged. The reason
and the fix are printed, so they never repeat what a row holds; only `value` and `original` do.
"""

from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

R = TypeVar("R")


class UnreadableFileError(Exception):
    """The whole file cannot be read; the message gives the reason and the fix."""


class InvalidCellError(ValueError):
    """A cell that cannot be used. `reason` is worded to follow the column's name ("is blank"); `fix` says what to do.
    `column` is None if the row as a whole is at fault."""

    def __init__(self, reason: str, fix: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.fix, self.column = reason, fix, column


class RowNumber(int):
    """The number of a row, counted as in a spreadsheet, with its `sheet` if the file has several, and its `file` if the
    table was put together from several."""

    sheet: str
    file: str | None

    def __new__(cls, number: int, sheet: str = "", file: str | None = None) -> Self:
        row = super().__new__(cls, number)
        row.sheet, row.file = sheet, file
        return row


@dataclass(frozen=True)
class RejectedRow:
    """A row that cannot be used. `row` is its number, counted as in a spreadsheet (the first line is row 1); in JSON it
    is the number of the record. `column` and `value` are None if the row as a whole is at fault. `file` names the file
    in a folder or an archive; `sheet` names the sheet if a workbook has several."""

    row: int
    column: str | None
    value: str | None
    reason: str
    fix: str
    original: Any
    file: str | None = None
    sheet: str = ""


@dataclass(frozen=True)
class ReadRow(Generic[R]):
    """A row that can be used, with its number in the file and its original cells."""

    number: int
    cells: dict[str, str]
    row: R


@dataclass
class ParsedRows(Generic[R]):
    """The rows of a file, the columns that the program does not know, and notes on anything else, such as rows that
    were not read."""

    rows: list[ReadRow[R]]
    rejected: list[RejectedRow]
    unknown_columns: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def reject(number: int, cells: dict[str, str], fault: InvalidCellError) -> RejectedRow:
    """The rejection of a table's row for a fault."""
    value = cells.get(fault.column) if fault.column else None
    reason, file, sheet = fault.reason, None, ""
    if isinstance(number, RowNumber):
        file, sheet = number.file, number.sheet
        reason = f"{reason} (in the sheet {sheet})" if sheet else reason
    return RejectedRow(int(number), fault.column, value, reason, fault.fix, cells, file, sheet)
