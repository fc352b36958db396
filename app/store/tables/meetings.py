"""What Microsoft 365 shows besides call records: who was invited, join links, and the policies of pupils."""

from sqlalchemy import Boolean, Column, Index, String, Table, Text, UniqueConstraint, false

from app.store.encryption import EncryptedText
from app.store.tables.columns import Instant, foreign_key, id_column, metadata

calendar_events = Table(  # meetings of staff as their calendars showed them, one row for each version that was read
    "calendar_events",
    metadata,
    id_column(),
    Column("event_key", String(64), nullable=False),  # a digest that every version of the event has
    Column("join_key", String(64), nullable=False, index=True),  # a digest of the join link
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),  # when this version was written in the calendar
    Column("read_at", Instant, nullable=False),
    foreign_key("organiser_id", "staff.id"),  # whose calendar it was read from
    UniqueConstraint("event_key", "changed_at"),
    Index("ix_calendar_events_starts_at", "starts_at"),
)

calendar_invited = Table(  # staff on the roster whom an event invites; of anybody else nothing is stored
    "calendar_invited",
    metadata,
    foreign_key("event_id", "calendar_events.id", primary_key=True),
    foreign_key("staff_id", "staff.id", primary_key=True),
)

meeting_links = Table(  # join links, by which attendance reports are fetched
    "meeting_links",
    metadata,
    Column("join_key", String(64), primary_key=True),
    Column("organiser_id", String(200), nullable=False),
    Column("url", EncryptedText, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("reports_read_at", Instant),  # when its attendance reports were last asked for
    Column("reports_whole", Boolean, nullable=False, server_default=false()),  # whether all of them could be read
)

pupil_policies = Table(  # the policies of Teams that are in effect for a pupil
    "pupil_policies",
    metadata,
    foreign_key("pupil_id", "pupils.id", primary_key=True),
    Column("kind", String(60), primary_key=True),  # as Graph names it: TeamsMeetingPolicy, TeamsCallingPolicy
    Column("name", Text, nullable=False),
    Column("read_at", Instant, nullable=False),
)
