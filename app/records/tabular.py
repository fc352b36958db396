"""Reading tables that people made: CSV, or the first sheet of an Excel file."""

import csv
import io
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from app.records import UnreadableFile

_MOST_BYTES = 200_000_000  # of an Excel file when unpacked


@dataclass(frozen=True)
class Table:
    """The rows of a file: each with its number as a spreadsheet counts (the header is row 1) and its
    cells as text by column, blanks stripped; `columns` in lower case."""

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
    number, header = next(((n, cells) for n, cells in lines if any(cells)), (0, []))
    columns = [cell.strip().lower() for cell in header]
    named = [column for column in columns if column]
    if not named:
        raise UnreadableFile(f"{name} is empty: its first row must hold the names of the columns.")
    if repeated := {column for column in named if named.count(column) > 1}:
        raise UnreadableFile(f"{name}: the column {', '.join(sorted(repeated))} is there twice; keep one.")
    rows = []
    for n, cells in lines:
        if n <= number or not any(cell.strip() for cell in cells):
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


def _lines(name: str, content: bytes) -> list[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFile(f"{name} is not UTF-8 text; save it as “CSV UTF-8”, or as an .xlsx file.") from None
    if "\0" in text:
        raise UnreadableFile(f"{name} is no CSV file; save it as “CSV UTF-8”, or as an .xlsx file.")
    header = text.split("\n", 1)[0]
    # Excel writes semicolons where the comma is the decimal mark; no column's name holds either.
    delimiter = ";" if ";" in header and "," not in header else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines, begins = [], 1
    try:
        for cells in reader:
            lines.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(
            f"{name} is no CSV file from line {begins} on ({error}); close the quotation mark there, and try again."
        ) from None
    return lines


def _sheet(name: str, content: bytes) -> list[tuple[int, list[str]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > _MOST_BYTES:
            raise UnreadableFile(f"{name} is too large when unpacked; split it into several files.")
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, IndexError, ValueError) as error:
        raise UnreadableFile(f"{name} is no Excel file that can be read ({error}); save it again as .xlsx.") from None
    return [(n, [_cell(value) for value in row]) for n, row in enumerate(rows, start=1)]


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
