"""Sessions that are planned."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "plans",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("staff_id", number, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_plans_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sa.UniqueConstraint("ref", name=op.f("uq_plans_ref")),
    )
    op.create_index(op.f("ix_plans_staff_id"), "plans", ["staff_id"], unique=False)
    op.create_table(
        "plan_pupils",
        sa.Column("plan_id", number, nullable=False),
        sa.Column("pupil_id", number, nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_pupils_plan_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_plan_pupils_pupil_id")),
        sa.PrimaryKeyConstraint("plan_id", "pupil_id", name=op.f("pk_plan_pupils")),
    )
    op.create_index(op.f("ix_plan_pupils_pupil_id"), "plan_pupils", ["pupil_id"], unique=False)
    op.create_table(
        "plan_invited",
        sa.Column("plan_id", number, nullable=False),
        sa.Column("staff_id", number, nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_invited_plan_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_plan_invited_staff_id")),
        sa.PrimaryKeyConstraint("plan_id", "staff_id", name=op.f("pk_plan_invited")),
    )
