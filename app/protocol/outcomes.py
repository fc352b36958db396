"""Outcomes and evidence, and how a clause hands them out to many sessions at once."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from app.vocabulary import EvidenceKind, Outcome

OUTCOMES = tuple(outcome.value for outcome in Outcome)
MET, EXEMPT, BREACH, NO_EVIDENCE, NOT_APPLICABLE = range(5)

EVIDENCE = tuple(kind.value for kind in EvidenceKind)
NOTHING, CALL, REGISTER, LOG = range(4)

Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]
# A reason is one sentence for all, or made for the sessions at the positions given.
Reason = str | Callable[[npt.NDArray[np.intp]], Words]


class Ruling:
    """What one clause says of `n` sessions. The first `decide` that reaches a session decides it.

    Arrays of length n: `outcome` and `evidence` (positions in OUTCOMES and EVIDENCE), `disputed`
    (the log says the opposite of the call record). A session that nothing decides keeps
    `not_applicable`.
    """

    def __init__(self, n: int) -> None:
        self.outcome = np.full(n, NOT_APPLICABLE, np.uint8)
        self.evidence = np.zeros(n, np.uint8)
        self.disputed = np.zeros(n, bool)
        self._open = np.ones(n, bool)
        self._reasons: list[tuple[npt.NDArray[np.intp], Reason]] = []

    def decide(
        self,
        where: Mask,
        outcome: int,
        evidence: int | npt.NDArray[np.int_],
        reason: Reason,
        disputed: Mask | None = None,
    ) -> None:
        """Give `outcome` to the sessions in `where` that are still open."""
        rows = np.flatnonzero(where & self._open)
        if not len(rows):
            return
        self._open[rows] = False
        self.outcome[rows] = outcome
        self.evidence[rows] = evidence if isinstance(evidence, int) else evidence[rows]
        if disputed is not None:
            self.disputed[rows] = disputed[rows]
        self._reasons.append((rows, reason))

    def reasons(self) -> Words:
        """The reason of each session's outcome, in words."""
        words = np.full(len(self.outcome), "", object)
        for rows, reason in self._reasons:
            words[rows] = reason if isinstance(reason, str) else reason(rows)
        return words
