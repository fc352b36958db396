"""Outcomes and sources of evidence as numbers, which are positions in OUTCOMES and SOURCES."""

from app.vocabulary.terms import EvidenceSource, Outcome

OUTCOMES = tuple(outcome.value for outcome in Outcome)
MET, EXEMPT, BREACH, NO_EVIDENCE, NOT_APPLICABLE = range(5)

SOURCES = tuple(source.value for source in EvidenceSource)
EVIDENCE = tuple(source.kind.value for source in EvidenceSource)  # the kind of each source
NOTHING, CALL, CALENDAR, LETTERS, CONSENTS, CONCERNS, LOG = range(7)
