"""Who the people in a roster's file are: somebody on record, or somebody new.

The Entra id takes precedence over the address. An address stays with the person who had it, also after they have left
or have another one, so that nobody is ever given somebody else's sessions. Without an Entra id on both sides, the name
shows whether a row is about the person who has the address. Where it does not, the office has to say so.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from sqlalchemy import Connection, Table, select

from app.records.people.roster import NOT_BOTH
from app.records.rows import InvalidCellError
from app.store import tables
from app.store.versions import get_person_column, valid_versions

_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "revd", "sir"})
_FIX = (
    "if it is the same person, import the file again and say so (--same-person, or the box on the Administration "
    "page); if not, give the new person an address that nobody has had"
)


class _Row(Protocol):
    """A row of staff.csv or pupils.csv."""

    @property
    def email(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def entra_id(self) -> str | None: ...


@dataclass(frozen=True)
class Known:
    """Somebody on record, by the newest name and address; `table` is `staff` or `pupils`."""

    table: str
    number: int
    name: str
    email: str
    entra_id: str | None
    has_left: bool


class Identities:
    """Everybody who is or was on the roster. `same_person`: the addresses of which the office says that they still
    stand for the person who has or had them, whatever the name or Entra id in the file."""

    def __init__(self, connection: Connection, same_person: Collection[str]) -> None:
        self._same_person = {address.strip().lower() for address in same_person}
        self._everybody = [
            *_read(connection, tables.staff, tables.staff_versions),
            *_read(connection, tables.pupils, tables.pupil_versions),
        ]
        by_number = {(known.table, known.number): known for known in self._everybody}
        self._by_entra_id = {known.entra_id: known for known in self._everybody if known.entra_id}
        self._by_email: dict[str, Known] = {}
        for former in connection.execute(select(tables.former_emails)):
            owner = ("staff", former.staff_id) if former.staff_id is not None else ("pupils", former.pupil_id)
            self._by_email[former.email] = by_number[owner]
        self._by_email |= {known.email: known for known in self._everybody}

    def find(self, row: _Row, table: str) -> Known | None:
        """The person of a row of `staff` or `pupils`; None: somebody new. Raises InvalidCellError, with both names, if
        the row would give somebody's address or Entra id to another person."""
        by_entra_id = self._by_entra_id.get(row.entra_id or "")
        by_email = self._by_email.get(row.email)
        known = by_entra_id or by_email
        if known is None:
            return None
        if known.table != table:
            kind = "a pupil" if known.table == "pupils" else "a member of staff"
            column = "entra_id" if by_entra_id else "email"
            raise InvalidCellError(f"belongs to {known.name}, who is or was {kind}", NOT_BOTH, column)
        if by_entra_id and by_email and by_entra_id != by_email:
            raise InvalidCellError(
                f"is or was the address of {by_email.name}, but the Entra id is that of {by_entra_id.name}",
                "correct one of the two; nobody can be given an address that somebody else has had",
                "email",
            )
        if not by_entra_id:
            self._require_same_person(row, known)
        return known

    def _require_same_person(self, row: _Row, known: Known) -> None:
        """Raise InvalidCellError if somebody who has or had a row's address may not be the row's person."""
        if row.email in self._same_person:
            return
        state = "was" if known.has_left or known.email != row.email else "is"
        if row.entra_id and known.entra_id:
            reason = f"{state} the address of {known.name}, who has another Entra id than {row.name} in this row"
            raise InvalidCellError(reason, _FIX, "email")
        of_known, of_row = _split_name(known.name), _split_name(row.name)
        if state == "is":  # a surname changes, and nobody who is here shares an address
            of_known, of_row = of_known[:1], of_row[:1]
        if of_known != of_row:
            raise InvalidCellError(f"{state} the address of {known.name}, and this row names {row.name}", _FIX, "email")

    def find_mentioned(self, cells: Mapping[str, str], table: str) -> set[int] | None:
        """The numbers of the people of `staff` or `pupils` whom a rejected row may be about: by its address or Entra
        id, or, if it has neither, those here by its name, of whom there may be none. None: it may be about anybody."""
        entra_id, email = (str(cells.get(name) or "").strip().lower() for name in ("entra_id", "email"))
        mentioned = (self._by_entra_id.get(entra_id), self._by_email.get(email))
        found = {known.number for known in mentioned if known and known.table == table}
        if found:
            return found
        words = set(_split_name(str(cells.get("name") or "")))
        if entra_id or email or not words:
            return None
        return {
            known.number
            for known in self.list_present(table)
            if words <= self._words_of[known.name] or words >= self._words_of[known.name]
        }

    @cached_property
    def _words_of(self) -> dict[str, set[str]]:
        """The words of each name on record."""
        return {known.name: set(_split_name(known.name)) for known in self._everybody}

    def list_present(self, table: str) -> list[Known]:
        """Those of `staff` or `pupils` who have not left."""
        return [known for known in self._everybody if known.table == table and not known.has_left]


def _read(connection: Connection, people: Table, versions: Table) -> list[Known]:
    version = valid_versions(versions)
    query = (
        select(people.c.id, people.c.email, people.c.entra_id, version.c.name, version.c.has_left)
        .join(version, version.c[get_person_column(versions)] == people.c.id)
        .where(version.c.until.is_(None))
    )
    return [
        Known(people.name, row.id, row.name, row.email, row.entra_id, row.has_left) for row in connection.execute(query)
    ]


def _split_name(name: str) -> list[str]:
    """The words of a name, the given name first, without titles, accents, capitals and punctuation."""
    surname, comma, given = name.partition(",")
    plain = unicodedata.normalize("NFKD", f"{given} {surname}" if comma else name).casefold()
    words = re.findall(r"\w+", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    return [word for word in words if word not in _TITLES] or words
