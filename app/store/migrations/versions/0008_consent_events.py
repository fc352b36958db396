"""A consent's life: asked for, given, refused, withdrawn, each with who and when."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_WAS = ("obtained_at", "given_by", "slt_informed_at")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "consent_events",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("consent_id", number, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=True),
        sa.Column("by", number, nullable=True),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("strikes", number, nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_consent_events_consent_id")),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_consent_events_by")),
        sa.ForeignKeyConstraint(["strikes"], ["consent_events.id"], name=op.f("fk_consent_events_strikes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_events")),
    )
    op.create_index(op.f("ix_consent_events_consent_id"), "consent_events", ["consent_id"], unique=False)
    for kind, at, parent in (("given", "obtained_at", "given_by"), ("slt_informed", "slt_informed_at", "null")):
        op.execute(
            f"insert into consent_events (consent_id, kind, at, parent) "  # words of our own # noqa: S608 # nosec B608
            f"select id, '{kind}', {at}, {parent} from consents where {at} is not null order by id"
        )
    for column in _WAS:
        op.drop_column("consents", column)
