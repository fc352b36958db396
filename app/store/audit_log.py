"""The audit trail: who signed in, saw which record, changed, exported, imported, was refused.

Entries are only ever added: triggers in the database refuse everything else. Each carries a hash over
itself and the entry before it, so `verify` finds one that was altered, removed or inserted by hand; the
latest number and hash are stored separately, so that a missing end is found too. An entry names records by
reference, never a pupil and never a text.

Entries past their retention period are deleted from the front, and no others can be: the triggers allow it
only up to the anchor, which is the number and hash of the last deleted entry. The anchor is itself recorded
in the trail.
"""

import hashlib
import json
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, text

from app.store import reading, tables
from app.store.writing import get_meta, set_meta

# What can be on the trail, and how the administrator reads it.
KINDS = {
    "signed in": "Signed in",
    "signed out": "Signed out",
    "refused": "Access denied",
    "viewed": "Opened a record",
    "changed": "Changed a record",
    "exported": "Downloaded a list",
    "imported": "Imported a file",
    "alerted": "Sent an alert",
    "purged": "Deleted expired records",
}
COMMAND = "command"  # who did it, where it was a command on the server

_entry = tables.audit.c
_HEAD = "audit_head"
_ANCHOR = "audit_anchor"
_LOCK = 7_302_114  # a number of our own among PostgreSQL's advisory locks
_BEFORE_THE_FIRST = "0" * 64


def add(connection: Connection, *, occurred_at: datetime, actor: str, action: str, subject: str) -> None:
    """Add an entry, in the caller's transaction. `actor` is an email or COMMAND, `action` one of KINDS,
    `subject` a reference such as "session 512" or "concern C-7KQ2MX4P"."""
    if action not in KINDS:
        raise ValueError(f"{action!r} is no kind of entry of the audit trail")
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    last = connection.execute(select(_entry.id, _entry.hash).order_by(_entry.id.desc()).limit(1)).one_or_none()
    last_number, before = (last.id, last.hash) if last else _anchor(connection)
    number = last_number + 1
    entry = {"id": number, "occurred_at": occurred_at, "actor": actor, "action": action, "subject": subject}
    chained = _hash(before, number, occurred_at, actor, action, subject)
    connection.execute(insert(tables.audit).values(**entry, hash=chained))
    set_meta(connection, _HEAD, f"{number} {chained}")


def remove_before(connection: Connection, moment: datetime, *, at: datetime, by: str) -> int:
    """Take away the entries from before a moment, and say so on the trail; how many there were."""
    last = _last_before(connection, moment)
    if last is None:
        return 0
    until, chained = last
    set_meta(connection, _ANCHOR, f"{until} {chained}")
    number = connection.execute(delete(tables.audit).where(_entry.id <= until)).rowcount
    add(connection, occurred_at=at, actor=by, action="purged", subject=_removed_until(until, chained))
    return number


def number_before(connection: Connection, moment: datetime) -> int:
    """How many entries are from before a moment."""
    last = _last_before(connection, moment)
    return last[0] - _anchor(connection)[0] if last else 0


def _last_before(connection: Connection, moment: datetime) -> tuple[int, str] | None:
    """The number and the hash of the last entry before the first that is not from before the moment."""
    kept_from = connection.scalar(select(func.min(_entry.id)).where(_entry.occurred_at >= moment))
    old = select(_entry.id, _entry.hash).order_by(_entry.id.desc()).limit(1)
    last = connection.execute(old.where(_entry.id < kept_from) if kept_from else old).one_or_none()
    return (last.id, last.hash) if last else None


def _anchor(connection: Connection) -> tuple[int, str]:
    """The number and the hash of the last entry that is past its keeping and gone."""
    kept = get_meta(connection, _ANCHOR)
    if kept is None:
        return 0, _BEFORE_THE_FIRST
    number, chained = kept.split()
    return int(number), chained


def _removed_until(number: int, chained: str) -> str:
    return f"audit trail up to entry {number}, hash {chained}"


def _hash(before: str, number: int, at: datetime, by: str, what: str, about: str) -> str:
    return hashlib.sha256(json.dumps([before, number, at.timestamp(), by, what, about]).encode()).hexdigest()


def verify(connection: Connection) -> tuple[int, str | None]:
    """The number of the entry up to which was read, and what does not fit, in words; None when everything
    does."""
    first, first_hash = number, before = _anchor(connection)
    removed = None
    rows = connection.execute(select(tables.audit).order_by(_entry.id), execution_options={"yield_per": 1000})
    for row in rows:
        number += 1
        if fault := _fault(row, number, before):
            return number, fault
        before = row.hash
        if row.action == "purged" and row.subject.startswith("audit trail "):
            removed = row.subject
    head = get_meta(connection, _HEAD)
    if first and removed != _removed_until(first, first_hash):
        return (
            first,
            f"The trail begins after entry {first} and does not say that what was before is past its keeping.",
        )
    if head != (f"{number} {before}" if number else None):
        return number, f"The trail ends at entry {number}, which is not the entry it ended at when it was last written."
    return number, None


def _fault(row: Row[Any], number: int, before: str) -> str | None:
    if row.id != number:
        return f"Entry {number} is missing."
    if row.hash != _hash(before, row.id, row.occurred_at, row.actor, row.action, row.subject):
        return f"Entry {number} does not fit: it, or the entry before it, is not what was written."
    return None


def newest_hash(connection: Connection) -> str:
    """The hash of the newest entry, on which all others hang; blank where there is none."""
    return connection.scalar(select(_entry.hash).order_by(_entry.id.desc()).limit(1)) or ""


def entries(connection: Connection, since: datetime | None = None, until: datetime | None = None) -> pd.DataFrame:
    """The entries, the newest first: `id`, `occurred_at` (UTC), `actor`, `action`, `subject`, `hash`; all of
    them, or those from `since` to before `until`."""
    query = select(tables.audit).order_by(_entry.id.desc())
    if since is not None:
        query = query.where(_entry.occurred_at >= since)
    if until is not None:
        query = query.where(_entry.occurred_at < until)
    return reading.frame(connection, query)


def last_signed_in() -> Select[tuple[str, datetime]]:
    """When each person signed in last: `actor` (email), `occurred_at`."""
    signed_in = select(_entry.actor, func.max(_entry.occurred_at).label("occurred_at")).where(
        _entry.action == "signed in"
    )
    return signed_in.group_by(_entry.actor)
