"""The lines of an attendance report that was downloaded from Teams, and whether a file is one."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app.records.evidence.attendance import IMPORT_REPORT
from app.records.evidence.attendance_times import read_written_time
from app.records.rows import InvalidCellError, UnreadableFileError

AGAIN = "download the report again from Teams, and do not change it"
FEWEST_COLUMNS = 5
JOINED = 1  # the index of the column with the time of joining, the same in every language and form
_BEGINNING = 1_000_000  # bytes that are enough to recognise a file
_JSON_REPORT = re.compile(rb'(?is)[^"]*[{\[](?:(?!"sessions").)*?"(?:attendanceRecords|meetingStartDateTime)"')
_HEADING = re.compile(r"\s*(\d)\s*[.)．、]\s*\S.*")


class Layout(Enum):
    """The forms of a downloaded report."""

    PARTS = "three numbered parts"
    ONE_PART = "the meeting, and one row for each time that somebody joined"
    NAMES_ONLY = "one row for each time that somebody joined or left, without addresses"


@dataclass(frozen=True)
class Line:
    """A line of a file, with its number from 1."""

    number: int
    cells: list[str]

    def get(self, place: int) -> str:
        """The cell at an index; "" if the line ends before it."""
        return self.cells[place] if place < len(self.cells) else ""


class InvalidReportError(InvalidCellError):
    """A report that cannot be used because of one row."""

    def __init__(self, row: int, reason: str, fix: str, column: str | None = None, value: str | None = None) -> None:
        super().__init__(reason, fix, column)
        self.row, self.value = row, value


def refuse_attendance_report(file: str | Path | tuple[str, bytes]) -> None:
    """Raise UnreadableFileError if a file that is imported as something else is an attendance report, downloaded or
    from Microsoft Graph. `file` is a path, or (name, content)."""
    if isinstance(file, tuple):
        name, content = file
    else:
        name, content = Path(file).name, _read_beginning(Path(file))
    if _is_download(content[:_BEGINNING]) or _JSON_REPORT.match(content[:_BEGINNING].replace(b"\0", b"")):
        raise UnreadableFileError(f"{name} is an attendance report of Teams: {IMPORT_REPORT}. Nothing was changed.")


def _is_download(beginning: bytes) -> bool:
    try:
        return find_layout(split_lines(beginning)) is not None
    except InvalidReportError:
        return False


def _read_beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_BEGINNING)
    except OSError:  # a folder, or an unreadable file that is reported when it is read
        return b""


# --- the lines of a file


def _decode(content: bytes) -> str:
    encoding = "utf-8-sig"
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif content[1:2] == b"\0":
        encoding = "utf-16-le"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidReportError(1, "is neither UTF-16 nor UTF-8 text", AGAIN) from None


def split_lines(content: bytes) -> list[Line]:
    """The lines of a file; a blank one has no cells. InvalidReportError if the file is not text, or has a stray
    quotation mark."""
    text = _decode(content)
    delimiter = "\t" if "\t" in text else max(",;", key=text.count)
    lines: list[Line] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if reader.line_num > len(lines) + 1:
                raise InvalidReportError(len(lines) + 1, "has a quotation mark that takes in further lines", AGAIN)
            stripped = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
            while stripped and not stripped[-1]:  # a spreadsheet program gives all lines the same number of cells
                stripped.pop()
            lines.append(Line(reader.line_num, stripped))
    except csv.Error:
        raise InvalidReportError(len(lines) + 1, "has a quotation mark too many", AGAIN) from None
    return lines


def find_layout(lines: Sequence[Line]) -> Layout | None:
    """The form of a file, judged by all its lines or the first ones; None if it is not an attendance report."""
    blocks = find_blocks(lines)
    if not blocks:
        return None
    first = blocks[0]
    if len(find_parts(lines)) >= 2:
        return Layout.PARTS
    beginning = first[1:20]
    if beginning and all(len(line.cells) == 3 for line in first[:20]):
        is_time = [read_written_time(line.cells[2]) is not None for line in beginning]
        return Layout.NAMES_ONLY if all(is_time) else None
    times = [line for line in first if _is_pair(line) and read_written_time(line.get(1))]
    if all(map(_is_pair, first)) and len(times) == 2 and len(blocks) > 1:
        header, *rows = blocks[1]
        if len(header.cells) >= FEWEST_COLUMNS and all(read_written_time(row.get(JOINED)) for row in rows[:1]):
            return Layout.ONE_PART
    return None


def _is_pair(line: Line) -> bool:
    return not any(line.cells[2:])


def find_blocks(lines: Sequence[Line]) -> list[list[Line]]:
    """The blocks of lines that blank lines separate."""
    blocks: list[list[Line]] = [[]]
    for line in lines:
        if line.cells:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def find_parts(lines: Sequence[Line]) -> list[list[Line]]:
    """The numbered parts, each with its heading and without blank lines; empty if the file does not begin with part
    1."""
    parts: list[list[Line]] = []
    for line in lines:
        if not line.cells:
            continue
        heading = None if any(line.cells[1:]) else _HEADING.fullmatch(line.cells[0])
        if heading and int(heading[1]) == len(parts) + 1:
            parts.append([line])
        elif not parts:
            return []
        else:
            parts[-1].append(line)
    return parts
