"""Outcomes and evidence as numbers, which are positions in the lists of their words."""

from app.vocabulary import EvidenceKind, Outcome

OUTCOMES = tuple(outcome.value for outcome in Outcome)
MET, EXEMPT, BREACH, NO_EVIDENCE, NOT_APPLICABLE = range(5)

EVIDENCE = tuple(kind.value for kind in EvidenceKind)
NOTHING, CALL, REGISTER, LOG = range(4)
