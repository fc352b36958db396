"""Letters that were put on the register by mistake are struck out of it, and kept with the reason."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "letters_struck",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("pupil_id", number, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", number, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_letters_struck_pupil_id")),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_letters_struck_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters_struck")),
    )
    op.create_index(op.f("ix_letters_struck_pupil_id"), "letters_struck", ["pupil_id"], unique=False)
