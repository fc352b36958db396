"""The rows of a file: those that can be used, and those rejected.

A rejected row is never lost: it is reported with its column, the reason and the fix, and stored unchanged. Reason and
fix never repeat the row's content, since they are printed; `value` may.
"""

from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

R = TypeVar("R")


class UnreadableFileError(Exception):
    """The whole file cannot be read; the message gives the reason and the fix."""


class InvalidCellError(ValueError):
    """A cell that cannot be used. `reason` follows the column's name ("is blank"), `fix` says what to do about it;
    `column` is None if the row as a whole is at fault."""

    def __init__(self, reason: str, fix: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.fix, self.column = reason, fix, column


class RowNumber(int):
    """The number of a row, as a spreadsheet counts, the `sheet` that it is in if the file has several, and the `file`
    if the table is made of several."""

    sheet: str
    file: str | None

    def __new__(cls, number: int, sheet: str = "", file: str | None = None) -> Self:
        row = super().__new__(cls, number)
        row.sheet, row.file = sheet, file
        return row


@dataclass(frozen=True)
class RejectedRow:
    """A row that cannot be used. `row` counts as a spreadsheet does, the header being row 1; of JSON it is the number
    of the record. `column` and `value` are None if the row as a whole is at fault; `file` names the file in a folder or
    an archive, `sheet` that of several sheets of a workbook."""

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
    """A row that can be used, with its number in the file and its cells as they came."""

    number: int
    cells: dict[str, str]
    row: R


@dataclass
class ParsedRows(Generic[R]):
    """The rows of a file, its columns that the program does not know, and sentences that report what else was noticed,
    such as rows that were not read."""

    rows: list[ReadRow[R]]
    rejected: list[RejectedRow]
    unknown_columns: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def reject(number: int, cells: dict[str, str], fault: InvalidCellError) -> RejectedRow:
    """A row of a table, rejected for a fault."""
    value = cells.get(fault.column) if fault.column else None
    reason, file, sheet = fault.reason, None, ""
    if isinstance(number, RowNumber):
        file, sheet = number.file, number.sheet
        reason = f"{reason} (in the sheet {sheet})" if sheet else reason
    return RejectedRow(int(number), fault.column, value, reason, fault.fix, cells, file, sheet)
