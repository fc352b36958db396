"""Tables whose kind is not known yet: headings and rows as in the file."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.records.rows import RowNumber, UnreadableFileError
from app.records.tables.cells import Sheet
from app.records.tables.sheets import TableFile, load_sheets
from app.records.tables.tabular import Table, build_table, iter_filled, note_hidden, read_header
from app.records.tables.text_tables import TITLE_ROWS


@dataclass(frozen=True)
class RawTable:
    """A sheet of a workbook, or a text file (then `sheet` is ""). `headings` are as they are written, "" for a blank
    one, in row `heading_row`. `rows` are the visible ones below that are not blank: each with its number as a
    spreadsheet counts, and its cells as text, from the first column on. There may be fewer or more cells than headings,
    and a line that cannot be split into cells is one cell. `sheets` are the names of all sheets with anything in them,
    the visible ones first. `notes` report what is not read."""

    name: str
    sheet: str
    sheets: tuple[str, ...]
    heading_row: int
    headings: tuple[str, ...]
    rows: list[tuple[int, tuple[str, ...]]]
    notes: tuple[str, ...]
    _source: Sheet = field(repr=False)

    def name_columns(self, columns: Sequence[str]) -> Table:
        """The table with a column for each heading, named by the caller: a column of a kind of table, or any other name
        for one that is not wanted. UnreadableFileError if a name is there twice. A blank heading has no column: a row
        with a value under it is rejected later, as one is with a cell that holds no value."""
        named = [column if heading else "" for column, heading in zip(columns, self.headings, strict=True)]
        if twice := sorted({column for column in named if column and named.count(column) > 1}):
            raise UnreadableFileError(f"{self.name}: the column {', '.join(twice)} is there twice; keep one.")
        title = self.sheet if len(self.sheets) > 1 else ""
        return replace(build_table(self.name, self._source, self.heading_row - 1, named, title), notes=self.notes)


def read_raw_table(file: TableFile, sheet: str | None = None, heading_row: int | None = None) -> RawTable:
    """Read a sheet of a file, the first visible one unless another is named. The headings are in the first line that is
    at least half as full as any of the first lines, unless `heading_row` says where. UnreadableFileError if the file is
    no table, or has no such sheet or row."""
    name, sheets = load_sheets(file, lambda _: 0)
    sheets.sort(key=lambda sheet: sheet.is_hidden)
    titles = tuple(each.name for each in sheets)
    if sheet is not None and sheet not in titles:
        raise UnreadableFileError(f"{name} has no sheet {sheet}; it has: {', '.join(titles)}.")
    chosen = sheets[0 if sheet is None else titles.index(sheet)]
    place = _find_fullest(chosen) if heading_row is None else heading_row - 1
    if not 0 <= place < len(chosen.lines):
        raise UnreadableFileError(f"{name} has no row {heading_row}; name the row that holds the headings.")
    headings = tuple(heading.strip() for heading in read_header(name, chosen, place))
    return RawTable(
        name,
        chosen.name,
        titles,
        place + 1,
        headings,
        [(_number(n, chosen, titles), _strip(cells)) for n, cells in iter_filled(chosen, place)],
        (*_note(chosen, sheets), *note_hidden(chosen, place)),
        chosen,
    )


def _find_fullest(sheet: Sheet) -> int:
    """The place of the first visible line that is at least half as full as any other of the first ones."""
    full = {
        place: 1 if isinstance(line, str) else sum(bool(cell.strip()) for cell in line)
        for place, line in enumerate(sheet.lines[:TITLE_ROWS])
        if place not in sheet.hidden_rows
    }
    most = max(full.values(), default=0)
    enough = min(most, max(2, most / 2))  # a title is one cell
    return next((place for place, cells in full.items() if cells and cells >= enough), 0)


def _number(place: int, sheet: Sheet, titles: Sequence[str]) -> int:
    return RowNumber(place + 1, sheet.name) if len(titles) > 1 else place + 1


def _strip(cells: list[str] | str) -> tuple[str, ...]:
    return (cells.strip(),) if isinstance(cells, str) else tuple(map(str.strip, cells))


def _note(chosen: Sheet, sheets: Sequence[Sheet]) -> list[str]:
    """What to say of the sheets that are not read, and of a hidden one that is."""
    notes = [f"the {sheet.kind} {sheet.name} was not read" for sheet in sheets if sheet is not chosen]
    return [*notes, f"the hidden sheet {chosen.name} was read"] if chosen.is_hidden else notes
