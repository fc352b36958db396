"""The parents' registers: letters and consents."""

from sqlalchemy import Column, Date, String, Table, Text, UniqueConstraint

from app.store.tables.columns import Instant, foreign_key, id_column, metadata

letters = Table(
    "letters",
    metadata,
    id_column(),
    foreign_key("pupil_id", "pupils.id", nullable=False),
    Column("kind", String(40), nullable=False),
    Column("sent_on", Date, nullable=False),
    UniqueConstraint("pupil_id", "kind", "sent_on"),
)

letters_struck = Table(  # removed from `letters`, where they were entered by mistake
    "letters_struck",
    metadata,
    id_column(),
    foreign_key("pupil_id", "pupils.id", nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("sent_on", Date, nullable=False),
    Column("struck_at", Instant, nullable=False),
    foreign_key("struck_by", "staff.id", nullable=False),
    Column("reason", Text, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    id_column(),
    foreign_key("pupil_id", "pupils.id", nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("covers_from", Instant, nullable=False),
    Column("covers_to", Instant, nullable=False),
    Column("reason", Text),
    Column("fingerprint", String(64), nullable=False, unique=True),
)

consent_events = Table(  # kind: asked, sent, given, refused, withdrawn, slt_informed, struck; none is ever changed
    "consent_events",
    metadata,
    id_column(),
    foreign_key("consent_id", "consents.id", nullable=False, index=True),
    Column("kind", String(12), nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("entered_at", Instant),  # blank: entered before the program stored it
    foreign_key("actor_id", "staff.id"),  # who entered it; blank: a file
    Column("parent", Text),  # who answered
    foreign_key("struck_event_id", "consent_events.id"),  # of kind struck: the event that was entered by mistake
    Column("reason", Text),  # of kind struck
)
