"""Judges every clause for every session: takes frames of evidence, returns outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.protocol.clauses import CLAUSES
from app.protocol.evidence import Evidence
from app.protocol.facts import SessionFacts
from app.protocol.frames import NONE, ids, instants
from app.protocol.outcomes import BREACH, EVIDENCE, EXEMPT, MET, NO_EVIDENCE, NOT_APPLICABLE, OUTCOMES, SOURCES
from app.protocol.sessions import DAY, MINUTE
from app.settings import Settings
from app.vocabulary.terms import Outcome, Status

STATUSES = tuple(status.value for status in Status)
OUTCOME = pd.CategoricalDtype(list(OUTCOMES))
_FIRST = ord("0")


@dataclass(frozen=True)
class ClauseSet:
    """How to read stored `codes`: the clause that each character stands for, and the outcomes that are numbered in it.
    Clauses and outcomes may be added, removed and reordered later."""

    clauses: tuple[str, ...]
    outcomes: tuple[str, ...]

    @classmethod
    def current(cls) -> "ClauseSet":
        """The clauses and outcomes with which codes are written now."""
        return cls(tuple(CLAUSES), tuple(OUTCOMES))


@dataclass
class Judged:
    """The outcomes of n sessions numbered from 0 in order of their start.

    - `sessions` (index `session`): `log_id`, `call_id` (of the matched call), `started_at`, `ended_at` (the session's
      time), `day`, `minute` (of the day in school time, at its start), `staff_id`, `school`, `department`, `purpose`
      (blank if not logged), `one_to_one`, `confidential`, `status`, `disputed`, `due_at` (when an outcome will change
      merely because time passes), `codes` (one character per clause; see `decode`)
    - `calls`: `session`, `call_id`, `place` (0 for the matched call, from 1 for others), `part` (a CallPart)
    - `pupils`: `session`, `pupil_id`
    - `alone`: `session`, `from_at`, `to_at`, `seconds`: stretches in which pupils were without staff, if longer than
      the grace or in a room to which no staff came
    """

    sessions: pd.DataFrame
    calls: pd.DataFrame
    pupils: pd.DataFrame
    alone: pd.DataFrame
    _outcome: npt.NDArray[np.uint8] = field(repr=False)
    _evidence: npt.NDArray[np.uint8] = field(repr=False)
    _disputed: npt.NDArray[np.bool_] = field(repr=False)
    _reasons: npt.NDArray[np.object_] = field(repr=False)

    def table(self) -> pd.DataFrame:
        """One row for each session and clause: `session`, `clause`, `outcome`, `evidence` and `source` ("" if nothing
        decided it), `disputed`, `reason` ("" unless `judge` was asked for reasons)."""
        n = len(self.sessions)
        return pd.DataFrame(
            {
                "session": np.repeat(np.arange(n), len(CLAUSES)),
                "clause": np.tile(list(CLAUSES), n),
                "outcome": np.array(OUTCOMES)[self._outcome].ravel(),
                "evidence": np.array(EVIDENCE)[self._evidence].ravel(),
                "source": np.array(SOURCES)[self._evidence].ravel(),
                "disputed": self._disputed.ravel(),
                "reason": self._reasons.ravel(),
            }
        )


def judge(evidence: Evidence, settings: Settings, now: datetime, *, reasons: bool = False) -> Judged:
    """Match logs with calls, and judge every clause for every session, as of `now`."""
    facts = SessionFacts(evidence, settings, now)
    rulings = [clause.judge(facts) for clause in CLAUSES.values()]
    outcome = np.stack([r.outcome for r in rulings], axis=1)
    decided_by = np.stack([r.evidence for r in rulings], axis=1)
    disputed = np.stack([r.disputed for r in rulings], axis=1)
    words = np.stack([r.reasons() for r in rulings], axis=1) if reasons else np.full(outcome.shape, "", object)
    status = np.where((outcome == BREACH).any(axis=1), 2, np.where((outcome == NO_EVIDENCE).any(axis=1), 1, 0))
    not_yet_logged = outcome[:, list(CLAUSES).index("logged")] == NO_EVIDENCE
    time_to_log = (facts.setting(lambda rules: rules.log_within_hours) * 60 * MINUTE).astype(np.int64)
    sessions = _describe(facts).assign(
        status=np.array(STATUSES)[status],
        disputed=disputed.any(axis=1),
        due_at=instants(facts.call_ended + time_to_log).where(not_yet_logged),
        codes=_encode(outcome, decided_by, disputed),
    )
    call_ids = evidence.calls["call_id"].to_numpy(object)
    alone = {
        "session": facts.alone["session"],
        "from_at": instants(facts.alone["start"].to_numpy()),
        "to_at": instants(facts.alone["end"].to_numpy()),
        "seconds": (facts.alone["end"] - facts.alone["start"]) / 1e6,
    }
    return Judged(
        sessions,
        facts.calls.assign(call_id=call_ids[facts.calls["call"]])[["session", "call_id", "place", "part"]],
        facts.pupils[["session", "pupil_id"]].copy(),
        pd.DataFrame(alone),
        outcome,
        decided_by,
        disputed,
        words,
    )


def _describe(facts: SessionFacts) -> pd.DataFrame:
    """The columns of `Judged.sessions` that no clause decides."""
    columns = {
        "log_id": _ids(facts.from_log(ids(facts.evidence.logs["log_id"]), blank=NONE)),
        "call_id": facts.from_call(facts.evidence.calls["call_id"].to_numpy(object), blank=None),
        "started_at": instants(facts.start),
        "ended_at": instants(facts.end),
        "day": facts.day.view("datetime64[D]").astype("datetime64[s]"),
        "minute": (facts.local_start % DAY // MINUTE).astype(np.int16),
        "staff_id": _ids(facts.staff_id),
        "school": facts.staff_school,
        "department": facts.department,
        "purpose": np.where(facts.purpose == "", None, facts.purpose),
        "one_to_one": facts.one_to_one,
        "confidential": facts.confidential,
    }
    return pd.DataFrame(columns).rename_axis("session")


def _ids(plain: npt.NDArray[np.int64]) -> pd.arrays.IntegerArray:
    """Ids as a nullable column, in which NONE is a blank."""
    return pd.arrays.IntegerArray(plain, plain == NONE)


def _encode(
    outcome: npt.NDArray[np.uint8], evidence: npt.NDArray[np.uint8], disputed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.object_]:
    """For each session a text of one printable character per clause, which encodes the outcome, what decided it, and
    whether it is disputed. `decode` reads back only the outcome, so the order of SOURCES need not be stored."""
    code = _FIRST + outcome + len(OUTCOMES) * evidence + len(OUTCOMES) * len(EVIDENCE) * disputed
    return code.astype(np.uint8).view(f"S{len(CLAUSES)}").ravel().astype(str).astype(object)


def decode(codes: pd.Series, clause_set: ClauseSet | None = None) -> pd.DataFrame:
    """The outcomes that `codes` hold, with the same index: one categorical column for each current clause.

    `clause_set` is the one with which the codes were written, by default the current one. A clause that it lacks is not
    applicable until the session is judged again; a clause that no longer exists is left out.
    """
    written = clause_set or ClauseSet.current()
    number = np.frombuffer("".join(codes).encode(), np.uint8).reshape(len(codes), len(written.clauses)) - _FIRST
    place = [OUTCOMES.index(word) if word in OUTCOMES else NOT_APPLICABLE for word in written.outcomes]
    outcome = np.array(place, np.int8)[number % len(place)]
    columns = {name: outcome[:, i] for i, name in enumerate(written.clauses)}
    lacking = np.full(len(codes), NOT_APPLICABLE, np.int8)
    return pd.DataFrame(
        {name: pd.Categorical.from_codes(columns.get(name, lacking), dtype=OUTCOME) for name in CLAUSES},
        index=codes.index,
    )


def find_status(outcomes: Sequence[str]) -> str:
    """The status of a session (a Status) by some of its outcomes."""
    worst = Status.INCOMPLETE if Outcome.NO_EVIDENCE in outcomes else Status.COMPLIANT
    return (Status.BREACH if Outcome.BREACH in outcomes else worst).value


def count_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """How often each clause had each outcome. `outcomes` is as `decode` returns it.

    Index: the clause. Columns: the counts of the five outcomes; `rate`, (met + exempt) / (met + exempt + breach); and
    `evidence_share`, that denominator / all sessions to which the clause applies. Both are NaN if they divide by 0.
    """
    codes = [outcomes[name].cat.codes.to_numpy() for name in CLAUSES]
    counts = [[np.count_nonzero(column == i) for i in range(len(OUTCOMES))] for column in codes]
    table = pd.DataFrame(counts, index=list(CLAUSES), columns=list(OUTCOMES))
    met = table[OUTCOMES[MET]] + table[OUTCOMES[EXEMPT]]
    with_evidence = met + table[OUTCOMES[BREACH]]
    table["rate"] = met / with_evidence
    table["evidence_share"] = with_evidence / (with_evidence + table[OUTCOMES[NO_EVIDENCE]])
    return table.rename_axis("clause")
