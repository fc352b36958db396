"""The figures of the Overview: how often sessions or checks met the protocol, by department, hour, clause and week.

Sessions are a frame of `access.overview`. A measure is SESSIONS (how many had no breach), CHECKS (how many of all
clauses' checks were met) or the name of a clause (how many of its checks were met).
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from app.formatting import FEW, percent
from app.protocol.clauses import CLAUSES
from app.protocol.frames import Ints
from app.vocabulary.terms import Outcome, Status

SESSIONS, CHECKS = "sessions", "checks"
BANDS = ["before 08", *(f"{hour:02}" for hour in range(8, 20)), "from 20"]
_BAND = pd.CategoricalDtype(BANDS)
_ENOUGH = 5  # sessions that a cell needs to be named in a sentence


@dataclass(frozen=True)
class KeyFigure:
    """A key figure. `part` and `whole` are columns of `count_by_session`; `help` says what it counts."""

    label: str
    part: str
    whole: str
    more_is_better: bool
    help: str


KEY_FIGURES = (
    KeyFigure(
        "Sessions without a breach",
        "unbroken",
        "sessions",
        more_is_better=True,
        help="Sessions in which no check found a breach. Some of them may lack evidence for a check.",
    ),
    KeyFigure(
        "Checks met",
        "passed",
        "total",
        more_is_better=True,
        help="Each clause is one check of each session to which it applies. Exempt counts as met; checks without "
        "evidence are left out.",
    ),
    KeyFigure(
        "Unlogged calls",
        "unlogged",
        "sessions",
        more_is_better=False,
        help="Calls with pupils for which there is no log, overdue or not.",
    ),
    KeyFigure(
        "Checks with evidence",
        "total",
        "known",
        more_is_better=True,
        help="Checks for which a call record, a register or a log shows whether the clause was met.",
    ),
)


def add_band_and_week(sessions: pd.DataFrame) -> pd.DataFrame:
    """The sessions with `band`, the column of the heat map for the hour at which each begins, and `week`, the Monday of
    its week."""
    bands = (sessions["minute"] // 60 - 7).clip(0, len(BANDS) - 1)
    mondays = sessions["day"] - pd.to_timedelta(sessions["day"].dt.day_of_week, unit="D")
    return sessions.assign(band=pd.Categorical.from_codes(bands, dtype=_BAND), week=mondays)


def is_unlogged(sessions: pd.DataFrame) -> pd.Series:
    """Whether each session lacks a log. Rooms without staff do not need one."""
    return sessions["logged"].isin([Outcome.BREACH, Outcome.NO_EVIDENCE])


def count_passed(sessions: pd.DataFrame, measure: str) -> dict[str, Ints]:
    """The counts of each session for a measure: of the checks that apply, `passed` (met or exempt), `total` (with
    evidence) and `known` (all). For SESSIONS, the session itself counts once, and has `passed` without a breach."""
    if measure == SESSIONS:
        one = np.ones(len(sessions), np.int64)
        return {"passed": (sessions["status"] != Status.BREACH).to_numpy(np.int64), "total": one, "known": one}
    passed, total, known = np.zeros((3, len(sessions)), np.int64)
    for name in CLAUSES if measure == CHECKS else [measure]:
        codes = sessions[name].cat.codes.to_numpy()
        passed += codes <= 1
        total += codes <= 2
        known += codes <= 3
    return {"passed": passed, "total": total, "known": known}


def count_by_session(sessions: pd.DataFrame) -> pd.DataFrame:
    """The counts of each session from which the key figures are computed: `sessions` (1), `unbroken`, `unlogged`, and
    the counts of its checks as in `count_passed`."""
    unbroken = sessions["status"] != Status.BREACH
    counts = count_passed(sessions, CHECKS) | {"sessions": 1, "unbroken": unbroken, "unlogged": is_unlogged(sessions)}
    return pd.DataFrame(counts, index=sessions.index)


def compute_rates(sessions: pd.DataFrame, by: list[str], measure: str) -> pd.DataFrame:
    """A measure for each group of sessions with equal values in the columns `by`: `passed`, `total`, `sessions` (those
    that count), `rate` (NaN for fewer than three sessions). Groups in which nothing counts are left out."""
    counts = count_passed(sessions, measure)
    counted = sessions[by].assign(passed=counts["passed"], total=counts["total"], sessions=counts["total"] > 0)
    groups = counted.groupby(by, observed=True, as_index=False)[["passed", "total", "sessions"]].sum()
    groups = groups[groups["total"] > 0].reset_index(drop=True)
    groups["rate"] = (groups["passed"] / groups["total"]).where(groups["sessions"] >= FEW)
    return groups


def leave_out_days_to_log(sessions: pd.DataFrame, today: date, hours: float) -> pd.DataFrame:
    """The sessions without those of the last days, for which there are still up to `hours` to log them: with these, a
    week would look worse than it is."""
    first = today - timedelta(days=math.ceil(hours / 24))
    return sessions[sessions["day"] < pd.Timestamp(first)]


def describe_cells(cells: pd.DataFrame, what: str, measure: str) -> str:
    """A sentence about the heat map: where the measure, called `what`, is lowest. `cells` is from `compute_rates`."""
    known = cells[cells["rate"].notna() & (cells["sessions"] >= _ENOUGH)]
    if known.empty:
        return "There are too few sessions in any one hour and department to compare."
    worst = known.sort_values(["rate", "total"], ascending=[True, False]).iloc[0]
    if worst["rate"] == 1:
        return f"{what}: no breach in any department and hour with at least {_ENOUGH} sessions."
    hour = {"before 08": "before 08:00", "from 20": "from 20:00"}.get(worst["band"], f"from {worst['band']}:00")
    counts = f"{worst['passed']:,} of {worst['total']:,} sessions"
    if measure == CHECKS:
        counts = f"{worst['passed']:,} of {worst['total']:,} checks in {worst['sessions']:,} sessions"
    return f"{what}: lowest for {worst['department']} {hour}, {percent(worst['rate'])} ({counts})."


def describe_weeks(weeks: pd.DataFrame) -> str:
    """A few sentences about the weeks: the second half compared with the first, and the lowest week."""
    known = weeks[weeks["rate"].notna()]
    if len(known) < 4:
        return "There are too few weeks to see a trend."
    early, late = known.iloc[: len(known) // 2], known.iloc[len(known) // 2 :]
    before, after = (float(half["passed"].sum() / half["total"].sum()) for half in (early, late))
    lowest = known.loc[known["rate"].idxmin()]
    least = f"The lowest week began on {lowest['week'].day} {lowest['week']:%b}, {percent(lowest['rate'])}."
    word = "Steady" if abs(after - before) < 0.005 else "Better" if after > before else "Worse"
    return f"{word}: {percent(after)} in the later weeks, {percent(before)} in the earlier. {least}"
