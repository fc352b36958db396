"""Which call records were fetched already, as digests: of calls that are no sessions nothing else is stored."""

import json
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, insert

from app.graph.quarantine import digest
from app.records.roster import Roster
from app.store.tables import sync_seen


def dropped_stamp(stamp: str, roster: str) -> str:
    """The stamp of a record that was dropped by a roster."""
    return digest(stamp + roster)


def roster_digest(roster: Roster) -> str:
    return digest(json.dumps(asdict(roster), sort_keys=True))


def store_seen(connection: Connection, stamps: dict[str, str], now: datetime) -> None:
    """Store what was fetched, with the stamp under which it was listed."""
    if stamps:
        connection.execute(delete(sync_seen).where(sync_seen.c.id.in_(list(stamps))))
        connection.execute(
            insert(sync_seen), [{"id": key, "stamp": stamp, "seen_at": now} for key, stamp in stamps.items()]
        )
