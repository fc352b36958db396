"""A concern's life; concerns about conduct, apart."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_SQLITE = [
    """
    create trigger conduct_events_no_update before update of at, by, kind, level, told, concern_id on conduct_events
    begin select raise(abort, 'what happened to a concern is only ever added to'); end
    """
]
_POSTGRESQL = [
    """
    create function conduct_events_only_added() returns trigger language plpgsql as
    $$ begin raise exception 'what happened to a concern is only ever added to'; end $$
    """,
    """
    create trigger conduct_events_no_update before update of at, by, kind, level, told, concern_id on conduct_events
    for each row execute function conduct_events_only_added()
    """,
]


def upgrade() -> None:
    op.add_column("concerns", sa.Column("place", sa.Text(), nullable=True))
    op.add_column("concern_events", sa.Column("content", sa.Text(), nullable=True))
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "conduct_concerns",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("raised_by", number, nullable=True),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("childs_words", sa.Text(), nullable=True),
        sa.Column("told_dsp", sa.Boolean(), nullable=True),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["raised_by"], ["staff.id"], name=op.f("fk_conduct_concerns_raised_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conduct_concerns")),
        sa.UniqueConstraint("ref", name=op.f("uq_conduct_concerns_ref")),
    )
    op.create_table(
        "conduct_pupils",
        sa.Column("concern_id", number, nullable=False),
        sa.Column("pupil_id", number, nullable=False),
        sa.ForeignKeyConstraint(["concern_id"], ["conduct_concerns.id"], name=op.f("fk_conduct_pupils_concern_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_conduct_pupils_pupil_id")),
        sa.PrimaryKeyConstraint("concern_id", "pupil_id", name=op.f("pk_conduct_pupils")),
    )
    op.create_index(op.f("ix_conduct_pupils_pupil_id"), "conduct_pupils", ["pupil_id"], unique=False)
    op.create_table(
        "conduct_sessions",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("concern_id", number, nullable=False),
        sa.Column("log_ref", sa.String(length=200), nullable=True),
        sa.Column("call_id", sa.String(length=100), nullable=True),
        sa.Column("told", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["concern_id"], ["conduct_concerns.id"], name=op.f("fk_conduct_sessions_concern_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conduct_sessions")),
    )
    for column in ("concern_id", "log_ref", "call_id"):
        op.create_index(op.f(f"ix_conduct_sessions_{column}"), "conduct_sessions", [column], unique=False)
    op.create_table(
        "conduct_events",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("concern_id", number, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", number, nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=True),
        sa.Column("told", number, nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_conduct_events_by")),
        sa.ForeignKeyConstraint(["concern_id"], ["conduct_concerns.id"], name=op.f("fk_conduct_events_concern_id")),
        sa.ForeignKeyConstraint(["told"], ["staff.id"], name=op.f("fk_conduct_events_told")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conduct_events")),
    )
    op.create_index(op.f("ix_conduct_events_concern_id"), "conduct_events", ["concern_id"], unique=False)
    op.create_table(
        "conduct_named",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("concern_id", number, nullable=False),
        sa.Column("staff_id", number, nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["concern_id"], ["conduct_concerns.id"], name=op.f("fk_conduct_named_concern_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_conduct_named_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conduct_named")),
    )
    for column in ("concern_id", "staff_id"):
        op.create_index(op.f(f"ix_conduct_named_{column}"), "conduct_named", [column], unique=False)
    # A way to settle an exception that told of a concern about conduct reads as neutral as the others now.
    op.execute("update exception_events set how = 'other' where how = 'conduct'")
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)
