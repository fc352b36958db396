"""The parts of a binary workbook (.xlsb), read for what python-calamine does not report.

calamine gives the values. It does not report errors (they are blank), hidden rows, merged cells, or whether a day at
midnight has a time. A part is a sequence of records, each with its kind and its length; most are skipped.
"""

import struct
from collections.abc import Iterator

from app.records.rows import UnreadableFileError
from app.records.tables.cells import MOST_TEXT, Marks
from app.records.tables.number_formats import BUILT_IN, Shows, find_shown
from app.records.tables.packages import parse_part
from app.records.tables.text_tables import check_extent, too_large

# Kinds of record, by their numbers in [MS-XLSB].
_ROW, _NUMBER, _ERROR, _REAL, _SHARED_TEXT, _REAL_RESULT, _ERROR_RESULT = 0, 2, 3, 5, 7, 9, 11
_CELLS = range(1, 12)
_UNREAD_CELLS = (*range(12, 19), 62)  # kinds that calamine skips and Excel does not write
_SHARED_ITEM, _FORMAT, _STYLE, _SHEET, _MERGED = 19, 44, 47, 156, 176
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


class BinaryParts:
    """What has been read of a workbook so far: the lengths of its shared texts, the numbers of the styles that show a
    day with a time, the names of its sheets, and the marks of each sheet."""

    def __init__(self, name: str) -> None:
        """`name` is the name of the file."""
        self._name = name
        self._marks: dict[str, Marks] = {}
        self._lengths: list[int] = []
        self._styles: frozenset[int] = frozenset()
        self._workbook = b""
        self._targets: dict[str, str] = {}

    def take(self, filename: str, content: bytes) -> bytes:
        """Read a part and return it unchanged; sheets must come last. UnreadableFileError if a sheet would take too
        much memory, or has cells of a kind that cannot be read; ValueError or struct.error if the part is damaged."""
        part = filename.lower()
        if part.endswith("sharedstrings.bin"):
            records = (begin for kind, begin, _ in _iter_records(content) if kind == _SHARED_ITEM)
            self._lengths = [struct.unpack_from("<I", content, begin + 1)[0] for begin in records]
        elif part.endswith("styles.bin"):
            self._styles = _find_instant_styles(content)
        elif part.endswith("workbook.bin"):
            self._workbook = content
        elif part.endswith("workbook.bin.rels"):
            self._targets = _read_targets(content)
        elif part in self._targets.values():
            self._marks[part] = self._find_marks(content)
        return content

    def marks(self) -> dict[str, Marks]:
        """The marks of each sheet, by the sheet's name."""
        parts = ((title, self._targets.get(number, "")) for number, title in _iter_sheet_names(self._workbook))
        return {title: self._marks[part] for title, part in parts if part in self._marks}

    def _find_marks(self, content: bytes) -> Marks:
        marks = Marks()
        row = width = characters = 0
        for kind, begin, _ in _iter_records(content):
            if kind == _ROW:
                row = struct.unpack_from("<I", content, begin)[0]
                if content[begin + 11] & _HIDDEN_ROW:
                    marks.hidden_rows.add(row)
            elif kind in _CELLS:
                column, style = struct.unpack_from("<II", content, begin)
                width = max(width, column + 1)
                check_extent(self._name, row + 1, width)
                if kind in (_ERROR, _ERROR_RESULT):
                    marks.texts[row, column] = _ERRORS.get(content[begin + 8], "#N/A")
                elif kind == _SHARED_TEXT:
                    characters += self._lengths[struct.unpack_from("<I", content, begin + 8)[0]]
                elif kind in (_NUMBER, _REAL, _REAL_RESULT) and style & 0xFFFFFF in self._styles:
                    marks.instants.add((row, column))  # `build_sheet` applies it only to days at midnight
            elif kind == _MERGED:
                marks.merged.append(struct.unpack_from("<IIII", content, begin))
            elif kind in _UNREAD_CELLS:
                raise UnreadableFileError(
                    f"{self._name} has cells of a kind that cannot be read; open it in Excel and save it as an .xlsx "
                    "file."
                )
        if characters > MOST_TEXT:
            raise too_large(self._name)
        return marks


def _read_targets(relations: bytes) -> dict[str, str]:
    """By relation id, the name of each sheet's part in lower case. Sheets without cells, such as charts, are left
    out."""
    targets = {}
    for relation in parse_part(relations):
        target = relation.get("Target", "").lower()
        if relation.get("Type", "").endswith("/worksheet"):
            targets[relation.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return targets


def _iter_sheet_names(workbook: bytes) -> Iterator[tuple[str, str]]:
    """The relation id and the name of each sheet."""
    for kind, begin, _ in _iter_records(workbook):
        if kind == _SHEET:
            number, at = _read_text(workbook, begin + 8)
            yield number, _read_text(workbook, at)[0]


def _find_instant_styles(content: bytes) -> frozenset[int]:
    """The numbers of the cell styles that show both a day and a time."""
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
    return frozenset(number for number, shows in enumerate(styles) if shows is Shows.BOTH)


def _iter_records(content: bytes) -> Iterator[tuple[int, int, int]]:
    """The kind of each record, and where its content begins and ends. ValueError if the last one is incomplete."""
    at = 0
    while at < len(content):
        kind, at = _read_varying(content, at, 2)
        length, at = _read_varying(content, at, 4)
        if at + length > len(content):
            raise ValueError("a part of it is incomplete")
        yield kind, at, at + length
        at += length


def _read_varying(content: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of variable length, and the position after it. Each of its bytes, at most `most`, holds seven bits of
    the number and one that says whether another byte follows."""
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
