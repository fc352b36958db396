"""What if: the sessions of a term judged again under other figures, and nothing of it kept."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access.overview import get_overview
from app.access.policy import NotAllowedError
from app.access.what_if import run_what_if
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.judging import what_if
from app.judging.upkeep import refresh
from app.management.protocol import Change, change_protocol
from app.protocol.clauses import CLAUSES
from app.school import School
from app.settings import SettingsError, replace_figures
from app.vocabulary.terms import ProtocolKind
from tests import people
from tests.conftest import SchoolWith
from tests.management.school import with_protocol
from tests.people import someone

TERM = (date(2025, 9, 3), date(2025, 12, 12))
TIMES = ["08:00", "08:20", "08:30", "10:00", "16:45", "17:00", "17:20", "17:45", "18:30", "20:00"]
NAMES = list(CLAUSES)


def fill_term(school: School, folder: Path) -> None:
    """Lessons at all hours, some of them with a call, which one pupil opened, and one session of counselling."""
    logs = [
        people.log(("teacher", "tutor")[n % 2], "aled", f"2025-11-{n + 3:02}T{clock}", ref=f"L{n}")
        for n, clock in enumerate(TIMES)
    ]
    logs.append(people.log("counsellor", "bethan", "2025-11-05T19:00", purpose="counselling", ref="C1"))
    calls = [
        people.call(f"call-{n}", f"2025-11-{n + 3:02}T{TIMES[n]}", {"teacher": (n / 10 or 0.08, 30), "aled": (0, 30)})
        for n in range(0, len(TIMES), 2)
    ]
    assert not import_logs(school, people.table(folder / "logs.csv", logs)).rejected
    assert not import_calls(school, people.calls(folder / "calls.json", *calls)).rejected


@pytest.fixture
def term(school_with: SchoolWith) -> School:
    return school_with(fill_term)


def outcomes(school: School) -> pd.DataFrame:
    """What each session came to, by its number."""
    refresh(school)
    return get_overview(school, someone(school, "sdh"), TERM).set_index("session_id")[NAMES].astype(object).sort_index()


def test_later_hours_make_lessons_after_half_past_five_met(term: School) -> None:
    figures = {"academic_hours": ["08:30", "18:15"]}
    found = run_what_if(term, someone(term, "sdh"), TERM, replace_figures(term.settings, figures))
    assert found.clauses.loc["academic-hours"].to_dict() == {
        "title": "Tuition hours",
        "was_broken": 6,
        "would_be_broken": 4,
        "gained": 2,
        "lost": 0,
        "open": 0,
    }
    assert [f"{when:%H:%M}" for when in found.changes["started_at"]] == ["17:45", "17:20"]
    assert list(found.departments["sessions"]) == [1, 1]
    assert found.sessions == len(TIMES)  # without counselling
    checked = replace_figures(term.settings, figures).rules[0].academic_hours
    assert what_if.describe(f"With {what_if.describe_figures({'academic_hours': checked})}", found) == (
        "With tuition from 08:30 to 18:15, “Tuition hours” would be newly met in 2 sessions, "
        "and a new breach in no session."
    )


def test_the_limits_in_force_change_nothing_and_shorter_grace_adds_breaches(term: School) -> None:
    same = {name: getattr(term.settings.rules[-1], name) for name in what_if.FIGURES}
    nothing = run_what_if(term, someone(term, "sdh"), TERM, replace_figures(term.settings, same))
    assert (nothing.clauses.empty, nothing.changes.empty, nothing.departments.empty) == (True, True, True)
    assert "none of the 10 sessions" in what_if.describe("With a grace of 10 seconds", nothing)
    before = outcomes(term)
    lost = run_what_if(term, someone(term, "sdh"), TERM, replace_figures(term.settings, {"grace_seconds": 0}))
    longer = run_what_if(term, someone(term, "sdh"), TERM, replace_figures(term.settings, {"grace_seconds": 60}))
    assert lost.clauses.loc["staff-opens", ["gained", "lost"]].tolist() == [0, 1]
    assert longer.clauses.loc["staff-opens", ["gained", "lost"]].tolist() == [4, 0]
    pd.testing.assert_frame_equal(outcomes(term), before)


clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))


@given(clocks, clocks)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_looser_hours_never_turn_met_into_a_breach(term: School, begins: Any, ends: Any) -> None:
    now_begins, now_ends = term.settings.rules[-1].academic_hours
    hours = [f"{min(begins, now_begins):%H:%M}", f"{max(ends, now_ends):%H:%M}"]
    found = run_what_if(term, someone(term, "sdh"), TERM, replace_figures(term.settings, {"academic_hours": hours}))
    assert found.clauses["lost"].sum() == 0
    assert set(found.changes["title"]) <= {"Tuition hours"}


@pytest.mark.parametrize(
    "figures",
    [
        {"academic_hours": ["09:00", "18:15"]},
        {"grace_seconds": 30, "camera_share": 0.5, "log_within_hours": 1},
        {"one_to_one_slots": [{"name": 'Llŷn "A"\\', "days": ["sat"], "from": "10:00", "to": "11:00"}]},
    ],
)
def test_what_if_gives_the_same_as_changing_the_settings(term: School, figures: dict[str, Any]) -> None:
    """What the what-if says of a term comes true once the figures are in force from its first day."""
    term = with_protocol(term)
    found = run_what_if(term, someone(term, "sdh"), TERM, replace_figures(term.settings, figures))
    before = outcomes(term)
    changes = [
        Change(ProtocolKind.FIGURE, {"figure": name, "from": TERM[0].isoformat(), "value": value})
        for name, value in figures.items()
    ]
    change_protocol(term, someone(term, "sdh"), changes)
    with term.engine.connect() as connection:
        after = outcomes(term.as_of(connection))
    titles = {clause.name: clause.title for clause in CLAUSES.values()}
    came = {
        (number, titles[name], before.loc[number, name], after.loc[number, name])
        for number in before.index
        for name in NAMES
        if before.loc[number, name] != after.loc[number, name]
    }
    rows = found.changes[["session_id", "title", "was", "would_be"]]
    assert {tuple(row) for row in rows.itertuples(index=False)} == came


def test_what_if_names_wrong_limits_as_the_settings_do(term: School) -> None:
    for figures, words in (
        ({"academic_hours": ["18:00", "08:30"]}, "academic_hours: the end is before the start"),
        ({"academic_hours": ["8.30", "18:00"]}, "'8.30' is not a time of day such as \"08:30\""),
        ({"camera_share": 1.2}, "camera_share: Input should be less than or equal to 1"),
    ):
        with pytest.raises(SettingsError, match=words.replace("(", r"\(")):
            run_what_if(term, someone(term, "sdh"), TERM, replace_figures(term.settings, figures))


def test_what_if_gives_slt_figures_without_sessions_and_refuses_others(term: School) -> None:
    figures = {"academic_hours": ["08:30", "18:15"]}
    found = run_what_if(term, someone(term, "slt"), TERM, replace_figures(term.settings, figures))
    assert found.clauses.loc["academic-hours", "gained"] == 2
    assert found.changes.empty
    for who in ("hoy9", "hm", "tutor", "counsellor", "dsp", "admin"):
        with pytest.raises(NotAllowedError):
            run_what_if(term, someone(term, who), TERM, replace_figures(term.settings, figures))
