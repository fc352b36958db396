"""Binary workbooks (.xlsb), read for what python-calamine does not tell: errors, merged cells, hidden rows, and
whether a day at midnight has a time. A file is a sequence of records, each with its kind and its length."""

import struct
from collections.abc import Iterator
from xml.etree import ElementTree

from app.records.cells import MOST_TEXT, Marks, shows_day_and_time
from app.records.packages import is_sheet
from app.records.rows import UnreadableFileError
from app.records.text_tables import MOST_CELLS, too_large

# Kinds of record, as [MS-XLSB] numbers them.
_ROW, _ERROR, _FORMULA_ERROR, _SHARED_TEXT = 0, 3, 11, 7
_CELLS = {*range(1, 12), 62}
_SHORT_CELLS = range(12, 19)  # as 1 to 7, for a cell that follows another; calamine passes over them
_NUMBERS = {2, 5, 9}
_TEXT, _FORMAT, _STYLE, _SHEET, _MERGED = 19, 44, 47, 156, 176
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
_HIDDEN = 0x10  # a bit of a row
_DAY_AND_TIME = 22  # the number of the only such format that is built in


class BinaryParts:
    """The parts of a workbook that were read so far: the lengths of its texts, the numbers of the styles that show a
    day with a time, the marks of each sheet."""

    def __init__(self, name: str) -> None:
        """`name` is that of the file."""
        self._name = name
        self._marks: dict[str, Marks] = {}
        self._lengths: list[int] = []
        self._styles: set[int] = set()
        self._titles: dict[str, str] = {}  # of the sheets, by the id of their part
        self._targets: dict[str, str] = {}  # the parts, by their id

    def take(self, filename: str, content: bytes) -> bytes:
        """Read a part, and return it as calamine can read it; texts and styles must come before the sheets.
        UnreadableFileError if a sheet would take too much memory."""
        part = filename.lower()
        if part == "xl/workbook.bin":
            self._titles = dict(_read_sheet_names(content))
        elif part == "xl/_rels/workbook.bin.rels":
            for relation in ElementTree.fromstring(content):  # noqa: S314 - no entities
                target = relation.get("Target", "").lower()
                self._targets[relation.get("Id", "")] = target.lstrip("/") if target[:1] == "/" else f"xl/{target}"
        elif part == "xl/sharedstrings.bin":
            self._lengths = [end - begin for kind, begin, end in _iter_records(content) if kind == _TEXT]
        elif part == "xl/styles.bin":
            self._styles = _find_instant_styles(content)
        elif is_sheet(part) and part.endswith(".bin"):
            content = _lengthen(content)
            self._marks[part] = self._read_sheet(content)
        return content

    def marks(self) -> dict[str, Marks]:
        """The marks of each sheet, by its name."""
        parts = {title: self._targets.get(number, "") for number, title in self._titles.items()}
        return {title: self._marks[part] for title, part in parts.items() if part in self._marks}

    def _read_sheet(self, content: bytes) -> Marks:
        marks = Marks()
        row = last = width = characters = 0
        for kind, begin, end in _iter_records(content):
            if kind == _ROW:
                row = struct.unpack_from("<I", content, begin)[0]
                if content[begin + 11] & _HIDDEN:
                    marks.hidden_rows.add(row)
            elif kind in _CELLS:
                column, style = struct.unpack_from("<II", content, begin)
                last, width = max(last, row + 1), max(width, column + 1)
                characters += self._measure(content, kind, begin, end)
                if last * width > MOST_CELLS:
                    raise UnreadableFileError(
                        f"{self._name} has a cell far out, in row {last} or column {width}; delete what does not "
                        "belong there."
                    )
                if kind in (_ERROR, _FORMULA_ERROR):
                    marks.texts[row, column] = _ERRORS.get(content[begin + 8], "#N/A")
                elif kind in _NUMBERS and style & 0xFFFFFF in self._styles:
                    marks.instants.add((row, column))
            elif kind == _MERGED:
                marks.merged.append(struct.unpack_from("<IIII", content, begin))
        if characters > MOST_TEXT:
            raise too_large(self._name)
        return marks

    def _measure(self, content: bytes, kind: int, begin: int, end: int) -> int:
        """How long the text of a cell may be."""
        if kind != _SHARED_TEXT:
            return end - begin
        number = struct.unpack_from("<I", content, begin + 8)[0]
        return self._lengths[number] if number < len(self._lengths) else 0


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


def _lengthen(content: bytes) -> bytes:
    """The records of a sheet, with cells that do not say in which column they are brought into the usual form."""
    if not any(kind in _SHORT_CELLS for kind, _, _ in _iter_records(content)):
        return content
    column = -1
    long = bytearray()
    for kind, begin, end in _iter_records(content):
        record, usual = content[begin:end], kind
        if kind in _SHORT_CELLS:
            column += 1
            record, usual = struct.pack("<I", column) + record, kind - _SHORT_CELLS[0] + 1
        elif kind in _CELLS:
            column = struct.unpack_from("<I", record)[0]
        elif kind == _ROW:
            column = -1
        long += _write_varying(usual) + _write_varying(len(record)) + record
    return bytes(long)


def _write_varying(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _write_varying(rest) if rest else bytes([low])


def _read_varying(content: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of up to `most` bytes, each with seven bits of it and one that says whether more follow; and where it
    ends."""
    value = 0
    for n in range(most):
        value |= (content[at + n] & 0x7F) << 7 * n
        if content[at + n] < 0x80:
            return value, at + n + 1
    return value, at + most


def _read_sheet_names(content: bytes) -> Iterator[tuple[str, str]]:
    """The id of the part of each sheet, and the sheet's name."""
    for kind, begin, _ in _iter_records(content):
        if kind == _SHEET:
            number, at = _read_text(content, begin + 8)
            yield number, _read_text(content, at)[0]


def _read_text(content: bytes, at: int) -> tuple[str, int]:
    length = struct.unpack_from("<I", content, at)[0]
    end = at + 4 + 2 * length
    return content[at + 4 : end].decode("utf-16-le"), end


def _find_instant_styles(content: bytes) -> set[int]:
    """The numbers of the cell styles that show both a day and a time."""
    formats = {_DAY_AND_TIME}
    styles: list[int] = []
    are_styles = False
    for kind, begin, _ in _iter_records(content):
        if kind == _FORMAT:
            if shows_day_and_time(_read_text(content, begin + 2)[0]):
                formats.add(struct.unpack_from("<H", content, begin)[0])
        elif kind in (_STYLES_BEGIN, _STYLES_END):
            are_styles = kind == _STYLES_BEGIN
        elif kind == _STYLE and are_styles:
            styles.append(struct.unpack_from("<H", content, begin + 2)[0])
    return {number for number, code in enumerate(styles) if code in formats}
