"""Tables, columns and stored words get standard names. The words on the audit trail stay: its hashes are of them."""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_EVENT = {"at": "occurred_at", "by": "actor_id", "told": "recipient_id"}
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "alerts": {
        "to": "recipient_id",
        "about": "subject",
        "words": "body",
        "next_try_at": "next_attempt_at",
        "tries": "attempts",
        "trouble": "error",
    },
    "audit": {"at": "occurred_at", "by": "actor", "what": "action", "about": "subject"},
    "concern_events": _EVENT,
    "conduct_events": _EVENT,
    "conduct_sessions": {"told": "description"},
    "consent_events": {"at": "occurred_at", "by": "actor_id", "strikes": "struck_event_id", "why": "reason"},
    "imports": {"at": "imported_at", "by": "imported_by", "refused": "rejected"},
    "letters_struck": {"at": "struck_at", "by": "struck_by", "why": "reason"},
    "logs": {"why": "correction_reason"},
    "sync_runs": {"put_aside": "quarantined", "refused": "rejected", "trouble": "error"},
}
_FOREIGN_KEYS = (
    ("alerts", "to"),
    ("concern_events", "by"),
    ("concern_events", "told"),
    ("conduct_events", "by"),
    ("conduct_events", "told"),
    ("consent_events", "by"),
    ("consent_events", "strikes"),
    ("imports", "by"),
    ("letters_struck", "by"),
)


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        for old, new in columns.items():
            op.execute(f'alter table {table} rename column "{old}" to {new}')
    if op.get_bind().dialect.name == "postgresql":  # SQLite cannot rename one, and never asks for its name
        for table, old in _FOREIGN_KEYS:
            op.execute(f"alter table {table} rename constraint fk_{table}_{old} to fk_{table}_{_COLUMNS[table][old]}")
    for index in ("ix_audit_at", "ix_audit_what"):
        op.drop_index(index, "audit")
    op.create_index("ix_audit_occurred_at", "audit", ["occurred_at"])
    op.create_index("ix_audit_action", "audit", ["action", "actor", "occurred_at"])
    # Nobody knows whether these arrived: one that arrives twice is harmless, one that is lost is not.
    op.execute("update alerts set state = 'waiting' where state = 'handed'")
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    _create_breaches(number)
    _create_rejected_rows(number)
    _create_sync_quarantine()
    for table in ("exception_events", "exceptions", "refused_rows", "sync_put_aside"):
        op.drop_table(table)


def _create_breaches(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "breaches",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("clause", sa.String(length=40), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breaches")),
        sa.UniqueConstraint("session_id", "clause", name=op.f("uq_breaches_session_id")),
    )
    op.create_index(op.f("ix_breaches_state"), "breaches", ["state"], unique=False)
    op.create_table(
        "breach_events",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("breach_id", number, nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", number, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("resolution", sa.String(length=20), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["staff.id"], name=op.f("fk_breach_events_actor_id")),
        sa.ForeignKeyConstraint(["breach_id"], ["breaches.id"], name=op.f("fk_breach_events_breach_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach_events")),
    )
    op.create_index(op.f("ix_breach_events_breach_id"), "breach_events", ["breach_id"], unique=False)
    words = {"settled": "resolved", "kept": "closed"}
    _copy("exceptions", "breaches", f"id, session_id, clause, opened_at, {_translated('state', words)}")
    _copy("exception_events", "breach_events", f'id, exception_id, at, "by", {_translated("kind", words)}, how, text')


def _create_rejected_rows(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "rejected_rows",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("import_id", number, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.Column("original", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_by", number, nullable=True),
        sa.Column("resolution", sa.String(length=40), nullable=True),
        sa.Column("resolution_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_rejected_rows_import_id")),
        sa.ForeignKeyConstraint(["resolved_by"], ["staff.id"], name=op.f("fk_rejected_rows_resolved_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_rows")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_rejected_rows_fingerprint")),
    )
    resolution = _translated("settled_how", {"mended": "fixed", "came right": "imported"})
    _copy(
        "refused_rows",
        "rejected_rows",
        'id, import_id, kind, source, "row", "column", value, why, mend, original, fingerprint, settled_at, '
        f"settled_by, {resolution}, settled_why",
    )


def _create_sync_quarantine() -> None:
    op.create_table(
        "sync_quarantine",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "ref", name=op.f("pk_sync_quarantine")),
    )
    _copy("sync_put_aside", "sync_quarantine", "kind, ref, why, content, first_at, last_at, tries")


def _translated(column: str, words: Mapping[str, str]) -> str:
    cases = " ".join(f"when '{old}' then '{new}'" for old, new in words.items())
    return f"case {column} {cases} else {column} end"


def _copy(old: str, new: str, columns: str) -> None:
    """Every row, its `columns` in the order of the new table's; PostgreSQL counts on from the largest id."""
    op.execute(f"insert into {new} select {columns} from {old}")  # words of our own # noqa: S608 # nosec B608
    if op.get_bind().dialect.name == "postgresql" and columns.startswith("id, "):
        op.execute(
            f"select setval(pg_get_serial_sequence('{new}', 'id'), max(id)) from {new}"  # likewise # noqa: S608 # nosec B608
        )
