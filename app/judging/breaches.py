"""An exception: a clause that a session did not keep, from its opening to its end.

Judging opens one for each breach, and closes it by itself when evidence that came later shows no breach
any more. The member of staff explains; its owner settles it. Nothing that happened to it is ever changed.
Who owns it and who may see it stands in `app.access`. Of a confidential session none is opened: the
counsellor has the outcomes, and nobody else learns of the session.
"""

from collections.abc import Collection
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert, select, update

from app.protocol.judge import decode
from app.store import reading, tables
from app.store.writing import insert_rows
from app.vocabulary import BreachEventKind, BreachState

_exception = tables.breaches.c


def update_breaches(connection: Connection, sessions: pd.DataFrame, gone: Collection[int], now: datetime) -> None:
    """Open, close and reopen what the judging of some sessions asks for, in its transaction.

    `sessions`: `id`, `confidential`, `codes` as judged now; `gone`: the numbers of sessions that are no more.
    """
    outcomes = decode(sessions["codes"])
    row, column = np.nonzero(((outcomes == "breach") & ~sessions[["confidential"]].to_numpy(bool)).to_numpy())
    broken = pd.DataFrame(
        {"session_id": sessions["id"].to_numpy(np.int64)[row], "clause": outcomes.columns.to_numpy(object)[column]}
    )
    mine = reading.is_among(connection, "excepted", _exception.session_id, {*sessions["id"].tolist(), *gone})
    known = reading.frame(connection, select(tables.breaches).where(mine))
    both = broken.merge(known, on=["session_id", "clause"], how="outer", indicator="found")
    new = both.loc[both["found"] == "left_only", ["session_id", "clause"]]
    insert_rows(connection, tables.breaches, new.assign(opened_at=pd.Timestamp(now), state=BreachState.OPEN))
    ended = both.loc[(both["found"] == "right_only") & (both["state"] == BreachState.OPEN), "id"]
    again = both.loc[(both["found"] == "both") & (both["state"] == BreachState.CLOSED), "id"]
    _change(connection, ended.tolist(), BreachState.CLOSED, now, BreachEventKind.CLOSED)
    _change(connection, again.tolist(), BreachState.OPEN, now, BreachEventKind.REOPENED)


def _change(
    connection: Connection, ids: Collection[int], state: str, at: datetime, kind: str, **more: int | str | None
) -> None:
    """Give exceptions a state, and each the event that led to it; `more` of it: `actor_id`, `resolution`, `text`."""
    if not ids:
        return
    chosen = reading.is_among(connection, "changed", _exception.id, ids)
    connection.execute(update(tables.breaches).where(chosen).values(state=state))
    event = {"occurred_at": at, "kind": kind} | more
    connection.execute(insert(tables.breach_events), [event | {"breach_id": int(number)} for number in ids])
