"""The parents' registers: letters and consents, and the emails to families."""

from sqlalchemy import Column, Date, Integer, String, Table, Text, UniqueConstraint

from app.store.encryption import EncryptedText
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
    Column("reason", EncryptedText, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    id_column(),
    foreign_key("pupil_id", "pupils.id", nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("covers_from", Instant, nullable=False),
    Column("covers_to", Instant, nullable=False),
    Column("reason", EncryptedText),
    Column("fingerprint", String(64), nullable=False, unique=True),
)

consent_events = Table(  # none is ever changed
    "consent_events",
    metadata,
    id_column(),
    foreign_key("consent_id", "consents.id", nullable=False, index=True),
    # asked, sent, reminded, given, refused, withdrawn, slt_informed, confirmed (by SLT) or struck
    Column("kind", String(12), nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("entered_at", Instant),  # blank: entered before the program stored it
    foreign_key("actor_id", "staff.id"),  # who entered it; blank: a file
    Column("parent", EncryptedText),  # who answered
    foreign_key("struck_event_id", "consent_events.id"),  # of kind struck: the event that was entered by mistake
    Column("reason", EncryptedText),  # of kind struck
)

family_emails = Table(  # one for each contact of a pupil: the outbox, and the status of each email
    "family_emails",
    metadata,
    id_column(),
    Column("number", String(32), nullable=False, unique=True),  # random; in the Message-ID
    foreign_key("pupil_id", "pupils.id", nullable=False, index=True),
    Column("kind", String(40), nullable=False),  # a FamilyEmailKind
    foreign_key("consent_id", "consents.id", index=True),  # of a request or a reminder
    Column("recipient", EncryptedText, nullable=False),  # an address of the roster
    Column("language", String(2), nullable=False),
    Column("subject", EncryptedText),  # it and the text are deleted once the email was accepted
    Column("body", EncryptedText),
    foreign_key("sender_id", "staff.id", nullable=False),  # who gets the replies
    Column("queued_at", Instant, nullable=False),
    Column("state", String(12), nullable=False, index=True),  # an EmailState
    Column("next_attempt_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),  # of the last attempt, without addresses
    Column("sent_at", Instant),  # when a mail server accepted it
)
