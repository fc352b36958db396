"""Opens and closes breaches: clauses that a session did not keep.

Judging opens one for each outcome `breach`, and closes it when later evidence shows no breach. The member of
staff explains it; its owner resolves it. Its events are never changed. `app.access` decides who owns it and who may see
it. None is opened for a confidential session: only the counsellor sees its outcomes.
"""

from collections.abc import Collection
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert, select, update

from app.protocol.judge import decode
from app.store import reading, tables
from app.store.writing import insert_rows
from app.vocabulary.terms import BreachEventKind, BreachState

_breach = tables.breaches.c


def update_breaches(connection: Connection, sessions: pd.DataFrame, removed: Collection[int], now: datetime) -> None:
    """Open, close and reopen breaches after some sessions were judged, in the same transaction.

    `sessions`: `id`, `confidential`, `codes` as judged now; `removed`: the ids of sessions that no longer exist.
    """
    outcomes = decode(sessions["codes"])
    row, column = np.nonzero(((outcomes == "breach") & ~sessions[["confidential"]].to_numpy(bool)).to_numpy())
    broken = pd.DataFrame(
        {"session_id": sessions["id"].to_numpy(np.int64)[row], "clause": outcomes.columns.to_numpy(object)[column]}
    )
    affected = reading.is_among(connection, _breach.session_id, {*sessions["id"].tolist(), *removed})
    known = reading.read_frame(connection, select(tables.breaches).where(affected))
    both = broken.merge(known, on=["session_id", "clause"], how="outer", indicator="found")
    new = both.loc[both["found"] == "left_only", ["session_id", "clause"]]
    insert_rows(connection, tables.breaches, new.assign(opened_at=pd.Timestamp(now), state=BreachState.OPEN))
    ended = both.loc[(both["found"] == "right_only") & (both["state"] == BreachState.OPEN), "id"]
    again = both.loc[(both["found"] == "both") & (both["state"] == BreachState.CLOSED), "id"]
    change_state(connection, ended.tolist(), BreachState.CLOSED, now, BreachEventKind.CLOSED)
    change_state(connection, again.tolist(), BreachState.OPEN, now, BreachEventKind.REOPENED)


def close_breaches(connection: Connection, removed: Collection[int], now: datetime) -> None:
    """Close the open breaches of sessions that no longer exist."""
    is_theirs = reading.is_among(connection, _breach.session_id, removed)
    ended = connection.scalars(select(_breach.id).where(is_theirs, _breach.state == BreachState.OPEN)).all()
    change_state(connection, ended, BreachState.CLOSED, now, BreachEventKind.CLOSED)


def change_state(
    connection: Connection, ids: Collection[int], state: str, at: datetime, kind: str, **more: int | str | None
) -> None:
    """Give breaches a state, and each the event that led to it, which may have `actor_id`, `resolution`, `text`."""
    if not ids:
        return
    chosen = reading.is_among(connection, _breach.id, ids)
    connection.execute(update(tables.breaches).where(chosen).values(state=state))
    event = {"occurred_at": at, "kind": kind} | more
    connection.execute(insert(tables.breach_events), [event | {"breach_id": int(number)} for number in ids])
