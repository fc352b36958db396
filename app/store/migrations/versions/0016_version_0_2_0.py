"""From 0.1.0 to 0.2.0: standard names, clause sets for stored outcomes, a demonstration's own settings.

The audit trail's wording stays, since its hashes depend on it.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"

_CLAUSES = (  # of 0.1.0
    "parents-told;purpose-allowed;school-account;recording-announced;recording-on-team;camera-choice;"
    "no-private-recording;staff-opens;staff-ends;never-alone;cameras-on;dress;public-room;background;academic-hours;"
    "logged;concern-reported;one-to-one-parents-told;one-to-one-reason;one-to-one-hours;second-member-invited;"
    "adult-introduced;home-alone-reported"
)
_OUTCOMES = "met;exempt;breach;no_evidence;not_applicable"

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
_FETCH_AGAIN = "choose “Sync now”, or run python -m app sync --retry"
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _rename_columns()
    _rename_breaches()
    _create_quarantine()
    # Nobody knows whether these arrived: an alert that arrives twice is harmless, one that is lost is not.
    op.execute("update alerts set state = 'waiting' where state = 'handed'")
    _add_clause_sets()
    _add_demonstration_settings()


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _rename_columns() -> None:
    for table, columns in _COLUMNS.items():
        foreign_keys = sa.inspect(op.get_bind()).get_foreign_keys(table)
        for old, new in columns.items():
            op.execute(f'alter table {table} rename column "{old}" to {new}')
            # SQLite cannot rename a constraint, and never asks for its name.
            if _is_postgresql() and any(key["constrained_columns"] == [old] for key in foreign_keys):
                op.execute(f"alter table {table} rename constraint fk_{table}_{old} to fk_{table}_{new}")
    for index in ("ix_audit_at", "ix_audit_what"):
        op.drop_index(index, "audit")
    op.create_index("ix_audit_occurred_at", "audit", ["occurred_at"])
    op.create_index("ix_audit_action", "audit", ["action", "actor", "occurred_at"])


def _rename_breaches() -> None:
    """New tables take the rows over, because the names of constraints change with the tables' names."""
    op.create_table(
        "breaches",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("clause", sa.String(40), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False, index=True),
        sa.UniqueConstraint("session_id", "clause"),
    )
    op.create_table(
        "breach_events",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("breach_id", _NUMBER, sa.ForeignKey("breaches.id"), nullable=False, index=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", _NUMBER, sa.ForeignKey("staff.id")),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("resolution", sa.String(20)),
        sa.Column("text", sa.Text()),
    )
    words = {"settled": "resolved", "kept": "closed"}
    _copy("exceptions", "breaches", f"id, session_id, clause, opened_at, {_translated('state', words)}")
    _copy("exception_events", "breach_events", f'id, exception_id, at, "by", {_translated("kind", words)}, how, text')
    op.drop_table("exception_events")
    op.drop_table("exceptions")


def _create_quarantine() -> None:
    """One table takes over the rejected rows of files and what the sync could not read."""
    quarantine = op.create_table(
        "quarantine",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer()),
        sa.Column("call_id", sa.String(200)),
        sa.Column("column", sa.Text()),
        sa.Column("value", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.Column("original", sa.LargeBinary()),
        sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
        sa.Column("rejected_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.Column("resolved_by", _NUMBER, sa.ForeignKey("staff.id")),
        sa.Column("resolution", sa.String(40)),
        sa.Column("resolution_reason", sa.Text()),
    )
    resolution = _translated("settled_how", {"mended": "fixed", "came right": "imported"})
    original = "convert_to(original, 'UTF8')" if _is_postgresql() else "cast(original as blob)"
    rejected_at = "(select imported_at from imports where imports.id = import_id)"
    columns = (
        *("id", "kind", "source", '"row"', "null", '"column"', "value", "why", "mend", original, "fingerprint"),
        *(rejected_at, "1", "settled_at", "settled_by", resolution, "settled_why"),
    )
    _copy("refused_rows", "quarantine", ", ".join(columns))
    fetched = op.get_bind().execute(sa.text("select kind, ref, why, content, last_at, tries from sync_put_aside"))
    rows = []
    for row in fetched.all():
        kind = "calls" if row.kind in ("call", "entry") else "recordings"
        entry = {"kind": kind, "source": "sync", "call_id": row.ref if row.kind == "call" else None}
        entry |= {"reason": row.why, "fix": _FETCH_AGAIN, "original": row.content}
        fingerprint = hashlib.sha256(f"sync|{kind}|{row.ref}".encode(errors="replace")).hexdigest()
        rows.append(entry | {"fingerprint": fingerprint, "rejected_at": row.last_at, "attempts": row.tries})
    op.bulk_insert(quarantine, rows)
    op.drop_table("refused_rows")
    op.drop_table("sync_put_aside")


def _translated(column: str, words: Mapping[str, str]) -> str:
    cases = " ".join(f"when '{old}' then '{new}'" for old, new in words.items())
    return f"case {column} {cases} else {column} end"


def _copy(old: str, new: str, columns: str) -> None:
    """Copy every row; `columns` are in the order of the new table's. PostgreSQL counts on from the largest id."""
    op.execute(f"insert into {new} select {columns} from {old}")  # words of our own # noqa: S608 # nosec B608
    if _is_postgresql():
        op.execute(
            f"select setval(pg_get_serial_sequence('{new}', 'id'), max(id)) from {new}"  # likewise # noqa: S608 # nosec B608
        )


def _add_clause_sets() -> None:
    clause_sets = op.create_table(
        "clause_sets",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("clauses", sa.Text(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.UniqueConstraint("clauses", "outcomes"),
    )
    op.execute(  # Alembic would add the constraint by itself, which SQLite cannot
        f"alter table sessions add column clause_set_id {'bigint' if _is_postgresql() else 'integer'} "
        "constraint fk_sessions_clause_set_id references clause_sets (id)"
    )
    # None where there is no session: everything can be moved only to a database without any row.
    if op.get_bind().scalar(sa.text("select count(*) from sessions")):
        op.bulk_insert(clause_sets, [{"clauses": _CLAUSES, "outcomes": _OUTCOMES}])
        op.execute("update sessions set clause_set_id = (select id from clause_sets)")


def _add_demonstration_settings() -> None:
    """Store those that 0.1.0 worked out each time, from the day up to which it had filled the demonstration."""
    meta = sa.table("meta", sa.column("key"), sa.column("value"))
    day = op.get_bind().scalar(sa.select(meta.c.value).where(meta.c.key == "demo"))
    if day is not None:
        op.bulk_insert(meta, [{"key": "own_settings", "value": json.dumps(_settings(date.fromisoformat(day)))}])


def _settings(day: date) -> dict[str, object]:
    week, to_friday = timedelta(weeks=1), timedelta(days=4)
    monday = day - timedelta(days=day.weekday())
    this_term = monday - 11 * week
    last_term = this_term - 20 * week
    return {
        "name": "Ysgol Afon Wen",
        "tenant_id": "0d3e0a5c-1111-4aaa-8bbb-000000000000",
        "terms": [
            _period(_term_name(last_term), last_term, last_term + 11 * week + to_friday),
            _period(_term_name(this_term), this_term, monday + 2 * week + to_friday),
        ],
        "remote_learning": [
            _period("Remote learning after the flood", this_term + 3 * week, this_term + 4 * week + to_friday),
            _period("Remote learning while the boilers are replaced", monday + week, monday + week + to_friday),
        ],
        "training": [
            {"name": "Safe video calls, all staff", "reference": "CPD 14/2", "on": last_term.isoformat()},
            {"name": "Recording and consent, tutors", "reference": "CPD 14/9", "on": this_term.isoformat()},
        ],
    }


def _period(name: str, first: date, last: date) -> dict[str, str]:
    return {"name": name, "from": first.isoformat(), "to": last.isoformat()}


def _term_name(first: date) -> str:
    season = "Michaelmas" if first.month >= 7 else "Lent" if first.month <= 3 else "Summer"
    return f"{season} {first.year}"
