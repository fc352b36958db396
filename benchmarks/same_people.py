"""Judging many sessions of the same two people within an hour, of whom every log may match every call."""

from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd

from app.protocol.evidence import Evidence
from app.protocol.judge import judge
from app.settings import load_settings
from benchmarks.frames import SECOND, school
from benchmarks.judging import timed

_HOUR = 3600 * SECOND
_NUMBERS = (1_000, 2_000, 4_000)


def create(sessions: int) -> Evidence:
    """So many logs with a call each, of one member of staff and one pupil, spread over one hour."""
    evidence = school(sessions)
    begins = pd.Timestamp(datetime(2026, 3, 3, 10, tzinfo=UTC))
    started_at = begins + pd.to_timedelta(np.arange(sessions) * _HOUR // sessions, unit="us")
    ended_at = started_at + timedelta(microseconds=_HOUR // sessions * 9 // 10)
    calls = evidence.calls.assign(started_at=started_at, ended_at=ended_at, organiser_staff_id=1)
    times = {"joined_at": calls["started_at"], "left_at": calls["ended_at"]}
    stays = [
        evidence.stays.head(1)
        .loc[[0] * sessions]
        .reset_index(drop=True)
        .assign(call_id=calls["call_id"], **times, **who)
        for who in (
            {"person": "s1", "staff_id": 1, "pupil_id": pd.NA},
            {"person": "p1", "staff_id": pd.NA, "pupil_id": 1},
        )
    ]
    both = pd.concat([each.astype(evidence.stays.dtypes) for each in stays], ignore_index=True)
    return Evidence(
        logs=evidence.logs.assign(started_at=started_at, ended_at=ended_at, staff_id=1).astype(evidence.logs.dtypes),
        log_pupils=evidence.log_pupils.drop_duplicates("log_id").assign(pupil_id=1).astype("Int64"),
        calls=calls.astype(evidence.calls.dtypes),
        stays=both,
        staff=evidence.staff,
        pupils=evidence.pupils,
        letters=evidence.letters,
    )


def measure() -> dict[int, float]:
    """Seconds for each number of sessions."""
    settings = load_settings().model_copy(update={"tenant_id": "school"})
    return {
        number: min(
            timed(partial(judge, create(number), settings, datetime(2026, 9, 1, tzinfo=UTC)))[0] for _ in range(3)
        )
        for number in _NUMBERS
    }
