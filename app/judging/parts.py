"""Judges some stored sessions again without storing anything.

Which session a room without staff belongs to depends on the other calls with its join link. So sessions are judged
together with those that are tied to them, and judging some gives what judging all would give.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from app.judging.ties import add_tied_sessions
from app.protocol.evidence import Evidence
from app.protocol.judge import Judged
from app.settings import Settings
from app.store import reading, tables


def read_part(connection: Connection, settings: Settings, session_ids: Collection[int]) -> Evidence:
    """The evidence of some stored sessions and of those that are tied to them."""
    return reading.read_evidence(connection, session_ids=add_tied_sessions(connection, settings, session_ids))


def find_sessions(connection: Connection, judged: Judged, session_ids: Collection[int]) -> pd.Series:
    """The number in `judged` of each of some stored sessions, by its id and in the given order."""
    session, of_call = tables.sessions.c, tables.session_calls.c
    is_first = (of_call.session_id == session.id) & (of_call.place == 0)
    query = select(session.id, session.log_id, of_call.call_id).outerjoin(tables.session_calls, is_first)
    stored = reading.read_frame(connection, query.where(reading.is_among(connection, session.id, session_ids)))
    stored = stored.set_index("id").loc[list(session_ids)]
    by_log = judged.sessions.dropna(subset=["log_id"]).reset_index().set_index("log_id")["session"]
    by_call = judged.calls.set_index("call_id")["session"]
    return stored["log_id"].map(by_log).fillna(stored["call_id"].map(by_call)).astype(np.int64)
