"""Changes to the protocol in force, made by the leadership.

A change and its effects are made in one transaction: the sessions that it affects are judged again, and breaches open
and close. It is recorded in the audit trail, and is undone by another change.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, select

from app.access.policy import Person, require
from app.judging.upkeep import rejudge_changed_settings
from app.management.effects import Effect, measure_effect
from app.school import School, check_clauses, forget_file
from app.settings import Settings, SettingsError, check_settings, describe_fault
from app.store import protocol, tables
from app.store.protocol import FIGURES, MODELS, Entry
from app.store.writing import raise_revision
from app.vocabulary.roles import Resource
from app.vocabulary.terms import ProtocolKind

_entry = tables.protocol_entries.c


class ProtocolChangedError(ValueError):
    """Somebody else has changed the same part of the protocol. Nothing was saved."""

    def __init__(self) -> None:
        super().__init__("Somebody else has changed this part of the protocol. Close this and look at it again.")


@dataclass(frozen=True)
class Change:
    """A change of one entry. `content` is the new entry as in the settings file, in JSON types (for a figure: `figure`,
    `from` and `value`), or None if an entry is withdrawn. `replaces` is the id of the entry that is replaced or
    withdrawn."""

    kind: ProtocolKind
    content: Mapping[str, Any] | None
    replaces: int | None = None


def preview_settings(school: School, person: Person, changes: Sequence[Change]) -> Settings:
    """The settings as they would be after some changes. Nothing is saved. Raises NotAllowedError, SettingsError if a
    change is not valid, or ProtocolChangedError."""
    require(person, Resource.PROTOCOL_SETTINGS)
    with school.engine.connect() as connection:
        return _preview(connection, school.as_of(connection), changes)


def _preview(connection: Connection, school: School, changes: Sequence[Change]) -> Settings:
    entries = protocol.read_entries(connection)
    for change in changes:
        entries = _with_change(entries, change)
    plain = school.settings.model_dump(by_alias=True) | protocol.compose(entries)
    settings = check_settings(plain, "These settings")
    check_clauses(settings)
    return settings


def _with_change(entries: list[Entry], change: Change) -> list[Entry]:
    """The entries after a change. Raises SettingsError or ProtocolChangedError."""
    if change.replaces is not None and change.replaces not in [entry.id for entry in entries]:
        raise ProtocolChangedError
    left = [entry for entry in entries if entry.id != change.replaces]
    if change.content is None:
        return left
    new = _check_entry(change)
    return [entry for entry in left if (entry.kind, entry.key) != (new.kind, new.key)] + [new]


def _check_entry(change: Change) -> Entry:
    """The entry that a change makes, as it is stored. Raises SettingsError if it is not valid."""
    content = dict(change.content or {})
    if change.kind == ProtocolKind.FIGURE:
        if content["figure"] not in FIGURES:
            raise SettingsError(f"{content['figure']} is not a figure of the protocol.")
        return Entry(change.kind, content)
    try:
        checked = MODELS[change.kind].model_validate(content)
    except ValidationError as error:
        raise SettingsError(" ".join(f"{describe_fault(fault)}." for fault in error.errors())) from None
    return Entry(change.kind, checked.model_dump(mode="json", by_alias=True))


def change_protocol(school: School, person: Person, changes: Sequence[Change], note: str = "") -> Effect:
    """Make changes, with their effects on past sessions. Raises NotAllowedError, SettingsError if one is not valid, or
    ProtocolChangedError; nothing has changed then."""
    require(person, Resource.PROTOCOL_SETTINGS)
    with school.writing() as connection:
        before = school.as_of(connection)
        _preview(connection, before, changes)
        for change in changes:
            number = _store(connection, change, person, note.strip(), before)
            words = f"protocol: {change.kind.label.lower()}, entry {number}"
            before.add_to_trail(connection, person.email, "changed", words)
        protocol.mark_changed(connection)
        forget_file(connection)
        return judge_again(connection, before)


def _store(connection: Connection, change: Change, person: Person, note: str, school: School) -> int:
    """Store a change. Returns the id of the entry that was made or withdrawn."""
    now = school.now()
    if change.content is not None:
        return protocol.add_entry(connection, _check_entry(change), now, person.staff_id, note, change.replaces)
    assert change.replaces is not None
    protocol.end_entry(connection, change.replaces, now, person.staff_id)
    return change.replaces


def judge_again(connection: Connection, before: School) -> Effect:
    """Judge again what was affected by changing the protocol in this transaction. `before` is the school before
    that."""

    def judge() -> None:
        rejudge_changed_settings(connection, before, before.as_of(connection))
        raise_revision(connection)

    return measure_effect(connection, judge)


def plan_undo(school: School, person: Person, entry_id: int) -> list[Change]:
    """The changes that undo an entry. An entry in force is withdrawn, or the one that it replaced is made again; an
    entry that was withdrawn is made again. Raises NotAllowedError, or ProtocolChangedError if another entry has
    replaced it."""
    require(person, Resource.PROTOCOL_SETTINGS)
    with school.engine.connect() as connection:
        row = connection.execute(select(tables.protocol_entries).where(_entry.id == entry_id)).one()
        replaced_by = connection.scalar(select(_entry.id).where(_entry.replaces_id == entry_id))
        before = connection.scalar(select(_entry.content).where(_entry.id == row.replaces_id))
    kind = ProtocolKind(row.kind)
    if row.ended_at is None:
        return [Change(kind, json.loads(before) if before else None, replaces=entry_id)]
    if replaced_by is not None:
        raise ProtocolChangedError
    return [Change(kind, json.loads(row.content))]
