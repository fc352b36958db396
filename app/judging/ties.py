"""Finds what has to be judged together although it lies far apart: the calls with one join link on one school day,
since a room without staff may belong to the session of an earlier call, and the calls that were judged as one
session."""

from collections.abc import Collection
from datetime import timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from app.protocol.frames import Ints, micros
from app.settings import Settings
from app.store import reading, tables

_DAY = timedelta(days=1)
_ENDS = ("started_at", "ended_at")


def name_link_days(calls: pd.DataFrame, settings: Settings, moment: str = "started_at") -> pd.Series:
    """What ties calls (`join_key`, `started_at`): the join link with the school day; blank without a join link.
    `moment` is the column that says which day."""
    day = calls[moment].dt.tz_convert(settings.timezone).dt.strftime(" %Y-%m-%d")
    return calls["join_key"].astype("str") + day.astype("str")


def tie_ends(rows: pd.DataFrame, settings: Settings) -> Ints:
    """The end of each log and call (`join_key`, `session_id`, `started_at`, `ended_at`), or of the last one that is
    tied to it, in microseconds: what lies between them is judged together with them."""
    ended = pd.Series(micros(rows["ended_at"]), rows.index)
    linked = rows[rows["join_key"].notna()]
    by_link = ended[linked.index].groupby(name_link_days(linked, settings)).transform("max").reindex(ended.index)
    by_session = ended.groupby(rows["session_id"]).transform("max").reindex(ended.index)
    return np.asarray(pd.concat([ended, by_link, by_session], axis=1).max(axis=1), np.int64)


def add_tied_sessions(connection: Connection, settings: Settings, sessions: Collection[int]) -> set[int]:
    """Some sessions, and those with a call that is tied to one of theirs, and so on."""
    call, link = tables.calls.c, tables.session_calls.c
    query = select(link.session_id, call.join_key, call.started_at, call.ended_at).join(
        tables.calls, call.id == link.call_id
    )
    query = query.where(call.join_key.is_not(None))
    reached, new = set(sessions), set(sessions)
    while new:
        own = reading.read_frame(connection, query.where(reading.is_among(connection, link.session_id, new)))
        if own.empty:
            break
        near = call.started_at.between(own["started_at"].min() - _DAY, own["started_at"].max() + _DAY)
        same_link = reading.is_among(connection, call.join_key, set(own["join_key"]))
        others = reading.read_frame(connection, query.where(same_link, near))
        days = pd.concat([name_link_days(own, settings, moment) for moment in _ENDS])  # past midnight: those of both
        tied = np.logical_or.reduce([name_link_days(others, settings, moment).isin(days) for moment in _ENDS])
        new = set(others.loc[tied, "session_id"].tolist()) - reached
        reached |= new
    return reached
