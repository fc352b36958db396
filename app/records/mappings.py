"""Mappings: which heading of somebody's table is which column, and which word is which value.

Nothing is guessed: a word that a mapping does not know stays as it is, for the column's own check to judge.
"""

from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from functools import partial
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from app.records.addresses import split_list
from app.records.columns import COLUMNS, TABLES, Column
from app.records.rows import InvalidCellError, UnreadableFileError
from app.records.tables.raw_tables import RawTable
from app.records.tables.sheets import TableFile
from app.records.tables.tabular import Expected, Table, read_table
from app.vocabulary.words import fold, squeeze, tidy

Reader = Callable[[Dictionary[str, str]], str]  # gives a value for a row, by heading


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Entry):
    """Where the values of a column come from.

    - `headings`: of the file. The cells of several are joined: by a space, in a list by ";"
    - `value`: the value in all rows, if the file has no such column
    - `words`: values by the words of the file; "" leaves the cell blank. In a list each item is a word
    """

    headings: tuple[str, ...] = ()
    value: str = ""
    words: dict[str, str] = {}

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if bool(self.headings) == bool(self.value):
            raise ValueError("a column comes either from headings or from one value")
        return self

    def join(self, cells: Dictionary[str, str], column: Column) -> str:
        """What a row, given by heading, holds for a column, in the words of the file."""
        parts = [part for heading in self.headings if (part := cells.get(heading, "").strip())]
        if len(parts) > 1:
            parts[0] = parts[0].removesuffix("T00:00:00")  # a day before a time, in a cell that shows midnight
        return (";" if column.is_list else " ").join(parts) if self.headings else self.value

    def translate(self, cell: str, column: Column) -> str:
        """The value that stands for a cell of a column, whole or item by item. A word that is neither known nor a value
        of the column, however it is written, stays."""
        known = {fold(word): value for word, value in self.words.items()}

        def translate_word(word: str) -> str:
            value = known.get(fold(word))
            return value if value is not None else column.find_value(word) or word

        if fold(cell) in known or not column.is_list:
            return translate_word(cell)
        return ";".join(filter(None, map(translate_word, split_list(cell))))


class Mapping(_Entry):
    """How somebody's table becomes a table of a `kind`: a key of `columns.TABLES`. `columns` says where each column's
    values come from; a column that is left out is not in the table."""

    kind: str
    columns: dict[str, Source]

    @model_validator(mode="after")
    def _is_of_a_kind(self) -> Self:
        if self.kind not in TABLES:
            raise ValueError(f"{self.kind} is not a kind of table; write one of: {', '.join(TABLES)}")
        if unknown := [column for column in self.columns if column not in TABLES[self.kind].columns]:
            raise ValueError(f"{', '.join(unknown)}: not a column of {self.kind}")
        return self

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings that are read, each once."""
        return tuple(dict.fromkeys(heading for source in self.columns.values() for heading in source.headings))

    def list_missing(self) -> list[str]:
        """The columns that a table of this kind must have, and this mapping does not give."""
        return [column for column in TABLES[self.kind].required if column not in self.columns]

    def to_json(self) -> str:
        """The mapping as text, to be stored."""
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A stored mapping. UnreadableFileError if this version of the program cannot use it."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UnreadableFileError(f"The mapping cannot be used: {where} {first['msg']}; save it again.") from None


def read_mapped_table(file: TableFile, mapping: Mapping) -> Table:
    """Read a file as the table of the mapping's kind, from the sheets that have the mapping's headings. It is as
    `apply` returns it. UnreadableFileError if the file is no table, or lacks a heading."""
    return _convert(mapping, read_table(file, Expected(mapping.headings, mapping.headings)))


def apply(mapping: Mapping, raw: RawTable) -> Table:
    """The table of the mapping's kind that a sheet holds. Rows keep their numbers, and `Table.headings` says what the
    file calls each column. Headings that the mapping does not read stay, and are reported as unknown.
    UnreadableFileError if the sheet lacks a heading."""
    return _convert(mapping, name_by_headings(raw))


def name_by_headings(raw: RawTable) -> Table:
    """A sheet with its headings as columns; one that is there several times is numbered."""
    seen: Counter[str] = Counter()
    columns = []
    for heading in map(tidy, raw.headings):
        seen[squeeze(heading)] += 1
        times = seen[squeeze(heading)]
        columns.append(heading if times == 1 else f"{heading} ({times})")
    return raw.name_columns(columns)


def _match(mapping: Mapping, table: Table) -> Mapping:
    """The mapping with its headings written as the table writes them. UnreadableFileError if one is not there."""
    by_heading = {squeeze(column): column for column in table.columns}
    if lost := [heading for heading in mapping.headings if squeeze(heading) not in by_heading]:
        raise UnreadableFileError(
            f"{table.name}: the mapping reads headings that the file does not have: {', '.join(lost)}. "
            f"It has: {', '.join(table.columns)}. Correct the mapping on the Administration page, or the headings in "
            "the file."
        )
    columns = {}
    for name, source in mapping.columns.items():
        headings = tuple(by_heading[squeeze(heading)] for heading in source.headings)
        columns[name] = source.model_copy(update={"headings": headings})
    return Mapping(kind=mapping.kind, columns=columns)


def _convert(mapping: Mapping, table: Table) -> Table:
    """The table of the mapping's kind; `table` has the headings as columns."""
    mapping = _match(mapping, table)
    readers = [(name, _make_reader(source, COLUMNS[mapping.kind][name])) for name, source in mapping.columns.items()]
    others = {column: _name_other(column, mapping) for column in table.columns if column not in mapping.headings}

    def convert(cells: Dictionary[str, str]) -> dict[str, str]:
        row = {name: read(cells) for name, read in readers}
        row |= {name: cells[column] for column, name in others.items() if column in cells}
        return row | ({"": cells[""]} if "" in cells else {})

    return Table(
        table.name,
        (*mapping.columns, *others.values()),
        [(number, convert(cells)) for number, cells in table.rows],
        {place: _convert_faults(mapping, faults) for place, faults in table.faults.items()},
        table.notes,
        {name: " + ".join(source.headings) for name, source in mapping.columns.items() if source.headings},
    )


def _make_reader(source: Source, column: Column) -> Reader:
    """What gives a column's value for a row by heading. A table may have very many rows, but few different words."""
    join, translated = _make_join(source, column), dict[str, str]()
    if not (column.values or source.words):
        return join

    def read(cells: Dictionary[str, str]) -> str:
        cell = join(cells)
        if cell not in translated:
            translated[cell] = source.translate(cell, column)
        return translated[cell]

    return read


def _make_join(source: Source, column: Column) -> Reader:
    """What gives the words of the file that a row holds for a column."""
    if len(source.headings) == 1:
        return partial(_get_cell, source.headings[0])
    return partial(source.join, column=column)


def _get_cell(heading: str, cells: Dictionary[str, str]) -> str:
    return cells.get(heading, "")


def _name_other(heading: str, mapping: Mapping) -> str:
    """The name of a column that the mapping does not read: never that of a column of its kind."""
    name = tidy(heading).lower()
    known = {squeeze(column) for column in TABLES[mapping.kind].columns}
    return f"{name} (not read)" if squeeze(name) in known else name


def _convert_faults(mapping: Mapping, faults: list[InvalidCellError]) -> list[InvalidCellError]:
    """Faults of cells by heading, as faults of the columns that read them. Those of other headings do not matter."""
    converted = [fault for fault in faults if fault.column is None]
    for fault in faults:
        for column, source in mapping.columns.items():
            if fault.column in source.headings:
                converted.append(InvalidCellError(fault.reason, fault.fix, column))
    return converted


@dataclass(frozen=True)
class Word:
    """A word of a file in a column that takes certain values, with the number of its rows; `value`: what the mapping
    makes of it ("": a blank cell), None if it is none of the column's values. In a column that also takes other words,
    one that the mapping names may stand for itself."""

    column: str
    word: str
    rows: int
    value: str | None


def list_words(mapping: Mapping, raw: RawTable, columns: Dictionary[str, Column] | None = None) -> list[Word]:
    """The words of a sheet in the columns that take certain values, by column, the most frequent first. `columns`
    describes the columns; None: as `columns.COLUMNS` does."""
    described = COLUMNS[mapping.kind] if columns is None else columns
    table = name_by_headings(raw)
    mapping = _match(mapping, table)
    words: list[Word] = []
    for name, source in mapping.columns.items():
        column = described[name]
        if not column.values or not source.headings:
            continue
        counts: Counter[str] = Counter()
        join = _make_join(source, column)
        for cell, rows in Counter(join(cells) for _, cells in table.rows).items():
            is_whole = not column.is_list or fold(cell) in map(fold, source.words)
            for word in [tidy(cell)] if is_whole and cell else split_list(cell):
                counts[word] += rows
        words += [Word(name, word, rows, _find_value(column, source, word)) for word, rows in counts.most_common()]
    return words


def _find_value(column: Column, source: Source, word: str) -> str | None:
    value = source.translate(word, column)
    if column.other_words and fold(word) in map(fold, source.words):
        return value
    items = split_list(value) if column.is_list else (value,) if value else ()
    return value if all(column.find_value(item) for item in items) else None
