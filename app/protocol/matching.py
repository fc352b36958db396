"""Which log belongs to which call, and which calls were recorded."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.protocol.frames import micros

_HOUR = 3_600_000_000
Ints = npt.NDArray[np.int64]


def match(
    logs: pd.DataFrame, log_pupils: pd.DataFrame, calls: pd.DataFrame, stays: pd.DataFrame, tolerance: Ints
) -> pd.DataFrame:
    """The calls of each log ("Matching logs and calls" of the clauses).

    A log matches a call if their pupils intersect, the logging member of staff took part (or no
    roster staff did) and their times overlap or lie at most `tolerance` (microseconds, one a log)
    apart. Each log and each call is matched at most once: the longest overlap first, then the
    nearest start, the lowest call id, the lowest log reference. A call that a dropped connection
    cut off from the matched one joins it.

    Gives `log` and `call` (positions in `logs` and `calls`) and `place`: 0 for the matched call,
    1 and on for those that joined it.
    """
    pairs = _candidates(logs, log_pupils, calls, stays, tolerance)
    matched = _best_first(pairs)
    joined = _dropped_connections(pairs, matched, logs, log_pupils, calls, stays, tolerance)
    place = joined.groupby("log").cumcount().to_numpy() + 1
    return pd.concat(
        [matched[["log", "call"]].assign(place=0), joined[["log", "call"]].assign(place=place)], ignore_index=True
    )


def _candidates(
    logs: pd.DataFrame, log_pupils: pd.DataFrame, calls: pd.DataFrame, stays: pd.DataFrame, tolerance: Ints
) -> pd.DataFrame:
    """All pairs that may match, the better first: `log`, `call`, `overlap` (0 for a gap)."""
    log_from, log_to = micros(logs["started_at"]), micros(logs["ended_at"])
    call_from, call_to = micros(calls["started_at"]), micros(calls["ended_at"])

    log_of, pupil_of_log = _numbered(log_pupils, "log_id", logs["log_id"], "pupil_id")
    call_of, pupil_of_call = _numbered(stays, "call_id", calls["call_id"], "pupil_id")
    # A pupil has thousands of sessions over the years: only those in the same hours are compared.
    left = _by_hour(log_of, pupil_of_log, log_from - tolerance, log_to + tolerance)
    right = _by_hour(call_of, pupil_of_call, call_from, call_to)
    pairs = left.merge(right, on=["pupil", "hour"], suffixes=("_log", "_call"))
    pairs = pairs[["item_log", "item_call"]].drop_duplicates()
    log, call = pairs["item_log"].to_numpy(np.int64), pairs["item_call"].to_numpy(np.int64)

    overlap = np.minimum(log_to[log], call_to[call]) - np.maximum(log_from[log], call_from[call])
    call_of_staff, staff_of_call = _numbered(stays, "call_id", calls["call_id"], "staff_id")
    with_staff = np.zeros(len(calls), bool)
    with_staff[call_of_staff] = True
    logged_by = logs["staff_id"].to_numpy(np.int64, na_value=-1)
    took_part = pd.MultiIndex.from_arrays([call, logged_by[log]]).isin(
        pd.MultiIndex.from_arrays([call_of_staff, staff_of_call])
    )
    fits = (overlap >= -tolerance[log]) & (took_part | ~with_staff[call])
    log, call, overlap = log[fits], call[fits], np.maximum(overlap[fits], 0)

    apart = np.abs(log_from[log] - call_from[call])
    call_rank = calls["call_id"].astype(str).rank(method="first").to_numpy()
    log_rank = logs["ref"].astype(str).rank(method="first").to_numpy()
    order = np.lexsort((log_rank[log], call_rank[call], apart, -overlap))
    return pd.DataFrame({"log": log[order], "call": call[order], "overlap": overlap[order]})


def _numbered(frame: pd.DataFrame, key: str, keys: pd.Series, value: str) -> tuple[Ints, Ints]:
    """The rows with a value, each once: their position in `keys`, and the value."""
    rows = frame.loc[frame[value].notna(), [key, value]].drop_duplicates()
    position = pd.Index(keys).get_indexer(pd.Index(rows[key]))
    known = position >= 0
    return position[known].astype(np.int64), rows[value].to_numpy(np.int64)[known]


def _by_hour(item: Ints, pupil: Ints, start: Ints, end: Ints) -> pd.DataFrame:
    """One row for each item, pupil and hour that the item touches."""
    first = start[item] // _HOUR
    hours = end[item] // _HOUR - first + 1
    rows = np.repeat(np.arange(len(item)), hours)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(hours) - hours, hours)
    return pd.DataFrame({"item": item[rows], "pupil": pupil[rows], "hour": first[rows] + nth})


def _best_first(pairs: pd.DataFrame) -> pd.DataFrame:
    """From pairs in order, take each whose log and call no better pair has taken.

    A pair that is the best left of both its log and its call is certain; taking all such pairs at
    once and looking again gives what one walk through the whole list would give.
    """
    taken = []
    while len(pairs):
        certain = pairs[~pairs["log"].duplicated() & ~pairs["call"].duplicated()]
        taken.append(certain)
        pairs = pairs[~pairs["log"].isin(certain["log"]) & ~pairs["call"].isin(certain["call"])]
    return pd.concat(taken, ignore_index=True) if taken else pairs


def _dropped_connections(
    pairs: pd.DataFrame,
    matched: pd.DataFrame,
    logs: pd.DataFrame,
    log_pupils: pd.DataFrame,
    calls: pd.DataFrame,
    stays: pd.DataFrame,
    tolerance: Ints,
) -> pd.DataFrame:
    """The further calls of each matched log: covered by it, with the same people, minutes apart."""
    call_of = pd.Series(matched["call"].to_numpy(), index=matched["log"].to_numpy())
    more = pairs[(pairs["overlap"] > 0) & ~pairs["call"].isin(matched["call"]) & pairs["log"].isin(matched["log"])]
    more = more.assign(first=call_of.reindex(more["log"]).to_numpy())
    more = more[_same_people(more, logs, log_pupils, calls, stays)].drop_duplicates("call")

    # Walk each log's calls in order of time: a gap wider than the tolerance starts a new chain.
    chain = pd.concat([matched[matched["log"].isin(more["log"])], more], ignore_index=True)[["log", "call"]]
    chain["start"], chain["end"] = micros(calls["started_at"])[chain["call"]], micros(calls["ended_at"])[chain["call"]]
    chain = chain.sort_values(["log", "start", "call"], ignore_index=True)
    reached = chain.groupby("log")["end"].cummax().groupby(chain["log"]).shift()
    far = (chain["start"] - reached > tolerance[chain["log"]]).fillna(False)
    chain["link"] = far.groupby(chain["log"]).cumsum()
    is_first = chain["call"].isin(matched["call"])
    link = chain[is_first].set_index("log")["link"]
    return chain[~is_first & (chain["link"] == chain["log"].map(link))]


def _same_people(
    more: pd.DataFrame, logs: pd.DataFrame, log_pupils: pd.DataFrame, calls: pd.DataFrame, stays: pd.DataFrame
) -> npt.NDArray[np.bool_]:
    """Whether everybody from the roster in a further call was in the matched call or, a pupil, in the
    log, and staff were in it if they were in the matched call."""
    ids = calls["call_id"].to_numpy()
    with_staff = np.isin(ids, stays.loc[stays["staff_id"].notna(), "call_id"].unique())
    people = stays[stays["pupil_id"].notna() | stays["staff_id"].notna()]
    people = people[["call_id", "pupil_id", "staff_id"]].drop_duplicates()
    rows = pd.DataFrame(
        {
            "row": np.arange(len(more)),
            "call_id": ids[more["call"]],
            "first_id": ids[more["first"]],
            "log_id": logs["log_id"].to_numpy()[more["log"]],
        }
    ).merge(people, on="call_id")
    in_first = _is_among(rows, ["first_id", "pupil_id", "staff_id"], people, ["call_id", "pupil_id", "staff_id"])
    in_log = _is_among(rows, ["log_id", "pupil_id"], log_pupils, ["log_id", "pupil_id"])
    strange = rows.loc[~(in_first | in_log), "row"]
    return ~np.isin(np.arange(len(more)), strange) & (with_staff[more["call"]] | ~with_staff[more["first"]])


def _is_among(rows: pd.DataFrame, on: list[str], known: pd.DataFrame, key: list[str]) -> npt.NDArray[np.bool_]:
    """Whether each row's values stand as a row in `known` (a blank is equal to a blank)."""
    left, right = rows[on].astype("str").fillna(""), known[key].astype("str").fillna("")
    return pd.MultiIndex.from_frame(left).isin(pd.MultiIndex.from_frame(right))


def recorded_calls(calls: pd.DataFrame, recordings: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which calls Graph lists a recording of: by call id; where that is missing, by its organiser and
    a beginning during the call."""
    named = calls["call_id"].isin(recordings["call_id"].dropna()).to_numpy(bool, copy=True)
    nameless = recordings.loc[recordings["call_id"].isna() & recordings["organiser_id"].notna()]
    if nameless.empty:
        return named
    both = (
        calls.reset_index(drop=True)
        .reset_index(names="call")
        .merge(nameless[["organiser_id", "created_at"]], on="organiser_id")
    )
    during = both[(both["created_at"] >= both["started_at"]) & (both["created_at"] <= both["ended_at"])]
    named[during["call"].to_numpy()] = True
    return named
