"""Reads tables that people made: CSV files, or the first sheet of an Excel file."""

import csv
import functools
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from app.records.rows import UnreadableFileError

# A whole file is held in memory; a larger one was not made by hand, or should be split.
_MOST_BYTES = 200_000_000  # of a file, and of an Excel file when unpacked
_MOST_CELLS = 5_000_000  # of a table; of a sheet those between the first cell and the last filled one
_MOST_COLUMNS = 1_000
_MOST_TEXT = 100_000_000  # characters in the cells of a sheet; one text may be in many of them
_LONGEST_LINE = 5_000_000  # characters
_PIECE = 1_000_000  # bytes read at once

_Lines = list[list[str] | str]  # a line that cannot be split into cells is left whole


@dataclass(frozen=True)
class Table:
    """The rows of a file: each with its number as a spreadsheet counts (the header is row 1) and its
    cells as text by column, blanks stripped; `columns` in lower case. Under the column "" stands what fits
    under none: `fields.check_cells` rejects such a row."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, str]]]

    def list_unknown(self, known: Collection[str]) -> list[str]:
        """The columns that are not known."""
        return [column for column in self.columns if column not in known]

    def require(self, needed: Collection[str]) -> None:
        """Raise UnreadableFileError if the file lacks a required column."""
        if missing := [column for column in needed if column not in self.columns]:
            raise UnreadableFileError(
                f"{self.name}: the first row must hold the names of the columns, and these are missing: "
                f"{', '.join(missing)}."
            )


def read_table(file: str | Path | tuple[str, bytes]) -> Table:
    """Read a CSV (UTF-8, with or without BOM) or an .xlsx file, from disk or as (name, content)."""
    name, content = file if isinstance(file, tuple) else (Path(file).name, _read_bytes(Path(file)))
    if len(content) > _MOST_BYTES:
        raise _too_large(name)
    lines = _read_sheet(name, content) if zipfile.is_zipfile(io.BytesIO(content)) else _read_lines(name, content)
    number, header = next(((n, cells) for n, cells in enumerate(lines, 1) if "".join(cells).strip()), (0, []))
    if isinstance(header, str):
        raise UnreadableFileError(f"{name}: close the quotation mark in the first row, which names the columns.")
    if len(header) > _MOST_COLUMNS:
        raise UnreadableFileError(f"{name} has {len(header):,} columns; keep those that the manual lists.")
    columns = [cell.strip().lower() for cell in header]
    named = [column for column in columns if column]
    if not named:
        raise UnreadableFileError(f"{name} is empty: its first row must hold the names of the columns.")
    if repeated := {column for column, times in Counter(named).items() if times > 1}:
        raise UnreadableFileError(f"{name}: the column {', '.join(sorted(repeated))} is there twice; keep one.")
    rows = []
    for n, cells in enumerate(lines[number:], start=number + 1):
        if not "".join(cells).strip():
            continue
        if isinstance(cells, str):
            rows.append((n, {"": cells}))
            continue
        row = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column}
        if extra := [cell for cell in cells[len(columns) :] if cell.strip()]:
            row[""] = " ".join(extra)  # cells beyond the header: the row is out of step
        rows.append((n, row))
    return Table(name, tuple(named), rows)


def _too_large(name: str) -> UnreadableFileError:
    return UnreadableFileError(f"{name} is too large; split it into several files.")


def _read_bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as content:
            return content.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableFileError(f"{file.name} cannot be read: {error.strerror or error}.") from None


def _read_lines(name: str, content: bytes) -> _Lines:
    try:
        typed = list(_iter_lines(name, content))
    except UnicodeDecodeError:
        raise UnreadableFileError(f"{name} is not UTF-8 text; save it as “CSV UTF-8”, or as an .xlsx file.") from None
    header = next((line for line in typed if line.strip()), "")
    if "\0" in header:
        raise UnreadableFileError(f"{name} is not a CSV file; save it as “CSV UTF-8”, or as an .xlsx file.")
    # Excel writes semicolons where the comma is the decimal mark; no column's name holds either.
    delimiter = ";" if ";" in header and "," not in header else ","
    lines: _Lines = []
    done = number = 0
    while done < len(typed):
        reader = csv.reader((typed[n] for n in range(done, len(typed))), delimiter=delimiter, strict=True)
        begins = done
        try:
            for cells in reader:
                lines.append(cells)
                begins = done + reader.line_num
                number += max(1, len(cells))
                if number > _MOST_CELLS:
                    raise _too_large(name)
            break
        except csv.Error:  # a stray quotation mark must spoil only its own line, not those after it
            lines.append(typed[begins].rstrip())
            done = begins + 1
    return lines


def _iter_lines(name: str, content: bytes) -> Iterator[str]:
    """The lines of a text, each with its end."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    for number in count(1):
        line = text.readline(_LONGEST_LINE)
        if not line:
            return
        if len(line) >= _LONGEST_LINE:
            raise UnreadableFileError(
                f"{name} is not a table: line {number} has more than {_LONGEST_LINE:,} characters."
            )
        if number > _MOST_CELLS:
            raise _too_large(name)
        yield line


def _read_sheet(name: str, content: bytes) -> _Lines:
    try:
        sheet = CalamineWorkbook.from_filelike(_repack(name, content)).get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except (
        CalamineError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        IndexError,
        ValueError,
        RuntimeError,
        NotImplementedError,
        expat.ExpatError,
    ) as error:
        raise UnreadableFileError(f"{name} is not a readable Excel file ({error}); save it again as .xlsx.") from None
    return [[_format_cell(value) for value in row] for row in rows]


def _repack(name: str, content: bytes) -> io.BytesIO:
    """The XML of a workbook, packed again. UnreadableFileError if reading it would take more memory than there may be:
    a single cell far out in a sheet is enough for that, or one long text that is in many. What a file says of
    its own size may be untrue, and each reader may find other parts in it: only what was measured here is read."""
    texts: list[int] = []
    repacked = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(repacked, "w", zipfile.ZIP_DEFLATED) as out:
        parts = [entry for entry in packed.infolist() if entry.filename.lower().endswith((".xml", ".rels"))]
        if sum(entry.file_size for entry in parts) > _MOST_BYTES:
            raise _too_large(f"{name}, unpacked,")
        # The texts come first: cells name them by number.
        for entry in sorted(parts, key=lambda part: not part.filename.lower().endswith("sharedstrings.xml")):
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise zipfile.BadZipFile("it is packed in a way that Excel does not use")
            stated, entry.file_size = entry.file_size, 2**62  # read to its end, whatever it says
            extent = _Extent(texts)
            with packed.open(entry) as part, out.open(zipfile.ZipInfo(entry.filename), "w") as target:
                size = 0
                while piece := part.read(_PIECE):
                    size += len(piece)
                    if size > stated:
                        break
                    extent.parser.Parse(piece)
                    if extent.rows * extent.columns > _MOST_CELLS:
                        raise UnreadableFileError(
                            f"{name} has a cell far out, in row {extent.rows} or column {extent.columns}; "
                            "delete what does not belong there."
                        )
                    if extent.text > _MOST_TEXT:
                        raise _too_large(name)
                    target.write(piece)
            if size != stated:
                raise zipfile.BadZipFile("it is not as large as it says")
            extent.parser.Parse(b"", True)  # it is the end; takes no keyword # noqa: FBT003
    repacked.seek(0)
    return repacked


class _Extent:
    """How far the filled cells of a sheet reach and how much text is in them, found while its XML is read. The
    lengths of the workbook's `texts` are noted when that part is read."""

    def __init__(self, texts: list[int]) -> None:
        self.rows = self.columns = self.text = 0
        self._row = self._column = 0
        self._texts = texts
        self._of_texts = self._in_value = self._names_text = False
        self._value = ""
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        tag, place = tag.rpartition(":")[2], attributes.get("r")
        if tag == "sst":
            if self._texts:
                raise ValueError("it has its texts twice")
            self._of_texts = True
        elif tag == "si":
            self._texts.append(0)
        elif tag == "row":
            self._row, self._column = int(place) if place else self._row + 1, 0
        elif tag == "c":
            if place:
                letters = place.rstrip("0123456789")
                self._row = int(place[len(letters) :])
                self._column = functools.reduce(
                    lambda number, letter: number * 26 + ord(letter) - 64, letters.upper(), 0
                )
            else:
                self._column += 1
            self._names_text = attributes.get("t") == "s"
        elif tag in ("v", "is"):
            self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)
            self._in_value, self._value = tag == "v" and self._names_text, ""

    def _characters(self, some: str) -> None:
        if self._of_texts and self._texts:
            self._texts[-1] += len(some)
        elif self._in_value:
            self._value += some
            if len(self._value) > 20:
                raise ValueError("a cell names no text")
        else:
            self.text += len(some)

    def _end(self, tag: str) -> None:
        if self._in_value and tag.rpartition(":")[2] == "v":
            self._in_value = False
            number = int(self._value)
            self.text += self._texts[number] if 0 <= number < len(self._texts) else 0


def _format_cell(value: Any) -> str:
    """The text that a CSV file would hold for a cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return _round_to_seconds(value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _round_to_seconds(moment: datetime) -> datetime:
    """Round to seconds, since Excel stores times as fractions of a day, which are slightly inexact."""
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)
