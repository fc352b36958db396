"""The XML of an .xlsx workbook, read for what python-calamine does not report.

calamine gives the values. It reports neither errors nor formulas without a value (both are blank), nor hidden rows, nor
whether a day at midnight has a time. These are rare, so the XML is searched for them, which is many times faster than
parsing every cell.
"""

import html
import re
from collections.abc import Iterator
from functools import reduce
from itertools import pairwise
from operator import itemgetter

from app.records.tables.cells import MOST_TEXT, STALE, UNVALUED, Marks, Place, name_column
from app.records.tables.number_formats import Shows, find_shown
from app.records.tables.packages import is_sheet, parse_part
from app.records.tables.text_tables import check_extent, too_large

_PIECE = 1_000_000  # bytes searched at once

# Sheets are searched in the form in which Excel writes them; `_rewrite` converts any other form.
_WITH_PREFIX = re.compile(rb":(?:c|row)[\s/>]")
_ANY_TAG = re.compile(rb"<(/?)(?:[\w.-]+:)?([\w.-]+)((?:\s[^<>]*?)?)(/?)>")
_ATTRIBUTE = re.compile(rb"""(?:[\w.-]+:)?([\w.-]+)\s*=\s*("[^"]*"|'[^']*')""")
_REFERENCE = re.compile(rb'<c r="([A-Za-z]+)(\d+)"')
_ROW_NUMBER = re.compile(rb'<row r="(\d+)"')
_HIDDEN_ROW = re.compile(rb'<row r="(\d+)"[^<>]* hidden="(?:1|true)"')
_FORMULA = re.compile(rb"<f(?:\s[^<>]*)?>([^<]*)<")
_FORMULA_TAG = re.compile(rb"<f[\s/>]")
_BLANK_RESULT = re.compile(rb' t="str"[^\0]*<v\s*/?>')  # a formula whose result is an empty text
_RECALCULATES = re.compile(rb'\bfullCalcOnLoad="(?:1|true)"')
_VALUE = re.compile(rb"<[vt](?:\s[^<>]*)?>([^<]+)<")
_MIDNIGHT = rb"[^<>]*>(?:<f[^<>]*/>|<f[^<>]*>[^<]*</f>)?<v>\d+(?:\.0000\d*|\.9999\d*)?</v>"
_NAMES_TEXT = re.compile(rb' t="s"[^<>]*><v>(\d+)</v>')
_TEXT_END = re.compile(rb"</si>|<si ?/>|</\w+:si>|<\w+:si ?/>")


class WorkbookParts:
    """What has been read of an .xlsx workbook so far: the lengths of its shared texts, the numbers of the styles that
    show a day with a time, and the marks of each sheet."""

    def __init__(self, name: str) -> None:
        """`name` is the name of the file."""
        self._name = name
        self._marks: dict[str, Marks] = {}
        self._lengths: list[int] = []
        self._styles: list[bytes] = []
        self._small: dict[str, bytes] = {}
        self._recalculates = False

    def take(self, filename: str, content: bytes) -> bytes:
        """Read a part and return it unchanged; texts and styles must come before the sheets. UnreadableFileError if a
        sheet would take too much memory: a single cell far out is enough, or one long text in many cells."""
        part = filename.lower()
        if b"<sst" in content or b":sst" in content:
            if self._lengths:
                raise ValueError("it has its texts twice")
            ends = [0, *(match.end() for match in _TEXT_END.finditer(content)), len(content)]
            self._lengths = [end - begin - len("<si><t></t></si>") for begin, end in pairwise(ends)]
        elif part.endswith("styles.xml"):
            self._styles = _find_instant_styles(content)
        elif part.endswith(("workbook.xml", "workbook.xml.rels")):
            self._small[part.rpartition("/")[2]] = content
            self._recalculates |= bool(_RECALCULATES.search(content))
        if is_sheet(part):
            xml = _rewrite(content) if _is_of_another_form(content) else content
            _check_cells(self._name, xml)
            _check_texts(self._name, xml, self._lengths)
            self._marks[part] = _find_marks(xml, self._styles, recalculates=self._recalculates)
        return content

    def marks(self) -> dict[str, Marks]:
        """The marks of each sheet, by the sheet's name."""
        return {title: self._marks[part] for title, part in self._iter_titles() if part in self._marks}

    def _iter_titles(self) -> Iterator[tuple[str, str]]:
        """The name of each sheet, and of its part in lower case."""
        targets = {}
        for relation in parse_part(self._small.get("workbook.xml.rels", b"<none/>")):
            target = relation.get("Target", "").lower()
            targets[relation.get("Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        for element in parse_part(self._small.get("workbook.xml", b"<none/>")).iter():
            if element.tag.rpartition("}")[2] == "sheet":
                number = next((value for key, value in element.items() if key.endswith("}id")), None)
                yield element.get("name", ""), targets.get(number, "")


def _is_of_another_form(xml: bytes) -> bool:
    """Whether a sheet is not written as Excel writes it: it has prefixes, other quotation marks, or cells or rows
    without a reference."""
    begin, end = xml.find(b"<sheetData"), xml.rfind(b"</sheetData>")
    counts = (xml.count(b"<" + tag, begin, end) != xml.count(b'<%b r="' % tag, begin, end) for tag in (b"c", b"row"))
    return begin < 0 or any(counts) or bool(_WITH_PREFIX.search(xml))


def _rewrite(xml: bytes) -> bytes:
    """The XML of a sheet as Excel would write it. Rows and cells without a reference follow the one before."""
    row = column = 0

    def write(tag: re.Match[bytes]) -> bytes:
        nonlocal row, column
        ends, name, rest, closes = tag.groups()
        attributes = {key: value[1:-1] for key, value in _ATTRIBUTE.findall(rest)}
        if not ends and name == b"row":
            row, column = int(attributes.pop(b"r", row + 1)), 0
            attributes = {b"r": b"%d" % row} | attributes
        elif not ends and name == b"c":
            place = attributes.pop(b"r", b"%b%d" % (name_column(column).encode(), row))
            column = _read_column_number(place.rstrip(b"0123456789"))
            attributes = {b"r": place} | attributes
        return b"<%b%b%b%b>" % (ends, name, b"".join(b' %b="%b"' % pair for pair in attributes.items()), closes)

    return _ANY_TAG.sub(write, xml)


def _check_cells(name: str, xml: bytes) -> None:
    """Raise UnreadableFileError if the cells of a sheet reach too far."""
    last_row = max(map(int, _ROW_NUMBER.findall(xml)), default=0)
    last_column = _find_last(_REFERENCE.findall(xml, 0, _PIECE))[1]
    beyond = rb'<c r="(?!(?:%b)(?:%b)")' % (_match_letters(max(1, last_column)), _match_numbers(max(1, last_row)))
    if re.search(beyond, xml):  # only then is every cell looked at
        number = 0
        for begin, end in _iter_pieces(xml):
            found = _REFERENCE.findall(xml, begin, end)
            row, column = _find_last(found)
            last_row, last_column, number = max(last_row, row), max(last_column, column), number + len(found)
        if number != xml.count(b"<c "):
            raise ValueError("a cell does not say where it is")
    check_extent(name, last_row, last_column)


def _iter_pieces(xml: bytes) -> Iterator[tuple[int, int]]:
    """The begin and the end of consecutive pieces of a sheet, none of which splits a tag."""
    end = 0
    while end < len(xml):
        begin, end = end, xml.find(b"<", end + _PIECE)
        end = len(xml) if end < 0 else end
        yield begin, end


def _find_last(references: list[tuple[bytes, bytes]]) -> tuple[int, int]:
    """The last row and the last column of some cells, counted from 1."""
    rows, columns = set(map(itemgetter(1), references)), set(map(itemgetter(0), references))
    return max(map(int, rows), default=0), max(map(_read_column_number, columns), default=0)


def _match_letters(column: int) -> bytes:
    """A regular expression for the letters of the columns up to `column`, counted from 1."""
    first, *second = name_column(column - 1).encode()
    if not second:
        return b"[A-%c]" % first
    if len(second) > 1:
        return b"[A-Z]{1,2}"  # columns of three letters count as beyond
    before = b"|[A-%c][A-Z]" % (first - 1) if first > ord("A") else b""
    return b"[A-Z]%b|%c[A-%c]" % (before, first, second[0])


def _match_numbers(number: int) -> bytes:
    """A regular expression for the numbers from 1 to `number`."""
    digits = b"%d" % number
    ways = [digits, b"[1-9]\\d{0,%d}" % (len(digits) - 2)] if number > 9 else [digits]
    for n, digit in enumerate(digits):
        least = ord("1") if n == 0 else ord("0")
        if digit > least:
            ways.append(b"%b[%c-%c]\\d{%d}" % (digits[:n], least, digit - 1, len(digits) - n - 1))
    return b"|".join(reversed(ways))


def _read_column_number(letters: bytes) -> int:
    return reduce(lambda number, letter: number * 26 + letter - 64, letters.upper(), 0)


def _check_texts(name: str, xml: bytes, lengths: list[int]) -> None:
    """Raise UnreadableFileError if the shared texts, counted once for each cell of the sheet that uses them, are too
    long."""
    named = xml.count(b' t="s"')
    if named * max(lengths, default=0) <= MOST_TEXT:
        return
    numbers = list(map(int, _NAMES_TEXT.findall(xml)))
    if len(numbers) != named or max(numbers) >= len(lengths):
        raise ValueError("a cell names no text")
    if sum(map(lengths.__getitem__, numbers)) > MOST_TEXT:
        raise too_large(name)


def _find_instant_styles(xml: bytes) -> list[bytes]:
    """The numbers of the cell styles that show both a day and a time."""
    root = parse_part(xml)
    formats = {"22": "d/m/yy h:mm"}
    cell_styles: list[bytes] = []
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        if tag == "numFmt":
            formats[element.get("numFmtId", "")] = element.get("formatCode", "")
        elif tag == "cellXfs":
            shown = [formats.get(style.get("numFmtId", ""), "") for style in element]
            cell_styles = [str(number).encode() for number, code in enumerate(shown) if find_shown(code) is Shows.BOTH]
    return cell_styles


def _find_marks(xml: bytes, styles: list[bytes], *, recalculates: bool) -> Marks:
    """The marks of a sheet. `recalculates`: whether the formulas are to be calculated when the workbook is opened, as
    in one that a program wrote. Until then, a value of 0 may be a placeholder."""
    marks = Marks()
    for place, cell in _iter_cells_with(xml, b' t="e"'):
        value = _VALUE.search(cell)
        marks.texts[place] = _decode(value) if value else "#N/A"
    for place, cell in _iter_cells_with(xml, b"<f"):
        if not _VALUE.search(cell) and not _BLANK_RESULT.search(cell):
            formula = _FORMULA.search(cell)
            marks.texts[place] = "=" + (_decode(formula) if formula else "")
            marks.faults[place] = UNVALUED
        elif recalculates and cell.endswith(b"<v>0</v>") and _FORMULA_TAG.search(cell):
            marks.faults[place] = STALE
    for style in styles:
        midnight = re.compile(b' s="' + style + b'"' + _MIDNIGHT)
        marks.instants.update(_find_place_before(xml, match.start()) for match in midnight.finditer(xml))
    if b' hidden="' in xml:
        marks.hidden_rows = {int(number) - 1 for number in _HIDDEN_ROW.findall(xml)}
    return marks


def _iter_cells_with(xml: bytes, mark: bytes) -> Iterator[tuple[Place, bytes]]:
    """The place and the XML of each cell that contains `mark`."""
    last = xml.rfind(b"</sheetData>")  # what follows, such as rules for colours, has formulas of its own
    at = xml.find(mark, 0, last)
    while at >= 0:
        begin = xml.rfind(b"<c ", 0, at)
        end = xml.find(b"</c>", at)
        end = len(xml) if end < 0 else end
        if begin >= 0 and xml.find(b"</c>", begin, at) < 0:
            yield _find_place_before(xml, at), xml[begin:end]
            at = xml.find(mark, end, last)
        else:
            at = xml.find(mark, at + 1, last)


def _find_place_before(xml: bytes, at: int) -> Place:
    """The place of the cell whose XML contains the position `at`; (-1, -1) if there is none."""
    found = _REFERENCE.match(xml, xml.rfind(b"<c ", 0, at))
    return (int(found[2]) - 1, _read_column_number(found[1]) - 1) if found else (-1, -1)


def _decode(found: re.Match[bytes]) -> str:
    return html.unescape(found[1].decode())
