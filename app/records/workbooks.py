"""The sheets of a workbook: what its cells hold as a CSV file would write it, and which of them hold no value."""

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from app.records.rows import UnreadableFileError
from app.records.text_tables import MOST_CELLS, Lines, too_large
from app.records.workbook_parts import Marks, Place, unpack

_OLD_FORMAT = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SAVE_AS = "open it in Excel and save it as an .xlsx file"
_UNVALUED = (
    "holds a formula whose value is not in the file",
    "open the file in Excel, save it and import it again, or type the value",
)
_KINDS = {  # by a part that only this kind has
    "xl/workbook.bin": "an .xlsb workbook",
    "content.xml": "an OpenDocument file",
    "Index/Document.iwa": "a Numbers file",
    "word/document.xml": "a Word document",
}
_UNREADABLE = (
    CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    IndexError,
    KeyError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    ElementTree.ParseError,
)


@dataclass(frozen=True)
class Sheet:
    """A sheet, or the text of a file: its lines; of cells without a value what to say of them, as reason and fix;
    whether it is hidden, and which of its rows are; both counted from 0."""

    name: str
    lines: Lines
    faults: dict[Place, tuple[str, str]] = field(default_factory=dict)
    is_hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()

    @property
    def kind(self) -> str:
        return "hidden sheet" if self.is_hidden else "sheet"


def is_workbook(content: bytes) -> bool:
    """Whether a file is a workbook, of whatever kind, or another file that is packed like one."""
    return content.startswith(_OLD_FORMAT) or zipfile.is_zipfile(io.BytesIO(content))


def read_sheets(name: str, content: bytes) -> list[Sheet]:
    """The sheets of an .xlsx or .xlsm workbook that hold anything. UnreadableFileError for any other file."""
    if content.startswith(_OLD_FORMAT):
        if _ENCRYPTED in content:
            raise UnreadableFileError(
                f"{name} is locked with a password or a sensitivity label; save a copy without it, as an .xlsx file."
            )
        raise UnreadableFileError(f"{name} is a workbook of before 2007 (.xls); {_SAVE_AS}.")
    try:
        _check_kind(name, content)
        workbook = unpack(name, content)
        book = CalamineWorkbook.from_filelike(workbook.packed)
        sheets = []
        for about in book.sheets_metadata:
            if about.typ is SheetTypeEnum.WorkSheet:
                is_hidden = about.visible is not SheetVisibleEnum.Visible
                marks = workbook.marks.get(about.name, Marks())
                sheets.append(_read_sheet(name, book.get_sheet_by_name(about.name), marks, is_hidden=is_hidden))
    except _UNREADABLE as error:
        raise UnreadableFileError(f"{name} is not a readable Excel file ({error}); {_SAVE_AS}.") from None
    return [sheet for sheet in sheets if sheet.lines]


def _check_kind(name: str, content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = set(packed.namelist())
    for part, kind in _KINDS.items():
        if part in parts:
            raise UnreadableFileError(f"{name} is {kind}; {_SAVE_AS}, or as “CSV UTF-8”.")


def _read_sheet(name: str, sheet: CalamineSheet, marks: Marks, *, is_hidden: bool) -> Sheet:
    lines: Lines = [
        [cell if type(cell) is str else _format_cell(cell) for cell in row]
        for row in sheet.to_python(skip_empty_area=False)
    ]
    faults: dict[Place, tuple[str, str]] = {}
    for row, column in marks.instants:
        if _has(lines, row, column) and len(lines[row][column]) == len("2026-11-03"):
            _put(lines, row, column, f"{lines[row][column]}T00:00:00")
    for (row, column), text in [*marks.errors.items(), *marks.unvalued.items()]:
        _put(lines, row, column, text)
    faults.update(dict.fromkeys(marks.unvalued, _UNVALUED))
    return Sheet(sheet.name, lines, faults | _find_merged(name, sheet, lines), is_hidden, frozenset(marks.hidden_rows))


def _put(lines: Lines, row: int, column: int, text: str) -> None:
    lines += ([] for _ in range(row + 1 - len(lines)))
    line = lines[row]
    if isinstance(line, list):
        line += [""] * (column + 1 - len(line))
        line[column] = text


def _has(lines: Lines, row: int, column: int) -> bool:
    return 0 <= row < len(lines) and 0 <= column < len(lines[row])


def _find_merged(name: str, sheet: CalamineSheet, lines: Lines) -> dict[Place, tuple[str, str]]:
    """What to say of the cells that a merge covers, all but its first."""
    faults: dict[Place, tuple[str, str]] = {}
    covered = 0
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
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


def _format_number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"


@lru_cache(10_000)
def _format_moment(value: datetime) -> str:
    # Excel stores times as fractions of a day, which are slightly inexact.
    return (value + timedelta(milliseconds=500)).replace(microsecond=0).isoformat()


_FORMATS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "TRUE" if value else "FALSE",
    float: _format_number,
    datetime: _format_moment,
    date: date.isoformat,
    time: time.isoformat,
}


def _format_cell(value: Any) -> str:
    """The text that a CSV file would hold for a cell."""
    return _FORMATS.get(type(value), str)(value)
