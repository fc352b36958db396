"""How a clause decides many sessions at once."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from app.protocol.evidence import Evidence, empty
from app.protocol.facts import SessionFacts
from app.protocol.outcomes import BREACH, CALL, EXEMPT, LOG, MET, NO_EVIDENCE, NOT_APPLICABLE, NOTHING
from app.protocol.rulings import Ruling, fill
from app.settings import load_settings

BEGAN = pd.Timestamp("2026-03-03T14:00Z")
ALL = np.ones(4, bool)


@pytest.fixture
def facts() -> SessionFacts:
    """Four sessions, each with a log."""
    logs = empty("logs").reindex(range(4)).assign(log_id=range(4), started_at=BEGAN, ended_at=BEGAN)
    evidence = Evidence(logs=logs.astype(empty("logs").dtypes))
    return SessionFacts(evidence, load_settings(), datetime(2026, 9, 1, tzinfo=UTC))


def sessions(*numbers: int) -> np.ndarray:
    return np.isin(range(4), numbers)


def test_ruling_keeps_the_first_decision_and_leaves_the_rest_not_applicable(facts: SessionFacts) -> None:
    ruling = Ruling(facts)
    ruling.decide(sessions(0, 1), MET, LOG, "met")
    ruling.decide(sessions(1, 2), BREACH, LOG, lambda rows: np.array([f"row {row}" for row in rows], object))
    assert ruling.outcome.tolist() == [MET, MET, BREACH, NOT_APPLICABLE]
    assert ruling.undecided.tolist() == [False, False, False, True]
    assert ruling.reasons().tolist() == ["met", "met", "row 2", ""]
    assert [str(array.dtype) for array in (ruling.outcome, ruling.evidence, ruling.disputed)] == [
        "uint8",
        "uint8",
        "bool",
    ]


def test_ruling_decides_only_sessions_that_the_clause_applies_to(facts: SessionFacts) -> None:
    applies = sessions(1, 3)
    ruling = Ruling(facts, applies)
    ruling.decide(ALL, BREACH, LOG, "")
    assert ruling.outcome.tolist() == [NOT_APPLICABLE, BREACH, NOT_APPLICABLE, BREACH]
    assert applies.tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("outcome", "evidence", "disputed"),
    [
        (MET, CALL, [False, True, False, False]),
        (BREACH, CALL, [True, False, False, False]),
        (EXEMPT, CALL, [False] * 4),
        (MET, LOG, [False] * 4),
        (BREACH, LOG, [False] * 4),
        (MET, np.array([CALL, LOG, CALL, LOG]), [False] * 4),
        (BREACH, np.array([CALL, LOG, CALL, LOG]), [True, False, False, False]),
    ],
)
def test_ruling_disputes_what_the_call_record_decides_against_the_log(
    facts: SessionFacts, outcome: int, evidence: int | np.ndarray, disputed: list[bool]
) -> None:
    ruling = Ruling(facts, log_yes=sessions(0), log_no=sessions(1))
    ruling.decide(ALL, outcome, evidence, "")
    assert ruling.disputed.tolist() == disputed
    assert ruling.evidence.tolist() == np.broadcast_to(evidence, 4).tolist()


def test_decide_by_log_follows_the_log_and_has_no_evidence_for_a_blank(facts: SessionFacts) -> None:
    ruling = Ruling(facts, log_yes=sessions(0), log_no=sessions(1))
    ruling.decide_by_log(if_met="yes", if_breach="no", if_blank="blank")
    assert ruling.outcome.tolist() == [MET, BREACH, NO_EVIDENCE, NO_EVIDENCE]
    assert ruling.evidence.tolist() == [LOG, LOG, NOTHING, NOTHING]
    assert ruling.reasons().tolist() == ["yes", "no", "blank", "blank"]


def test_fill_puts_values_of_each_session_into_the_sentence() -> None:
    reason = fill("{hours:g} hours, {who}.", hours=np.array([48.0, 1.5, 2]), who=lambda rows: rows.astype(str))
    assert not isinstance(reason, str)
    assert reason(np.array([2, 0])).tolist() == ["2 hours, 2.", "48 hours, 0."]
