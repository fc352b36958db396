"""Frames of any number of sessions, for measuring the rules alone."""

import numpy as np
import pandas as pd

from app.protocol.evidence import COLUMNS, Evidence

PUPILS, STAFF = 600, 60
MINUTE = 60_000_000


def _typed(name: str, columns: dict[str, object], n: int) -> pd.DataFrame:
    """A frame of that name; a column that is not given is blank."""
    frame = {}
    for column, dtype in COLUMNS[name].items():
        given = columns.get(column)
        if given is None:
            frame[column] = pd.Series([None] * n, dtype=dtype)
        elif dtype.startswith("datetime64[us"):
            frame[column] = pd.Series(np.asarray(given).view("datetime64[us]")).dt.tz_localize("UTC")
        else:
            frame[column] = pd.Series(given).astype(dtype)
    return pd.DataFrame(frame)


def school(sessions: int, seed: int = 1) -> Evidence:
    """`sessions` logged sessions with a call each, over three years of weekdays from 08:00 to 19:00:
    one member of staff and one to three pupils, some of whom rejoin, come early or stay on."""
    r = np.random.default_rng(seed)
    n = sessions
    day = np.datetime64("2023-09-04", "us").astype(np.int64) + r.integers(0, 3 * 365, n) * 24 * 60 * MINUTE
    start = np.sort(day + r.integers(8 * 60, 19 * 60, n) * MINUTE)  # as a store gives them: in order of time
    length = r.integers(20, 60, n) * MINUTE
    staff = r.integers(1, STAFF + 1, n)
    number = np.arange(n)
    call_id = np.char.mod("call-%08d", number).astype(object)
    yes = np.ones(n, bool)

    size = r.integers(1, 4, n)
    of = np.repeat(number, size)
    pupil = (
        r.integers(1, PUPILS + 1, n)[of] + np.arange(len(of)) - np.repeat(np.cumsum(size) - size, size) * 1
    ) % PUPILS + 1
    joined = start[of] + r.integers(-5, 120, len(of)) * 1_000_000
    left = start[of] + length[of] + r.integers(-120, 12, len(of)) * 1_000_000
    again = np.flatnonzero(r.random(len(of)) < 0.2)
    cut = (joined[again] + left[again]) // 2
    stays_of = np.concatenate([number, of, of[again]])
    order = np.argsort(stays_of, kind="stable")  # and call by call
    stays_from = np.concatenate([start - 30_000_000, joined, cut + 20_000_000])
    pupil_to = left.copy()
    pupil_to[again] = cut
    stays_to = np.concatenate([start + length, pupil_to, left[again]])
    staff_ids = np.concatenate([staff, np.zeros(len(of) + len(again), np.int64)])
    pupil_ids = np.concatenate([np.zeros(n, np.int64), pupil, pupil[again]])
    stays_of, stays_from, stays_to, staff_ids, pupil_ids = (
        column[order] for column in (stays_of, stays_from, stays_to, staff_ids, pupil_ids)
    )
    person = np.where(staff_ids > 0, "s", "p") + np.where(staff_ids > 0, staff_ids, pupil_ids).astype(str).astype(
        object
    )

    stays = _typed(
        "stays",
        {
            "call_id": call_id[stays_of],
            "person": person,
            "tenant": np.full(len(stays_of), "school", object),
            "staff_id": pd.array(staff_ids, "Int64"),
            "pupil_id": pd.array(pupil_ids, "Int64"),
            "joined_at": stays_from,
            "left_at": stays_to,
        },
        len(stays_of),
    )
    stays["staff_id"] = stays["staff_id"].mask(stays["staff_id"] == 0)
    stays["pupil_id"] = stays["pupil_id"].mask(stays["pupil_id"] == 0)
    filmed = np.flatnonzero(r.random(len(of)) < 0.3)
    videos = _typed(
        "videos",
        {
            "call_id": call_id[of[filmed]],
            "person": ("p" + pd.Series(pupil[filmed]).astype("str")).to_numpy(object),
            "started_at": joined[filmed],
            "ended_at": left[filmed],
        },
        len(filmed),
    )
    first = np.datetime64("2020-01-01", "s")
    return Evidence(
        logs=_typed(
            "logs",
            {
                "log_id": number,
                "staff_id": staff,
                "started_at": start,
                "ended_at": start + length,
                "ref": np.char.mod("ref-%08d", number).astype(object),
                "purpose": r.choice(np.array(["music", "academic", "pastoral"], object), n),
                "platform": np.full(n, "teams", object),
                "account": np.full(n, "school", object),
                "cameras_on": np.full(n, "yes", object),
                "room": np.full(n, "public", object),
                "recorded": ~yes,
                "private_recording": ~yes,
                "staff_opened": yes,
                "staff_ended": yes,
                "pupil_left_alone": ~yes,
                "dress_ok": yes,
                "background_ok": yes,
                "concern": ~yes,
            },
            n,
        ),
        log_pupils=_typed("log_pupils", {"log_id": of, "pupil_id": pupil}, len(of)).drop_duplicates(),
        calls=_typed(
            "calls",
            {
                "call_id": call_id,
                "type": np.full(n, "groupCall", object),
                "started_at": start - 30_000_000,
                "ended_at": start + length + 12_000_000,
                "organiser_staff_id": staff,
                "organiser_tenant": np.full(n, "school", object),
                "channel": ~yes,
            },
            n,
        ),
        stays=stays,
        videos=videos,
        staff=_typed(
            "staff",
            {
                "staff_id": np.arange(1, STAFF + 1),
                "from_day": np.full(STAFF, first),
                "name": np.full(STAFF, "Staff", object),
                "school": np.full(STAFF, "SEN", object),
                "senior": np.ones(STAFF, bool),
                "department": np.char.mod("Department %d", np.arange(STAFF) % 10).astype(object),
                "roles": np.full(STAFF, "teacher;tutor", object),
                "year_groups": np.full(STAFF, "", object),
                "houses": np.full(STAFF, "", object),
            },
            STAFF,
        ),
        pupils=_typed(
            "pupils",
            {
                "pupil_id": np.arange(1, PUPILS + 1),
                "from_day": np.full(PUPILS, first),
                "name": np.full(PUPILS, "Pupil", object),
                "school": np.full(PUPILS, "SEN", object),
                "year_group": np.full(PUPILS, "9", object),
                "house": np.full(PUPILS, "Wye", object),
            },
            PUPILS,
        ),
        letters=_typed(
            "letters",
            {
                "pupil_id": np.arange(1, PUPILS + 1),
                "kind": np.full(PUPILS, "introduction", object),
                "sent_on": np.full(PUPILS, first),
            },
            PUPILS,
        ),
    )
