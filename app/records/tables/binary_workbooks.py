"""Binary workbooks (.xlsb). A part of one is a sequence of records, each with its kind and its length.

They are read one by one, because python-calamine passes over errors and some kinds of cell.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from app.records.tables.cells import MOST_TEXT, Marks, Sheet, build_sheet, format_cell, format_serial
from app.records.tables.number_formats import BUILT_IN, Shows, find_shown
from app.records.tables.packages import read_part
from app.records.tables.text_tables import Lines, check_extent, too_large

# Kinds of record, as [MS-XLSB] numbers them.
_ROW, _BLANK, _INTEGER, _ERROR, _YES_NO, _REAL, _TEXT, _SHARED_TEXT = range(8)
_RESULTS = {8: _TEXT, 9: _REAL, 10: _YES_NO, 11: _ERROR}  # of formulas
_RICH_TEXT = 62
_CELLS = {*range(_BLANK, 12), _RICH_TEXT}
_SHORT_CELLS = range(12, 19)  # as 1 to 7, for a cell that follows another and does not say in which column it is
_SHARED_ITEM, _FORMAT, _STYLE, _SETTINGS, _SHEET, _MERGED = 19, 44, 47, 153, 156, 176
_STYLES_BEGIN, _STYLES_END = 617, 618

_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_HIDDEN_ROW = 0x10


def read_binary_workbook(name: str, content: bytes) -> list[Sheet]:
    """The sheets of a workbook. UnreadableFileError if they would take too much memory; another error, such as KeyError
    or struct.error, if the file is damaged."""
    workbook = read_part(name, content, "xl/workbook.bin")
    targets = _read_targets(read_part(name, content, "xl/_rels/workbook.bin.rels"))
    texts = [
        _read_text(part, begin + 1)[0]
        for part in [read_part(name, content, "xl/sharedStrings.bin")]
        for kind, begin, _ in _iter_records(part)
        if kind == _SHARED_ITEM
    ]
    styles = _read_styles(read_part(name, content, "xl/styles.bin"))
    settings = next((begin for kind, begin, _ in _iter_records(workbook) if kind == _SETTINGS), None)
    from_1904 = settings is not None and bool(workbook[settings] & 1)
    sheets = []
    for number, title, is_hidden in _iter_sheet_names(workbook):
        target = targets[number]
        if target is not None:
            reading = _Reading(name, texts, styles, from_1904)
            reading.read(read_part(name, content, target))
            sheets.append(build_sheet(name, title, reading.lines, reading.marks, is_hidden=is_hidden))
    return sheets


def _read_targets(relations: bytes) -> dict[str, str | None]:
    """The part of each sheet by its id; None for what is not a sheet of cells, such as a chart."""
    targets: dict[str, str | None] = {}
    for relation in ElementTree.fromstring(relations):  # noqa: S314 - no entities
        target = relation.get("Target", "")
        is_sheet = relation.get("Type", "").endswith("/worksheet")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        targets[relation.get("Id", "")] = part if is_sheet else None
    return targets


def _iter_sheet_names(workbook: bytes) -> Iterator[tuple[str, str, bool]]:
    """The id and the name of each sheet, and whether it is hidden."""
    for kind, begin, _ in _iter_records(workbook):
        if kind == _SHEET:
            number, at = _read_text(workbook, begin + 8)
            yield number, _read_text(workbook, at)[0], workbook[begin] != 0


def _read_styles(content: bytes) -> list[Shows]:
    """What each style of a cell shows of a number."""
    formats = dict(BUILT_IN)
    styles: list[Shows] = []
    are_styles = False
    for kind, begin, _ in _iter_records(content):
        if kind == _FORMAT:
            formats[struct.unpack_from("<H", content, begin)[0]] = find_shown(_read_text(content, begin + 2)[0])
        elif kind in (_STYLES_BEGIN, _STYLES_END):
            are_styles = kind == _STYLES_BEGIN
        elif kind == _STYLE and are_styles:
            styles.append(formats.get(struct.unpack_from("<H", content, begin + 2)[0], Shows.NUMBER))
    return styles


@dataclass
class _Reading:
    """What was read of a sheet so far."""

    name: str
    texts: Sequence[str]
    styles: Sequence[Shows]
    from_1904: bool
    lines: Lines = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)
    width: int = 0
    characters: int = 0

    def read(self, content: bytes) -> None:
        """Read the records of a sheet."""
        row, column = 0, -1
        for kind, begin, _ in _iter_records(content):
            if kind == _ROW:
                row, column = struct.unpack_from("<I", content, begin)[0], -1
                if content[begin + 11] & _HIDDEN_ROW:
                    self.marks.hidden_rows.add(row)
            elif kind in _CELLS:
                column = struct.unpack_from("<I", content, begin)[0]
                self._put(row, column, self._read_cell(content, kind, begin + 4))
            elif kind in _SHORT_CELLS:
                column += 1
                self._put(row, column, self._read_cell(content, kind - _SHORT_CELLS[0] + _BLANK, begin))
            elif kind == _MERGED:
                self.marks.merged.append(struct.unpack_from("<IIII", content, begin))

    def _put(self, row: int, column: int, text: str) -> None:
        self.width = max(self.width, column + 1)
        self.characters += len(text)
        rows = max(len(self.lines), row + 1)
        check_extent(self.name, rows, self.width)
        if self.characters > MOST_TEXT:
            raise too_large(self.name)
        self.lines += ([] for _ in range(rows - len(self.lines)))
        line = self.lines[row]
        if isinstance(line, list):
            line += [""] * (column + 1 - len(line))
            line[column] = text

    def _read_cell(self, content: bytes, kind: int, at: int) -> str:
        """The text of a cell, whose style begins at a place and is followed by its value."""
        value, kind = at + 4, _RESULTS.get(kind, kind)
        if kind == _SHARED_TEXT:
            number: int = struct.unpack_from("<I", content, value)[0]
            return self.texts[number]
        if kind in (_TEXT, _RICH_TEXT):
            return _read_text(content, value + (kind == _RICH_TEXT))[0]
        if kind == _ERROR:
            return _ERRORS.get(content[value], "#N/A")
        if kind == _YES_NO:
            return format_cell(content[value] != 0)
        if kind == _BLANK:
            return ""
        given = _read_integer(content, value) if kind == _INTEGER else struct.unpack_from("<d", content, value)[0]
        style = int.from_bytes(content[at : at + 3], "little")
        shows = self.styles[style] if style < len(self.styles) else Shows.NUMBER
        return format_serial(given, shows, from_1904=self.from_1904)


def _read_integer(content: bytes, at: int) -> float:
    """A number of 30 bits, or the first half of a longer one; perhaps in hundredths."""
    bits = struct.unpack_from("<i", content, at)[0]
    number = float(bits >> 2) if bits & 2 else struct.unpack("<d", bytes(4) + struct.pack("<i", bits & ~3))[0]
    return number / 100 if bits & 1 else number


def _iter_records(content: bytes) -> Iterator[tuple[int, int, int]]:
    """The kind of each record, and where its content begins and ends. ValueError if the last one is not whole."""
    at = 0
    while at < len(content):
        kind, at = _read_varying(content, at, 2)
        length, at = _read_varying(content, at, 4)
        if at + length > len(content):
            raise ValueError("a part of it is incomplete")
        yield kind, at, at + length
        at += length


def _read_varying(content: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of up to `most` bytes, each with seven bits of it and one that says whether more follow; and where it
    ends."""
    value = 0
    for n in range(most):
        value |= (content[at + n] & 0x7F) << 7 * n
        if content[at + n] < 0x80:
            return value, at + n + 1
    return value, at + most


def _read_text(content: bytes, at: int) -> tuple[str, int]:
    length = struct.unpack_from("<I", content, at)[0]
    end = at + 4 + 2 * length
    return content[at + 4 : end].decode("utf-16-le"), end
