"""The result of an import."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from app.records.rows import ParsedRows, R, ReadRow, RejectedRow

COUNTED = ("read", "added", "changed", "unchanged", "dropped")


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
    keys: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # of what is counted as added, …
    remarks: list[tuple[str, str]] = field(default_factory=list)  # notes about one of the keys
    confidential: Counter[str] = field(default_factory=Counter)  # how much of each count may be counselling

    def count(self) -> dict[str, int]:
        """The counts (COUNTED) as they are shown and stored: without what is or may be counselling."""
        return {name: getattr(self, name) - self.confidential[name] for name in COUNTED}

    @property
    def is_confidential(self) -> bool:
        """Whether all that the import did is or may be counselling."""
        did = self.left or self.rejected or self.resolved or any(self.count().values())
        return not did and any(self.confidential.values())

    def note_keys(self, name: str, keys: Iterable[str]) -> None:
        """Note the references of the logs, calls or recordings that a count of COUNTED includes."""
        self.keys[name] += keys

    def withhold(self, confidential: Collection[str]) -> None:
        """Show nothing of the logs, calls or recordings with some references."""
        for name, keys in self.keys.items():
            self.confidential[name] = sum(key in confidential for key in keys)
        self.confidential["read"] = sum(self.confidential[name] for name in COUNTED if name != "read")
        self.notes += [words for key, words in self.remarks if key not in confidential]
        if self.kind == "logs":
            new = zip(self.keys["added"], self.new_rows, strict=True)
            self.new_rows = [row for key, row in new if key not in confidential]

    def note(self, parsed: ParsedRows[R]) -> list[ReadRow[R]]:
        """Take over the content of a parsed file. Returns the rows that can be used."""
        self.rejected += parsed.rejected
        self.unknown_columns = parsed.unknown_columns
        self.notes += parsed.notes
        self.rows = [(read.number, read.cells) for read in parsed.rows]
        return parsed.rows
