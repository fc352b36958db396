"""Reads tables of a kind whose columns are known."""

import difflib
import gc
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from app.records.rows import InvalidCellError, RowNumber, UnreadableFileError
from app.records.tables.cells import Sheet, Words, name_column
from app.records.tables.sheets import TableFile, describe_empty, load_sheets
from app.records.tables.text_tables import TITLE_ROWS
from app.vocabulary.words import squeeze, tidy

_MOST_COLUMNS = 1_000

Rows = list[tuple[int, dict[str, str]]]


@dataclass(frozen=True)
class Expected:
    """The columns that a kind of table may have, and those that it must have. With none, any table fits."""

    columns: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    def name_columns(self, headings: Sequence[str]) -> list[str]:
        """The column for each heading: the expected column of that name, whatever its spaces, marks and capitals; else
        the heading in lower case; "" for a blank heading."""
        known = {squeeze(column): column for column in self.columns}
        return [known.get(squeeze(heading), tidy(heading).lower()) for heading in headings]

    def count(self, headings: Sequence[str]) -> int:
        """How many expected columns are among the headings; 0 if there are too many cells for a line of headings."""
        if not self.columns or len(headings) > _MOST_COLUMNS:
            return 0
        return len(set(self.columns) & set(self.name_columns(headings)))

    def fits(self, headings: Sequence[str]) -> bool:
        """Whether all required columns are among the headings, of which at least one is not blank."""
        if len(headings) > _MOST_COLUMNS or not any(heading.strip() for heading in headings):
            return False
        return set(self.required) <= set(self.name_columns(headings))


ANY = Expected()


@dataclass(frozen=True)
class Table:
    """The rows of a file.

    - `name`: the name of the file
    - `columns`: as `Expected.name_columns` names them, without blank ones
    - `rows`: each with its number as in a spreadsheet and its cells by column: text without surrounding blanks. The key
      "" holds cells that belong to no column; `fields.check_cells` rejects such a row
    - `faults`: by index in `rows`, what is wrong with the row's cells, such as those that hold no value
    - `notes`: what was not read
    - `headings`: by column, what the file calls it, if not by its name
    - `unchanged`: required columns that the table lacks because the stored values are to stay
    """

    name: str
    columns: tuple[str, ...]
    rows: Rows
    faults: dict[int, list[InvalidCellError]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    headings: dict[str, str] = field(default_factory=dict)
    unchanged: frozenset[str] = frozenset()

    def list_unknown(self, known: Collection[str]) -> list[str]:
        """The columns that are not in `known`, each with a suggestion if a known column with a similar name is
        missing."""
        missing = [column for column in known if column not in self.columns]
        return [_suggest(column, missing) for column in self.columns if column not in known]

    def require(self, expected: Expected) -> None:
        """Raise UnreadableFileError if the file lacks a required column."""
        if not set(expected.required) <= set(self.columns) | self.unchanged:
            raise UnreadableFileError(_describe_missing(self.name, self.columns, expected))

    def check_faults(self, place: int, known: Collection[str]) -> None:
        """Raise the first fault of a row, given by its index in `rows`, if it has one. Faults in columns of the table
        that are not in `known` do not count: their cells are not read."""
        for fault in self.faults.get(place, ()):
            if fault.column is None or fault.column in known or fault.column not in self.columns:
                raise fault


def read_table(file: TableFile, expected: Expected = ANY) -> Table:
    """Read a table from a path, or from (name, content): text or a workbook. UnreadableFileError if it is neither, or
    lacks a required column; the message says what to do."""
    with _without_garbage_collection():
        return _read_sheets(file, expected)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Disable the garbage collector inside the block. The rows of a large table have no cycles, and searching them
    takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_sheets(file: TableFile, expected: Expected) -> Table:
    name, sheets = load_sheets(file, expected.count)
    chosen, notes = _choose_sheets(name, sheets, expected)
    read = [_read_rows(name, sheet, expected, sheet.name if len(chosen) > 1 else "") for sheet in chosen]
    return join_tables(read, notes)


def join_tables(tables: Sequence[Table], notes: Iterable[str] = ()) -> Table:
    """The rows of several sheets of a file as one table. `notes` come before those of the sheets."""
    rows: Rows = []
    faults: dict[int, list[InvalidCellError]] = {}
    for table in tables:
        faults |= {place + len(rows): of_row for place, of_row in table.faults.items()}
        rows += table.rows
    columns = dict.fromkeys(column for table in tables for column in table.columns)
    all_notes = (*notes, *(words for table in tables for words in table.notes))
    return Table(tables[0].name, tuple(columns), rows, faults, all_notes)


def _choose_sheets(name: str, sheets: list[Sheet], expected: Expected) -> tuple[list[Sheet], list[str]]:
    """The sheets to read, and notes on the choice (see `note_sheets`). Chosen are the visible sheets with the headings;
    hidden ones only if no visible one has them. UnreadableFileError if their headings differ."""
    visible = [sheet for sheet in sheets if not sheet.is_hidden]
    fitting = [sheet for sheet in visible if _find_headings(sheet, expected) is not None]
    hidden = [sheet for sheet in sheets if sheet.is_hidden and _find_headings(sheet, expected) is not None]
    chosen = fitting or hidden or (visible or sheets)[:1]  # a sheet that does not fit is refused later
    titles = ", ".join(sheet.name for sheet in chosen)
    if len({frozenset(_headings_of(sheet, expected)) for sheet in chosen}) > 1:
        raise UnreadableFileError(
            f"{name} has several sheets with such headings, which are not the same: {titles}. Give them the same "
            "headings, or save each sheet as a file of its own."
        )
    return chosen, note_sheets(chosen, sheets)


def note_sheets(chosen: Sequence[Sheet], sheets: Sequence[Sheet]) -> list[str]:
    """Notes on the sheets that are not read, and on those that are, if there are several or hidden ones."""
    notes = [f"the {sheet.kind} {sheet.name} was not read" for sheet in sheets if sheet not in chosen]
    if len(chosen) > 1:
        notes.insert(0, f"{len(chosen)} sheets were read: {', '.join(sheet.name for sheet in chosen)}")
    return notes + [f"the hidden sheet {sheet.name} was read" for sheet in chosen if sheet.is_hidden]


def _find_headings(sheet: Sheet, expected: Expected) -> int | None:
    """The index of the line with the headings, among the first `TITLE_ROWS`; a visible one before a hidden one. None if
    no line has all required headings."""
    places = [
        place for place, line in enumerate(sheet.lines[:TITLE_ROWS]) if isinstance(line, list) and expected.fits(line)
    ]
    return next((place for place in places if place not in sheet.hidden_rows), places[0] if places else None)


def _headings_of(sheet: Sheet, expected: Expected) -> list[str]:
    place = _find_headings(sheet, expected)
    line = [] if place is None else sheet.lines[place]
    return [] if isinstance(line, str) else [column for column in expected.name_columns(line) if column]


def _read_rows(name: str, sheet: Sheet, expected: Expected, title: str) -> Table:
    """The rows of a sheet. `title` is its name if several are read, else ""."""
    place = _find_headings(sheet, expected)
    first = next((n for n, line in enumerate(sheet.lines) if "".join(line).strip()), 0)
    header = read_header(name, sheet, first if place is None else place)
    if isinstance(sheet.lines[first], str):
        raise UnreadableFileError(_describe_open_quotation(name, first))
    if place is None:
        raise UnreadableFileError(_describe_missing(name, header, expected))
    columns = _name_columns(name, header, expected)
    notes = note_above(sheet, place)
    if place in sheet.hidden_rows:
        notes.append(f"the headings are in the hidden row {place + 1}, which was read")
    table = build_table(name, sheet, place, columns, title)
    return replace(table, notes=(*notes, *table.notes))


def read_header(name: str, sheet: Sheet, place: int) -> Sequence[str]:
    """The headings in a line of a sheet. UnreadableFileError if the line cannot be split into cells, or has too
    many."""
    header = sheet.lines[place]
    if isinstance(header, str):
        raise UnreadableFileError(_describe_open_quotation(name, place))
    if len(header) > _MOST_COLUMNS:
        raise UnreadableFileError(f"{name} has {len(header):,} columns; keep those that the manual lists.")
    return header


def _describe_open_quotation(name: str, place: int) -> str:
    return f"{name}: close the quotation mark in row {place + 1}, which names the columns."


def build_table(name: str, sheet: Sheet, place: int, columns: Sequence[str], title: str = "") -> Table:
    """The rows of a sheet below its headings, which are in the line with the index `place`. `columns` has a name for
    each heading, "" for a blank one; `title` is the name of the sheet if the file has several, else ""."""
    rows: Rows = []
    faults: dict[int, list[InvalidCellError]] = {}
    by_line: dict[int, list[tuple[int, Words]]] = {}
    for (line, cell), words in sheet.faults.items():
        by_line.setdefault(line, []).append((cell, words))
    all_named = "" not in columns
    for n, cells in iter_filled(sheet, place):
        if n in by_line:
            faults[len(rows)] = [
                InvalidCellError(*words, columns[cell]) for cell, words in sorted(by_line[n]) if cell < len(columns)
            ]
        if isinstance(cells, str):
            row = {"": cells}
        else:
            row = dict(zip(columns, map(str.strip, cells), strict=False))
            if not all_named or len(cells) > len(columns):
                row.pop("", None)
                if stray := _find_stray(columns, cells):
                    row[""] = " ".join(cells[cell].strip() for cell in stray)
                    faults.setdefault(len(rows), []).append(_report_stray(columns, stray))
        rows.append((RowNumber(n + 1, title) if title else n + 1, row))
    return Table(name, tuple(filter(None, columns)), rows, faults, note_hidden(sheet, place))


def iter_filled(sheet: Sheet, place: int) -> Iterator[tuple[int, list[str] | str]]:
    """The index and the cells of each visible line below the headings that is not blank. A line with a cell at fault,
    such as one that a merge covers, is not blank."""
    at_fault = {line for line, _ in sheet.faults}
    for n, cells in enumerate(sheet.lines[place + 1 :], start=place + 1):
        if n not in sheet.hidden_rows and (n in at_fault or any(map(str.strip, cells))):
            yield n, cells


def note_above(sheet: Sheet, place: int) -> list[str]:
    """A list with a note on the lines above the headings that are not blank; empty if there are none."""
    above = [n for n, line in enumerate(sheet.lines[:place], start=1) if "".join(line).strip()]
    if not above:
        return []
    if len(above) == 1:
        return [f"row {above[0]}, above the headings, was not read"]
    return [f"rows {above[0]} to {above[-1]}, above the headings, were not read"]


def note_hidden(sheet: Sheet, place: int) -> tuple[str, ...]:
    """A note on the hidden lines below the headings that are not blank and not read; empty if there are none."""
    hidden = [
        n + 1 for n in sorted(sheet.hidden_rows) if place < n < len(sheet.lines) and "".join(sheet.lines[n]).strip()
    ]
    return (_describe_hidden(hidden, sheet.name),) if hidden else ()


def _name_columns(name: str, header: Sequence[str], expected: Expected) -> list[str]:
    """The column for each heading; repeats of an unknown one are numbered. UnreadableFileError if an expected column
    occurs twice, or any column if none is expected."""
    columns = expected.name_columns(header)
    times = Counter(column for column in columns if column)
    if twice := sorted(column for column in times if times[column] > 1 and column in (expected.columns or times)):
        raise UnreadableFileError(f"{name}: the column {', '.join(twice)} is there twice; keep one.")
    seen: Counter[str] = Counter()
    for place, column in enumerate(columns):
        seen[column] += 1
        if column and seen[column] > 1:
            columns[place] = f"{column} ({seen[column]})"
    return columns


def _find_stray(columns: Sequence[str], cells: Sequence[str]) -> list[int]:
    """The indexes of the cells that have a value but no heading."""
    return [n for n, cell in enumerate(cells) if cell.strip() and (n >= len(columns) or not columns[n])]


def _report_stray(columns: Sequence[str], stray: Sequence[int]) -> InvalidCellError:
    letters = ", ".join(name_column(cell) for cell in stray)
    if min(stray) < len(columns):
        return InvalidCellError(
            f"has a value in column {letters}, which has no heading", "give the column a heading, or clear the cell"
        )
    return InvalidCellError(
        f"has more cells than there are headings, up to column {name_column(max(stray))}",
        "put a cell with a comma in it in quotation marks, or clear the cells without a heading",
    )


def _describe_hidden(hidden: Sequence[int], title: str) -> str:
    what = "1 hidden row was not read" if len(hidden) == 1 else f"{len(hidden):,} hidden rows were not read"
    numbers = ", ".join(map(str, hidden[:10])) + (" and more" if len(hidden) > 10 else "")
    return f"{what} (row {numbers} of the sheet {title}); clear the filter, or show the rows, to import them"


def _describe_missing(name: str, header: Sequence[str], expected: Expected) -> str:
    """The message about the columns that a header lacks, with those that it has."""
    found = [column for column in expected.name_columns(header) if column]
    if not found:
        return describe_empty(name)
    missing = [column for column in expected.required if column not in found]
    unknown = [column for column in found if column not in expected.columns]
    meant = [_suggest(column, missing) for column in unknown]
    close = [words for column, words in zip(unknown, meant, strict=True) if words != column]
    return (
        f"{name}: the first row must hold the names of the columns, and these are missing: {', '.join(missing)}. "
        f"It has: {', '.join(heading for heading in map(tidy, header) if heading)}."
        + (f" Perhaps: {'; '.join(close)}." if close else "")
    )


def _suggest(column: str, missing: Iterable[str]) -> str:
    """The column, with a suggestion if a missing one has a similar name."""
    squeezed, written = {squeeze(name): name for name in missing}, squeeze(column)
    close = difflib.get_close_matches(written, squeezed, n=1, cutoff=0.75) or [
        name for name in squeezed if min(len(name), len(written)) > 3 and (name in written or written in name)
    ]
    return f"{column} (did you mean {squeezed[close[0]]}?)" if close else column
