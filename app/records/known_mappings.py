"""The mappings that come with the program: what other systems call the columns, and which mapping suits a file.

Each file in `data/mappings/` describes a table of one system, or, if it has no `marks`, the headings that are common
for a kind of table. Its headings are alternatives: a table has some of them.
"""

import difflib
import tomllib
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from app.log_questions import QUESTIONS
from app.records.addresses import split_list
from app.records.columns import TABLES
from app.records.mappings import Mapping, Source, name_by_headings
from app.records.rows import UnreadableFileError
from app.records.tables.raw_tables import RawTable
from app.records.tables.tabular import Table
from app.settings import ROOT
from app.vocabulary.words import fold, squeeze

_FOLDER = ROOT / "data" / "mappings"
_CLOSE = 0.85  # similarity from which one heading counts as a misspelling of another
_SAMPLE = 50  # rows that are checked

Headings = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]


class KnownTable(BaseModel):
    """What a system calls the columns of a table.

    - `marks`: sets of headings; a table that has all headings of one set is this system's
    - `ignored`: headings that the system uses for itself and that are never proposed
    - `columns`: for each column, the headings to try in turn: one, or several whose cells are joined
    - `words`: for each column, the value that each word of the system stands for
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: str
    marks: tuple[Headings, ...] = ()
    ignored: tuple[str, ...] = ()
    columns: dict[str, tuple[Headings, ...]]
    words: dict[str, dict[str, str]] = {}

    def is_of(self, headings: Collection[str]) -> bool:
        """Whether a table with these headings, as `squeeze` returns them, is this system's."""
        return any(set(map(squeeze, mark)) <= set(headings) for mark in self.marks)


@cache
def list_known_tables() -> tuple[KnownTable, ...]:
    """The tables of systems that the program knows, in the order of their files' names."""
    return tuple(known for known in _read_all() if known.marks)


@cache
def _read_all() -> tuple[KnownTable, ...]:
    files = sorted(_FOLDER.glob("*.toml"))
    return tuple(KnownTable.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))) for file in files)


@cache
def _get_general(kind: str) -> KnownTable:
    """The headings that are common for a kind of table; in logs, a question's words and label are headings too."""
    known = next(known for known in _read_all() if known.kind == kind and not known.marks)
    own: dict[str, tuple[Headings, ...]] = {column: ((column,),) for column in TABLES[kind].columns}
    if kind == "logs":
        own |= {question.name: ((question.name,), (question.words,), (question.label,)) for question in QUESTIONS}
    columns = {column: (*headings, *known.columns.get(column, ())) for column, headings in own.items()}
    return known.model_copy(update={"columns": columns})


def propose(raw: RawTable, kind: str | None = None) -> Mapping | None:
    """The mapping that best fits a sheet's headings, of the given kind or else of any. It may lack required columns
    (`Mapping.list_missing`), which a person adds. None if no heading is known."""
    kinds = [kind] if kind else list(TABLES)
    table = name_by_headings(raw)
    known = [known for known in recognise(raw) if known.kind in kinds] or [_get_general(other) for other in kinds]
    best = max((_propose_as(system, table) for system in known), key=_rate)
    return best if best.columns else None


def rate(raw: RawTable) -> tuple[float, int]:
    """How well a sheet fits any kind of table, judged by its headings: the rating of the mapping that `propose`
    returns. Higher is better."""
    mapping = propose(raw)
    return _rate(mapping) if mapping else (0, 0)


def recognise(raw: RawTable) -> list[KnownTable]:
    """The systems' tables that a sheet may be, judged by its headings."""
    headings = set(map(squeeze, raw.headings))
    return [known for known in list_known_tables() if known.is_of(headings)]


def get_known_table(name: str) -> KnownTable | None:
    """The table of a system by its name, ignoring case; None if it is unknown."""
    return next((known for known in list_known_tables() if fold(known.name) == fold(name)), None)


def _rate(mapping: Mapping) -> tuple[float, int]:
    """The share of the required columns that a mapping gives, and the number of all columns that it gives."""
    required = TABLES[mapping.kind].required
    return 1 - len(mapping.list_missing()) / len(required), len(mapping.columns)


def propose_as(known: KnownTable, raw: RawTable) -> Mapping:
    """The mapping of a sheet as a system's table. A column is found by the system's headings, else by common ones, else
    by misspellings of these. Headings that the system uses for itself are left out."""
    return _propose_as(known, name_by_headings(raw))


def _propose_as(known: KnownTable, table: Table) -> Mapping:
    general = _get_general(known.kind)
    ignored = set(map(squeeze, known.ignored))
    free = {squeeze(column): column for column in table.columns if squeeze(column) not in ignored}
    columns: dict[str, Source] = {}
    for close in (False, True):
        used = {heading for source in columns.values() for heading in source.headings}
        for column in TABLES[known.kind].columns:
            if column in columns:
                continue
            tried = ((column,), *known.columns.get(column, ()), *general.columns[column])
            left = {name: heading for name, heading in free.items() if not close or heading not in used}
            headings = _find_close(tried, left) if close else _find(tried, left)
            if headings and _may_hold(column, headings, table):
                words = general.words.get(column, {}) | known.words.get(column, {})
                columns[column] = Source(headings=headings, words=_keep_used(words, headings, table))
    return Mapping(kind=known.kind, columns=columns)


def _find(tried: Iterable[Sequence[str]], free: dict[str, str]) -> tuple[str, ...]:
    """The first of the alternatives in `tried` that a file has, in the file's spelling; () if it has none. `free` maps
    the headings that may be used, squeezed, to how the file spells them."""
    for names in tried:
        if all(squeeze(name) in free for name in names):
            return tuple(free[squeeze(name)] for name in names)
    return ()


def _find_close(tried: Iterable[Sequence[str]], free: dict[str, str]) -> tuple[str, ...]:
    """As `_find`, but by a heading that is likely to be a misspelling of one of the alternatives."""
    for names in tried:
        squeezed = squeeze(names[0])
        alike = [name for name in free if abs(len(name) - len(squeezed)) <= 1]
        if len(names) == 1 and (close := difflib.get_close_matches(squeezed, alike, n=1, cutoff=_CLOSE)):
            return (free[close[0]],)
    return ()


def _may_hold(column: str, headings: Sequence[str], table: Table) -> bool:
    """Whether the cells under the headings fit the column: a column of addresses cannot hold names."""
    if "email" not in column or column == "email_domain":
        return True
    cells = [cell for _, row in table.rows[:_SAMPLE] for heading in headings if (cell := row.get(heading))]
    return not cells or any("@" in cell for cell in cells)


def _keep_used(words: dict[str, str], headings: Sequence[str], table: Table) -> dict[str, str]:
    """Those of the words that the file has under the headings."""
    if not words:
        return {}
    cells = {row.get(heading, "") for _, row in table.rows for heading in headings}
    found = {fold(item) for cell in cells for item in (cell, *split_list(cell))}
    return {word: value for word, value in words.items() if fold(word) in found}


def read_as(known: KnownTable, raw: RawTable) -> Mapping:
    """The mapping of a sheet as a system's table. UnreadableFileError if it lacks required columns; the message names
    them."""
    mapping = propose_as(known, raw)
    if missing := mapping.list_missing():
        raise UnreadableFileError(
            f"{raw.name}: the mapping “{known.name}” finds no heading for {', '.join(missing)}. The file has: "
            f"{', '.join(filter(None, raw.headings))}. Open it on the Administration page, choose headings or values "
            "there, and save the mapping under a name of its own."
        )
    return mapping
