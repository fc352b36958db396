"""The figures of the Overview, and the sessions behind each."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.clauses import CLAUSES
from app.protocol.judge import OUTCOME
from app.reports import figures
from app.reports.details import add_titles, select_sessions
from app.vocabulary.terms import Outcome, Status

CLAUSE, OTHER = list(CLAUSES)[:2]
SESSION = st.fixed_dictionaries(
    {
        "department": st.sampled_from(["Art", "Music"]),
        "minute": st.sampled_from([400, 600, 630, 1300]),
        "day": st.sampled_from([date(2026, 11, day) for day in (2, 3, 9, 20)]),
        CLAUSE: st.sampled_from(list(Outcome)),
        OTHER: st.sampled_from(list(Outcome)),
    }
)


def frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Sessions with two clauses that apply, as the Overview reads them."""
    sessions = pd.DataFrame(rows, columns=["department", "minute", "day", CLAUSE, OTHER])
    for name in CLAUSES:
        words = sessions[name] if name in (CLAUSE, OTHER) else [Outcome.NOT_APPLICABLE] * len(sessions)
        sessions[name] = pd.Categorical([str(word) for word in words], dtype=OUTCOME)
    broken = (sessions[[CLAUSE, OTHER]] == Outcome.BREACH).any(axis=1)
    sessions["status"] = broken.map({True: Status.BREACH, False: Status.COMPLIANT})
    sessions["session_id"], sessions["disputed"] = range(len(sessions)), False
    sessions["day"] = pd.to_datetime(sessions["day"])
    return figures.add_band_and_week(sessions)


@given(st.lists(SESSION, min_size=1, max_size=12), st.sampled_from([figures.SESSIONS, figures.CHECKS, CLAUSE]))
def test_select_sessions_gives_what_each_cell_and_week_counts(rows: list[dict[str, object]], measure: str) -> None:
    sessions = frame(rows)
    for kind, by in (("cell", ["department", "band"]), ("week", ["week"])):
        for _, group in figures.compute_rates(sessions, by, measure).iterrows():
            place = {column: str(group[column])[:10] for column in by}
            found = add_titles(select_sessions(sessions, kind, place, [], measure), measure)
            assert len(found) == group["sessions"]
            if measure == figures.SESSIONS:
                assert int((found["breaches"] == "").sum()) == group["passed"]


@given(st.lists(SESSION, min_size=1, max_size=12))
def test_compute_rates_counts_sessions_without_a_breach(rows: list[dict[str, object]]) -> None:
    rates = figures.compute_rates(frame(rows), ["department"], figures.SESSIONS).set_index("department")
    for department, group in rates.iterrows():
        own = [row for row in rows if row["department"] == department]
        kept = [row for row in own if Outcome.BREACH not in (row[CLAUSE], row[OTHER])]
        assert (group["passed"], group["total"]) == (len(kept), len(own))
        assert pd.isna(group["rate"]) == (len(own) < 3)


@pytest.mark.parametrize(("hours", "left"), [(24, 3), (48, 2), (49, 1)])
def test_leave_out_days_to_log_leaves_days_whose_time_has_ended(hours: float, left: int) -> None:
    days = pd.DataFrame({"day": pd.to_datetime(["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"])})
    assert len(figures.leave_out_days_to_log(days, date(2026, 11, 28), hours)) == left
