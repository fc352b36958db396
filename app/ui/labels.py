"""Labels and icons of pages, outcomes, statuses, evidence and purposes on the screens."""

from app.vocabulary.roles import Page
from app.vocabulary.terms import ConsentStatus, EvidenceKind, Outcome, Purpose, Status

PAGE_ICONS = {
    Page.OVERVIEW: ":material/insights:",
    Page.SESSIONS: ":material/groups:",
    Page.LOG: ":material/edit_note:",
    Page.PLAN: ":material/event:",
    Page.CONCERNS: ":material/volunteer_activism:",
    Page.PARENTS: ":material/family_restroom:",
    Page.PROTOCOL: ":material/rule:",
    Page.ADMINISTRATION: ":material/settings:",
}

# Colour is never the only sign of a meaning: a mark and a word go with it.
OUTCOME_WORDS = {outcome.value: f"{mark} {outcome.label}" for outcome, mark in zip(Outcome, "✓○✗?–", strict=True)}
STATUS_WORDS = {status.value: f"{mark} {status.label}" for status, mark in zip(Status, "✓?✗", strict=True)}
CONSENT_WORDS = {status.value: f"{mark} {status.label}" for status, mark in zip(ConsentStatus, "?○–✓✓✗✗", strict=True)}
EVIDENCE_WORDS = {kind.value: kind.label for kind in EvidenceKind}
PURPOSE_WORDS: dict[str, str] = {purpose: purpose.label for purpose in Purpose if purpose is not Purpose.OTHER}


def describe_purpose(purpose: object) -> str:
    """The label of a session's purpose, or "not logged" if it is blank."""
    return PURPOSE_WORDS.get(purpose, purpose) if isinstance(purpose, str) else "not logged"
