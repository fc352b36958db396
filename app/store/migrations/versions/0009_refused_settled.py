"""Why a refused row was dismissed; the audit trail by days, and by who signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("refused_rows", sa.Column("settled_why", sa.Text(), nullable=True))
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_what", "audit", ["what", "by", "at"])
