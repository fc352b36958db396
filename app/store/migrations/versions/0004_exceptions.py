"""What people do about a clause that a session did not keep."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "exceptions",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("clause", sa.String(length=40), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exceptions")),
        sa.UniqueConstraint("session_id", "clause", name=op.f("uq_exceptions_session_id")),
    )
    op.create_index(op.f("ix_exceptions_state"), "exceptions", ["state"], unique=False)
    op.create_table(
        "exception_events",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("exception_id", number, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", number, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("how", sa.String(length=20), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_exception_events_by")),
        sa.ForeignKeyConstraint(["exception_id"], ["exceptions.id"], name=op.f("fk_exception_events_exception_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception_events")),
    )
    op.create_index(op.f("ix_exception_events_exception_id"), "exception_events", ["exception_id"], unique=False)
