"""Judging one session gives what judging all at once gives, and nothing depends on the frames' order."""

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from app.protocol.clauses import CLAUSES
from app.protocol.evidence import Evidence
from app.protocol.judge import ClauseSet, count_outcomes, decode, find_status, judge
from app.protocol.outcomes import OUTCOMES, SOURCES
from app.settings import load_settings
from benchmarks.frames import school

NOW = datetime(2026, 9, 1, tzinfo=UTC)
SETTINGS = load_settings().model_copy(update={"tenant_id": "school"})
NAMES = list(CLAUSES)


def outcomes(evidence: Evidence) -> pd.DataFrame:
    """Log, call, codes and reasons of each session, in an order of their own."""
    judged = judge(evidence, SETTINGS, NOW, reasons=True)
    words = judged.table().groupby("session")["reason"].agg(list)
    frame = judged.sessions[["log_id", "call_id", "status", "codes"]].assign(reasons=words)
    return frame.sort_values(["log_id", "call_id"], ignore_index=True)


def _rows(evidence: Evidence, name: str, key: str, value: object) -> pd.DataFrame:
    frame = getattr(evidence, name)
    return frame[frame[key] == value]


def only(evidence: Evidence, log_id: int, call_id: str) -> Evidence:
    """What is on record for one log and its call."""
    of_log = {name: _rows(evidence, name, "log_id", log_id) for name in ("logs", "log_pupils", "log_invited")}
    of_call = {name: _rows(evidence, name, "call_id", call_id) for name in ("calls", "stays", "videos")}
    return replace(evidence, **of_log, **of_call)


@pytest.mark.whole
def test_judge_decides_one_session_as_among_all() -> None:
    evidence = school(60)
    together = outcomes(evidence)
    for row in together.itertuples():
        alone = outcomes(only(evidence, row.log_id, row.call_id))
        assert alone.iloc[0].to_dict() == together.loc[row.Index].to_dict()


@pytest.mark.whole
@given(st.integers(0, 2**16))
@example_settings(max_examples=10)
def test_judge_does_not_depend_on_the_order_of_rows(seed: int) -> None:
    evidence = school(40)
    shuffled = Evidence(**{name: frame.sample(frac=1, random_state=seed) for name, frame in vars(evidence).items()})
    pd.testing.assert_frame_equal(outcomes(shuffled), outcomes(evidence))


def test_judge_of_no_evidence_gives_no_session() -> None:
    judged = judge(Evidence(), SETTINGS, NOW, reasons=True)
    assert judged.sessions.empty
    assert judged.table().empty
    assert count_outcomes(decode(judged.sessions["codes"])).index.tolist() == NAMES


@pytest.mark.whole
def test_judge_gives_a_reason_wherever_a_clause_applies() -> None:
    table = judge(school(300), SETTINGS, NOW, reasons=True).table()
    applies = table["outcome"] != "not_applicable"
    assert (table.loc[applies, "reason"] != "").all()
    assert (table.loc[~applies, "evidence"] == "").all()


def test_figures_count_decoded_outcomes() -> None:
    judged = judge(school(300), SETTINGS, NOW)
    counted = count_outcomes(decode(judged.sessions["codes"]))
    table = judged.table()
    ends = table[table["clause"] == "staff-ends"]["outcome"].value_counts()
    assert counted.loc["staff-ends", "breach"] == ends["breach"]
    assert counted.loc["staff-ends", "rate"] == ends["met"] / (ends["met"] + ends["breach"])
    assert counted.loc["one-to-one-hours", "not_applicable"] == 300
    assert pd.isna(counted.loc["one-to-one-hours", "rate"])


def test_figures_by_hand() -> None:
    given = {name: ["not_applicable"] * 8 for name in NAMES}
    given["logged"] = ["met", "met", "exempt", "breach", "no_evidence", "no_evidence", "not_applicable", "met"]
    given["dress"] = ["met"] + ["not_applicable"] * 7
    given["background"] = ["no_evidence"] + ["not_applicable"] * 7
    counted = count_outcomes(pd.DataFrame({name: pd.Categorical(words, OUTCOMES) for name, words in given.items()}))
    assert counted.index.name == "clause"
    assert counted.columns.tolist() == [*OUTCOMES, "rate", "evidence_share"]
    assert counted.loc["logged"].tolist() == [3, 1, 1, 2, 1, 4 / 5, 5 / 7]
    assert counted.loc["dress", ["rate", "evidence_share"]].tolist() == [1, 1]
    assert pd.isna(counted.loc["background", "rate"])
    assert counted.loc["background", "evidence_share"] == 0
    assert counted.loc["parents-told", ["rate", "evidence_share"]].isna().all()
    nothing = count_outcomes(decode(pd.Series([], dtype=object)))
    assert nothing[list(OUTCOMES)].to_numpy().sum() == 0
    assert nothing.shape == (len(NAMES), 7)


def test_judge_gives_typed_columns_and_reasons_only_when_asked() -> None:
    evidence = school(20)
    judged = judge(evidence, SETTINGS, NOW)
    assert judged._reasons.dtype == object
    assert set(judged.table()["reason"]) == {""}
    codes = judged.sessions["codes"].iloc[5:8]
    pd.testing.assert_index_equal(decode(codes).index, codes.index)
    types = judged.sessions.dtypes.astype(str).to_dict()
    assert types == {
        "log_id": "Int64",
        "call_id": "str",
        "started_at": "datetime64[us, UTC]",
        "ended_at": "datetime64[us, UTC]",
        "day": "datetime64[s]",
        "minute": "int16",
        "staff_id": "Int64",
        "school": "str",
        "department": "str",
        "purpose": "str",
        "one_to_one": "bool",
        "confidential": "bool",
        "status": "str",
        "disputed": "bool",
        "due_at": "datetime64[us, UTC]",
        "codes": "str",
    }
    assert judged.sessions.index.name == "session"


def test_decode_reads_by_the_clauses_and_outcomes_that_were_written() -> None:
    codes = pd.Series(["010", "102"], index=[7, 8])
    decoded = decode(codes, ClauseSet(("dress", "gone", "logged"), ("breach", "met", "forgotten")))
    assert decoded.columns.tolist() == NAMES
    assert decoded.index.tolist() == [7, 8]
    assert decoded["dress"].tolist() == ["breach", "met"]
    assert decoded["logged"].tolist() == ["breach", "not_applicable"]
    assert set(decoded.drop(columns=["dress", "logged"]).to_numpy().ravel()) == {"not_applicable"}


def test_judge_encodes_outcome_evidence_and_dispute() -> None:
    judged = judge(school(20), SETTINGS, NOW)
    table = judged.table()
    number = (
        table["outcome"].map(OUTCOMES.index)
        + len(OUTCOMES) * table["source"].map(SOURCES.index)
        + len(OUTCOMES) * len(SOURCES) * table["disputed"]
    )
    assert "".join(judged.sessions["codes"]) == "".join(chr(48 + code) for code in number)


@given(st.integers(0, 20))
def test_find_status_agrees_with_the_status_of_whole_sessions(seed: int) -> None:
    sessions = judge(school(30, seed), SETTINGS, NOW).sessions
    found = [find_status(list(row)) for row in decode(sessions["codes"]).to_numpy(object)]
    assert found == sessions["status"].tolist()
