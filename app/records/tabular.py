"""Reading tables that people made: CSV, or the first sheet of an Excel file."""

import csv
import functools
import io
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from app.records import UnreadableFile

_MOST_BYTES = 200_000_000  # of an Excel file when unpacked
_MOST_CELLS = 5_000_000  # between the first cell of a sheet and its last filled one: all are held in memory

_Lines = list[list[str] | str]  # a line that cannot be split into cells is left whole


@dataclass(frozen=True)
class Table:
    """The rows of a file: each with its number as a spreadsheet counts (the header is row 1) and its
    cells as text by column, blanks stripped; `columns` in lower case. Under the column "" stands what fits
    under none: `fields.checked` refuses such a row."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, str]]]

    def unknown(self, known: Collection[str]) -> list[str]:
        """The columns that nobody knows."""
        return [column for column in self.columns if column not in known]

    def require(self, needed: Collection[str]) -> None:
        """UnreadableFile if the file lacks a column that it cannot do without."""
        if missing := [column for column in needed if column not in self.columns]:
            raise UnreadableFile(
                f"{self.name}: the first row must hold the names of the columns, and these are missing: "
                f"{', '.join(missing)}."
            )


def read_table(file: str | Path | tuple[str, bytes]) -> Table:
    """Read a CSV (UTF-8, with or without BOM) or an .xlsx file, from disk or as (name, content)."""
    name, content = file if isinstance(file, tuple) else (Path(file).name, _bytes(Path(file)))
    lines = _sheet(name, content) if zipfile.is_zipfile(io.BytesIO(content)) else _lines(name, content)
    number, header = next(((n, cells) for n, cells in enumerate(lines, 1) if "".join(cells).strip()), (0, []))
    if isinstance(header, str):
        raise UnreadableFile(f"{name}: close the quotation mark in the first row, which names the columns.")
    columns = [cell.strip().lower() for cell in header]
    named = [column for column in columns if column]
    if not named:
        raise UnreadableFile(f"{name} is empty: its first row must hold the names of the columns.")
    if repeated := {column for column in named if named.count(column) > 1}:
        raise UnreadableFile(f"{name}: the column {', '.join(sorted(repeated))} is there twice; keep one.")
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


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{file.name} cannot be read: {error.strerror or error}.") from None


def _lines(name: str, content: bytes) -> _Lines:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFile(f"{name} is not UTF-8 text; save it as “CSV UTF-8”, or as an .xlsx file.") from None
    typed = io.StringIO(text, newline="").readlines()
    header = next((line for line in typed if line.strip()), "")
    if "\0" in header:
        raise UnreadableFile(f"{name} is no CSV file; save it as “CSV UTF-8”, or as an .xlsx file.")
    # Excel writes semicolons where the comma is the decimal mark; no column's name holds either.
    delimiter = ";" if ";" in header and "," not in header else ","
    lines: _Lines = []
    done = 0
    while done < len(typed):
        reader = csv.reader((typed[n] for n in range(done, len(typed))), delimiter=delimiter, strict=True)
        begins = done
        try:
            for cells in reader:
                lines.append(cells)
                begins = done + reader.line_num
            break
        except csv.Error:  # a quotation mark too many or too few spoils its own line, not those after it
            lines.append(typed[begins].rstrip())
            done = begins + 1
    return lines


def _sheet(name: str, content: bytes) -> _Lines:
    try:
        _check(name, content)
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except (
        CalamineError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        IndexError,
        ValueError,
        RuntimeError,
        expat.ExpatError,
    ) as error:
        raise UnreadableFile(f"{name} is no Excel file that can be read ({error}); save it again as .xlsx.") from None
    return [[_cell(value) for value in row] for row in rows]


def _check(name: str, content: bytes) -> None:
    """UnreadableFile if reading the workbook would take more memory than there may be: a single cell far
    out in a sheet is enough for that, and what the file says of its own size may be untrue."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > _MOST_BYTES:
            raise UnreadableFile(f"{name} is too large when unpacked; split it into several files.")
        for entry in packed.infolist():
            if not entry.filename.endswith((".xml", ".rels")):
                continue
            extent = _Extent()
            with packed.open(entry) as part:
                extent.parser.ParseFile(part)
            if extent.rows * extent.columns > _MOST_CELLS:
                raise UnreadableFile(
                    f"{name} has a cell far out, in row {extent.rows} or column {extent.columns}; "
                    "delete what does not belong there."
                )


class _Extent:
    """How far the filled cells of a sheet reach, found while its XML goes by."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._row = self._column = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        tag, place = tag.rpartition(":")[2], attributes.get("r")
        if tag == "row":
            self._row, self._column = int(place) if place else self._row + 1, 0
        elif tag == "c" and place:
            letters = place.rstrip("0123456789")
            self._row = int(place[len(letters) :])
            self._column = functools.reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters.upper(), 0)
        elif tag == "c":
            self._column += 1
        elif tag in ("v", "is"):
            self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)


def _cell(value: Any) -> str:
    """A cell as a CSV file would hold it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return _whole_seconds(value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _whole_seconds(moment: datetime) -> datetime:
    """Excel keeps times as fractions of a day, which come back a little off a second."""
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)
