"""What the leadership decides: the protocol in force, remote learning of one pupil, who has confirmed a version, and
the spot checks."""

from sqlalchemy import BigInteger, Column, Date, String, Table, Text, UniqueConstraint

from app.store.encryption import EncryptedText
from app.store.tables.columns import Instant, foreign_key, id_column, metadata

protocol_entries = Table(  # one for each decision; none is ever changed but for its end (`app.store.protocol`)
    "protocol_entries",
    metadata,
    id_column(),
    Column("kind", String(20), nullable=False),  # a ProtocolKind
    Column("key", String(120), nullable=False),  # of the entries of a kind and key one is in force
    Column("content", Text, nullable=False),  # as JSON
    Column("entered_at", Instant, nullable=False),
    foreign_key("entered_by", "staff.id"),  # blank: the settings file or a command
    foreign_key("replaces_id", "protocol_entries.id"),  # the entry that this one ended; blank: it is new
    Column("note", EncryptedText),
    Column("ended_at", Instant, index=True),  # when another decision replaced or withdrew it; blank: in force
    foreign_key("ended_by", "staff.id"),
)

remote_pupils = Table(  # remote learning of one pupil, such as in quarantine; an entry is never changed but for its end
    "remote_pupils",
    metadata,
    id_column(),
    foreign_key("pupil_id", "pupils.id", nullable=False, index=True),
    Column("from_day", Date, nullable=False),
    Column("to_day", Date, nullable=False),  # belongs to it
    Column("reason", EncryptedText, nullable=False),
    Column("entered_at", Instant, nullable=False),
    foreign_key("entered_by", "staff.id", nullable=False),
    Column("ended_at", Instant),  # when it was withdrawn or replaced; blank: in force
    foreign_key("ended_by", "staff.id"),
)

confirmations = Table(  # who has read and understood which version of the protocol
    "confirmations",
    metadata,
    id_column(),
    foreign_key("staff_id", "staff.id", nullable=False),
    Column("version_from", Date, nullable=False),  # the day from which the version is in force
    Column("confirmed_at", Instant, nullable=False),
    UniqueConstraint("staff_id", "version_from"),
)

# Sessions that only their log calls in order, drawn to be looked at. `session_id` is not a foreign key: a result
# outlives a session that judging removes.
spot_checks = Table(
    "spot_checks",
    metadata,
    id_column(),
    Column("session_id", BigInteger, nullable=False, unique=True),
    Column("term", Text, nullable=False),
    Column("drawn_at", Instant, nullable=False),
    Column("result", String(20), index=True),  # a SpotCheckResult; blank: nobody has looked at it yet
    Column("note", EncryptedText),
    Column("checked_at", Instant),
    foreign_key("checked_by", "staff.id"),
    Column("reply", EncryptedText),  # of the member of staff, if it is to be explained
    Column("replied_at", Instant),
)
