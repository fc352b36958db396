"""TODO."""

from app.protocol.clauses import CLAUSES

TITLES = {clause.name: clause.title for clause in CLAUSES}


# Colour never stands alone: a mark and a word go with it.
OUTCOME_WORDS = {
    "met": "✓ kept",
    "exempt": "○ exception",
    "breach": "✗ not kept",
    "no_evidence": "? no evidence",
    "not_applicable": "– does not apply",
}


STATUS_WORDS = {"compliant": "✓ kept", "incomplete": "? evidence missing", "breach": "✗ not kept"}


EVIDENCE_WORDS = {"call": "call record", "register": "register", "log": "log", "": ""}


PURPOSE_WORDS = {"music": "Music", "academic": "Academic", "pastoral": "Pastoral", "counselling": "Counselling"}
