"""Evidence frames with any number of sessions, for measuring the rules alone."""

from typing import Any

import numpy as np
import pandas as pd

from app.protocol.evidence import COLUMNS, Evidence

PUPILS, STAFF = 600, 60
SECOND = 1_000_000
MINUTE = 60 * SECOND


def _frame(name: str, n: int, /, **columns: Any) -> pd.DataFrame:
    """An evidence frame with n rows. A single value applies to all rows; columns that are not given are blank. Instants
    are given in microseconds."""
    frame = {}
    for column, dtype in COLUMNS[name].items():
        given = columns.get(column)
        if given is None:
            given = [None] * n
        elif dtype.startswith("datetime64[us"):
            given = pd.to_datetime(np.asarray(given), unit="us", utc=True)
        frame[column] = pd.Series(given, index=range(n), dtype=dtype)
    return pd.DataFrame(frame)


def school(sessions: int, seed: int = 1) -> Evidence:
    """Logged sessions with a call each, over three years, that begin between 08:00 and 19:00 on any day: one member of
    staff and one to three pupils, some of whom rejoin, come early or stay on."""
    r, n, number = np.random.default_rng(seed), sessions, np.arange(sessions)
    day = np.datetime64("2023-09-04", "us").astype(np.int64) + r.integers(0, 3 * 365, n) * 24 * 60 * MINUTE
    start = np.sort(day + r.integers(8 * 60, 19 * 60, n) * MINUTE)  # in order of time, as the store gives them
    end = start + r.integers(20, 60, n) * MINUTE
    staff = r.integers(1, STAFF + 1, n)
    size = r.integers(1, 4, n)
    of = np.repeat(number, size)  # for each pupil in a session, which session
    place = np.arange(len(of)) - np.repeat(np.cumsum(size) - size, size)
    pupil = (r.integers(1, PUPILS + 1, n)[of] + place) % PUPILS + 1
    joined = start[of] + r.integers(-5, 120, len(of)) * SECOND
    left = end[of] + r.integers(-120, 12, len(of)) * SECOND
    rejoins = r.random(len(of)) < 0.2
    pupils = pd.DataFrame({"session": of, "pupil_id": pupil, "joined_at": joined, "left_at": left})
    hosts = pd.DataFrame({"session": number, "staff_id": staff, "joined_at": start - 30 * SECOND, "left_at": end})
    filmed = pupils[r.random(len(of)) < 0.3]
    purposes = r.choice(np.array(["music", "academic", "pastoral"], object), n)
    return Evidence(
        logs=_logs(n, log_id=number, staff_id=staff, started_at=start, ended_at=end, purpose=purposes),
        log_pupils=_frame("log_pupils", len(of), log_id=of, pupil_id=pupil).drop_duplicates(),
        calls=_frame(
            "calls",
            n,
            call_id=_call_ids(number),
            source="record",
            type="groupCall",
            started_at=start - 30 * SECOND,
            ended_at=end + 12 * SECOND,
            organiser_staff_id=staff,
            organiser_tenant="school",
            channel=False,
        ),
        stays=_stays(hosts, pupils, rejoins),
        videos=_frame(
            "videos",
            len(filmed),
            call_id=_call_ids(filmed["session"]),
            person="p" + filmed["pupil_id"].astype(str).to_numpy(object),
            started_at=filmed["joined_at"],
            ended_at=filmed["left_at"],
        ),
        **_roster(),
    )


def _call_ids(sessions: Any) -> Any:
    return np.char.mod("call-%08d", sessions).astype(object)


def _logs(n: int, **columns: Any) -> pd.DataFrame:
    """Logs of sessions without issues."""
    yes = dict.fromkeys(("staff_opened", "staff_ended", "dress_ok", "background_ok"), True)
    no = dict.fromkeys(("recorded", "private_recording", "pupil_left_alone", "concern"), False)
    words = {"platform": "teams", "account": "school", "cameras_on": "yes", "room": "public"}
    refs = np.char.mod("ref-%08d", np.arange(n)).astype(object)
    return _frame("logs", n, ref=refs, **columns, **yes, **no, **words)


def _stays(hosts: pd.DataFrame, pupils: pd.DataFrame, rejoins: Any) -> pd.DataFrame:
    """The stays of staff and pupils. Those who rejoin are away for 20 seconds in the middle."""
    cut = (pupils["joined_at"] + pupils["left_at"]) // 2
    before = pupils.assign(left_at=pupils["left_at"].mask(rejoins, cut))
    after = pupils.assign(joined_at=cut + 20 * SECOND)[rejoins]
    stays = pd.concat([hosts, before, after], ignore_index=True).sort_values(
        "session", kind="stable", ignore_index=True
    )
    staff_id, pupil_id = stays["staff_id"].astype("Int64"), stays["pupil_id"].astype("Int64")
    person = ("s" + staff_id.astype("string")).fillna("p" + pupil_id.astype("string"))
    times = {"joined_at": stays["joined_at"], "left_at": stays["left_at"]}
    calls = _call_ids(stays["session"])
    ids = {"call_id": calls, "person": person.to_numpy(object), "staff_id": staff_id, "pupil_id": pupil_id}
    return _frame("stays", len(stays), kind="user", tenant="school", caller=False, has_media=True, **ids, **times)


def _roster() -> dict[str, pd.DataFrame]:
    first = np.datetime64("2020-01-01", "s")
    staff, pupils = np.arange(1, STAFF + 1), np.arange(1, PUPILS + 1)
    departments = np.char.mod("Department %d", np.arange(STAFF) % 10).astype(object)
    teaches = {"department": departments, "roles": "teacher;tutor", "year_groups": "", "houses": ""}
    in_school = {"from_day": first, "school": "SEN"}
    in_year = {"year_group": "9", "house": "Wye"}
    return {
        "staff": _frame("staff", STAFF, staff_id=staff, name="Staff", senior=True, **teaches, **in_school),
        "pupils": _frame("pupils", PUPILS, pupil_id=pupils, name="Pupil", **in_year, **in_school),
        "letters": _frame("letters", PUPILS, pupil_id=pupils, kind="introduction", sent_on=first),
    }
