"""Matches logs with calls, and finds the calls that were recorded.

Logs and calls are given by their positions in the frames, people by their ids.
"""

import numpy as np
import pandas as pd

from app.protocol.frames import NONE, Ints, Mask, ids, micros, paired

_HOUR = 3_600_000_000


def match(
    logs: pd.DataFrame,
    log_pupils: pd.DataFrame,
    calls: pd.DataFrame,
    people: pd.DataFrame,
    without_staff: Mask,
    tolerance: Ints,
) -> pd.DataFrame:
    """The calls of each log: `log`, `call`, `place` (0 for the matched call, from 1 for calls that join its session).
    For the arguments see `find_pairs` and `join_calls`."""
    pairs = find_pairs(logs, log_pupils, calls, people, tolerance)
    matched = match_best_first(pairs)
    return join_calls(pairs, matched, name_people(logs, log_pupils), people, without_staff)


def name_people(logs: pd.DataFrame, log_pupils: pd.DataFrame) -> pd.DataFrame:
    """Everybody whom a log names: `log`, `staff_id`, `pupil_id`; one of the two ids is NONE."""
    staff = pd.DataFrame({"log": np.arange(len(logs)), "staff_id": ids(logs["staff_id"]), "pupil_id": NONE})
    return pd.concat([staff, log_pupils.assign(staff_id=NONE)], ignore_index=True)


def find_pairs(
    logs: pd.DataFrame, log_pupils: pd.DataFrame, calls: pd.DataFrame, people: pd.DataFrame, tolerance: Ints
) -> pd.DataFrame:
    """The pairs of a log and a call that may match: they have a pupil in common, the logging member of staff took part
    (or no roster staff did), and their times overlap or are at most `tolerance` (microseconds, one value per log)
    apart. A pair with a gap is left out if an overlapping pair, which is better, takes its log or its call: so many
    sessions of the same people in an hour are not all compared with each other.

    `log_pupils` has `log` (a position) and `pupil_id`; `people` has everybody in a call: `call` (a position),
    `staff_id` and `pupil_id` (NONE if not on the roster). Returns `log`, `ref`, `tolerance`, `call`, `call_id`, `start`
    and `end` of the call, `overlap` (0 if there is a gap), and `apart` (the difference of the starts).
    """
    with_pupil = people[people["pupil_id"] != NONE]
    overlapping = _find_overlapping(logs, log_pupils, calls, with_pupil)
    overlapping = _describe(overlapping, logs, calls, people, tolerance)
    overlapping = overlapping[overlapping["overlap"] > 0]  # a call of no length overlaps nothing
    best = match_best_first(overlapping)
    log_pupils = log_pupils[~log_pupils["log"].isin(best["log"])]
    with_pupil = with_pupil[~with_pupil["call"].isin(best["call"])]
    if log_pupils.empty or with_pupil.empty:
        return overlapping.reset_index(drop=True)
    apart = _find_within_hours(logs, log_pupils, calls, with_pupil, tolerance)
    apart = _describe(apart, logs, calls, people, tolerance)
    return pd.concat([overlapping, apart[apart["overlap"] == 0]], ignore_index=True)


def _describe(
    both: pd.DataFrame, logs: pd.DataFrame, calls: pd.DataFrame, people: pd.DataFrame, tolerance: Ints
) -> pd.DataFrame:
    """The pairs, as `find_pairs` returns them, among some logs and calls (`log`, `call`) with a pupil in common."""
    both = both.drop_duplicates()
    log, call = both["log"].to_numpy(), both["call"].to_numpy()
    log_from, log_to = micros(logs["started_at"])[log], micros(logs["ended_at"])[log]
    call_from, call_to = micros(calls["started_at"])[call], micros(calls["ended_at"])[call]
    overlap = np.minimum(log_to, call_to) - np.maximum(log_from, call_from)
    staffed = people[people["staff_id"] != NONE]
    logged_by = pd.Series(paired(call, ids(logs["staff_id"])[log]))
    took_part = logged_by.isin(paired(staffed["call"], staffed["staff_id"])).to_numpy()
    pairs = pd.DataFrame(
        {
            "log": log,
            "ref": logs["ref"].to_numpy(object)[log],
            "tolerance": tolerance[log],
            "call": call,
            "call_id": calls["call_id"].to_numpy(object)[call],
            "start": call_from,
            "end": call_to,
            "overlap": np.maximum(overlap, 0),
            "apart": np.abs(log_from - call_from),
        }
    )
    return pairs[(overlap >= -tolerance[log]) & (took_part | ~pairs["call"].isin(staffed["call"]))]


def _find_overlapping(
    logs: pd.DataFrame, log_pupils: pd.DataFrame, calls: pd.DataFrame, with_pupil: pd.DataFrame
) -> pd.DataFrame:
    """The logs and calls with a pupil in common that overlap in time: `log`, `call`, once for each such pupil."""
    log_from, log_to = micros(logs["started_at"]), micros(logs["ended_at"])
    call_from, call_to = micros(calls["started_at"]), micros(calls["ended_at"])
    call, pupil = with_pupil["call"].to_numpy(), with_pupil["pupil_id"].to_numpy()
    moments = np.unique(call_from[call])  # numbered, so that a pupil and a start fit into one number
    keys = paired(pupil, np.searchsorted(moments, call_from[call]))
    longest = pd.Series(call_to[call] - call_from[call]).groupby(pupil).max()
    order = np.argsort(keys)
    keys, call = keys[order], call[order]
    log, pupil = log_pupils["log"].to_numpy(), log_pupils["pupil_id"].to_numpy()
    earliest = log_from[log] - longest.reindex(pupil, fill_value=0).to_numpy()
    first = np.searchsorted(keys, paired(pupil, np.searchsorted(moments, earliest)))
    last = np.searchsorted(keys, paired(pupil, np.searchsorted(moments, log_to[log])))
    numbers = np.maximum(last - first, 0)
    rows = np.repeat(np.arange(len(log)), numbers)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    found = pd.DataFrame({"log": log[rows], "call": call[first[rows] + nth]})
    return found[call_to[found["call"]] > log_from[found["log"]]]


def _find_within_hours(
    logs: pd.DataFrame, log_pupils: pd.DataFrame, calls: pd.DataFrame, with_pupil: pd.DataFrame, tolerance: Ints
) -> pd.DataFrame:
    """The logs and calls with a pupil in common in the same hours: `log`, `call`, perhaps several times. A pupil has
    thousands of sessions over the years."""
    log_from, log_to = micros(logs["started_at"]) - tolerance, micros(logs["ended_at"]) + tolerance
    left = by_hour(log_pupils["log"], log_pupils["pupil_id"], log_from, log_to)
    call_from, call_to = micros(calls["started_at"]), micros(calls["ended_at"])
    right = by_hour(with_pupil["call"], with_pupil["pupil_id"], call_from, call_to)
    both = left.merge(right, on="key_hour", suffixes=("_log", "_call"))
    return both[["item_log", "item_call"]].rename(columns={"item_log": "log", "item_call": "call"})


def by_hour(item: pd.Series, key: pd.Series, start: Ints, end: Ints) -> pd.DataFrame:
    """One row for each item, key and hour that the item touches: `item`, `key_hour` (key and hour as one number).
    `item` has positions in `start` and `end` (microseconds), `key` has numbers of up to 32 bits."""
    items, keys = item.to_numpy(), key.to_numpy()
    first = start[items] // _HOUR
    hours = end[items] // _HOUR - first + 1
    rows = np.repeat(np.arange(len(items)), hours)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(hours) - hours, hours)
    return pd.DataFrame({"item": items[rows], "key_hour": paired(first[rows] + nth, keys[rows])})


def match_best_first(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs that remain if they are taken from the best to the worst, and each log and each call is taken once.

    A pair without a rival is certain. So is one that is the best remaining pair of both its log and its call. Taking
    all of these at once, and repeating this, gives the same result as going through the pairs one by one.
    """
    rivals = pairs["log"].duplicated(keep=False) | pairs["call"].duplicated(keep=False)
    if not rivals.any():
        return pairs
    taken, left = [pairs[~rivals]], _sort_best_first(pairs[rivals])
    while len(left):
        certain = left[~left["log"].duplicated() & ~left["call"].duplicated()]
        taken.append(certain)
        left = left[~left["log"].isin(certain["log"]) & ~left["call"].isin(certain["call"])]
    return pd.concat(taken)


def _sort_best_first(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.sort_values(["overlap", "apart", "call_id", "ref"], ascending=[False, True, True, True])


def join_calls(
    pairs: pd.DataFrame, matched: pd.DataFrame, in_logs: pd.DataFrame, people: pd.DataFrame, without_staff: Mask
) -> pd.DataFrame:
    """The calls of each log: the matched one, and further ones that join its session, such as one after a dropped
    connection. Returns the same columns as `match`.

    `matched` is as `match_best_first` returns it, `in_logs` as `name_people` does; `without_staff` says for each call
    whether it is a room without staff.
    """
    columns = ["log", "call", "place"]
    # If an unmatched call has a pair, the log of this pair is matched with another call.
    more = pairs[(pairs["overlap"] > 0) & ~pairs["call"].isin(matched["call"])]
    if more.empty:
        return matched.assign(place=0)[columns].reset_index(drop=True)
    more = more.assign(first=more["log"].map(matched.set_index("log")["call"]).astype(np.int64))
    more = more[_same_people(more, in_logs, people, without_staff)]
    joined = _join(more, matched).sort_values(["log", "start", "call_id"])
    place = joined.groupby("log").cumcount() + 1
    return pd.concat([matched.assign(place=0), joined.assign(place=place)], ignore_index=True)[columns]


def _join(more: pd.DataFrame, matched: pd.DataFrame) -> pd.DataFrame:
    """The further calls of each matched log. A call may join a session if the gap between them is at most the
    tolerance. The best pair joins first; this may bring others near enough.

    Groups of pairs that share no log or call, even through other pairs, do not affect each other. So the best pair of
    every group is taken at the same time."""
    left = _sort_best_first(more).assign(group=_connect(more))
    sessions = matched.set_index("log")[["start", "end"]]
    joined = [left[:0]]
    while True:
        session = sessions.loc[left["log"]]
        after, before = left["start"] - session["end"].to_numpy(), session["start"].to_numpy() - left["end"]
        best = left[(after <= left["tolerance"]) & (before <= left["tolerance"])].drop_duplicates("group")
        if best.empty:
            return pd.concat(joined)
        joined.append(best)
        session = sessions.loc[best["log"]]
        sessions.loc[best["log"], "start"] = np.minimum(session["start"].to_numpy(), best["start"].to_numpy())
        sessions.loc[best["log"], "end"] = np.maximum(session["end"].to_numpy(), best["end"].to_numpy())
        left = left[~left["call"].isin(best["call"])]


def _connect(pairs: pd.DataFrame) -> pd.Series:
    """For each pair a number, which is equal for pairs that have a log or a call in common, directly or through other
    pairs."""
    group = pairs["log"]
    while True:
        wider = group.groupby(pairs["call"]).transform("min")
        wider = wider.groupby(pairs["log"]).transform("min")
        if wider.equals(group):
            return group
        group = wider


def _same_people(more: pd.DataFrame, in_logs: pd.DataFrame, people: pd.DataFrame, without_staff: Mask) -> pd.Series:
    """Whether each further call has the same people as the matched call.

    Everybody in it who is on the roster was in the matched call or is named in the log; for staff, the log counts only
    if the matched call is a room without staff. And if staff were in the matched call, they were in the further one
    too, unless it is a room without staff."""
    seen = people[people["call"].isin(more["call"]) | people["call"].isin(more["first"])]
    seen = seen[(seen["staff_id"] != NONE) | (seen["pupil_id"] != NONE)]
    in_more = more.reset_index(names="row").merge(seen, on="call")
    person = ["staff_id", "pupil_id"]
    in_first = _is_among(in_more, ["first", *person], seen, ["call", *person])
    in_log = _is_among(in_more, ["log", *person], in_logs, ["log", *person])
    in_log &= (in_more["staff_id"] == NONE) | without_staff[in_more["first"]]
    only_known_people = ~more.index.isin(in_more.loc[~(in_first | in_log), "row"])
    staffed = seen.loc[seen["staff_id"] != NONE, "call"]
    fits = more["call"].isin(staffed) | ~more["first"].isin(staffed) | without_staff[more["call"]]
    return only_known_people & fits


def _is_among(rows: pd.DataFrame, on: list[str], known: pd.DataFrame, key: list[str]) -> Mask:
    return np.asarray(pd.MultiIndex.from_frame(rows[on]).isin(pd.MultiIndex.from_frame(known[key])))


def recorded_calls(calls: pd.DataFrame, recordings: pd.DataFrame) -> Mask:
    """For each call, whether Graph lists a recording of it: one with its call id or, if a recording has none, one with
    its organiser that began during the call."""
    if recordings.empty:
        return np.zeros(len(calls), bool)
    named = np.array(calls["call_id"].isin(recordings["call_id"].dropna()))
    nameless = recordings.loc[recordings["call_id"].isna() & recordings["organiser_id"].notna()]
    both = calls.assign(call=np.arange(len(calls))).merge(nameless[["organiser_id", "created_at"]], on="organiser_id")
    during = both[(both["created_at"] >= both["started_at"]) & (both["created_at"] <= both["ended_at"])]
    named[during["call"]] = True
    return named
