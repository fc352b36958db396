"""Stored outcomes say which clauses they are of.

Each session names the clause set that its `codes` were written with. So a clause can be added or removed while there
are data, whoever reads or writes first: sessions of several clause sets stand beside each other until all are judged
again.
"""

import pandas as pd
from sqlalchemy import Connection, insert, select

from app.protocol.judge import ClauseSet, decode
from app.store import tables

_set = tables.clause_sets.c


def current_clause_set(connection: Connection) -> int:
    """The id of the clause set that sessions are judged by now; it is added when the first session needs it."""
    now = ClauseSet.current()
    row = {"clauses": ";".join(now.clauses), "outcomes": ";".join(now.outcomes)}
    known = select(_set.id).where(_set.clauses == row["clauses"], _set.outcomes == row["outcomes"])
    found: int | None = connection.scalar(known)
    if found is None:
        found = connection.execute(insert(tables.clause_sets).returning(_set.id), row).scalar_one()
    return found


def decode_outcomes(connection: Connection, sessions: pd.DataFrame) -> pd.DataFrame:
    """The outcome of every clause that there is now, one categorical column each, with the same index; `sessions`
    have `codes` and `clause_set_id`. What an older clause set lacks: see `decode`."""
    sets = {
        row.id: ClauseSet(tuple(row.clauses.split(";")), tuple(row.outcomes.split(";")))
        for row in connection.execute(select(tables.clause_sets))
    }
    parts = [decode(part["codes"], sets[number]) for number, part in sessions.groupby("clause_set_id", dropna=False)]
    if len(parts) == 1:
        return parts[0]
    return pd.concat([decode(sessions["codes"].iloc[:0]), *parts]).loc[sessions.index]
