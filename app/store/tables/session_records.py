"""Logs, calls as Microsoft Graph reports them, plans, and the sessions that are judged from them."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

from app.log_questions import QUESTIONS, Question
from app.store.encryption import EncryptedBytes, EncryptedText, EncryptedUnlessListed
from app.store.tables.columns import Instant, Reference, foreign_key, id_column, metadata
from app.vocabulary.terms import ConcernCategory, Purpose


def _answer(question: Question) -> Column[Any]:
    """The column of a question's answers; it is added to a database without it when that is opened."""
    if question.is_yes_no:
        return Column(question.name, Boolean())
    if question.answers is None or question.answers is ConcernCategory:
        return Column(question.name, EncryptedText())
    return Column(question.name, EncryptedUnlessListed([answer.value for answer in question.answers]))


def _purpose(**options: Any) -> Column[Any]:
    return Column("purpose", EncryptedUnlessListed([purpose.value for purpose in Purpose]), **options)


logs = Table(
    "logs",
    metadata,
    id_column(),
    Column("ref", Reference(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("current", Boolean, nullable=False),
    foreign_key("staff_id", "staff.id", nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    _purpose(),
    *(_answer(question) for question in QUESTIONS),
    Column("fingerprint", EncryptedText, nullable=False),  # of the content, to recognise a repeated row
    Column("entered_at", Instant, nullable=False),
    foreign_key("entered_by", "staff.id"),
    Column("correction_reason", EncryptedText),
    Column("unconfirmed", Boolean),  # from a file, and its author has not confirmed it on the screen
    UniqueConstraint("ref", "version"),
    Index("ix_logs_started_at", "started_at"),
)

log_pupils = Table(
    "log_pupils",
    metadata,
    foreign_key("log_id", "logs.id", primary_key=True),
    foreign_key("pupil_id", "pupils.id", primary_key=True, index=True),
)

log_invited = Table(  # second members of staff; one who is not on the roster has no staff_id
    "log_invited",
    metadata,
    foreign_key("log_id", "logs.id", primary_key=True),
    Column("email", String(320), primary_key=True),
    foreign_key("staff_id", "staff.id"),
)

LONG_CALL = "ended_at - started_at > 86400000000"  # a day: so few that they are looked at one by one

calls = Table(
    "calls",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("source", String(12), nullable=False, server_default="record"),  # a CallSource
    Column("version", BigInteger, nullable=False),
    Column("type", String(40), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("organiser_id", String(200)),
    Column("organiser_tenant", String(100)),
    foreign_key("organiser_staff_id", "staff.id"),
    Column("channel", Boolean, nullable=False),
    Column("join_key", String(64), index=True),  # a digest of the join link
    Column("reader", Integer, nullable=False),  # a number that stands for the code that read the original
    Column("stored_at", Instant, nullable=False),
    Index("ix_calls_started_at", "started_at"),
    Index("ix_calls_long", "started_at", sqlite_where=text(LONG_CALL), postgresql_where=text(LONG_CALL)),
)

call_originals = Table(  # the JSON as Graph sent it, so that it can be read again
    "call_originals",
    metadata,
    foreign_key("call_id", "calls.id", primary_key=True),
    Column("original", EncryptedBytes, nullable=False),
)

call_stays = Table(  # one row for each time somebody was in the call, device by device
    "call_stays",
    metadata,
    id_column(),
    foreign_key("call_id", "calls.id", nullable=False, index=True),
    Column("person", String(200), nullable=False),  # stands for each person within the call (`encryption.hide_name`)
    Column("kind", String(40), nullable=False),  # user, guest, phone, acs, unknown
    Column("entra_id", EncryptedText),
    Column("upn", EncryptedText),
    Column("tenant", String(100)),
    foreign_key("staff_id", "staff.id"),
    foreign_key("pupil_id", "pupils.id", index=True),
    Column("caller", Boolean, nullable=False),  # at the caller's end of this session
    Column("joined_at", Instant, nullable=False),
    Column("left_at", Instant, nullable=False),
    Column("has_media", Boolean, nullable=False, server_default=true()),  # false: nothing is known of the camera
)

call_videos = Table(  # camera video sent away from the person's own end
    "call_videos",
    metadata,
    id_column(),
    foreign_key("call_id", "calls.id", nullable=False, index=True),
    Column("person", String(200), nullable=False),
    Column("started_at", Instant),  # both blank: video was sent at an unknown time
    Column("ended_at", Instant),
)

call_listed = Table(  # people who took part at unknown times: the record lists them, and no session of it shows them
    "call_listed",
    metadata,
    foreign_key("call_id", "calls.id", primary_key=True),
    Column("person", String(200), primary_key=True),
    Column("entra_id", EncryptedText),
    Column("upn", EncryptedText),
    foreign_key("staff_id", "staff.id"),
    foreign_key("pupil_id", "pupils.id"),
    Column("tenant", String(100)),
)

calls_dropped = Table(  # calls that are not sessions, kept so that no older version is imported
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
    Column("content_url", EncryptedText),  # where it is stored
    Column("expires_at", Instant),
)

plans = Table(  # visible only to the planner, until they are logged or deleted
    "plans",
    metadata,
    id_column(),
    Column("ref", Reference(40), nullable=False, unique=True),
    foreign_key("staff_id", "staff.id", nullable=False, index=True),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    _purpose(nullable=False),
    Column("reason", EncryptedText),  # of a one-to-one
    Column("changes", Integer, nullable=False),  # counts changes, so that calendars recognise the newest invitation
)

plan_pupils = Table(
    "plan_pupils",
    metadata,
    foreign_key("plan_id", "plans.id", primary_key=True),
    foreign_key("pupil_id", "pupils.id", primary_key=True, index=True),
)

plan_invited = Table(  # second members of staff
    "plan_invited",
    metadata,
    foreign_key("plan_id", "plans.id", primary_key=True),
    foreign_key("staff_id", "staff.id", primary_key=True),
)

clause_sets = Table(  # how to read the `codes` of sessions (`app.store.outcomes`); none is ever changed
    "clause_sets",
    metadata,
    id_column(),
    Column("clauses", Text, nullable=False),  # names, in the order of the characters, joined by ";"
    Column("outcomes", Text, nullable=False),  # in the order in which a character counts them, joined by ";"
    UniqueConstraint("clauses", "outcomes"),
)

sessions = Table(
    "sessions",
    metadata,
    id_column(),
    foreign_key("log_id", "logs.id", unique=True),
    Column("day", Date, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("minute", SmallInteger, nullable=False),  # of the school's day at which it started
    foreign_key("staff_id", "staff.id"),
    Column("school", String(40)),
    Column("department", Text),
    _purpose(),  # blank: not logged
    Column("one_to_one", Boolean, nullable=False),
    Column("confidential", Boolean, nullable=False),  # counselling, or a counsellor's unlogged call
    Column("status", String(12), nullable=False),
    Column("disputed", Boolean, nullable=False),
    Column("due_at", Instant),  # when an outcome changes merely because time has passed
    Column("codes", String(80), nullable=False),
    foreign_key("clause_set_id", "clause_sets.id"),  # never blank, but SQLite cannot add such a foreign key to a table
    Index("ix_sessions_day", "day"),
    Index("ix_sessions_confidential", "confidential", "day"),
    Index("ix_sessions_due_at", "due_at"),
    Index("ix_sessions_staff_id", "staff_id", "day"),
)

session_calls = Table(  # `place` 0 is the call that was matched; the others follow in order
    "session_calls",
    metadata,
    foreign_key("call_id", "calls.id", primary_key=True),
    foreign_key("session_id", "sessions.id", nullable=False, index=True),
    Column("place", SmallInteger, nullable=False),
    Column("part", String(12), nullable=False, server_default="session"),  # a CallPart
)

session_pupils = Table(
    "session_pupils",
    metadata,
    foreign_key("session_id", "sessions.id", primary_key=True),
    foreign_key("pupil_id", "pupils.id", primary_key=True, index=True),
)

session_days = Table(  # each day's sessions in one row, for figures (`app.store.session_days`)
    "session_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("packed", LargeBinary),  # blank: must be packed again
)

breaches = Table(  # `session_id` is not a foreign key: what people wrote outlives a session that judging removes
    "breaches",
    metadata,
    id_column(),
    Column("session_id", BigInteger, nullable=False),
    Column("clause", String(40), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("state", String(12), nullable=False, index=True),  # a BreachState
    UniqueConstraint("session_id", "clause"),
)

breach_events = Table(
    "breach_events",
    metadata,
    id_column(),
    foreign_key("breach_id", "breaches.id", nullable=False, index=True),
    Column("occurred_at", Instant, nullable=False),
    foreign_key("actor_id", "staff.id"),  # blank: the program, after later evidence
    Column("kind", String(12), nullable=False),  # a BreachEventKind
    Column("resolution", String(20)),  # of kind resolved: a Resolution
    Column("text", EncryptedText),
)
