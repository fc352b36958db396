"""The tables. Instants are kept as microseconds since 1970 in UTC, days as the school's dates.

An instant goes in and comes out as an aware `datetime`; frames read the integers themselves, which
is many times faster (`reading.frame`). Emails and Entra ids are kept in lower case.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from app.log_questions import QUESTIONS, Question
from app.store.encryption import Sealed, SealedBytes

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 in UTC; that number may be given as well."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, dialect: Any) -> int | None:
        return (value - EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else value

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Reference(TypeDecorator[str]):
    """What a record is known by to people, who may ask for it by a link with anything in it: a NUL, which no text of
    PostgreSQL's holds, is left out."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else value.replace("\0", "")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def _to(table: str, name: str, **kind: Any) -> Column[Any]:
    return Column(name, ForeignKey(f"{table}.{kind.pop('key', 'id')}"), **kind)


# Small facts about the store itself: revision, demonstration day, fingerprints of what judged last.
meta = Table("meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False))

# --- the roster; what changes from year to year is kept by the day from which it holds ------------

schools = Table(
    "schools",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("senior", Boolean, nullable=False),
    Column("email_domain", Text, nullable=False),
)

staff = Table(
    "staff",
    metadata,
    _id(),
    Column("email", String(320), nullable=False, unique=True),
    Column("entra_id", String(100), unique=True),
)

staff_versions = Table(  # lists within a cell are separated by ";"
    "staff_versions",
    metadata,
    _id(),
    _to("staff", "staff_id", nullable=False),
    Column("from_day", Date, nullable=False),
    Column("name", Text, nullable=False),
    _to("schools", "school", key="code", nullable=False),
    Column("department", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("year_groups", Text, nullable=False),
    Column("houses", Text, nullable=False),
    UniqueConstraint("staff_id", "from_day"),
)

pupils = Table(
    "pupils",
    metadata,
    _id(),
    Column("email", String(320), nullable=False, unique=True),
    Column("entra_id", String(100), unique=True),
)

pupil_versions = Table(
    "pupil_versions",
    metadata,
    _id(),
    _to("pupils", "pupil_id", nullable=False),
    Column("from_day", Date, nullable=False),
    Column("name", Text, nullable=False),
    _to("schools", "school", key="code", nullable=False),
    Column("year_group", String(40), nullable=False),
    Column("house", Text, nullable=False),
    _to("staff", "tutor_id"),
    UniqueConstraint("pupil_id", "from_day"),
)

# --- session logs; a correction is a new version, the old one stays -------------------------------


def _answer(question: Question) -> Column[Any]:
    """The column of a question's answers; a database that lacks one is given it when it is opened."""
    kind = Boolean() if question.is_yes_no else Text() if question.answers else Sealed()
    return Column(question.name, kind)


logs = Table(
    "logs",
    metadata,
    _id(),
    Column("ref", Reference(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("current", Boolean, nullable=False),
    _to("staff", "staff_id", nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("purpose", Text),
    *(_answer(question) for question in QUESTIONS),
    Column("fingerprint", String(64), nullable=False),  # of the content, to know a repeated row
    Column("entered_at", Instant, nullable=False),
    _to("staff", "entered_by"),
    Column("correction_reason", Text),
    UniqueConstraint("ref", "version"),
    Index("ix_logs_started_at", "started_at"),
)

log_pupils = Table(
    "log_pupils",
    metadata,
    _to("logs", "log_id", primary_key=True),
    _to("pupils", "pupil_id", primary_key=True, index=True),
)

log_invited = Table(  # second members of staff; one who is not on the roster has no staff_id
    "log_invited",
    metadata,
    _to("logs", "log_id", primary_key=True),
    Column("email", String(320), primary_key=True),
    _to("staff", "staff_id"),
)

# --- calls as Microsoft Graph reports them --------------------------------------------------------

calls = Table(
    "calls",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("type", String(40), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("organiser_id", String(200)),
    Column("organiser_tenant", String(100)),
    _to("staff", "organiser_staff_id"),
    Column("channel", Boolean, nullable=False),
    Column("reader", Integer, nullable=False),  # which reading of the original these rows come from
    Column("stored_at", Instant, nullable=False),
    Index("ix_calls_started_at", "started_at"),
)

call_originals = Table(  # the JSON as it came, so that a better reading can be applied later
    "call_originals",
    metadata,
    _to("calls", "call_id", primary_key=True),
    Column("original", SealedBytes, nullable=False),
)

call_stays = Table(  # one row for each time somebody was in the call, device by device
    "call_stays",
    metadata,
    _id(),
    _to("calls", "call_id", nullable=False, index=True),
    Column("person", String(200), nullable=False),  # one key a person within the call
    Column("kind", String(40), nullable=False),  # user, guest, phone, acs, unknown
    Column("entra_id", String(200)),
    Column("upn", String(320)),
    Column("tenant", String(100)),
    _to("staff", "staff_id"),
    _to("pupils", "pupil_id", index=True),
    Column("caller", Boolean, nullable=False),  # at the caller's end of this session
    Column("joined_at", Instant, nullable=False),
    Column("left_at", Instant, nullable=False),
)

call_videos = Table(  # camera video sent away from the person's own end
    "call_videos",
    metadata,
    _id(),
    _to("calls", "call_id", nullable=False, index=True),
    Column("person", String(200), nullable=False),
    Column("started_at", Instant),  # both blank: video was sent, when and how long is not known
    Column("ended_at", Instant),
)

call_listed = Table(  # people on the call's own list of participants
    "call_listed",
    metadata,
    _to("calls", "call_id", primary_key=True),
    Column("person", String(200), primary_key=True),
    Column("entra_id", String(200)),
    Column("upn", String(320)),
    _to("staff", "staff_id"),
    _to("pupils", "pupil_id"),
)

calls_dropped = Table(  # calls that were no session: nothing of them but that no older version may come
    "calls_dropped",
    metadata,
    Column("key", String(64), primary_key=True),  # a digest of the call's id
    Column("version", BigInteger, nullable=False),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", String(1000), primary_key=True),
    Column("call_id", String(100), index=True),
    Column("organiser_id", String(200)),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
)

# --- the parents' registers -----------------------------------------------------------------------

letters = Table(
    "letters",
    metadata,
    _id(),
    _to("pupils", "pupil_id", nullable=False),
    Column("kind", String(40), nullable=False),
    Column("sent_on", Date, nullable=False),
    UniqueConstraint("pupil_id", "kind", "sent_on"),
)

letters_struck = Table(  # those that had been put on the register by mistake, out of `letters`
    "letters_struck",
    metadata,
    _id(),
    _to("pupils", "pupil_id", nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("sent_on", Date, nullable=False),
    Column("struck_at", Instant, nullable=False),
    _to("staff", "struck_by", nullable=False),
    Column("reason", Text, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    _id(),
    _to("pupils", "pupil_id", nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("covers_from", Instant, nullable=False),
    Column("covers_to", Instant, nullable=False),
    Column("reason", Text),
    Column("fingerprint", String(64), nullable=False, unique=True),
)

consent_events = Table(  # kind: asked, sent, given, refused, withdrawn, slt_informed, struck; none is ever changed
    "consent_events",
    metadata,
    _id(),
    _to("consents", "consent_id", nullable=False, index=True),
    Column("kind", String(12), nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("entered_at", Instant),  # blank: entered by a version that did not store it
    _to("staff", "actor_id"),  # who entered it; blank: a file
    Column("parent", Text),  # who answered
    _to("consent_events", "struck_event_id"),  # of kind struck: the event that was entered by mistake
    Column("reason", Text),  # of kind struck
)

# --- judged sessions: one row a session, the outcomes as one character a clause -------------------

clause_sets = Table(  # by what `codes` are to be read (`app.store.outcomes`); none is ever changed
    "clause_sets",
    metadata,
    _id(),
    Column("clauses", Text, nullable=False),  # names, in the order of the characters, joined by ";"
    Column("outcomes", Text, nullable=False),  # what a character counts through, joined by ";"
    UniqueConstraint("clauses", "outcomes"),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    _to("logs", "log_id", unique=True),
    Column("day", Date, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("minute", SmallInteger, nullable=False),  # of the school's day at which it started
    _to("staff", "staff_id"),
    Column("school", String(40)),
    Column("department", Text),
    Column("purpose", Text),  # blank: not logged
    Column("one_to_one", Boolean, nullable=False),
    Column("confidential", Boolean, nullable=False),  # counselling, or a counsellor's unlogged call
    Column("status", String(12), nullable=False),
    Column("disputed", Boolean, nullable=False),
    Column("due_at", Instant),  # when an outcome changes by the clock alone
    Column("codes", String(80), nullable=False),
    # In every row; SQLite adds no column to a table that must not be blank and points at another table.
    _to("clause_sets", "clause_set_id"),
    Index("ix_sessions_day", "day"),
    Index("ix_sessions_confidential", "confidential", "day"),
    Index("ix_sessions_due_at", "due_at"),
    Index("ix_sessions_staff_id", "staff_id", "day"),
)

session_calls = Table(  # `place` 0 is the call that was matched, the others joined it
    "session_calls",
    metadata,
    _to("calls", "call_id", primary_key=True),
    _to("sessions", "session_id", nullable=False, index=True),
    Column("place", SmallInteger, nullable=False),
)

session_pupils = Table(
    "session_pupils",
    metadata,
    _to("sessions", "session_id", primary_key=True),
    _to("pupils", "pupil_id", primary_key=True, index=True),
)

session_days = Table(  # each day's sessions in one row, for figures (`app.store.days`); empty: to be packed again
    "session_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("packed", LargeBinary),
)

# --- safeguarding concerns about a child ----------------------------------------------------------


def _reported() -> list[Column[Any]]:
    """What was reported; it is never changed, what happens to it are its events. `summary` is empty where the
    narrative is kept in the school's own safeguarding system alone."""
    return [
        _id(),
        Column("ref", Reference(200), nullable=False, unique=True),
        _to("staff", "raised_by"),
        Column("raised_at", Instant, nullable=False),
        Column("happened_at", Instant),
        Column("place", Sealed),
        Column("summary", Sealed, nullable=False),
        Column("childs_words", Sealed),
        Column("told_dsp", Boolean),
        Column("categories", Text, nullable=False),
    ]


def _pupils_of(concerns: str) -> list[Column[Any]]:
    """The pupils it is about now; that one was added or taken away is an event."""
    return [_to(concerns, "concern_id", primary_key=True), _to("pupils", "pupil_id", primary_key=True, index=True)]


def _sessions_of(concerns: str) -> list[Column[Any]]:
    """The sessions linked now, by log reference or call id, so that the link outlives a new matching."""
    return [
        _id(),
        _to(concerns, "concern_id", nullable=False, index=True),
        Column("log_ref", Reference(200), index=True),
        Column("call_id", String(100), index=True),
    ]


def _events_of(concerns: str) -> list[Column[Any]]:
    """Only ever added to. `kind` is one of the steps of `app.casework`, or opened, alerted, read."""
    return [
        _id(),
        _to(concerns, "concern_id", nullable=False, index=True),
        Column("occurred_at", Instant, nullable=False),
        _to("staff", "actor_id"),
        Column("kind", String(40), nullable=False),
        Column("level", String(40)),
        _to("staff", "recipient_id"),  # who was alerted, asked to do something, or had it shared with them
        Column("text", Sealed),  # why, or what was said
        Column("content", Sealed),  # the rest of what was said, as JSON
    ]


concerns = Table("concerns", metadata, *_reported())
concern_pupils = Table("concern_pupils", metadata, *_pupils_of("concerns"))
concern_sessions = Table("concern_sessions", metadata, *_sessions_of("concerns"))
concern_events = Table("concern_events", metadata, *_events_of("concerns"))

# --- concerns about an adult's conduct: apart, since nobody named in one may learn that it exists -----

conduct_concerns = Table("conduct_concerns", metadata, *_reported())
conduct_pupils = Table("conduct_pupils", metadata, *_pupils_of("conduct_concerns"))
conduct_sessions = Table(  # with what the session was, since purge does not wait for these
    "conduct_sessions", metadata, *_sessions_of("conduct_concerns"), Column("description", Sealed, nullable=False)
)
conduct_events = Table("conduct_events", metadata, *_events_of("conduct_concerns"))
conduct_named = Table(  # whom it names; never taken away
    "conduct_named",
    metadata,
    _id(),
    _to("conduct_concerns", "concern_id", nullable=False, index=True),
    _to("staff", "staff_id", index=True),
    Column("name", Sealed),  # of somebody who is not on the roster
)
CONDUCT = (conduct_named, conduct_sessions, conduct_pupils, conduct_events, conduct_concerns)

# --- breaches: a clause that a session did not meet, and what was done about it ---------------------

breaches = Table(  # `session_id` is no foreign key: what people wrote outlives a session that goes
    "breaches",
    metadata,
    _id(),
    Column("session_id", BigInteger, nullable=False),
    Column("clause", String(40), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("state", String(12), nullable=False, index=True),  # a BreachState
    UniqueConstraint("session_id", "clause"),
)

breach_events = Table(
    "breach_events",
    metadata,
    _id(),
    _to("breaches", "breach_id", nullable=False, index=True),
    Column("occurred_at", Instant, nullable=False),
    _to("staff", "actor_id"),  # blank: the program, after later evidence
    Column("kind", String(12), nullable=False),  # a BreachEventKind
    Column("resolution", String(20)),  # of kind resolved: a Resolution
    Column("text", Sealed),
)

# --- alerts: what somebody is to be told by mail, until the mail server has it ----------------------

alerts = Table(
    "alerts",
    metadata,
    _id(),
    Column("key", String(200), nullable=False, unique=True),  # so that none is queued twice
    _to("staff", "recipient_id"),  # blank: the school's shared channel
    Column("kind", String(40), nullable=False),
    Column("subject", Text, nullable=False),  # a reference, never a name
    Column("body", Sealed),  # sentences of the program's own
    Column("confidential", Boolean, nullable=False),  # nobody but who is told may learn that it exists
    Column("queued_at", Instant, nullable=False),
    Column("state", String(12), nullable=False, index=True),  # waiting or sent
    Column("next_attempt_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),  # of the last attempt, in words
    Column("sent_at", Instant),
)

# --- sessions that are planned: the planner's alone, until they are logged or dropped ---------------

plans = Table(
    "plans",
    metadata,
    _id(),
    Column("ref", Reference(40), nullable=False, unique=True),
    _to("staff", "staff_id", nullable=False, index=True),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("reason", Sealed),  # of a one-to-one
    Column("changes", Integer, nullable=False),  # how often it was changed: the invitation tells which is newer
)

plan_pupils = Table(
    "plan_pupils",
    metadata,
    _to("plans", "plan_id", primary_key=True),
    _to("pupils", "pupil_id", primary_key=True, index=True),
)

plan_invited = Table(  # second members of staff
    "plan_invited",
    metadata,
    _to("plans", "plan_id", primary_key=True),
    _to("staff", "staff_id", primary_key=True),
)

# --- imports, rejected rows, drafts, sign-ins ----------------------------------------------------------------

imports = Table(
    "imports",
    metadata,
    _id(),
    Column("kind", String(40), nullable=False),
    Column("source", Text, nullable=False),
    Column("imported_at", Instant, nullable=False),
    _to("staff", "imported_by"),
    Column("read", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("dropped", Integer, nullable=False),  # calls that are no session
    Column("rejected", Integer, nullable=False),
)

rejected_rows = Table(
    "rejected_rows",
    metadata,
    _id(),
    _to("imports", "import_id", nullable=False),
    Column("kind", String(40), nullable=False),
    Column("source", Text, nullable=False),
    Column("row", Integer, nullable=False),
    Column("column", Text),
    Column("value", Sealed),
    Column("reason", Text, nullable=False),
    Column("fix", Text, nullable=False),
    Column("original", Sealed, nullable=False),  # the whole row as it came, as JSON
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("resolved_at", Instant),
    _to("staff", "resolved_by"),
    Column("resolution", String(40)),  # a RowResolution
    Column("resolution_reason", Sealed),  # of a dismissal
)

drafts = Table(
    "drafts",
    metadata,
    _to("staff", "staff_id", primary_key=True),
    Column("form", String(40), primary_key=True),
    Column("content", Sealed, nullable=False),
    Column("saved_at", Instant, nullable=False),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("key", String(64), primary_key=True),  # a digest of the account's subject
    Column("seen_at", Instant, nullable=False),  # last active, to the minute
    Column("ended_at", Instant, nullable=False),  # signed out last
)

# --- fetching from Microsoft Graph ------------------------------------------------------------------

sync_runs = Table(
    "sync_runs",
    metadata,
    _id(),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),  # blank: it runs, or was killed
    Column("from_at", Instant, nullable=False),  # calls that started from here
    Column("to_at", Instant, nullable=False),  # to here were asked for
    Column("complete_until", Instant),  # every call that Graph listed up to here is in; blank: it did not end well
    Column("lost_from", Instant),  # older than Graph keeps records, and never fetched
    Column("lost_to", Instant),
    *(
        Column(name, Integer, nullable=False, default=0)
        for name in (
            "listed",
            "fetched",
            "added",
            "changed",
            "dropped",
            "quarantined",
            "gone",
            "recordings",
            "rejected",
        )
    ),
    Column("error", Text),  # why it failed, or what was rejected, in words
)

sync_seen = Table(  # call records fetched already, also those dropped: nothing of them but this
    "sync_seen",
    metadata,
    Column("id", String(64), primary_key=True),  # a digest of the call's id
    Column("stamp", String(64), nullable=False),  # a digest of its version and time of change as listed
    Column("seen_at", Instant, nullable=False, index=True),
)

sync_quarantine = Table(  # what Graph sent and the program could not read, whole, until it can
    "sync_quarantine",
    metadata,
    Column("kind", String(40), primary_key=True),  # call, recording, entry (of a list)
    Column("ref", String(200), primary_key=True),  # the call's id, else a digest of the content
    Column("reason", Text, nullable=False),
    Column("content", SealedBytes),  # blank: nothing arrived
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
)

leases = Table(  # who may do what only one may do at a time; a lease ends by itself when its holder dies
    "leases",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("expires_at", Instant, nullable=False),
)

# --- the audit trail: only ever added to, each entry chained to the one before ---------------------

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),  # no gaps
    Column("occurred_at", Instant, nullable=False),
    Column("actor", String(320), nullable=False),  # the email of who did it, or "command"
    Column("action", String(40), nullable=False),
    Column("subject", Text, nullable=False),  # a reference, never a name
    Column("hash", String(64), nullable=False),
    Index("ix_audit_occurred_at", "occurred_at"),
    Index("ix_audit_action", "action", "actor", "occurred_at"),
)
