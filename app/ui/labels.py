"""Labels of outcomes, statuses, evidence and purposes on the screens."""

from app.vocabulary import Purpose

# Colour never stands alone: a mark and a word go with it.
OUTCOME_WORDS = {
    "met": "✓ Met",
    "exempt": "○ Exempt",
    "breach": "✗ Breach",
    "no_evidence": "? No evidence",
    "not_applicable": "– Not applicable",
}


STATUS_WORDS = {"compliant": "✓ Met", "incomplete": "? Evidence missing", "breach": "✗ Breach"}


EVIDENCE_WORDS = {"call": "call record", "register": "register", "log": "log", "": ""}


PURPOSE_WORDS: dict[str, str] = {purpose: purpose.label for purpose in Purpose if purpose is not Purpose.OTHER}


def describe_purpose(purpose: object) -> str:
    """A session's purpose; "not logged" for a blank."""
    return PURPOSE_WORDS.get(purpose, purpose) if isinstance(purpose, str) else "not logged"
