"""Finds the calls that belong to another call: attendance reports beside a call record, and rooms without staff after
a session."""

import numpy as np
import pandas as pd

from app.protocol.calls import Calls
from app.protocol.frames import NONE, Ints, Mask
from app.protocol.matching import by_hour


def find_records(calls: Calls) -> Ints:
    """For each call: if it is an attendance report, the position of the call record of the same meeting, or NONE if
    there is none; NONE for call records.

    A report and its record overlap in time, and have the same join link, or the same organiser and a pupil in common.
    Of several records, the one with the longest overlap counts, then the nearest start, then the lowest call id.
    Peer-to-peer calls are left out, since Teams makes no reports on them.
    """
    found = np.full(len(calls.frame), NONE)
    if not calls.is_report.any():
        return found
    keys = _meeting_keys(calls)
    keys = keys[~calls.is_direct[keys["call"]]]
    is_report = calls.is_report[keys["call"]]
    keys = keys[keys["key"].isin(keys.loc[is_report, "key"])]
    is_report = calls.is_report[keys["call"]]
    sides = [by_hour(rows["call"], rows["key"], calls.start, calls.end) for rows in (keys[is_report], keys[~is_report])]
    both = sides[0].merge(sides[1], on="key_hour", suffixes=("_report", "_record"))
    report, record = both["item_report"].to_numpy(), both["item_record"].to_numpy()
    pairs = pd.DataFrame(
        {
            "report": report,
            "record": record,
            "overlap": np.minimum(calls.end[report], calls.end[record])
            - np.maximum(calls.start[report], calls.start[record]),
            "apart": np.abs(calls.start[report] - calls.start[record]),
            "call_id": calls.frame["call_id"].to_numpy(object)[record],
        }
    )
    order = ["overlap", "apart", "call_id"]
    best = pairs[pairs["overlap"] > 0].sort_values(order, ascending=[False, True, True]).drop_duplicates("report")
    found[best["report"]] = best["record"]
    return found


def _meeting_keys(calls: Calls) -> pd.DataFrame:
    """The numbers (`key`) that each `call` shares with calls of the same meeting: one for its join link, and one for
    its organiser with each pupil."""
    link = calls.frame["join_key"].reset_index(drop=True).dropna()
    pupils = calls.people.loc[calls.people["pupil_id"] != NONE, ["call", "pupil_id"]].drop_duplicates()
    organised = calls.frame.iloc[pupils["call"]].set_index(pupils["call"].to_numpy())
    pupil = " " + pupils["pupil_id"].astype("string").to_numpy()
    by_id = organised["organiser_id"].astype("string").str.lower() + pupil
    by_staff = "staff " + organised["organiser_staff_id"].astype("string") + pupil
    words = pd.concat(["link " + link.astype("string"), by_id, by_staff]).dropna()
    return pd.DataFrame({"call": words.index.to_numpy(), "key": pd.factorize(words)[0].astype(np.int64)})


def find_followed(calls: Calls, rooms: Mask, others: Mask, day: Ints) -> Ints:
    """For each call: if it is one of the `rooms`, the position of the call in `others` that it followed, or NONE if
    there is none; NONE for all other calls. `day` is the day of each call.

    The candidates are the other calls with the same join link that began earlier on the same day. The room followed the
    one that ended last (of several, the one with the lowest call id), if that had ended when the room began.
    """
    found = np.full(len(calls.frame), NONE)
    if not rooms.any():
        return found
    link = calls.frame["join_key"].reset_index(drop=True)
    others = others & link.isin(link[rooms].dropna()).to_numpy()
    whole = pd.DataFrame({"call": np.arange(len(link)), "link": link, "day": day})
    both = whole[rooms].merge(whole[others], on=["link", "day"], suffixes=("", "_before"))
    room, before = both["call"].to_numpy(), both["call_before"].to_numpy()
    call_id = calls.frame["call_id"].to_numpy(object)
    both = both.assign(end=calls.end[before], call_id=call_id[before])
    both = both[calls.start[before] < calls.start[room]]
    last = both.sort_values(["end", "call_id"], ascending=[False, True]).drop_duplicates("call")
    last = last[last["end"] <= calls.start[last["call"]]]
    found[last["call"]] = last["call_before"]
    return found
