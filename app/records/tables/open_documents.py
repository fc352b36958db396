"""OpenDocument spreadsheets (.ods), read directly from their XML, which says everything about a cell.

python-calamine reports neither errors nor formulas without a value, and drops tabs between words.
"""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from xml.etree import ElementTree  # nosec B405
from xml.etree.ElementTree import Element  # nosec B405

from app.records.tables.cells import MOST_TEXT, UNVALUED, Marks, Sheet, build_sheet, format_cell
from app.records.tables.text_tables import Lines, check_extent, too_large

_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns"
_OFFICE, _TABLE, _TEXT, _STYLE = (f"{{{_NAMESPACE}:{part}:1.0}}" for part in ("office", "table", "text", "style"))
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_ERROR = re.compile(r"#[A-Z/0]+[!?]|#N/A|Err:\d{3}")
_TIME = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")


def read_open_document(name: str, xml: bytes) -> list[Sheet]:
    """The sheets of a spreadsheet, from its content.xml. A table within a cell is not a sheet. UnreadableFileError if
    the sheets would take too much memory; ValueError or ParseError if the XML is invalid."""
    sheets: list[Sheet] = []
    hidden_styles: set[str] = set()
    reading, depth = _Reading(name), 0
    for event, element in ElementTree.iterparse(io.BytesIO(xml), ("start", "end")):  # noqa: S314 # nosec B314
        if element.tag == f"{_TABLE}table":
            depth += 1 if event == "start" else -1
            if event == "start" and depth == 1:
                reading = _Reading(name)
            elif depth == 0:
                is_hidden = element.get(f"{_TABLE}style-name") in hidden_styles
                title = element.get(f"{_TABLE}name", "")
                sheets.append(build_sheet(name, title, reading.lines, reading.marks, is_hidden=is_hidden))
                element.clear()
        elif event == "end" and element.tag == f"{_TABLE}table-row" and depth == 1:
            reading.add(element)
            element.clear()
        elif event == "end" and element.tag == f"{_STYLE}style":
            shown = [child.get(f"{_TABLE}display") for child in element]
            if "false" in shown:
                hidden_styles.add(element.get(f"{_STYLE}name", ""))
    return sheets


@dataclass
class _Reading:
    """What has been read of a sheet so far. `rows` includes empty rows, of which millions may follow the last filled
    one; `columns` counts up to the last filled cell of any row."""

    name: str
    lines: Lines = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)
    rows: int = 0
    columns: int = 0
    characters: int = 0

    def add(self, row: Element) -> None:
        """Read a row element, which may stand for several equal rows."""
        times = _count(row, "rows")
        cells = [(column, repeated, cell, _read_value(cell)) for column, repeated, cell in _iter_cells(row)]
        if cells:
            self._check_size(times, cells)
            self.lines += ([] for _ in range(self.rows - len(self.lines)))
            line = [""] * (cells[-1][0] + cells[-1][1])
            for column, repeated, _, text in cells:
                line[column : column + repeated] = [text] * repeated
            for number in range(self.rows, self.rows + times):
                self.lines.append(list(line))
                for column, repeated, cell, text in cells:
                    self._mark(number, range(column, column + repeated), cell, text)
            if row.get(f"{_TABLE}visibility", "visible") != "visible":
                self.marks.hidden_rows.update(range(self.rows, self.rows + times))
        self.rows += times

    def _check_size(self, times: int, cells: list[tuple[int, int, Element, str]]) -> None:
        rows = self.rows + times
        self.columns = max(self.columns, cells[-1][0] + cells[-1][1])
        self.characters += times * sum(repeated * len(text) for _, repeated, _, text in cells)
        check_extent(self.name, rows, self.columns)
        if self.characters > MOST_TEXT:
            raise too_large(self.name)

    def _mark(self, row: int, columns: range, cell: Element, text: str) -> None:
        high, wide = _count(cell, "rows", "spanned"), _count(cell, "columns", "spanned")
        if high > 1 or wide > 1:
            self.marks.merged += [(row, row + high - 1, column, column + wide - 1) for column in columns]
        if text.startswith("=") and _is_unvalued(cell):
            self.marks.faults |= {(row, column): UNVALUED for column in columns}


def _iter_cells(row: Element) -> Iterator[tuple[int, int, Element]]:
    """Each cell that holds anything: its first column, in how many columns it is repeated, and the element."""
    column = 0
    for cell in row:
        if cell.tag not in _CELLS:
            continue
        repeated = _count(cell, "columns")
        if len(cell) or cell.get(f"{_OFFICE}value-type") or cell.get(f"{_TABLE}formula"):
            yield column, repeated, cell
        column += repeated


def _count(element: Element, what: str, how: str = "repeated") -> int:
    return max(1, int(element.get(f"{_TABLE}number-{what}-{how}", 1)))


def _read_value(cell: Element) -> str:
    """The text that a CSV file would hold for a cell; for a formula without a value, the formula."""
    shown = "\n".join(_read_paragraph(paragraph) for paragraph in cell.findall(f"{_TEXT}p"))
    kind = cell.get(f"{_OFFICE}value-type", "")
    if cell.get(f"{_CALC}value-type") == "error" or _ERROR.fullmatch(shown):
        return shown or "#N/A"
    if kind in _READERS:
        return _READERS[kind](cell)
    if _is_unvalued(cell):
        return "=" + cell.get(f"{_TABLE}formula", "").partition("=")[2]
    return cell.get(f"{_OFFICE}string-value", shown)


def _read_number(cell: Element) -> str:
    return format_cell(float(cell.get(f"{_OFFICE}value", "")))


def _read_date(cell: Element) -> str:
    value = cell.get(f"{_OFFICE}date-value", "")
    return format_cell(datetime.fromisoformat(value)) if "T" in value else value


def _read_time(cell: Element) -> str:
    value = cell.get(f"{_OFFICE}time-value", "")
    found = _TIME.fullmatch(value)
    hours, minutes, seconds = map(int, found.groups()) if found else (24, 0, 0)
    return time(hours, minutes, seconds).isoformat() if hours < 24 else value


def _read_yes_no(cell: Element) -> str:
    return cell.get(f"{_OFFICE}boolean-value", "").upper()


_READERS: dict[str, Callable[[Element], str]] = {
    "float": _read_number,
    "percentage": _read_number,
    "currency": _read_number,
    "date": _read_date,
    "time": _read_time,
    "boolean": _read_yes_no,
}


def _is_unvalued(cell: Element) -> bool:
    is_formula, has_type = cell.get(f"{_TABLE}formula"), cell.get(f"{_OFFICE}value-type")
    return bool(is_formula) and not has_type and cell.find(f"{_TEXT}p") is None


def _read_paragraph(paragraph: Element) -> str:
    """The text of a paragraph, without comments."""
    text = paragraph.text or ""
    for child in paragraph:
        if child.tag == f"{_TEXT}s":
            text += " " * int(child.get(f"{_TEXT}c", 1))
        elif child.tag == f"{_TEXT}tab":
            text += "\t"
        elif child.tag == f"{_TEXT}line-break":
            text += "\n"
        elif child.tag != f"{_OFFICE}annotation":
            text += _read_paragraph(child)
        text += child.tail or ""
    return text
