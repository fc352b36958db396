"""Divides the calls of a session into rooms."""

import numpy as np
import pandas as pd

from app.protocol.frames import Ints

_NEVER_ENDED = -(2**62)  # far below any time; a time can be subtracted without overflow


def number_rooms(calls: pd.DataFrame) -> Ints:
    """The room of each call, numbered from 0 within its session.

    `calls` has `session`, `start`, `end`, `grace` (in microseconds) and `call_id`. The calls are taken in the order of
    their starts, then of their ids. Each goes into the first room of its session whose calls it does not overlap by
    more than the grace.
    """
    room = np.zeros(len(calls), np.int64)
    is_one_of_several = calls["session"].duplicated(keep=False)
    if not is_one_of_several.any():
        return room
    calls = calls.reset_index(drop=True)
    several = calls[is_one_of_several.to_numpy()].sort_values(["session", "start", "call_id"])
    session = pd.factorize(several["session"])[0]
    nth = several.groupby("session").cumcount().to_numpy()
    steps = nth.max() + 1
    ended = np.full((session.max() + 1, steps), _NEVER_ENDED)  # when the last call in each room ended
    for step in range(steps):  # the first call of every session, then the second, …
        rows, of = several[nth == step], session[nth == step]
        start, end, grace = (rows[name].to_numpy() for name in ("start", "end", "grace"))
        overlap = np.minimum(ended[of], end[:, None]) - start[:, None]
        chosen = np.argmin(overlap > grace[:, None], axis=1)
        room[rows.index] = chosen
        ended[of, chosen] = np.maximum(ended[of, chosen], end)
    return room
