"""Facts that no scenario can describe, since no import has them: blanks, links to nothing, many at one instant."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pandas as pd
import pytest

from app.protocol.evidence import Evidence, empty
from app.protocol.facts import clock_micros
from app.protocol.judge import Judged, judge
from app.settings import load_settings

SETTINGS = load_settings().model_copy(update={"tenant_id": "School"})
NOW = datetime(2026, 9, 1, tzinfo=UTC)
BEGAN, ENDED = pd.Timestamp("2026-03-03T14:00Z"), pd.Timestamp("2026-03-03T14:30Z")


def rows(name: str, *given: dict[str, Any]) -> pd.DataFrame:
    """A frame of that name; what a row does not give is blank."""
    blank = empty(name)
    return pd.DataFrame(list(given), columns=blank.columns).astype(blank.dtypes) if given else blank


def lesson(roles: str = "", **log: Any) -> Evidence:
    """One music lesson with its log, blank but for what is given, and its call."""
    times = {"started_at": BEGAN, "ended_at": ENDED}
    stay = {"call_id": "c", "tenant": "school", "joined_at": BEGAN, "left_at": ENDED}
    day = pd.Timestamp("2020-01-01")
    return Evidence(
        logs=rows("logs", {"log_id": 5, "ref": "r", "staff_id": 1, "purpose": "music"} | times | log),
        log_pupils=rows("log_pupils", {"log_id": 5, "pupil_id": 1}),
        calls=rows("calls", {"call_id": "c", "type": "groupCall", "organiser_tenant": "school"} | times),
        stays=rows("stays", stay | {"person": "s", "staff_id": 1}, stay | {"person": "p", "pupil_id": 1}),
        staff=rows("staff", {"staff_id": 1, "from_day": day, "name": "Mair", "senior": True, "roles": roles}),
        pupils=rows("pupils", {"pupil_id": 1, "from_day": day, "name": "Aled"}),
    )


def judged(evidence: Evidence, now: datetime = NOW) -> Judged:
    return judge(evidence, SETTINGS, now, reasons=True)


def outcome_of(evidence: Evidence, clause: str, now: datetime = NOW) -> list[str]:
    """Outcome and reason of a clause for the one session."""
    table = judged(evidence, now).table().set_index("clause")
    return list(table.loc[clause, ["outcome", "reason"]])


def without_log(evidence: Evidence) -> Evidence:
    return replace(evidence, logs=empty("logs"), log_pupils=empty("log_pupils"))


@pytest.mark.parametrize("clause", ["recording-announced", "recording-on-team"])
def test_by_log_if_recorded_says_what_is_not_known_of_a_recording(clause: str) -> None:
    assert outcome_of(lesson(), clause) == ["no_evidence", "The log does not say whether the session was recorded."]
    nobody = "The session was not logged, so it is not known whether it was recorded."
    assert outcome_of(without_log(lesson()), clause) == ["no_evidence", nobody]


def test_sessions_give_an_unlogged_call_to_the_staff_who_joined_first_then_to_the_lowest_id() -> None:
    call = without_log(lesson())
    stay = {"call_id": "c", "tenant": "school", "left_at": ENDED}
    later = rows(
        "stays",
        stay | {"person": "a", "staff_id": 1, "joined_at": BEGAN + timedelta(minutes=1)},
        stay | {"person": "c", "staff_id": 3, "joined_at": BEGAN},
        stay | {"person": "b", "staff_id": 2, "joined_at": BEGAN},
        stay | {"person": "p", "pupil_id": 1, "joined_at": BEGAN},
    )
    assert judged(replace(call, stays=later)).sessions["staff_id"].tolist() == [2]


def test_purpose_left_blank_is_no_evidence() -> None:
    evidence = lesson(purpose=None)
    assert outcome_of(evidence, "purpose-allowed") == ["no_evidence", "The log does not say."]
    assert pd.isna(judged(evidence).sessions.loc[0, "purpose"])
    assert not judged(evidence).sessions.loc[0, "confidential"]
    assert judged(lesson("counsellor", purpose=None)).sessions.loc[0, "confidential"]


@pytest.mark.parametrize(
    ("link", "outcome"),
    [
        ({"log_id": 5, "alerted": True}, "met"),
        ({"call_id": "c", "alerted": True}, "met"),
        ({"log_id": 5, "alerted": False}, "breach"),
        ({"log_id": 5}, "breach"),
        ({"log_id": 99, "alerted": True}, "breach"),
        ({"call_id": "x", "alerted": True}, "breach"),
    ],
)
def test_reported_counts_linked_concerns_that_reached_the_dsp(link: dict[str, Any], outcome: str) -> None:
    evidence = replace(lesson(concern=True), concerns=rows("concerns", link))
    assert outcome_of(evidence, "concern-reported")[0] == outcome


def test_reported_home_alone_counts_only_concerns_about_that() -> None:
    day = pd.Timedelta(days=(BEGAN - pd.Timestamp("2021-01-19T14:00Z")).days)
    alone = lesson("tutor", purpose="pastoral", home_alone=True, started_at=BEGAN - day, ended_at=ENDED - day)
    for answer, outcome in ((True, "met"), (False, "breach"), (None, "breach")):
        linked = rows("concerns", {"log_id": 5, "alerted": True, "home_alone": answer})
        alone = replace(alone, calls=empty("calls"), stays=empty("stays"), concerns=linked)
        assert outcome_of(alone, "home-alone-reported")[0] == outcome


def test_sessions_without_a_pupil_have_the_times_of_the_call() -> None:
    evidence = without_log(lesson())
    evidence = replace(evidence, stays=evidence.stays[evidence.stays["staff_id"].notna()])
    session = judged(evidence).sessions.loc[0]
    assert (session["started_at"], session["ended_at"], session["staff_id"]) == (BEGAN, ENDED, 1)
    assert judged(evidence).pupils.empty
    for clause in ("parents-told", "academic-hours"):
        assert outcome_of(evidence, clause) == ["not_applicable", ""]
    for clause in ("staff-opens", "staff-ends", "never-alone"):
        assert outcome_of(evidence, clause)[0] == "met"


def test_sessions_of_an_empty_call_have_no_staff() -> None:
    evidence = replace(without_log(lesson()), stays=empty("stays"))
    session = judged(evidence).sessions.loc[0]
    assert (session["started_at"], session["ended_at"]) == (BEGAN, ENDED)
    assert session[["staff_id", "school", "department", "log_id"]].isna().all()
    assert outcome_of(evidence, "staff-opens") == ["no_evidence", "The session was not logged, and only a log can say."]


def test_logged_is_a_breach_once_the_hours_have_passed() -> None:
    evidence, due = without_log(lesson()), ENDED + timedelta(hours=48)
    assert outcome_of(evidence, "logged", due)[0] == "no_evidence"
    assert judged(evidence, due).sessions.loc[0, "due_at"] == due
    late = due + timedelta(microseconds=1)
    assert outcome_of(evidence, "logged", late)[0] == "breach"
    assert pd.isna(judged(evidence, late).sessions.loc[0, "due_at"])


@pytest.mark.parametrize(("tenant", "ours"), [("SCHOOL", True), ("", True), (None, True), ("elsewhere", False)])
def test_school_account_ignores_case_and_takes_a_missing_tenant_as_the_schools(tenant: str | None, ours: bool) -> None:
    evidence = lesson()
    evidence = replace(evidence, stays=evidence.stays.assign(tenant=tenant))
    assert outcome_of(evidence, "school-account")[0] == ("met" if ours else "breach")
    evidence = replace(evidence, calls=evidence.calls.assign(organiser_tenant=tenant))
    assert outcome_of(evidence, "staff-opens")[0] == ("met" if ours else "no_evidence")


@pytest.mark.parametrize(("tenant", "outcome"), [("SCHOOL", "met"), (None, "met"), ("elsewhere", "breach")])
def test_school_account_counts_staff_without_times_by_their_tenant(tenant: str | None, outcome: str) -> None:
    evidence = lesson()
    listed = rows("listed", {"call_id": "c", "person": "s", "staff_id": 1, "tenant": tenant})
    evidence = replace(evidence, stays=evidence.stays[evidence.stays["pupil_id"].notna()], listed=listed)
    assert outcome_of(evidence, "school-account")[0] == outcome


def test_cameras_of_a_pupil_who_was_in_the_call_for_no_time_are_not_known() -> None:
    evidence = lesson()
    evidence.stays.loc[evidence.stays["person"] == "p", "left_at"] = BEGAN
    videos = rows("videos", {"call_id": "c", "person": "p", "started_at": BEGAN, "ended_at": ENDED})
    assert outcome_of(replace(evidence, videos=videos), "cameras-on")[0] == "no_evidence"


def test_judge_ignores_rows_of_absent_logs_and_calls() -> None:
    evidence = lesson(cameras_on="yes")
    stay = {"call_id": "x", "joined_at": BEGAN - timedelta(hours=1), "left_at": ENDED}
    more: dict[str, dict[str, Any]] = {
        "log_pupils": {"log_id": 99, "pupil_id": 2},
        "log_invited": {"log_id": 99, "staff_id": 1},
        "listed": {"call_id": "x", "staff_id": 1},
        "stays": stay | {"person": "p", "pupil_id": 2},
        "videos": {"call_id": "x", "person": "p"},
        "recordings": {"call_id": "x"},
    }
    strange = {name: pd.concat([getattr(evidence, name), rows(name, row)]) for name, row in more.items()}
    one, two = judged(evidence), judged(replace(evidence, **strange))
    pd.testing.assert_frame_equal(one.sessions, two.sessions)
    pd.testing.assert_frame_equal(one.pupils, two.pupils)


def test_sessions_that_begin_together_keep_their_order_logged_ones_first() -> None:
    number = range(60)
    log = {"staff_id": 1, "purpose": "music", "started_at": BEGAN, "ended_at": ENDED}
    call = {"type": "groupCall", "started_at": BEGAN, "ended_at": ENDED}
    evidence = replace(
        lesson(),
        logs=rows("logs", *(log | {"log_id": 100 - i, "ref": str(i)} for i in number)),
        calls=rows("calls", *(call | {"call_id": f"{100 - i}"} for i in number)),
        log_pupils=empty("log_pupils"),
        stays=empty("stays"),
    )
    found = judged(evidence)
    assert found.sessions["log_id"].tolist()[:60] == [100 - i for i in number]
    assert found.sessions["call_id"].tolist()[60:] == [f"{100 - i}" for i in number]
    assert found.calls.index.tolist() == [*number]


def test_clock_micros_counts_from_midnight() -> None:
    assert clock_micros(time(8, 30, 5, 7)) == (8 * 3600 + 30 * 60 + 5) * 1_000_000 + 7
