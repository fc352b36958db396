"""How every session is judged, counselling too, which no command prints."""

from typing import Any

from sqlalchemy import select

from app.protocol.judge import judge
from app.school import School
from app.store import reading, tables


def list_outcomes(school: School) -> list[dict[str, Any]]:
    """One row for each session and clause, from everything on record: `log_ref` and `call_id` (blank: none), `clause`,
    `outcome`, `evidence`, `disputed`, `reason`."""
    with school.engine.connect() as connection:
        logs = connection.scalars(select(tables.logs.c.id).where(tables.logs.c.current)).all()
        calls = connection.scalars(select(tables.calls.c.id)).all()
        evidence = reading.read_evidence(connection, logs=logs, calls=calls)
    judged = judge(evidence, school.settings, school.now(), reasons=True)
    refs = evidence.logs.set_index("log_id")["ref"].to_dict()
    keys = [
        {"log_ref": refs.get(row.log_id, ""), "call_id": row.call_id if isinstance(row.call_id, str) else ""}
        for row in judged.sessions.itertuples()
    ]
    return [keys[row.pop("session")] | row for row in judged.table().to_dict("records")]
