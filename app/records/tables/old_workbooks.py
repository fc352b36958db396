"""Excel workbooks in the format before 2007 (.xls), read by xlrd."""

import io
import struct
from collections.abc import Iterator
from typing import Any

import xlrd

from app.records.rows import UnreadableFileError
from app.records.tables.cells import MOST_TEXT, STALE, Marks, Place, Sheet, build_sheet, format_cell, format_serial
from app.records.tables.number_formats import find_shown
from app.records.tables.text_tables import MOST_CELLS, Lines, too_large

_MOST_BYTES = 50_000_000  # xlrd needs several times as much memory
_MOST_SHEETS = 200
_FORMULAS = (0x0006, 0x0206, 0x0406)  # kinds of record
_BEGINS = (0x0009, 0x0209, 0x0409, 0x0809)
_ENDS = 0x000A
_SHEET_LIST = 0x0085
_CALCULATE_WHEN_OPENED = 0x02


def read_old_sheets(name: str, content: bytes) -> list[Sheet]:
    """The sheets of an .xls workbook. UnreadableFileError for any other file, a locked one and a damaged one."""
    if len(content) > _MOST_BYTES:
        raise too_large(name)
    try:
        book = xlrd.open_workbook(
            file_contents=content, formatting_info=True, on_demand=True, ragged_rows=True, logfile=io.StringIO()
        )
        if book.nsheets > _MOST_SHEETS:
            raise too_large(name)
        return list(_iter_sheets(name, book))
    except UnreadableFileError:
        raise
    except Exception as error:  # on unexpected bytes xlrd may raise anything
        if "encrypted" in str(error):
            raise UnreadableFileError(
                f"{name} is locked with a password; save a copy without it, as an .xlsx file."
            ) from None
        raise UnreadableFileError(
            f"{name} is not a workbook, or is incomplete. Copy or download it again, or open it in Excel and save it "
            "as an .xlsx file."
        ) from None


def _iter_sheets(name: str, book: Any) -> Iterator[Sheet]:
    formulas = _find_formulas(book.mem, book.base)
    for number in range(book.nsheets):
        sheet = book.sheet_by_index(number)
        if sum(map(sheet.row_len, range(sheet.nrows))) > MOST_CELLS:
            raise too_large(name)
        lines, marks = _read_cells(name, book, sheet, formulas[number])
        marks.hidden_rows = {row for row, about in sheet.rowinfo_map.items() if about.hidden}
        marks.merged = [(top, below - 1, left, beside - 1) for top, below, left, beside in sheet.merged_cells]
        yield build_sheet(name, sheet.name, lines, marks, is_hidden=sheet.visibility != 0)
        book.unload_sheet(number)


def _read_cells(name: str, book: Any, sheet: Any, formulas: set[Place]) -> tuple[Lines, Marks]:
    """The cells of a sheet as text, and the marks of its formulas."""
    lines: Lines = []
    marks = Marks()
    characters = 0
    for row in range(sheet.nrows):
        line = []
        for column, (kind, value) in enumerate(zip(sheet.row_types(row), sheet.row_values(row), strict=True)):
            text = value if kind == xlrd.XL_CELL_TEXT else _format(book, sheet, (row, column), kind, value)
            characters += len(text)
            line.append(text)
            if (row, column) in formulas:
                marks.faults[row, column] = STALE
        lines.append(line)
        if characters > MOST_TEXT:
            raise too_large(name)
    return lines, marks


def _format(book: Any, sheet: Any, place: Place, kind: int, value: Any) -> str:
    if kind == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(value, "#N/A"))
    if kind == xlrd.XL_CELL_BOOLEAN:
        return format_cell(bool(value))
    if kind == xlrd.XL_CELL_DATE:
        style = book.xf_list[sheet.cell_xf_index(*place)]
        shows = find_shown(book.format_map[style.format_key].format_str)
        return format_serial(value, shows, from_1904=book.datemode == 1)
    return format_cell(value)


def _find_formulas(stream: bytes, base: int) -> list[set[Place]]:
    """For each sheet, the places of formulas whose value may not be in the file, which xlrd cannot tell from values:
    those with the value 0 that are to be calculated when the file is opened, as programs write them, and those with an
    empty text. `base` is where the workbook begins in the stream."""
    starts = [
        base + struct.unpack_from("<I", stream, at)[0]
        for kind, at in _iter_records(stream, base)
        if kind == _SHEET_LIST and stream[at + 5] == 0
    ]
    found = []
    for start in starts:
        places = set()
        for kind, at in _iter_records(stream, start):
            if kind in _FORMULAS:
                row, column, _, result, flags = struct.unpack_from("<HHH8sH", stream, at)
                if _has_no_text(result) or (flags & _CALCULATE_WHEN_OPENED and result == bytes(8)):
                    places.add((row, column))
        found.append(places)
    return found


def _has_no_text(result: bytes) -> bool:
    """Whether the stored result of a formula is an empty text, which can also mean that no result was stored."""
    return result[0] == 3 and result[6:] == b"\xff\xff"


def _iter_records(stream: bytes, start: int) -> Iterator[tuple[int, int]]:
    """The kind of each record in a part of the workbook, and where its content begins. Parts, such as charts, may be
    nested."""
    at, depth = start, 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        depth += (kind in _BEGINS) - (kind == _ENDS)
        if depth <= 0:
            return
        yield kind, at + 4
        at += 4 + length
