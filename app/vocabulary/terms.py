"""The words of sessions, evidence, concerns and parents, with their labels."""

from enum import StrEnum
from typing import Self


class Labelled(StrEnum):
    """A word as in files and in the database, with a `label` for people."""

    label: str

    def __new__(cls, word: str, label: str = "", *_: object) -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.label = label
        return member


class Outcome(Labelled):
    """The outcome of a check."""

    MET = "met", "Met"
    EXEMPT = "exempt", "Exempt"
    BREACH = "breach", "Breach"
    NO_EVIDENCE = "no_evidence", "No evidence"
    NOT_APPLICABLE = "not_applicable", "Not applicable"


class EvidenceKind(Labelled):
    """The evidence that decided a check; NOTHING if there is none."""

    NOTHING = "", ""
    CALL = "call", "call record"
    REGISTER = "register", "register"
    LOG = "log", "log"


class EvidenceSource(Labelled):
    """The source of the evidence that decided a check; NOTHING if there is none."""

    def __init__(self, _word: str, _label: str = "", kind: EvidenceKind = EvidenceKind.NOTHING) -> None:
        self.kind = kind

    NOTHING = "", "", EvidenceKind.NOTHING
    CALL = "call", "Call record", EvidenceKind.CALL
    CALENDAR = "calendar", "Organiser's calendar", EvidenceKind.CALL
    LETTERS = "letters", "Register of letters", EvidenceKind.REGISTER
    CONSENTS = "consents", "Register of consents", EvidenceKind.REGISTER
    CONCERNS = "concerns", "Register of concerns", EvidenceKind.REGISTER
    LOG = "log", "Session log", EvidenceKind.LOG


class CallSource(Labelled):
    """What a stored call was read from."""

    RECORD = "record", "call record"
    ATTENDANCE = "attendance", "attendance report"


class CallPart(Labelled):
    """The part that a call plays in its session."""

    SESSION = "session", "the session"
    AFTER = "after", "pupils without staff after the session"
    REPORT = "report", "an attendance report beside the call record"


class Status(Labelled):
    """The combined outcome of a session's checks."""

    COMPLIANT = "compliant", "Met"
    INCOMPLETE = "incomplete", "Evidence missing"
    BREACH = "breach", "Breach"


class LetterKind(Labelled):
    INTRODUCTION = "introduction", "Introduction of the service"
    ONE_TO_ONE = "one_to_one", "One-to-ones during remote learning"


class FamilyEmailKind(Labelled):
    """An email to a pupil's family: a letter of the LetterKind with the same value, or about a request for consent."""

    INTRODUCTION = LetterKind.INTRODUCTION.value, LetterKind.INTRODUCTION.label
    ONE_TO_ONE = LetterKind.ONE_TO_ONE.value, LetterKind.ONE_TO_ONE.label
    REQUEST = "request_for_consent", "Request for consent"
    REMINDER = "reminder", "Reminder of a request"


class EmailState(Labelled):
    """The status of an email to a family. STRUCK: it was struck off the register as a mistake."""

    WAITING = "waiting", "Not yet sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    STRUCK = "struck", "Struck out"


class ConsentKind(Labelled):
    OUTSIDE_HOURS = "outside_hours", "Tuition outside the usual hours"
    ONE_TO_ONE = "one_to_one", "One-to-one at another time"


class ConsentStatus(Labelled):
    """The status of a consent.

    - COVERED: nobody answered, but another valid consent covers its times
    - LAPSED: nobody answered, and its times are over
    - GIVEN_LATE: given after its times had begun
    """

    WAITING = "waiting", "Awaiting an answer"
    COVERED = "covered", "Covered by another consent"
    LAPSED = "lapsed", "Not answered in time"
    GIVEN = "given", "Given"
    GIVEN_LATE = "given_late", "Given, but late"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ConsentEventKind(Labelled):
    """The kind of an event in a consent's history."""

    ASKED = "asked", "Consent asked for"
    SENT = "sent", "Request sent to the parents"
    REMINDED = "reminded", "Reminder emailed to the parents"
    GIVEN = "given", "Consent given"
    REFUSED = "refused", "Consent refused"
    WITHDRAWN = "withdrawn", "Consent withdrawn"
    SLT_INFORMED = "slt_informed", "SLT informed"
    CONFIRMED = "confirmed", "SLT confirmed that it was informed"
    STRUCK = "struck", "Entry struck out"


class Resolution(Labelled):
    """How a breach was resolved. The member of staff can read this, so a breach that led to a concern about their
    conduct is OTHER, like much else, and cannot be told apart."""

    EXPLAINED = "explained", "Explained: nothing more to do"
    SPOKEN_WITH = "spoken_with", "Spoken with"
    TRAINING = "training", "Training agreed"
    OTHER = "other", "Other"


class Purpose(Labelled):
    """The purpose of a session. A log may give any other purpose in its own words, which counts as OTHER."""

    MUSIC = "music", "Music"
    ACADEMIC = "academic", "Academic"
    PASTORAL = "pastoral", "Pastoral"
    COUNSELLING = "counselling", "Counselling"
    OTHER = "other", "Something else"

    @classmethod
    def named(cls, words: str) -> "Purpose":
        """The purpose that the text in a log stands for."""
        return cls(words) if words in set(cls) else cls.OTHER


# The answers to the questions of a log.


class YesNo(Labelled):
    YES = "yes", "Yes"
    NO = "no", "No"


class CamerasOn(Labelled):
    YES = "yes", "Yes"
    NO = "no", "No"
    NO_CAMERA = "no_camera", "There is no camera"
    OBJECTED = "objected", "They objected"


class Platform(Labelled):
    TEAMS = "teams", "Teams"
    OTHER = "other", "Another"


class Account(Labelled):
    SCHOOL = "school", "School account"
    PERSONAL = "personal", "Personal account"


class Room(Labelled):
    PUBLIC = "public", "A room where adults come and go"
    BEDROOM = "bedroom", "A bedroom"
    OTHER = "other", "Another room"


class BedroomReason(Labelled):
    QUARANTINE = "quarantine", "Quarantine"
    ONLY_ROOM = "only_room", "The only suitable room"
    OTHER = "other", "Another reason"


class OneToOneReason(Labelled):
    SAFEGUARDING = "safeguarding", "Safeguarding"
    CONTINUITY = "continuity", "Continuity of pastoral care"
    ROUTINE = "routine", "Routine check-up"
    OTHER = "other", "Another reason"


class ConcernCategory(Labelled):
    """The kind of a concern about a child."""

    HOME_ALONE = "home_alone", "A child home alone"
    UNKNOWN_ADULT = "unknown_adult", "An unknown adult"
    DISCLOSURE = "disclosure", "Something the child disclosed"
    SEEN_OR_HEARD = "seen_or_heard", "Something seen or heard on the call"
    LEFT_ALONE = "left_alone", "Left alone in a call"
    DISTRESS = "distress", "Distress"
    NEGLECT = "neglect", "Signs of neglect"
    PHYSICAL = "physical", "Signs of physical harm"
    EMOTIONAL = "emotional", "Signs of emotional harm"
    SEXUAL = "sexual", "Signs of sexual harm or exploitation"
    SELF_HARM = "self_harm", "Self-harm or thoughts of suicide"
    BULLYING = "bullying", "Bullying, or harm by other children"
    ONLINE = "online", "Harm online"
    OTHER = "other", "Something else"


class BreachState(Labelled):
    """The state of a breach. CLOSED: later evidence showed that it was not one."""

    OPEN = "open", "Open"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed automatically"


class Deadline(Labelled):
    """Whether a breach was resolved, or is still open, before or after the day on which it was due."""

    RESOLVED_IN_TIME = "resolved_in_time", "Resolved in time"
    RESOLVED_LATE = "resolved_late", "Resolved late"
    OPEN_IN_TIME = "open_in_time", "Open, in time"
    OVERDUE = "overdue", "Open, overdue"


class BreachEventKind(Labelled):
    """The kind of an event in a breach's history."""

    EXPLAINED = "explained", "Explained"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed automatically: later evidence shows no breach"
    REOPENED = "reopened", "Reopened: later evidence shows a breach"


class TableKind(Labelled):
    """A table that can be imported."""

    LOGS = "logs", "Session logs"
    LETTERS = "letters", "Letters to parents"
    CONSENTS = "consents", "Parental consents"
    SCHOOLS = "schools", "Schools"
    STAFF = "staff", "Staff"
    PUPILS = "pupils", "Pupils"


class RetainedKind(Labelled):
    """A kind of record with a retention period of its own, named as in `[retention]` of the settings."""

    SESSIONS = "sessions", "Sessions with their logs, calls and breaches; parents' consents"
    CALL_ORIGINALS = "call_originals", "Original call records"
    CONCERNS = "concerns", "Closed concerns, from the last entry"
    UNFINISHED = "unfinished", "Rejected rows, drafts, unreadable records"
    AUDIT = "audit", "Audit trail"


class RowResolution(Labelled):
    """How a rejected row was resolved."""

    FIXED = "fixed", "Fixed"
    DISMISSED = "dismissed", "Dismissed"
    IMPORTED = "imported", "Resolved by a later import"


class ProtocolKind(Labelled):
    """What an entry of the protocol in force is about."""

    SCHOOL = "school", "School"
    VERSION = "version", "Version"
    TERM = "term", "Term"
    REMOTE_LEARNING = "remote_learning", "Remote learning"
    FIGURE = "figure", "Times and limits"


class SpotCheckResult(Labelled):
    """The result of a spot check."""

    IN_ORDER = "in_order", "Reviewed: no issues"
    TO_EXPLAIN = "to_explain", "To explain"
