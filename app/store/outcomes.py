"""The clauses that stored outcomes belong to.

Each session names the clause set with which its `codes` were written. So a clause can be added or removed although
there are data: sessions with different clause sets exist side by side until all have been judged again.
"""

import pandas as pd
from sqlalchemy import Connection, insert, select

from app.protocol.judge import ClauseSet, decode
from app.store import tables

_set = tables.clause_sets.c


def current_clause_set(connection: Connection) -> int:
    """The id of today's clause set, which is added when the first session needs it."""
    current = ClauseSet.current()
    clauses, outcomes = ";".join(current.clauses), ";".join(current.outcomes)
    number = connection.scalar(select(_set.id).where(_set.clauses == clauses, _set.outcomes == outcomes))
    if number is None:
        number = connection.scalar(
            insert(tables.clause_sets).values(clauses=clauses, outcomes=outcomes).returning(_set.id)
        )
    return int(number)


def decode_outcomes(connection: Connection, sessions: pd.DataFrame) -> pd.DataFrame:
    """The outcomes of today's clauses, one categorical column each, with the index of `sessions`, which have `codes`
    and `clause_set_id`. `decode` says what a session has for a clause that is newer than its clause set."""
    sets = {
        row.id: ClauseSet(tuple(row.clauses.split(";")), tuple(row.outcomes.split(";")))
        for row in connection.execute(select(tables.clause_sets))
    }
    parts = [decode(part["codes"], sets[number]) for number, part in sessions.groupby("clause_set_id", dropna=False)]
    if len(parts) == 1:
        return parts[0]
    return pd.concat([decode(sessions["codes"].iloc[:0]), *parts]).loc[sessions.index]
