"""Tables whose kind is not yet known, with headings and rows as in the file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.records.rows import RowNumber, UnreadableFileError
from app.records.tables.cells import Sheet
from app.records.tables.sheets import TableFile, load_sheets
from app.records.tables.tabular import (
    Table,
    build_table,
    iter_filled,
    join_tables,
    note_above,
    note_hidden,
    note_sheets,
    read_header,
)
from app.records.tables.text_tables import TITLE_ROWS
from app.vocabulary.words import squeeze

Rate = Callable[["RawTable"], Any]  # how well a sheet fits; the highest is chosen


@dataclass(frozen=True)
class RawTable:
    """A sheet of a workbook, several sheets with the same headings, or a text file.

    - `sheet`: the name of the sheet, or the names of all; "" for a text file
    - `sheets`: the names of all sheets in the file that are not empty, the visible ones first
    - `heading_row`: the row of the headings in the first sheet, counted from 1
    - `headings`: as written, "" for a blank one
    - `rows`: the visible, non-blank rows below the headings: each with its number as in a spreadsheet and its cells as
      text, from the first column on. A row may have fewer or more cells than there are headings; a line that cannot be
      split into cells is one cell
    - `notes`: what is not read
    """

    name: str
    sheet: str
    sheets: tuple[str, ...]
    heading_row: int
    headings: tuple[str, ...]
    rows: list[tuple[int, tuple[str, ...]]]
    notes: tuple[str, ...]
    _sources: tuple[tuple[Sheet, int], ...] = field(repr=False)  # each with the place of its headings

    def name_columns(self, columns: Sequence[str]) -> Table:
        """The table with a column for each heading. `columns` names them, one for each heading; those that are not
        wanted may have any other name. A blank heading has no column: a row with a value below it has a fault, for
        which it is rejected later. UnreadableFileError if a name occurs twice."""
        named = [column if heading else "" for column, heading in zip(columns, self.headings, strict=True)]
        if twice := sorted({column for column in named if column and named.count(column) > 1}):
            raise UnreadableFileError(f"{self.name}: the column {', '.join(twice)} is there twice; keep one.")
        tables = [
            build_table(self.name, source, place, named, source.name if len(self.sheets) > 1 else "")
            for source, place in self._sources
        ]
        return replace(join_tables(tables), notes=self.notes)


def read_raw_table(
    file: TableFile, sheet: str | None = None, heading_row: int | None = None, rate: Rate = lambda _: 0
) -> RawTable:
    """Read a sheet of a file: the one named `sheet`; else, with `heading_row`, the first; else the visible sheet that
    `rate` rates highest, together with all others that have the same headings. The headings are in row `heading_row`,
    by default in the first line that is at least half as full as any of the first lines. UnreadableFileError if the
    file is not a table, or has no such sheet or row."""
    name, sheets = load_sheets(file, lambda _: 0)
    sheets.sort(key=lambda sheet: sheet.is_hidden)
    titles = tuple(each.name for each in sheets)
    if sheet is not None and sheet not in titles:
        raise UnreadableFileError(f"{name} has no sheet {sheet}; it has: {', '.join(titles)}.")
    if sheet is not None or heading_row is not None:
        return _build(name, sheets, [sheets[0 if sheet is None else titles.index(sheet)]], heading_row)
    groups: dict[tuple[str, ...], list[Sheet]] = {}
    for one in [one for one in sheets if not one.is_hidden] or sheets[:1]:
        groups.setdefault(tuple(map(squeeze, _read_headings(name, one, _find_fullest(one)))), []).append(one)
    tables = [_build(name, sheets, alike) for alike in groups.values()]
    return max(tables, key=rate) if len(tables) > 1 else tables[0]


def _build(name: str, sheets: Sequence[Sheet], chosen: Sequence[Sheet], heading_row: int | None = None) -> RawTable:
    places = [_find_fullest(sheet) if heading_row is None else heading_row - 1 for sheet in chosen]
    if not 0 <= places[0] < len(chosen[0].lines):
        raise UnreadableFileError(f"{name} has no row {heading_row}; name the row that holds the headings.")
    sources = tuple(zip(chosen, places, strict=True))
    return RawTable(
        name,
        ", ".join(sheet.name for sheet in chosen),
        tuple(sheet.name for sheet in sheets),
        places[0] + 1,
        _read_headings(name, *sources[0]),
        [
            (RowNumber(n + 1, sheet.name) if len(sheets) > 1 else n + 1, _strip(cells))
            for sheet, place in sources
            for n, cells in iter_filled(sheet, place)
        ],
        (
            *note_sheets(chosen, sheets),
            *(words for source in sources for words in (*note_above(*source), *note_hidden(*source))),
        ),
        sources,
    )


def _read_headings(name: str, sheet: Sheet, place: int) -> tuple[str, ...]:
    return tuple(heading.strip() for heading in read_header(name, sheet, place))


def _find_fullest(sheet: Sheet) -> int:
    """The index of the first visible line that is at least half as full as any other of the first `TITLE_ROWS`."""
    full = {
        place: 1 if isinstance(line, str) else sum(bool(cell.strip()) for cell in line)
        for place, line in enumerate(sheet.lines[:TITLE_ROWS])
        if place not in sheet.hidden_rows
    }
    most = max(full.values(), default=0)
    enough = min(most, max(2, most / 2))  # a title is one cell
    return next((place for place, cells in full.items() if cells and cells >= enough), 0)


def _strip(cells: list[str] | str) -> tuple[str, ...]:
    return (cells.strip(),) if isinstance(cells, str) else tuple(map(str.strip, cells))
