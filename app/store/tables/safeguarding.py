"""Concerns about a child and, separately, about an adult's conduct: nobody named in one may learn of it."""

from typing import Any

from sqlalchemy import Boolean, Column, String, Table

from app.store.encryption import EncryptedNumber, EncryptedText
from app.store.tables.columns import Instant, Reference, foreign_key, id_column, metadata


def _reported() -> list[Column[Any]]:
    """The report, which never changes; everything later is an event. `summary` is empty if the narrative is
    stored only in the school's own safeguarding system."""
    return [
        id_column(),
        Column("ref", Reference(200), nullable=False, unique=True),
        foreign_key("raised_by", "staff.id"),
        Column("raised_at", Instant, nullable=False),
        Column("happened_at", Instant),
        Column("place", EncryptedText),
        Column("summary", EncryptedText, nullable=False),
        Column("childs_words", EncryptedText),
        Column("told_dsp", Boolean),
        Column("categories", EncryptedText, nullable=False),
    ]


def _pupils_of(concerns: str) -> list[Column[Any]]:
    """The pupils that a concern is now about; adding or removing one is an event."""
    return [
        foreign_key("concern_id", f"{concerns}.id", primary_key=True),
        foreign_key("pupil_id", "pupils.id", primary_key=True, index=True),
    ]


def _sessions_of(concerns: str) -> list[Column[Any]]:
    """The sessions now linked, by log reference or call id, so that a link survives a new matching."""
    return [
        id_column(),
        foreign_key("concern_id", f"{concerns}.id", nullable=False, index=True),
        Column("log_ref", Reference(200), index=True),
        Column("call_id", String(100), index=True),
    ]


def _events_of(concerns: str) -> list[Column[Any]]:
    """Columns of events, never changed. `kind` is a step of `app.concerns.casework`, or opened, alerted, read."""
    return [
        id_column(),
        foreign_key("concern_id", f"{concerns}.id", nullable=False, index=True),
        Column("occurred_at", Instant, nullable=False),
        foreign_key("actor_id", "staff.id"),
        Column("kind", String(40), nullable=False),
        Column("level", EncryptedText),
        foreign_key("recipient_id", "staff.id"),  # who was alerted, asked to act, or given access
        Column("text", EncryptedText),  # the reason, or what somebody wrote
        Column("content", EncryptedText),  # the other fields, as JSON
    ]


concerns = Table("concerns", metadata, *_reported())
concern_pupils = Table("concern_pupils", metadata, *_pupils_of("concerns"))
concern_sessions = Table("concern_sessions", metadata, *_sessions_of("concerns"))
concern_events = Table("concern_events", metadata, *_events_of("concerns"))

conduct_concerns = Table("conduct_concerns", metadata, *_reported())
conduct_pupils = Table("conduct_pupils", metadata, *_pupils_of("conduct_concerns"))
conduct_sessions = Table(  # with a description, since `purge` deletes these sessions like others
    "conduct_sessions",
    metadata,
    id_column(),
    foreign_key("concern_id", "conduct_concerns.id", nullable=False, index=True),
    Column("log_ref", EncryptedText),  # as of `concern_sessions`; encrypted, since a session says who held it
    Column("call_id", EncryptedText),
    Column("description", EncryptedText, nullable=False),
)
conduct_events = Table("conduct_events", metadata, *_events_of("conduct_concerns"))
conduct_named = Table(  # the people a concern names; never removed
    "conduct_named",
    metadata,
    id_column(),
    foreign_key("concern_id", "conduct_concerns.id", nullable=False, index=True),
    Column("staff_id", EncryptedNumber),  # of `staff`
    Column("name", EncryptedText),  # of somebody who is not on the roster
)
CONDUCT_TABLES = (conduct_named, conduct_sessions, conduct_pupils, conduct_events, conduct_concerns)
