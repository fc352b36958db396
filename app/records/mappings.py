"""Mappings from other systems' tables: which heading stands for which column, and which word for which value.

Nothing is guessed: a word that a mapping does not know is left unchanged, and the column's own check judges it.
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

Reader = Callable[[Dictionary[str, str]], str]  # takes a row's cells by heading, returns a value


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Entry):
    """Where the values of a column come from.

    - `headings`: the file's headings. The cells of several are joined by a space, in a list column by ";"
    - `value`: the value in all rows, if the file has no such column
    - `words`: the value for each word of the file; "" leaves the cell blank. In a list, each item is a word
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
        """The text for a column, in the words of the file. `cells` are those of a row by heading."""
        parts = [part for heading in self.headings if (part := cells.get(heading, "").strip())]
        if len(parts) > 1:
            parts[0] = parts[0].removesuffix("T00:00:00")  # a day before a time, in a cell that shows midnight
        return (";" if column.is_list else " ").join(parts) if self.headings else self.value

    def translate(self, cell: str, column: Column) -> str:
        """The cell in the values of the column: translated as a whole or, in a list, item by item. Words that are
        neither in `words` nor values of the column are left unchanged."""
        known = {fold(word): value for word, value in self.words.items()}

        def translate_word(word: str) -> str:
            value = known.get(fold(word))
            return value if value is not None else column.find_value(word) or word

        if fold(cell) in known or not column.is_list:
            return translate_word(cell)
        return ";".join(filter(None, map(translate_word, split_list(cell))))


class Mapping(_Entry):
    """How another system's table becomes a table of a `kind`, which is a key of `columns.TABLES`. `columns` says where
    each column's values come from; columns that it leaves out are not in the table."""

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
        """The headings that are read, without repeats."""
        return tuple(dict.fromkeys(heading for source in self.columns.values() for heading in source.headings))

    def list_missing(self) -> list[str]:
        """The required columns of this kind of table that the mapping does not give."""
        return [column for column in TABLES[self.kind].required if column not in self.columns]

    def to_json(self) -> str:
        """The mapping as JSON, to be stored."""
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
    """Read a file as a table of the mapping's kind (see `apply`), from the sheets that have the mapping's headings.
    UnreadableFileError if the file is not a table, or lacks a heading."""
    return _convert(mapping, read_table(file, Expected(mapping.headings, mapping.headings)))


def apply(mapping: Mapping, raw: RawTable) -> Table:
    """A sheet as a table of the mapping's kind. Rows keep their numbers, and `Table.headings` says what the file calls
    each column. Columns that the mapping does not read are included, and are reported as unknown. UnreadableFileError
    if the sheet lacks a heading."""
    return _convert(mapping, name_by_headings(raw))


def name_by_headings(raw: RawTable) -> Table:
    """A sheet as a table whose columns are its headings; repeats of a heading are numbered."""
    seen: Counter[str] = Counter()
    columns = []
    for heading in map(tidy, raw.headings):
        seen[squeeze(heading)] += 1
        times = seen[squeeze(heading)]
        columns.append(heading if times == 1 else f"{heading} ({times})")
    return raw.name_columns(columns)


def _match(mapping: Mapping, table: Table) -> Mapping:
    """The mapping with its headings spelt as in the table. UnreadableFileError if the table lacks one."""
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
    """The table as one of the mapping's kind; the columns of `table` are headings."""
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
    """A function that returns a column's value for a row. Translations are cached: a table may have very many rows, but
    few different words."""
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
    """A function that returns a column's text for a row, in the words of the file."""
    if len(source.headings) == 1:
        return partial(_get_cell, source.headings[0])
    return partial(source.join, column=column)


def _get_cell(heading: str, cells: Dictionary[str, str]) -> str:
    return cells.get(heading, "")


def _name_other(heading: str, mapping: Mapping) -> str:
    """The name for a column that the mapping does not read: never one that its kind of table has."""
    name = tidy(heading).lower()
    known = {squeeze(column) for column in TABLES[mapping.kind].columns}
    return f"{name} (not read)" if squeeze(name) in known else name


def _convert_faults(mapping: Mapping, faults: list[InvalidCellError]) -> list[InvalidCellError]:
    """The faults, which name headings, as faults of the columns that read these headings. Faults of headings that are
    not read are left out."""
    converted = [fault for fault in faults if fault.column is None]
    for fault in faults:
        for column, source in mapping.columns.items():
            if fault.column in source.headings:
                converted.append(InvalidCellError(fault.reason, fault.fix, column))
    return converted


@dataclass(frozen=True)
class Word:
    """A word of a file in a column that takes certain values, with the number of `rows` that have it. `value` is what
    the mapping makes of it ("" for a blank cell), or None if that is not a value of the column. In a column with
    `other_words`, a word that the mapping names may have any value, also itself."""

    column: str
    word: str
    rows: int
    value: str | None


def list_words(mapping: Mapping, raw: RawTable, columns: Dictionary[str, Column] | None = None) -> list[Word]:
    """The words of a sheet in the columns that take certain values, column by column, the most frequent first.
    `columns` describes the columns; by default, `columns.COLUMNS` does."""
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
