"""The audit trail: who signed in, opened, changed, exported or imported something, or was refused access.

Entries are only ever added: triggers in the database refuse everything else. Each carries a hash over itself and the
entry before it, so `verify` finds one that was altered, removed or inserted by hand; the latest number and hash are
stored separately, so that a missing end is found too. An entry names records by reference, never a pupil, and quotes
no text.

Entries past their retention period are deleted from the front, and no others can be: the triggers allow it only up to
the anchor, which is the number and hash of the last deleted entry. The anchor is itself recorded in the trail.
"""

import hashlib
import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, text

from app.store import reading, tables
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

_entry = tables.audit.c
_HEAD = "audit_head"
_ANCHOR = "audit_anchor"
_LOCK = 7_302_114  # a number of our own among PostgreSQL's advisory locks
_BEFORE_THE_FIRST = "0" * 64  # in place of a hash
_newest = select(_entry.id, _entry.hash).order_by(_entry.id.desc()).limit(1)


def add(connection: Connection, *, occurred_at: datetime, actor: str, action: str, subject: str) -> None:
    """Add an entry, in the caller's transaction. `actor` is an email or COMMAND, `action` one of KINDS,
    `subject` a reference such as "session 512" or "concern C-7KQ2MX4P"."""
    if action not in KINDS:
        raise ValueError(f"{action!r} is not a kind of entry of the audit trail")
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    last_number, before = connection.execute(_newest).one_or_none() or _read_anchor(connection)
    number = last_number + 1
    entry = {"id": number, "occurred_at": occurred_at, "actor": actor, "action": action, "subject": subject}
    chained = _compute_hash(before, number, occurred_at, actor, action, subject)
    connection.execute(insert(tables.audit).values(**entry, hash=chained))
    set_meta(connection, _HEAD, f"{number} {chained}")


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


def count_before(connection: Connection, moment: datetime) -> int:
    """The number of entries from before a moment."""
    last = _read_last_before(connection, moment)
    return last[0] - _read_anchor(connection)[0] if last else 0


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


def _compute_hash(before: str, number: int, occurred_at: datetime, actor: str, action: str, subject: str) -> str:
    content = [before, number, occurred_at.timestamp(), actor, action, subject]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def verify(connection: Connection) -> tuple[int, str | None]:
    """The number of the last entry that was read, and the fault there as text, None if there is no fault."""
    first, first_hash = number, before = _read_anchor(connection)
    removed = None
    rows = connection.execute(select(tables.audit).order_by(_entry.id), execution_options={"yield_per": 1000})
    for row in rows:
        number += 1
        if fault := _describe_fault(row, number, before):
            return number, fault
        before = row.hash
        if row.action == "purged" and row.subject.startswith("audit trail "):
            removed = row.subject
    head = get_meta(connection, _HEAD)
    if first and removed != _read_removed_until(first, first_hash):
        return (
            first,
            f"The trail begins after entry {first} and does not say that the entries before it have expired.",
        )
    if head != (f"{number} {before}" if number else None):
        return number, f"The trail ends at entry {number}, which is not the entry it ended at when it was last written."
    return number, None


def _describe_fault(row: Row[Any], number: int, before: str) -> str | None:
    if row.id != number:
        return f"Entry {number} is missing."
    if row.hash != _compute_hash(before, row.id, row.occurred_at, row.actor, row.action, row.subject):
        return f"Entry {number} does not fit: it, or the entry before it, is not what was written."
    return None


def newest_hash(connection: Connection) -> str:
    """The hash of the newest entry, which depends on all others; blank if there is no entry."""
    newest = connection.execute(_newest).one_or_none()
    return newest.hash if newest else ""


def has_acted_since(connection: Connection, actors: Collection[str], moment: datetime) -> bool:
    """Whether any of some people, given by their addresses, has an entry since a moment."""
    theirs = reading.is_among(connection, _entry.actor, actors)
    return connection.scalar(select(_entry.id).where(theirs, _entry.occurred_at >= moment).limit(1)) is not None


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
