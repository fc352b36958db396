"""The protocol in force: entries that the settings file or the leadership made.

An entry is a version, a term, a period of remote learning, one figure from a day on, or the school's name, time zone
and tenant. It stays until another one replaces or withdraws it, and is then marked as ended. Of the entries of one kind
and key one is in force, so that the order in which they were entered makes no difference.
"""

import json
import secrets
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, insert, select, update

from app.settings import RemotePeriod, Rules, Settings, Term, Version
from app.store import tables
from app.store.writing import get_meta, set_meta
from app.vocabulary.terms import ProtocolKind

FIGURES = tuple(name for name in Rules.model_fields if name != "from_")
MODELS: dict[ProtocolKind, type[BaseModel]] = {
    ProtocolKind.VERSION: Version,
    ProtocolKind.TERM: Term,
    ProtocolKind.REMOTE_LEARNING: RemotePeriod,
}
_STATE = "protocol_state"  # drawn anew by every change: what a process has read is valid for one
_SCHOOL = ("name", "timezone", "tenant_id")
_LISTS = {ProtocolKind.VERSION: "versions", ProtocolKind.TERM: "terms", ProtocolKind.REMOTE_LEARNING: "remote_learning"}
IN_DATABASE = (*_SCHOOL, *_LISTS.values(), "rules")  # the entries of the settings file of which the database decides
_entry = tables.protocol_entries.c


@dataclass(frozen=True)
class Entry:
    """An entry in force, or to be made: `content` as in the settings file; of a figure `figure`, `from` and `value`."""

    kind: ProtocolKind
    content: dict[str, Any]
    id: int | None = None

    @property
    def key(self) -> str:
        """What an entry of the same kind would replace: the first day of a version, term or figure. Periods of remote
        learning may overlap: each has a key of its own."""
        if self.kind == ProtocolKind.FIGURE:
            return f"{self.content['figure']} {self.content['from']}"
        if self.kind in (ProtocolKind.VERSION, ProtocolKind.TERM):
            return str(self.content["from"])
        return str(self.id or secrets.token_hex(8)) if self.kind == ProtocolKind.REMOTE_LEARNING else ""


def read_state(connection: Connection) -> str | None:
    """A word that changes with every change of the protocol in force; None if the database holds no protocol yet."""
    return get_meta(connection, _STATE)


def read_entries(connection: Connection) -> list[Entry]:
    """The entries in force, in the order in which they were made."""
    rows = connection.execute(
        select(_entry.id, _entry.kind, _entry.content).where(_entry.ended_at.is_(None)).order_by(_entry.id)
    )
    return [Entry(ProtocolKind(row.kind), json.loads(row.content), row.id) for row in rows]


def compose(entries: Iterable[Entry]) -> dict[str, Any]:
    """What the entries say, as the settings file has it: `name`, `timezone`, `tenant_id`, `versions`, `terms`,
    `remote_learning`, `rules`."""
    settings: dict[str, Any] = {name: [] for name in _LISTS.values()}
    figures = []
    for entry in entries:
        if entry.kind == ProtocolKind.SCHOOL:
            settings |= entry.content
        elif entry.kind == ProtocolKind.FIGURE:
            figures.append(entry.content)
        else:
            settings[_LISTS[entry.kind]].append(entry.content)
    for days in (settings["versions"], settings["terms"], settings["remote_learning"]):
        days.sort(key=lambda item: (item["from"], item["name"]))
    return settings | {"rules": _compose_rules(figures)}


def _compose_rules(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All figures on each day on which one changes. Before its first day a figure has its first value."""
    by_name = {
        name: sorted(group, key=lambda figure: str(figure["from"]))
        for name, group in groupby(sorted(figures, key=lambda f: str(f["figure"])), key=lambda f: str(f["figure"]))
    }

    def value_on(history: list[dict[str, Any]], day: str) -> Any:
        place = bisect_right([figure["from"] for figure in history], day)
        return history[max(place - 1, 0)]["value"]

    days = sorted({figure["from"] for figure in figures})
    return [{"from": day} | {name: value_on(history, day) for name, history in by_name.items()} for day in days]


def list_contents(settings: Settings) -> Iterator[Entry]:
    """The entries that say what the settings say."""
    plain = settings.model_dump(mode="json", by_alias=True)
    yield Entry(ProtocolKind.SCHOOL, {name: plain[name] for name in _SCHOOL})
    for kind, name in _LISTS.items():
        yield from (Entry(kind, content) for content in plain[name])
    before: dict[str, Any] = {}
    for rules in plain["rules"]:
        for name in FIGURES:
            if rules[name] != before.get(name):
                yield Entry(ProtocolKind.FIGURE, {"figure": name, "from": rules["from"], "value": rules[name]})
        before = rules


def store_settings(
    connection: Connection, settings: Settings, at: datetime, by: int | None = None, note: str | None = None
) -> None:
    """Let exactly what the settings say be in force. Entries that say the same already stay as they are."""
    wanted, in_force = list(list_contents(settings)), read_entries(connection)
    for entry in in_force:
        if replace(entry, id=None) not in wanted:
            assert entry.id is not None
            end_entry(connection, entry.id, at, by)
    known = [replace(entry, id=None) for entry in in_force]
    for entry in wanted:
        if entry not in known:
            add_entry(connection, entry, at, by, note)
    mark_changed(connection)


def add_entry(
    connection: Connection, entry: Entry, at: datetime, by: int | None, note: str | None, replaces: int | None = None
) -> int:
    """Store an entry, and end the one of its kind and key. Returns its id. The caller calls `mark_changed`."""
    key = entry.key
    same = select(_entry.id).where(_entry.kind == entry.kind, _entry.key == key, _entry.ended_at.is_(None))
    replaces = replaces or connection.scalar(same)
    if replaces is not None:
        end_entry(connection, replaces, at, by)
    row = {"kind": entry.kind, "key": key, "content": json.dumps(entry.content), "note": note or None}
    who = {"entered_at": at, "entered_by": by, "replaces_id": replaces}
    added = insert(tables.protocol_entries).values(**row, **who).returning(_entry.id)
    return int(connection.execute(added).scalar_one())


def end_entry(connection: Connection, entry_id: int, at: datetime, by: int | None) -> None:
    """Withdraw an entry. The caller calls `mark_changed`."""
    entry = tables.protocol_entries
    connection.execute(update(entry).where(_entry.id == entry_id).values(ended_at=at, ended_by=by))


def mark_changed(connection: Connection) -> None:
    """Let every process read the protocol again."""
    set_meta(connection, _STATE, secrets.token_hex(16))
