"""Puts records of Microsoft Graph that cannot be read into quarantine."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, update

from app.store.tables import quarantine
from app.store.writing import insert_rows

FETCH_AGAIN = "choose “Sync now”, or run python -m app sync --retry"


def put_fetched(
    connection: Connection, kind: str, key: str, values: Mapping[str, Any], *, is_call: bool = True
) -> None:
    """Put a record into quarantine, or count another attempt. `key` recognises it the next time; of a call record it is
    the call's id. `values` are its `reason`, `original` and `rejected_at`."""
    fingerprint = digest(f"sync|{kind}|{key}")
    stored = update(quarantine).where(quarantine.c.fingerprint == fingerprint)
    if connection.execute(stored.values(attempts=quarantine.c.attempts + 1, **values)).rowcount:
        return
    row = {"kind": kind, "source": "sync", "fix": FETCH_AGAIN, "fingerprint": fingerprint, "attempts": 1}
    insert_rows(connection, quarantine, [dict(values) | row | {"call_id": key if is_call else None}])


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
