"""The roster, whose versions are each valid from a day on; drafts and sign-ins of staff.

Somebody who leaves gets a version that says so (`has_left`), without a role. It is followed by another one if they come
back.
"""

from sqlalchemy import Boolean, Column, Date, String, Table, Text, UniqueConstraint, false

from app.store.encryption import EncryptedText
from app.store.tables.columns import Instant, foreign_key, id_column, metadata

schools = Table(
    "schools",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("senior", Boolean, nullable=False),
    Column("email_domain", Text, nullable=False),
)

staff = Table(
    "staff",
    metadata,
    id_column(),
    Column("email", String(320), nullable=False, unique=True),
    Column("entra_id", String(100), unique=True),
)

staff_versions = Table(  # lists within a cell are separated by ";"
    "staff_versions",
    metadata,
    id_column(),
    foreign_key("staff_id", "staff.id", nullable=False),
    Column("from_day", Date, nullable=False),
    Column("name", Text, nullable=False),
    foreign_key("school", "schools.code", nullable=False),
    Column("department", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("year_groups", Text, nullable=False),
    Column("houses", Text, nullable=False),
    Column("has_left", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("staff_id", "from_day"),
)

pupils = Table(
    "pupils",
    metadata,
    id_column(),
    Column("email", EncryptedText, nullable=False, unique=True),  # the import sees to it that nobody has another's
    Column("entra_id", EncryptedText, unique=True),
    Column("contact_emails", EncryptedText),  # of those with parental responsibility, separated by ";"
    Column("language", String(2)),  # of letters home: en or cy; blank: not known
)

pupil_versions = Table(
    "pupil_versions",
    metadata,
    id_column(),
    foreign_key("pupil_id", "pupils.id", nullable=False),
    Column("from_day", Date, nullable=False),
    Column("name", EncryptedText, nullable=False),
    foreign_key("school", "schools.code", nullable=False),
    Column("year_group", String(40), nullable=False),
    Column("house", Text, nullable=False),
    foreign_key("tutor_id", "staff.id"),
    Column("has_left", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("pupil_id", "from_day"),
)

former_emails = Table(  # an address stays with the person who had it
    "former_emails",
    metadata,
    id_column(),
    Column("email", EncryptedText, nullable=False),
    foreign_key("staff_id", "staff.id"),  # or a pupil's
    foreign_key("pupil_id", "pupils.id"),
    Column("ended_on", Date, nullable=False),  # the first day of the next address
)

drafts = Table(
    "drafts",
    metadata,
    foreign_key("staff_id", "staff.id", primary_key=True),
    Column("form", String(40), primary_key=True),
    Column("content", EncryptedText, nullable=False),
    Column("saved_at", Instant, nullable=False),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("key", String(64), primary_key=True),  # a digest of the account's subject
    Column("seen_at", Instant, nullable=False),  # when last active, to the minute
    Column("ended_at", Instant, nullable=False),  # when last signed out
)
