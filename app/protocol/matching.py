"""Matches logs with calls, and finds the calls that were recorded.

Logs and calls are named by their positions in the frames; people and pupils by their ids.
"""

import numpy as np
import pandas as pd

from app.protocol.frames import NONE, Ints, Mask, ids, micros, paired

_HOUR = 3_600_000_000


def match(
    logs: pd.DataFrame, log_pupils: pd.DataFrame, calls: pd.DataFrame, stays: pd.DataFrame, tolerance: Ints
) -> pd.DataFrame:
    """The calls of each log ("Matching logs and calls" of the clauses).

    A log matches a call if their pupils intersect, the logging member of staff took part (or no
    roster staff did) and their times overlap or lie at most `tolerance` (microseconds, one a log)
    apart. Each log and each call is matched at most once: the longest overlap first, then the
    nearest start, the lowest call id, the lowest log reference. A call that a dropped connection
    cut off from the matched one joins it.

    `log_pupils` has `log` (a position) and `pupil_id`, `stays` has `call` (a position), `staff_id`
    and `pupil_id` (NONE: not on the roster). Returns `log`, `call` and `place`: 0 for the matched call,
    from 1 for those that joined it.
    """
    if logs.empty or calls.empty:
        return pd.DataFrame({"log": [], "call": [], "place": []}, dtype=np.int64)
    pairs = _candidates(logs, log_pupils, calls, stays, tolerance)
    matched = _best_first(pairs)
    joined = _dropped_connections(pairs, matched, log_pupils, stays)
    place = joined.groupby("log").cumcount() + 1
    return pd.concat([matched.assign(place=0), joined.assign(place=place)], ignore_index=True)[["log", "call", "place"]]


def _candidates(
    logs: pd.DataFrame, log_pupils: pd.DataFrame, calls: pd.DataFrame, stays: pd.DataFrame, tolerance: Ints
) -> pd.DataFrame:
    """All pairs that may match: `log`, `ref`, `tolerance`, `call`, `call_id`, `start` and `end` of the call, `overlap`
    (0 for a gap), `apart` (of the starts)."""
    log_from, log_to = micros(logs["started_at"]), micros(logs["ended_at"])
    call_from, call_to = micros(calls["started_at"]), micros(calls["ended_at"])
    with_pupil = stays[stays["pupil_id"] != NONE]
    # A pupil has thousands of sessions over the years: only those in the same hours are compared.
    left = _by_hour(log_pupils["log"], log_pupils["pupil_id"], log_from - tolerance, log_to + tolerance)
    right = _by_hour(with_pupil["call"], with_pupil["pupil_id"], call_from, call_to)
    both = left.merge(right, on="pupil_hour", suffixes=("_log", "_call")).drop_duplicates(["item_log", "item_call"])
    log, call = both["item_log"].to_numpy(), both["item_call"].to_numpy()
    overlap = np.minimum(log_to[log], call_to[call]) - np.maximum(log_from[log], call_from[call])
    staffed = stays[stays["staff_id"] != NONE]
    logged_by = pd.Series(paired(call, ids(logs["staff_id"])[log]))
    took_part = logged_by.isin(paired(staffed["call"], staffed["staff_id"])).to_numpy()
    pairs = pd.DataFrame(
        {
            "log": log,
            "ref": logs["ref"].to_numpy(object)[log],
            "tolerance": tolerance[log],
            "call": call,
            "call_id": calls["call_id"].to_numpy(object)[call],
            "start": call_from[call],
            "end": call_to[call],
            "overlap": np.maximum(overlap, 0),
            "apart": np.abs(log_from[log] - call_from[call]),
        }
    )
    return pairs[(overlap >= -tolerance[log]) & (took_part | ~pairs["call"].isin(staffed["call"]))]


def _by_hour(item: pd.Series, pupil: pd.Series, start: Ints, end: Ints) -> pd.DataFrame:
    """One row for each item, pupil and hour that the item touches."""
    items, pupils = item.to_numpy(), pupil.to_numpy()
    first = start[items] // _HOUR
    hours = end[items] // _HOUR - first + 1
    rows = np.repeat(np.arange(len(items)), hours)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(hours) - hours, hours)
    return pd.DataFrame({"item": items[rows], "pupil_hour": paired(first[rows] + nth, pupils[rows])})


def _best_first(pairs: pd.DataFrame) -> pd.DataFrame:
    """Those pairs, taken from the best to the worst, whose log and call no better pair has taken.

    A pair without a rival is certain. So is one that is the best left of both its log and its call;
    taking all such pairs at once and looking again gives what one walk through the list would give.
    """
    rivals = pairs["log"].duplicated(keep=False) | pairs["call"].duplicated(keep=False)
    order = ["overlap", "apart", "call_id", "ref"]
    taken, left = [pairs[~rivals]], pairs[rivals].sort_values(order, ascending=[False, True, True, True])
    while len(left):
        certain = left[~left["log"].duplicated() & ~left["call"].duplicated()]
        taken.append(certain)
        left = left[~left["log"].isin(certain["log"]) & ~left["call"].isin(certain["call"])]
    return pd.concat(taken)


def _dropped_connections(
    pairs: pd.DataFrame, matched: pd.DataFrame, log_pupils: pd.DataFrame, stays: pd.DataFrame
) -> pd.DataFrame:
    """The further calls of each matched log: covered by it, with the same people, minutes apart."""
    # A call that is left over and may belong to a log has a log that is matched with another call.
    more = pairs[(pairs["overlap"] > 0) & ~pairs["call"].isin(matched["call"])]
    more = more.assign(first=more["log"].map(matched.set_index("log")["call"]))
    more = more[_same_people(more, log_pupils, stays)]
    more = more.sort_values(["overlap", "log"], ascending=[False, True]).drop_duplicates("call")

    # Walk each log's calls in order of time: a gap wider than the tolerance starts a new chain.
    chain = pd.concat([matched[matched["log"].isin(more["log"])], more])
    chain = chain.sort_values(["log", "start", "call"], ignore_index=True)
    reached = chain.groupby("log")["end"].cummax().groupby(chain["log"]).shift()
    chain["link"] = (chain["start"] - reached > chain["tolerance"]).groupby(chain["log"]).cumsum()
    is_first = chain["first"].isna()
    link = chain[is_first].set_index("log")["link"]
    return chain[~is_first & (chain["link"] == chain["log"].map(link))]


def _same_people(more: pd.DataFrame, log_pupils: pd.DataFrame, stays: pd.DataFrame) -> pd.Series:
    """Whether everybody on the roster in a further call was in the matched call or, if a pupil, in the log; and whether
    staff were in it if they were in the matched call."""
    seen = stays[stays["call"].isin(more["call"]) | stays["call"].isin(more["first"])]
    seen = seen[(seen["staff_id"] != NONE) | (seen["pupil_id"] != NONE)]
    people = more.reset_index(names="row").merge(seen, on="call")
    in_first = _is_among(people, ["first", "staff_id", "pupil_id"], seen, ["call", "staff_id", "pupil_id"])
    in_log = _is_among(people, ["log", "pupil_id"], log_pupils, ["log", "pupil_id"])
    only_known_people = ~more.index.isin(people.loc[~(in_first | in_log), "row"])
    staffed = seen.loc[seen["staff_id"] != NONE, "call"]
    return only_known_people & (more["call"].isin(staffed) | ~more["first"].isin(staffed))


def _is_among(rows: pd.DataFrame, on: list[str], known: pd.DataFrame, key: list[str]) -> Mask:
    return np.asarray(pd.MultiIndex.from_frame(rows[on]).isin(pd.MultiIndex.from_frame(known[key])))


def recorded_calls(calls: pd.DataFrame, recordings: pd.DataFrame) -> Mask:
    """Which calls Graph lists a recording of: by call id; where that is missing, by its organiser and
    a beginning during the call."""
    named = np.array(calls["call_id"].isin(recordings["call_id"].dropna()))
    nameless = recordings.loc[recordings["call_id"].isna() & recordings["organiser_id"].notna()]
    both = calls.assign(call=np.arange(len(calls))).merge(nameless[["organiser_id", "created_at"]], on="organiser_id")
    during = both[(both["created_at"] >= both["started_at"]) & (both["created_at"] <= both["ended_at"])]
    named[during["call"]] = True
    return named
