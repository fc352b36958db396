"""What Graph sent and the program cannot read: stored whole, encrypted, with the reason, until it can be read."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select

from app.store.tables import sync_quarantine

_entry = sync_quarantine.c


@dataclass(frozen=True)
class Unreadable:
    """Something that cannot be read, whole, and why. `content` is None if nothing arrived."""

    kind: str  # call, entry (of a list), recording, recordings (of an organiser)
    ref: str
    reason: str
    content: bytes | None


@dataclass(frozen=True)
class QuarantinedRecord:
    """An entry as the administrator sees it: without its content, which may name people."""

    kind: str
    ref: str
    reason: str
    first_seen_at: datetime
    last_seen_at: datetime
    attempts: int


def list_entries(connection: Connection) -> list[QuarantinedRecord]:
    """What is in quarantine, the oldest first."""
    columns = [_entry[column.name] for column in fields(QuarantinedRecord)]
    return [QuarantinedRecord(*row) for row in connection.execute(select(*columns).order_by(_entry.first_seen_at))]


def unreadable(kind: str, content: Any, reason: str) -> Unreadable:
    """An entry without an id of its own: its digest is its reference."""
    whole = json.dumps(content)
    return Unreadable(kind, digest(whole), reason, whole.encode())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def store(connection: Connection, entry: Unreadable, now: datetime) -> None:
    """Put an entry into quarantine, or count another attempt."""
    mine = and_(_entry.kind == entry.kind, _entry.ref == entry.ref)
    before = connection.execute(select(_entry.first_seen_at, _entry.attempts).where(mine)).first()
    connection.execute(delete(sync_quarantine).where(mine))
    connection.execute(
        insert(sync_quarantine).values(
            kind=entry.kind,
            ref=entry.ref,
            reason=entry.reason,
            content=entry.content,
            first_seen_at=before.first_seen_at if before else now,
            last_seen_at=now,
            attempts=before.attempts + 1 if before else 1,
        )
    )


def release_calls(connection: Connection, call_ids: Collection[str]) -> None:
    """Calls that could be read after all."""
    connection.execute(delete(sync_quarantine).where(_entry.kind == "call", _entry.ref.in_(list(call_ids))))


def release_unlisted(connection: Connection, before: datetime) -> None:
    """Entries other than calls that Graph no longer lists."""
    connection.execute(delete(sync_quarantine).where(_entry.kind != "call", _entry.last_seen_at < before))


def call_refs(connection: Connection, before: datetime, *, everything: bool) -> list[str]:
    """The calls that this run did not list: those of which nothing arrived, or all."""
    mine = and_(_entry.kind == "call", _entry.last_seen_at < before)
    chosen = mine if everything else and_(mine, _entry.content.is_(None))
    return list(connection.scalars(select(_entry.ref).where(chosen)))


def call_content(connection: Connection, call_id: str) -> bytes:
    """What arrived of a call; empty if nothing did."""
    mine = and_(_entry.kind == "call", _entry.ref == call_id)
    return connection.scalar(select(_entry.content).where(mine)) or b""
