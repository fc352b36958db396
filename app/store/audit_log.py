"""The audit trail: who signed in, opened, changed, exported or imported something, or was refused access.

Entries are only ever added: triggers in the database refuse everything else. Each carries a code over itself and the
entry before it, so `verify` finds one that was altered, removed or inserted by hand; the latest number and code are
stored separately, so that a missing end is found too. With encryption keys, all these codes need a key that is not in
the database (`audit_keys`): whoever has every right to the database, but no key, cannot write a trail that fits. Only
a head noted elsewhere shows that the whole database was rolled back. An entry names records by reference, never a
pupil, and quotes no text.

Entries past their retention period are deleted from the front, and no others can be: the triggers allow it only up to
the anchor, which is the number and hash of the last deleted entry. The anchor is itself recorded in the trail.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, text

from app.keys import encryption_keys
from app.settings import SettingsError
from app.store import reading, tables
from app.store.audit_keys import compute_code, is_keyed, keep_keys, read_keys
from app.store.encryption import DecryptionError, decrypt, encrypt
from app.store.writing import get_meta, set_meta

# The actions, and their names for the administrator.
KINDS = {
    "signed in": "Signed in",
    "signed out": "Signed out",
    "refused": "Access denied",
    "viewed": "Opened a record",
    "changed": "Changed a record",
    "exported": "Downloaded a list",
    "imported": "Imported a file",
    "alerted": "Sent an alert",
    "emailed": "Emailed a family",
    "purged": "Deleted expired records",
}
COMMAND = "command"  # the actor, if it was a command on the server
CONFIDENTIAL = "confidential: "  # begins what is said of an import of nothing but counselling
UNKNOWN = "unknown account"  # the actor, if it was an account that is nobody's on the roster

Head = tuple[int, str]  # an entry's number and its code

_entry = tables.audit.c
_HEAD = "audit_head"
_ANCHOR = "audit_anchor"
_LOCK = 7_302_114  # a number of our own among PostgreSQL's advisory locks
_BEFORE_THE_FIRST = "0" * 64  # in place of a hash
_an_import = select(tables.imports.c.id).limit(1)
_newest = select(_entry.id, _entry.hash).order_by(_entry.id.desc()).limit(1)


def add(connection: Connection, *, occurred_at: datetime, actor: str, action: str, subject: str) -> None:
    """Add an entry, in the caller's transaction. `actor` is an email, COMMAND or UNKNOWN, `action` one of KINDS,
    `subject` a reference such as "session 512" or "concern C-7KQ2MX4P"."""
    if action not in KINDS:
        raise ValueError(f"{action!r} is not a kind of entry of the audit trail")
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    last_number, before = connection.execute(_newest).one_or_none() or _read_anchor(connection)
    number = last_number + 1
    entry = {"id": number, "occurred_at": occurred_at, "actor": actor, "action": action, "subject": subject}
    key = next(iter(keep_keys(connection)), None)
    chained = compute_code(key, before, number, occurred_at.timestamp(), actor, action, subject)
    connection.execute(insert(tables.audit).values(**entry, hash=chained))
    set_meta(connection, _HEAD, _write_head(number, chained, key))


def protect_end(connection: Connection) -> None:
    """Protect the end of a trail that was written by a program without keys for it, once, at the upgrade."""
    key, head = next(iter(keep_keys(connection)), None), get_head(connection)
    if key and head and get_meta(connection, _HEAD) == _write_head(*head, None):
        set_meta(connection, _HEAD, _write_head(*head, key))


def remove_before(connection: Connection, moment: datetime, *, at: datetime, by: str) -> int:
    """Delete the entries from before a moment, and record it in the trail. Returns the number of deleted entries."""
    last = _read_last_before(connection, moment)
    if last is None:
        return 0
    until, chained = last
    set_meta(connection, _ANCHOR, f"{until} {chained}")
    number = connection.execute(delete(tables.audit).where(_entry.id <= until)).rowcount
    add(connection, occurred_at=at, actor=by, action="purged", subject=_read_removed_until(until, chained))
    return number


def _read_last_before(connection: Connection, moment: datetime) -> tuple[int, str] | None:
    """The number and the hash of the entry before the first that is from the moment or later."""
    first_after = connection.scalar(select(func.min(_entry.id)).where(_entry.occurred_at >= moment))
    last = _newest if first_after is None else _newest.where(_entry.id < first_after)
    row = connection.execute(last).one_or_none()
    return (row.id, row.hash) if row else None


def _read_anchor(connection: Connection) -> tuple[int, str]:
    """The number and the hash of the last deleted entry."""
    number, chained = (get_meta(connection, _ANCHOR) or f"0 {_BEFORE_THE_FIRST}").split()
    return int(number), chained


def _read_removed_until(number: int, chained: str) -> str:
    return f"audit trail up to entry {number}, hash {chained}"


def _write_head(number: int, chained: str, key: bytes | None) -> str:
    """The head as it is stored: the newest entry's number and code and, with a key, a code over both."""
    head = f"{number} {chained}"
    return f"{head} {compute_code(key, 'head', number, chained)}" if key else head


def verify(connection: Connection, noted: Head | None = None, *, may_be_older: bool = False) -> tuple[int, str | None]:
    """The number of the last entry that was read, and the fault there as text, None if there is no fault. `noted` is a
    head as it was noted elsewhere. A copy `may_be_older` than the keys."""
    try:
        keys = read_keys(connection)
    except SettingsError as error:
        return 0, str(error)
    first, first_hash = number, before = _read_anchor(connection)
    removed, codes = None, _Codes(keys)
    rows = connection.execute(select(tables.audit).order_by(_entry.id), execution_options={"yield_per": 1000})
    for row in rows:
        number += 1
        if fault := _describe_fault(row, number, before, codes, noted):
            return number, fault
        before = row.hash
        if row.action == "purged" and row.subject.startswith("audit trail "):
            removed = row.subject
    if first and removed != _read_removed_until(first, first_hash):
        return (
            first,
            f"The trail begins after entry {first} and does not say that the entries before it have expired.",
        )
    if noted and noted[0] > number:
        return number, f"The trail ends at entry {number}, but entry {noted[0]} was noted: it was cut or rolled back."
    return number, _describe_end(connection, number, before, () if may_be_older and not is_keyed(connection) else keys)


class _Codes:
    """Checks the codes of entries from the first on: once one has needed a key, all after it do."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys: list[bytes | None] = [*keys, None]

    def fits(self, row: Row[Any], before: str) -> bool:
        content = (before, row.id, row.occurred_at.timestamp(), row.actor, row.action, row.subject)
        key = next((key for key in reversed(self._keys) if compute_code(key, *content) == row.hash), b"")
        if key and None in self._keys:
            self._keys.remove(None)
        return key != b""


def _describe_fault(row: Row[Any], number: int, before: str, codes: _Codes, noted: Head | None) -> str | None:
    if row.id != number:
        return f"Entry {number} is missing."
    if not codes.fits(row, before):
        return f"Entry {number} does not fit: it, or the entry before it, is not what was written."
    if noted and noted[0] == number and noted[1] != row.hash:
        return f"Entry {number} is not the one that was noted: the trail was replaced."
    return None


def _describe_end(connection: Connection, number: int, before: str, keys: tuple[bytes, ...]) -> str | None:
    """What does not fit at the end of a trail whose entries fit."""
    head = get_meta(connection, _HEAD)
    if not number:
        is_used = bool(keys) and (is_keyed(connection) or connection.scalar(_an_import) is not None)
        return "The trail is empty, but the database was used: the trail was deleted." if head or is_used else None
    if head in [_write_head(number, before, key) for key in keys]:
        return None
    if head != _write_head(number, before, None):
        return f"The trail ends at entry {number}, which is not the entry it ended at when it was last written."
    if keys:
        return (
            f"The trail ends at entry {number}, which no key protects. If ENCRYPTION_KEYS has been set only now, sign "
            "in once, which protects it, and verify again. Otherwise it was replaced."
        )
    return None


def write_head(connection: Connection) -> str:
    """The newest entry as a text to be noted elsewhere; "" if there is none. With encryption keys it is encrypted, and
    different each time: by the number of entries one could count those about counselling, which nobody else sees."""
    head = get_head(connection)
    plain = f"{head[0]:012}:{head[1]}".encode() if head else b""
    return (encrypt(plain).decode() if encryption_keys() else plain.decode()) if plain else ""


def read_head(text: str) -> Head:
    """A head that `write_head` wrote. ValueError if it is none, or is encrypted with a key that is not set."""
    text = text.strip()
    try:
        plain = text if ":" in text else decrypt(text.encode()).decode()
    except (DecryptionError, UnicodeDecodeError):
        plain = ""
    number, _, chained = plain.partition(":")
    if not number.isdecimal() or len(chained) != len(_BEFORE_THE_FIRST):
        raise ValueError("This is not a head that the program wrote, or its key is no longer in ENCRYPTION_KEYS.")
    return int(number), chained


def get_head(connection: Connection) -> Head | None:
    """The number and code of the newest entry; None if there is none."""
    newest = connection.execute(_newest).one_or_none()
    return (newest.id, newest.hash) if newest else None


def has_acted_since(connection: Connection, actors: Collection[str], moment: datetime) -> bool:
    """Whether any of some people, given by their addresses, has an entry since a moment."""
    theirs = reading.is_among(connection, _entry.actor, actors)
    return connection.scalar(select(_entry.id).where(theirs, _entry.occurred_at >= moment).limit(1)) is not None


def was_refused_since(connection: Connection, actor: str, subject: str, moment: datetime) -> bool:
    """Whether somebody, or UNKNOWN, was refused something since a moment."""
    theirs = (_entry.actor == actor, _entry.action == "refused", _entry.subject == subject)
    return connection.scalar(select(_entry.id).where(*theirs, _entry.occurred_at >= moment).limit(1)) is not None


def list_entries(connection: Connection, since: datetime | None = None, until: datetime | None = None) -> pd.DataFrame:
    """The entries, the newest first: `id`, `occurred_at` (UTC), `actor`, `action`, `subject`, `hash`; all of them, or
    those from `since` to before `until`."""
    query = select(tables.audit).order_by(_entry.id.desc())
    if since is not None:
        query = query.where(_entry.occurred_at >= since)
    if until is not None:
        query = query.where(_entry.occurred_at < until)
    return reading.read_frame(connection, query)


def select_last_signed_in() -> Select[tuple[str, datetime]]:
    """When each person last signed in: `actor` (email), `occurred_at`."""
    signed_in = select(_entry.actor, func.max(_entry.occurred_at).label("occurred_at")).where(
        _entry.action == "signed in"
    )
    return signed_in.group_by(_entry.actor)
