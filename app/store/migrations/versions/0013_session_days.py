"""Each day's sessions in one row, for figures. The database itself empties the row of a day whose sessions change."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_EMPTY = "insert into session_days (day) values ({row}.day) on conflict (day) do update set packed = null;"
_TOUCHED = {"insert": ("new",), "update": ("old", "new"), "delete": ("old",)}


def upgrade() -> None:
    op.create_table(
        "session_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_session_days")),
    )
    op.execute("insert into session_days (day) select distinct day from sessions")
    op.create_index("ix_sessions_confidential", "sessions", ["confidential", "day"])
    postgresql = op.get_bind().dialect.name == "postgresql"
    for event, rows in _TOUCHED.items():
        name, emptying = f"sessions_after_{event}", " ".join(_EMPTY.format(row=row) for row in rows)
        if postgresql:
            op.execute(
                f"create function {name}() returns trigger language plpgsql as $$ begin {emptying} return null; end $$"
            )
            op.execute(f"create trigger {name} after {event} on sessions for each row execute function {name}()")
        else:
            op.execute(f"create trigger {name} after {event} on sessions begin {emptying} end")
