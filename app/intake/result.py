"""The result of an import."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.records.rows import ParsedRows, R, ReadRow, RejectedRow


@dataclass
class ImportResult:
    """How many rows or records were read, added, changed and rejected. `actor_id` is the staff id of the person who
    imported them; None: a command."""

    kind: str
    source: str
    actor_id: int | None = None
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    dropped: int = 0  # calls that are not sessions
    rejected: list[RejectedRow] = field(default_factory=list)
    headings: Mapping[str, str] = field(default_factory=dict)  # what the file calls a column, if not by its name
    unknown_columns: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # people of the roster who are not in the file, for the office
    left: list[str] = field(default_factory=list)  # those of them who were marked as having left
    notes: list[str] = field(default_factory=list)  # what else was noticed in the file, such as rows that are hidden
    unread: list[str] = field(default_factory=list)  # sentences about files that were meant to be read, and were not
    resolved: int = 0  # rows that earlier imports had rejected
    rows: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)  # that could be used, by number
    new_rows: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)  # those of them that were added
    calls: dict[str, int] = field(default_factory=dict)  # that could be read: id and version; of a recording 0

    def note(self, parsed: ParsedRows[R]) -> list[ReadRow[R]]:
        """Take over the content of a parsed file. Returns the rows that can be used."""
        self.rejected += parsed.rejected
        self.unknown_columns = parsed.unknown_columns
        self.notes += parsed.notes
        self.rows = [(read.number, read.cells) for read in parsed.rows]
        return parsed.rows
