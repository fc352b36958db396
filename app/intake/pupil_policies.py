"""Stores which policies of Teams are in effect for pupils, the newest reading of each."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from app.store import tables
from app.store.reading import is_among
from app.store.writing import insert_rows

_KEPT = timedelta(days=30)  # of pupils who have left, for instance
_policy = tables.pupil_policies.c


def store_policies(connection: Connection, policies: Mapping[int, Mapping[str, str]], now: datetime) -> None:
    """Store the names of policies by pupil and kind, in place of those read before, and delete old readings."""
    replaced = is_among(connection, _policy.pupil_id, list(policies))
    connection.execute(delete(tables.pupil_policies).where(replaced | (_policy.read_at < now - _KEPT)))
    rows = [
        {"pupil_id": pupil_id, "kind": kind, "name": name, "read_at": now}
        for pupil_id, names in policies.items()
        for kind, name in names.items()
    ]
    insert_rows(connection, tables.pupil_policies, rows)
