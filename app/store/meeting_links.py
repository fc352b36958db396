"""Keeps the join links of meetings, by which their attendance reports are asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from app.records.evidence.calls import Call
from app.store import reading, tables
from app.store.writing import insert_rows


@dataclass(frozen=True)
class MeetingLink:
    """A join link: the digest that recognises it, the organiser's Entra id, and the link itself."""

    join_key: str
    organiser_id: str
    url: str


def iter_links(calls: Iterable[Call], tenant: str) -> Iterator[MeetingLink]:
    """The join links of calls that were organised in the school's tenant, except those of channels, whose meetings have
    no attendance reports."""
    for call in calls:
        is_ours = call.organiser_tenant in (None, tenant.lower())
        if call.join_key and call.join_url and call.organiser_id and is_ours and not call.channel:
            yield MeetingLink(call.join_key, call.organiser_id, call.join_url)


def remember_links(connection: Connection, links: Iterable[MeetingLink], now: datetime) -> None:
    """Store links that are not known yet, and note that all of them were seen."""
    by_key = {link.join_key: link for link in links}
    stored = tables.meeting_links
    is_among = reading.is_among(connection, stored.c.join_key, by_key)
    known = set(connection.scalars(select(stored.c.join_key).where(is_among)))
    connection.execute(update(stored).where(is_among).values(seen_at=now))
    new = [asdict(link) | {"seen_at": now} for link in by_key.values() if link.join_key not in known]
    insert_rows(connection, stored, new)
