"""The tables that operate the program: imports, synchronisation, alerts, the audit trail."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from app.store.encryption import EncryptedBytes, EncryptedText
from app.store.tables.columns import Instant, foreign_key, id_column, metadata

# What the database remembers about itself: revision, day of the demonstration, fingerprint of the rules that judged.
meta = Table("meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False))

imports = Table(
    "imports",
    metadata,
    id_column(),
    Column("kind", String(40), nullable=False),
    Column("source", EncryptedText, nullable=False),  # the file, whose name may be a child's
    Column("imported_at", Instant, nullable=False),
    foreign_key("imported_by", "staff.id"),
    Column("read", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("dropped", Integer, nullable=False),  # calls that are not sessions
    Column("rejected", Integer, nullable=False),
    Column("undone_at", Instant),
)

import_changes = Table(  # each row that the last import added, changed or deleted, in order (`app.store.changes`)
    "import_changes",
    metadata,
    id_column(),
    Column("table_name", String(40), nullable=False),
    Column("before", Text),  # the row as it was stored, as JSON; blank: it was added
    Column("after", Text),  # blank: it was deleted
)

mappings = Table(  # how tables of other systems are read, saved under a name
    "mappings",
    metadata,
    id_column(),
    Column("key", String(200), nullable=False, unique=True),  # the name as it is compared
    Column("name", String(200), nullable=False),
    Column("kind", String(40), nullable=False),  # as of an import
    Column("content", EncryptedText, nullable=False),  # as JSON
    Column("saved_at", Instant, nullable=False),
    foreign_key("saved_by", "staff.id"),
)

quarantine = Table(  # rows of files and records of the sync that cannot be used
    "quarantine",
    metadata,
    id_column(),
    Column("kind", String(40), nullable=False),  # as of an import
    Column("source", EncryptedText, nullable=False),  # the file, or "sync"
    Column("row", Integer),  # of the file; blank: the sync fetched it
    Column("call_id", String(200)),  # of a call record that the sync can fetch again
    Column("column", Text),
    Column("value", EncryptedText),
    Column("reason", EncryptedText, nullable=False),
    Column("fix", EncryptedText, nullable=False),
    Column("original", EncryptedBytes),  # a row as JSON, a record as it arrived; blank: nothing arrived
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("rejected_at", Instant, nullable=False),  # when last rejected
    Column("attempts", Integer, nullable=False),
    Column("resolved_at", Instant),
    foreign_key("resolved_by", "staff.id"),
    Column("resolution", String(40)),  # a RowResolution
    Column("resolution_reason", EncryptedText),  # of a dismissal
)

sync_runs = Table(
    "sync_runs",
    metadata,
    id_column(),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),  # blank: still running, or killed
    Column("from_at", Instant, nullable=False),  # the run asked for calls that started from here
    Column("to_at", Instant, nullable=False),  # to here
    Column("complete_until", Instant),  # every call that Graph listed up to here is stored; blank: it failed
    Column("lost_from", Instant),  # never fetched, and older than the records that Graph keeps
    Column("lost_to", Instant),
    *(
        Column(name, Integer, nullable=False, default=0)
        for name in (
            "listed",
            "fetched",
            "added",
            "changed",
            "dropped",
            "quarantined",
            "gone",
            "recordings",
            "rejected",
        )
    ),
    Column("error", EncryptedText),  # why it failed, or what was rejected, as text
)

sync_seen = Table(  # call records that were fetched, including those of calls that are not sessions
    "sync_seen",
    metadata,
    Column("id", String(64), primary_key=True),  # a digest of the call's id
    Column("stamp", String(64), nullable=False),  # a digest of its version and time of change as listed
    Column("seen_at", Instant, nullable=False, index=True),
)

graph_sources = Table(  # whether each optional source of Microsoft Graph answers
    "graph_sources",
    metadata,
    Column("source", String(40), primary_key=True),  # a Source
    Column("subject", String(64), primary_key=True),  # a digest of a person's Entra id; empty: the source as a whole
    Column("answered_at", Instant),  # when it last answered
    Column("refused_at", Instant),  # when it last refused, if it has not answered since
    Column("message", Text),  # Microsoft's reason for refusing, without names and addresses
)

leases = Table(  # what only one process may do at a time; a lease expires when its holder stops renewing it
    "leases",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("expires_at", Instant, nullable=False),
)

alerts = Table(  # the outbox, and alerts sent recently
    "alerts",
    metadata,
    id_column(),
    Column("key", String(200), nullable=False, unique=True),  # an alert of the same key is queued once
    foreign_key("recipient_id", "staff.id"),  # blank: the school's shared channel
    Column("kind", String(40), nullable=False),
    Column("subject", Text, nullable=False),  # a reference, never a name
    Column("body", EncryptedText),  # sentences of the program's own
    Column("confidential", Boolean, nullable=False),  # nobody but its recipient may learn that it exists
    Column("queued_at", Instant, nullable=False),
    Column("state", String(12), nullable=False, index=True),  # waiting or sent
    Column("next_attempt_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),  # of the last attempt, as text
    Column("answered_at", Instant),  # when a service first accepted or rejected it: from then on it could be read
    Column("sent_at", Instant),
)

audit = Table(  # the audit trail (`app.store.audit_log`)
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),  # no gaps
    Column("occurred_at", Instant, nullable=False),
    Column("actor", String(320), nullable=False),  # the email of the person who acted, or "command"
    Column("action", String(40), nullable=False),
    Column("subject", Text, nullable=False),  # a reference, never a name
    Column("hash", String(64), nullable=False),
    Index("ix_audit_occurred_at", "occurred_at"),
    Index("ix_audit_action", "action", "actor", "occurred_at"),
)
