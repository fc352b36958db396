"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# The audit trail is only ever added to.
_SQLITE = [
    f"""
    create trigger audit_no_{event} before {event} on audit
    begin select raise(abort, 'the audit trail is only ever added to'); end
    """
    for event in ("update", "delete")
]
_POSTGRESQL = [
    """
    create function audit_only_added() returns trigger language plpgsql as
    $$ begin raise exception 'the audit trail is only ever added to'; end $$
    """,
    """
    create trigger audit_only_added before update or delete or truncate on audit
    for each statement execute function audit_only_added()
    """,
]


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=320), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "pupils",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("entra_id", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pupils")),
        sa.UniqueConstraint("email", name=op.f("uq_pupils_email")),
        sa.UniqueConstraint("entra_id", name=op.f("uq_pupils_entra_id")),
    )
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(length=1000), nullable=False),
        sa.Column("call_id", sa.String(length=100), nullable=True),
        sa.Column("organiser_id", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
    )
    op.create_index(op.f("ix_recordings_call_id"), "recordings", ["call_id"], unique=False)
    op.create_table(
        "schools",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("senior", sa.Boolean(), nullable=False),
        sa.Column("email_domain", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_schools")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("entra_id", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
        sa.UniqueConstraint("entra_id", name=op.f("uq_staff_entra_id")),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("organiser_id", sa.String(length=200), nullable=True),
        sa.Column("organiser_tenant", sa.String(length=100), nullable=True),
        sa.Column("organiser_staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("channel", sa.Boolean(), nullable=False),
        sa.Column("reader", sa.Integer(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organiser_staff_id"], ["staff.id"], name=op.f("fk_calls_organiser_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index("ix_calls_started_at", "calls", ["started_at"], unique=False)
    op.create_table(
        "concerns",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("raised_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("childs_words", sa.Text(), nullable=True),
        sa.Column("told_dsp", sa.Boolean(), nullable=True),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["raised_by"], ["staff.id"], name=op.f("fk_concerns_raised_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concerns")),
        sa.UniqueConstraint("ref", name=op.f("uq_concerns_ref")),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("pupil_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("covers_from", sa.BigInteger(), nullable=False),
        sa.Column("covers_to", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("obtained_at", sa.BigInteger(), nullable=True),
        sa.Column("given_by", sa.Text(), nullable=True),
        sa.Column("slt_informed_at", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_consents_pupil_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_consents_fingerprint")),
    )
    op.create_index(op.f("ix_consents_pupil_id"), "consents", ["pupil_id"], unique=False)
    op.create_table(
        "drafts",
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_drafts_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", "form", name=op.f("pk_drafts")),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("dropped", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_imports_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_table(
        "letters",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("pupil_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_letters_pupil_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint("pupil_id", "kind", "sent_on", name=op.f("uq_letters_pupil_id")),
    )
    op.create_table(
        "logs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("cameras_on", sa.Text(), nullable=True),
        sa.Column("room", sa.Text(), nullable=True),
        sa.Column("bedroom_reason", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recorded", sa.Boolean(), nullable=True),
        sa.Column("recording_announced", sa.Boolean(), nullable=True),
        sa.Column("recording_on_team", sa.Boolean(), nullable=True),
        sa.Column("cameras_off_offered", sa.Boolean(), nullable=True),
        sa.Column("private_recording", sa.Boolean(), nullable=True),
        sa.Column("staff_opened", sa.Boolean(), nullable=True),
        sa.Column("staff_ended", sa.Boolean(), nullable=True),
        sa.Column("pupil_left_alone", sa.Boolean(), nullable=True),
        sa.Column("dress_ok", sa.Boolean(), nullable=True),
        sa.Column("background_ok", sa.Boolean(), nullable=True),
        sa.Column("door_open", sa.Boolean(), nullable=True),
        sa.Column("adult_present", sa.Boolean(), nullable=True),
        sa.Column("adult_introduced", sa.Boolean(), nullable=True),
        sa.Column("adult_permission", sa.Boolean(), nullable=True),
        sa.Column("home_alone", sa.Boolean(), nullable=True),
        sa.Column("concern", sa.Boolean(), nullable=True),
        sa.Column("concern_summary", sa.Text(), nullable=True),
        sa.Column("concern_category", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["entered_by"], ["staff.id"], name=op.f("fk_logs_entered_by")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_logs_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logs")),
        sa.UniqueConstraint("ref", "version", name=op.f("uq_logs_ref")),
    )
    op.create_index("ix_logs_started_at", "logs", ["started_at"], unique=False)
    op.create_table(
        "pupil_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("pupil_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("school", sa.String(length=40), nullable=False),
        sa.Column("year_group", sa.String(length=40), nullable=False),
        sa.Column("house", sa.Text(), nullable=False),
        sa.Column("tutor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_pupil_versions_pupil_id")),
        sa.ForeignKeyConstraint(["school"], ["schools.code"], name=op.f("fk_pupil_versions_school")),
        sa.ForeignKeyConstraint(["tutor_id"], ["staff.id"], name=op.f("fk_pupil_versions_tutor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pupil_versions")),
        sa.UniqueConstraint("pupil_id", "from_day", name=op.f("uq_pupil_versions_pupil_id")),
    )
    op.create_table(
        "staff_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("school", sa.String(length=40), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("year_groups", sa.Text(), nullable=False),
        sa.Column("houses", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["school"], ["schools.code"], name=op.f("fk_staff_versions_school")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_versions_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_versions")),
        sa.UniqueConstraint("staff_id", "from_day", name=op.f("uq_staff_versions_staff_id")),
    )
    op.create_table(
        "call_listed",
        sa.Column("call_id", sa.String(length=100), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("entra_id", sa.String(length=200), nullable=True),
        sa.Column("upn", sa.String(length=320), nullable=True),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pupil_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_listed_call_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_call_listed_pupil_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_call_listed_staff_id")),
        sa.PrimaryKeyConstraint("call_id", "person", name=op.f("pk_call_listed")),
    )
    op.create_table(
        "call_originals",
        sa.Column("call_id", sa.String(length=100), nullable=False),
        sa.Column("original", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_originals_call_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_call_originals")),
    )
    op.create_table(
        "call_stays",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("call_id", sa.String(length=100), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("entra_id", sa.String(length=200), nullable=True),
        sa.Column("upn", sa.String(length=320), nullable=True),
        sa.Column("tenant", sa.String(length=100), nullable=True),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pupil_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("caller", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_stays_call_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_call_stays_pupil_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_call_stays_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_stays")),
    )
    op.create_index(op.f("ix_call_stays_call_id"), "call_stays", ["call_id"], unique=False)
    op.create_index(op.f("ix_call_stays_pupil_id"), "call_stays", ["pupil_id"], unique=False)
    op.create_table(
        "call_videos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("call_id", sa.String(length=100), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_videos_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_videos")),
    )
    op.create_index(op.f("ix_call_videos_call_id"), "call_videos", ["call_id"], unique=False)
    op.create_table(
        "concern_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("concern_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=True),
        sa.Column("told", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_concern_events_by")),
        sa.ForeignKeyConstraint(["concern_id"], ["concerns.id"], name=op.f("fk_concern_events_concern_id")),
        sa.ForeignKeyConstraint(["told"], ["staff.id"], name=op.f("fk_concern_events_told")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern_events")),
    )
    op.create_index(op.f("ix_concern_events_concern_id"), "concern_events", ["concern_id"], unique=False)
    op.create_table(
        "concern_pupils",
        sa.Column("concern_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pupil_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["concern_id"], ["concerns.id"], name=op.f("fk_concern_pupils_concern_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_concern_pupils_pupil_id")),
        sa.PrimaryKeyConstraint("concern_id", "pupil_id", name=op.f("pk_concern_pupils")),
    )
    op.create_index(op.f("ix_concern_pupils_pupil_id"), "concern_pupils", ["pupil_id"], unique=False)
    op.create_table(
        "concern_sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("concern_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("log_ref", sa.String(length=200), nullable=True),
        sa.Column("call_id", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["concern_id"], ["concerns.id"], name=op.f("fk_concern_sessions_concern_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern_sessions")),
    )
    op.create_index(op.f("ix_concern_sessions_call_id"), "concern_sessions", ["call_id"], unique=False)
    op.create_index(op.f("ix_concern_sessions_concern_id"), "concern_sessions", ["concern_id"], unique=False)
    op.create_index(op.f("ix_concern_sessions_log_ref"), "concern_sessions", ["log_ref"], unique=False)
    op.create_table(
        "log_invited",
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_log_invited_log_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_log_invited_staff_id")),
        sa.PrimaryKeyConstraint("log_id", "email", name=op.f("pk_log_invited")),
    )
    op.create_table(
        "log_pupils",
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pupil_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_log_pupils_log_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_log_pupils_pupil_id")),
        sa.PrimaryKeyConstraint("log_id", "pupil_id", name=op.f("pk_log_pupils")),
    )
    op.create_index(op.f("ix_log_pupils_pupil_id"), "log_pupils", ["pupil_id"], unique=False)
    op.create_table(
        "refused_rows",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("mend", sa.Text(), nullable=False),
        sa.Column("original", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("settled_how", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_refused_rows_import_id")),
        sa.ForeignKeyConstraint(["settled_by"], ["staff.id"], name=op.f("fk_refused_rows_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_rows")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_refused_rows_fingerprint")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("minute", sa.SmallInteger(), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("school", sa.String(length=40), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("one_to_one", sa.Boolean(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("codes", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["log_id"], ["logs.id"], name=op.f("fk_sessions_log_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_sessions_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("log_id", name=op.f("uq_sessions_log_id")),
    )
    op.create_index("ix_sessions_day", "sessions", ["day"], unique=False)
    op.create_index("ix_sessions_due_at", "sessions", ["due_at"], unique=False)
    op.create_index("ix_sessions_staff_id", "sessions", ["staff_id", "day"], unique=False)
    op.create_table(
        "session_calls",
        sa.Column("call_id", sa.String(length=100), nullable=False),
        sa.Column("session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_session_calls_call_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_session_calls_session_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_session_calls")),
    )
    op.create_index(op.f("ix_session_calls_session_id"), "session_calls", ["session_id"], unique=False)
    op.create_table(
        "session_pupils",
        sa.Column("session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pupil_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_session_pupils_pupil_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_session_pupils_session_id")),
        sa.PrimaryKeyConstraint("session_id", "pupil_id", name=op.f("pk_session_pupils")),
    )
    op.create_index(op.f("ix_session_pupils_pupil_id"), "session_pupils", ["pupil_id"], unique=False)
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
