"""The overview, the figures of the protocol, and the number of counselling sessions."""

import secrets
from datetime import date

import pandas as pd

from app.access.overview import count_counselling_sessions, get_overview, get_protocol_figures
from app.protocol.clauses import CLAUSES
from app.school import School
from app.store import tables
from app.store.outcomes import current_clause_set
from tests.access.questions import as_text
from tests.access.school import (
    EVER,
    ID,
    LAST_WEEK,
    NUMBER,
    OPEN,
    PUPIL,
    SESSIONS,
    TERM,
    TODAY,
    add_row,
    at_hour,
    someone,
)


def _count(school: School) -> str:
    counts = count_counselling_sessions(school, someone(school, "slt"))
    assert list(counts["term"]) == ["This term"]
    return str(counts["sessions"].iloc[0])


def _more_counselling(school: School, day: date) -> None:
    with school.engine.begin() as connection:
        add_row(
            connection,
            tables.sessions,
            id=secrets.randbelow(2**53),
            day=day,
            started_at=at_hour(day),
            ended_at=at_hour(day, 11),
            minute=600,
            staff_id=ID["counsellor"],
            purpose="counselling",
            one_to_one=False,
            confidential=True,
            status="compliant",
            disputed=False,
            codes="0" * len(CLAUSES),
            clause_set_id=current_clause_set(connection),
        )


def test_count_counselling_sessions_goes_up_in_threes(school: School) -> None:
    told = [_count(school)]  # two are there
    for _ in range(5):
        _more_counselling(school, LAST_WEEK)
        told.append(_count(school))
    assert told == ["under 3", "at least 3", "at least 3", "at least 3", "at least 6", "at least 6"]


def test_count_counselling_sessions_leaves_this_week_out(school: School) -> None:
    for _ in range(9):
        _more_counselling(school, TODAY)
    assert _count(school) == "under 3"


def test_get_overview_gives_all_but_counselling_and_no_pupil(school: School) -> None:
    leader, slt = (get_overview(school, someone(school, name), EVER) for name in ("sdh", "slt"))
    assert set(leader["session_id"]) == set(slt["session_id"]) == {NUMBER[n] for n in OPEN}
    for frame in (leader, slt):
        assert not any(pupil in as_text(frame) for pupil in PUPIL)
        assert frame.columns.is_unique
    assert set(slt["staff_name"].dropna()) == set()
    assert "Teacher" in set(leader["staff_name"])
    typed = leader.set_index("session_id")["purpose"]
    assert typed[NUMBER["bethan with concern"]] == "other"
    assert pd.isna(typed[NUMBER["carys unlogged"]])
    assert set(leader["minute"] // 60) == {10}
    assert list(CLAUSES) == list(leader.columns[-len(CLAUSES) :])


def test_get_protocol_figures_leaves_counselling_out_and_singles_out_no_day(school: School) -> None:
    teacher, sdh = someone(school, "teacher"), someone(school, "sdh")
    in_term = [n for n in OPEN if SESSIONS[n][3] >= TERM[0]]
    whole = get_protocol_figures(school, teacher, TERM)
    assert whole.loc["logged", "met"] == len(in_term)
    one_day = get_protocol_figures(school, teacher, (TODAY, TODAY))
    assert one_day.loc["logged", "met"] == len(in_term)
    assert get_protocol_figures(school, sdh, (TODAY, TODAY)).loc["logged", "met"] == 0
