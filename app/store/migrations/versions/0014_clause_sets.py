"""Stored outcomes say which clauses they are of. Those of earlier versions are of the 23 clauses of 0.1.0."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_CLAUSES = (
    "parents-told;purpose-allowed;school-account;recording-announced;recording-on-team;camera-choice;"
    "no-private-recording;staff-opens;staff-ends;never-alone;cameras-on;dress;public-room;background;academic-hours;"
    "logged;concern-reported;one-to-one-parents-told;one-to-one-reason;one-to-one-hours;second-member-invited;"
    "adult-introduced;home-alone-reported"
)
_OUTCOMES = "met;exempt;breach;no_evidence;not_applicable"


def upgrade() -> None:
    clause_sets = op.create_table(
        "clause_sets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("clauses", sa.Text(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clause_sets")),
        sa.UniqueConstraint("clauses", "outcomes", name=op.f("uq_clause_sets_clauses")),
    )
    kind = "bigint" if op.get_bind().dialect.name == "postgresql" else "integer"
    op.execute(  # Alembic would add the constraint by itself, which SQLite cannot
        f"alter table sessions add column clause_set_id {kind} "
        "constraint fk_sessions_clause_set_id references clause_sets (id)"
    )
    # None where there is no session: everything can be moved only to a database without any row.
    if op.get_bind().scalar(sa.text("select count(*) from sessions")):
        op.bulk_insert(clause_sets, [{"clauses": _CLAUSES, "outcomes": _OUTCOMES}])
        op.execute("update sessions set clause_set_id = (select id from clause_sets)")
