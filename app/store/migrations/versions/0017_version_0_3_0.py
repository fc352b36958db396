"""From 0.2.0 to 0.3.0: more evidence beside call records."""

import sqlalchemy as sa
from alembic import op

from app.records.logs import tidy_answer
from app.store.audit_log import protect_end
from app.vocabulary.words import read_year, tidy

revision = "0017"
down_revision = "0016"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _write_call_ids_in_lower_case()
    _add_evidence()
    _add_graph_sources()
    _add_roster_history()
    _add_mappings()
    _write_groups_alike()
    _write_answers_alike()
    _add_family_emails()
    _add_answers_to_alerts()
    _add_protocol()
    _record_imports()  # after all tables: it adds a trigger to every one
    protect_end(op.get_bind())


def _add_evidence() -> None:
    op.add_column("logs", sa.Column("unconfirmed", sa.Boolean()))
    op.add_column("calls", sa.Column("source", sa.String(12), nullable=False, server_default="record"))
    op.add_column("calls", sa.Column("join_key", sa.String(64)))
    op.create_index("ix_calls_join_key", "calls", ["join_key"])
    is_long = sa.text("ended_at - started_at > 86400000000")
    op.create_index("ix_calls_long", "calls", ["started_at"], sqlite_where=is_long, postgresql_where=is_long)
    op.add_column("call_stays", sa.Column("has_media", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("call_listed", sa.Column("tenant", sa.String(100)))
    op.add_column("recordings", sa.Column("content_url", sa.Text()))
    op.add_column("recordings", sa.Column("expires_at", sa.BigInteger()))
    op.add_column("session_calls", sa.Column("part", sa.String(12), nullable=False, server_default="session"))
    op.create_table(
        "calendar_events",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("event_key", sa.String(64), nullable=False),
        sa.Column("join_key", sa.String(64), nullable=False, index=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=False, index=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.Column("organiser_id", _NUMBER, sa.ForeignKey("staff.id")),
        sa.UniqueConstraint("event_key", "changed_at"),
    )
    op.create_table(
        "calendar_invited",
        sa.Column("event_id", _NUMBER, sa.ForeignKey("calendar_events.id"), primary_key=True),
        sa.Column("staff_id", _NUMBER, sa.ForeignKey("staff.id"), primary_key=True),
    )
    op.create_table(
        "meeting_links",
        sa.Column("join_key", sa.String(64), primary_key=True),
        sa.Column("organiser_id", sa.String(200), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("reports_read_at", sa.BigInteger()),
        sa.Column("reports_whole", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "pupil_policies",
        sa.Column("pupil_id", _NUMBER, sa.ForeignKey("pupils.id"), primary_key=True),
        sa.Column("kind", sa.String(60), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
    )


def _add_graph_sources() -> None:
    op.create_table(
        "graph_sources",
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("refused_at", sa.BigInteger()),
        sa.Column("message", sa.Text()),
    )


def _add_roster_history() -> None:
    for table in ("staff_versions", "pupil_versions"):
        op.add_column(table, sa.Column("has_left", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("pupils", sa.Column("contact_emails", sa.Text()))
    op.add_column("pupils", sa.Column("language", sa.String(2)))
    op.create_table(
        "former_emails",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("staff_id", _NUMBER, sa.ForeignKey("staff.id")),
        sa.Column("pupil_id", _NUMBER, sa.ForeignKey("pupils.id")),
        sa.Column("ended_on", sa.Date(), nullable=False),
    )


def _add_mappings() -> None:
    op.create_table(
        "mappings",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("saved_by", _NUMBER, sa.ForeignKey("staff.id")),
    )


def _add_family_emails() -> None:
    op.create_table(
        "family_emails",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("number", sa.String(32), nullable=False, unique=True),
        sa.Column("pupil_id", _NUMBER, sa.ForeignKey("pupils.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("consent_id", _NUMBER, sa.ForeignKey("consents.id"), index=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.Column("sender_id", _NUMBER, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False, index=True),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("sent_at", sa.BigInteger()),
    )


def _add_answers_to_alerts() -> None:
    op.add_column("alerts", sa.Column("answered_at", sa.BigInteger()))
    alerts = sa.table("alerts", sa.column("answered_at"), sa.column("sent_at"))
    op.execute(sa.update(alerts).values(answered_at=alerts.c.sent_at))


def _add_protocol() -> None:
    op.create_table(
        "protocol_entries",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", _NUMBER, sa.ForeignKey("staff.id")),
        sa.Column("replaces_id", _NUMBER, sa.ForeignKey("protocol_entries.id")),
        sa.Column("note", sa.Text()),
        sa.Column("ended_at", sa.BigInteger(), index=True),
        sa.Column("ended_by", _NUMBER, sa.ForeignKey("staff.id")),
    )
    op.create_table(
        "remote_pupils",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("pupil_id", _NUMBER, sa.ForeignKey("pupils.id"), nullable=False, index=True),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", _NUMBER, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_by", _NUMBER, sa.ForeignKey("staff.id")),
    )
    op.create_table(
        "confirmations",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("staff_id", _NUMBER, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("version_from", sa.Date(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("staff_id", "version_from"),
    )
    op.create_table(
        "spot_checks",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("session_id", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.String(20), index=True),
        sa.Column("note", sa.Text()),
        sa.Column("checked_at", sa.BigInteger()),
        sa.Column("checked_by", _NUMBER, sa.ForeignKey("staff.id")),
        sa.Column("reply", sa.Text()),
        sa.Column("replied_at", sa.BigInteger()),
    )


def _write_call_ids_in_lower_case() -> None:
    """Ids of calls are compared without regard to case, and stored in lower case."""
    connection = op.get_bind()
    calls = sa.Table("calls", sa.MetaData(), autoload_with=connection)
    children = ("call_originals", "call_stays", "call_videos", "call_listed", "session_calls")
    lower = sa.func.lower(calls.c.id)
    mixed = connection.scalars(sa.select(calls.c.id).where(calls.c.id != lower)).all()
    known = set(connection.scalars(sa.select(calls.c.id)))
    for call_id in mixed:
        if call_id.lower() in known:  # stored twice: both stay as they are
            continue
        known.add(call_id.lower())
        others = [column for column in calls.c if column.name != "id"]
        copy = sa.select(lower, *others).where(calls.c.id == call_id)
        connection.execute(calls.insert().from_select(["id", *(column.name for column in others)], copy))
        for child in children:
            _rename_call(child, call_id)
        connection.execute(calls.delete().where(calls.c.id == call_id))
        for other in ("concern_sessions", "conduct_sessions"):
            _rename_call(other, call_id)
    for table in ("recordings", "quarantine"):
        op.execute(f"update {table} set call_id = lower(call_id) where call_id <> lower(call_id)")  # noqa: S608 # nosec B608


def _rename_call(table: str, call_id: str) -> None:
    column = sa.column("call_id", sa.String())
    of_call = sa.table(table, column)
    op.get_bind().execute(sa.update(of_call).where(column == call_id).values(call_id=call_id.lower()))


def _write_groups_alike() -> None:
    """Write stored years and houses as files are read now, so that "Year 9" equals "9"."""
    connection = op.get_bind()
    for table, columns in (
        ("pupil_versions", {"year_group": read_year, "house": tidy}),
        ("staff_versions", {"year_groups": read_year, "houses": tidy}),
    ):
        for column, read in columns.items():
            field: sa.ColumnClause[str] = sa.column(column, sa.Text)
            stored = sa.table(table, field)
            for cell in connection.scalars(sa.select(field).distinct()).all():
                written = ";".join(dict.fromkeys(read(item) for item in cell.split(";"))) if cell else cell
                if written != cell:
                    connection.execute(sa.update(stored).where(field == cell).values({column: written}))


_UNRECORDED = {
    "alembic_version",
    "audit",
    "clause_sets",
    "conduct_concerns",
    "conduct_events",
    "conduct_named",
    "conduct_pupils",
    "conduct_sessions",
    "confirmations",
    "drafts",
    "graph_sources",
    "import_changes",
    "leases",
    "meta",
    "protocol_entries",
    "remote_pupils",
    "session_days",
    "session_pupils",
    "sign_ins",
    "spot_checks",
    "sync_runs",
    "sync_seen",
}


def _record_imports() -> None:
    """Keep what the last import changed, so that it can be undone. SQLite has its triggers while an import runs."""
    op.add_column("imports", sa.Column("undone_at", sa.BigInteger()))
    op.create_table(
        "import_changes",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("table_name", sa.String(40), nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
    )
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        """
        create function record_change() returns trigger language plpgsql as
        $$ begin
            insert into import_changes (table_name, before, after)
            values (tg_table_name, to_jsonb(old)::text, to_jsonb(new)::text);
            return null;
        end $$
        """
    )
    for table in sorted(set(sa.inspect(op.get_bind()).get_table_names()) - _UNRECORDED):
        events = "delete" if table in ("sessions", "session_calls") else "insert or update or delete"
        op.execute(
            f"create trigger {table}_changes after {events} on {table} for each row "
            "when (current_setting('app.recording', true) = 'on') execute function record_change()"
        )


def _write_answers_alike() -> None:
    """Write stored answers as files are read now, so that "Microsoft Teams" is Teams."""
    connection = op.get_bind()
    for name in ("purpose", "platform", "account", "room", "bedroom_reason", "reason", "concern_category"):
        field: sa.ColumnClause[str] = sa.column(name, sa.Text)
        logs = sa.table("logs", field)
        for text in connection.scalars(sa.select(field).distinct().where(field.is_not(None))).all():
            if (written := tidy_answer(name, text)) != text:
                connection.execute(sa.update(logs).where(field == text).values({name: written}))
