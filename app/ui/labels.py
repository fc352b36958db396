"""Labels of outcomes, statuses, evidence and purposes on the screens."""

from app.vocabulary import EvidenceKind, Outcome, Purpose, Status

# Colour never carries meaning alone: a mark and a word go with it.
OUTCOME_WORDS = {outcome.value: f"{mark} {outcome.label}" for outcome, mark in zip(Outcome, "✓○✗?–", strict=True)}


STATUS_WORDS = {status.value: f"{mark} {status.label}" for status, mark in zip(Status, "✓?✗", strict=True)}


EVIDENCE_WORDS = {kind.value: kind.label for kind in EvidenceKind}


PURPOSE_WORDS: dict[str, str] = {purpose: purpose.label for purpose in Purpose if purpose is not Purpose.OTHER}


def describe_purpose(purpose: object) -> str:
    """A session's purpose; "not logged" for a blank."""
    return PURPOSE_WORDS.get(purpose, purpose) if isinstance(purpose, str) else "not logged"
