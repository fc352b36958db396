"""What comes in from outside, parsed and checked into rows.

A row that cannot be used is refused, never lost: it is named with its column, why, and the mend, and
kept as it came. `why` and `mend` never repeat what the row says, since they are printed; `value` may.
"""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

R = TypeVar("R")


class UnreadableFile(Exception):
    """The whole file cannot be read; the message says why, and the mend."""


@dataclass(frozen=True)
class Rejected:
    """A row that was refused. `row` counts as a spreadsheet does, the header being row 1; for JSON it
    is the record's number. `column` and `value` are blank where the whole row is at fault."""

    row: int
    column: str | None
    value: str | None
    why: str
    mend: str
    original: Any


@dataclass(frozen=True)
class Read(Generic[R]):
    """A row that can be used, with its number in the file and its cells as they came."""

    number: int
    cells: dict[str, str]
    row: R


@dataclass
class Parsed(Generic[R]):
    """The rows that can be used, those refused, and columns that nobody knows."""

    rows: list[Read[R]]
    refused: list[Rejected]
    unknown_columns: list[str] = field(default_factory=list)
