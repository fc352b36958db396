"""The protocol in force and what was changed in it, for those who may change it."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, select

from app.access.policy import Days, Person, require
from app.access.scope import with_staff_name
from app.formatting import on_day
from app.judging.what_if import describe_figures, describe_groups
from app.school import School
from app.settings import RemotePeriod, Rules
from app.store import tables
from app.store.protocol import Entry, read_entries
from app.store.versions import is_there_on, valid_versions
from app.vocabulary.roles import Resource
from app.vocabulary.terms import ProtocolKind

_entry = tables.protocol_entries.c
_SAMPLE = {  # figures that are valid, beside the one that is described
    "from": date.min,
    "academic_hours": ("08:00", "09:00"),
    "grace_seconds": 0,
    "camera_share": 1,
    "match_minutes": 0,
    "log_within_hours": 1,
    "one_to_one_slots": (),
}


@dataclass(frozen=True)
class HistoryLine:
    """A decision: who made which entry when and why, its `status` ("In force", "Replaced" or "Withdrawn"), since when,
    and how another change undoes it (blank: it does not). `who`: "Settings file" if nobody made it on the screen."""

    id: int
    entered_at: datetime
    who: str
    kind: ProtocolKind
    words: str
    note: str
    status: str
    ended_at: datetime | None
    undo: str
    content: dict[str, Any]


def list_entries(school: School, person: Person) -> list[Entry]:
    """The entries in force. Raises NotAllowedError for those who may not change the protocol."""
    require(person, Resource.PROTOCOL_SETTINGS)
    with school.engine.connect() as connection:
        return read_entries(connection)


def list_history(school: School, person: Person) -> list[HistoryLine]:
    """Every decision, newest first. Raises NotAllowedError for those who may not change the protocol."""
    require(person, Resource.PROTOCOL_SETTINGS)
    entry, zone = tables.protocol_entries, school.settings.zone
    replaced = select(_entry.replaces_id).where(_entry.replaces_id.is_not(None))
    query = select(entry, case((_entry.id.in_(replaced), "Replaced"), else_="Withdrawn").label("end"))
    query = with_staff_name(query, "who", _entry.entered_by, school.today()).order_by(_entry.id.desc())
    with school.engine.connect() as connection:
        rows = connection.execute(query).all()
    return [_describe_row(row, zone) for row in rows]


def _describe_row(row: Any, zone: ZoneInfo) -> HistoryLine:
    kind, content = ProtocolKind(row.kind), json.loads(row.content)
    return HistoryLine(
        id=row.id,
        entered_at=row.entered_at.astimezone(zone),
        who=row.who or ("Settings file" if row.entered_by is None else "unknown"),
        kind=kind,
        words=describe_entry(kind, content),
        note=row.note or "",
        status="In force" if row.ended_at is None else row.end,
        ended_at=row.ended_at and row.ended_at.astimezone(zone),
        undo=_name_undo(row),
        content=content,
    )


def list_decisions(school: School, person: Person, days: Days) -> list[list[str]]:
    """What was decided about the protocol on some days, oldest first, for reports: the day, what it is about, the entry
    in words and the reason. Without names, and without what the settings file said. Raises NotAllowedError for those
    who may not see the overview."""
    require(person, Resource.OVERVIEW)
    begins = datetime.combine(days[0], time(), school.settings.zone)
    ends = datetime.combine(days[1] + timedelta(days=1), time(), school.settings.zone)
    query = select(tables.protocol_entries).where(_entry.entered_by.is_not(None) | _entry.ended_by.is_not(None))
    with school.engine.connect() as connection:
        rows = connection.execute(query.order_by(_entry.id)).all()
        replaced = {row.replaces_id for row in rows}
    decisions = []
    for row in rows:
        kind = ProtocolKind(row.kind)
        words = describe_entry(kind, json.loads(row.content))
        if row.entered_by is not None and begins <= row.entered_at < ends:
            decisions.append((row.entered_at, kind, words, row.note or ""))
        is_withdrawn = row.ended_by is not None and row.id not in replaced
        if is_withdrawn and begins <= row.ended_at < ends:
            decisions.append((row.ended_at, kind, f"Withdrawn: {words}", ""))
    zone = school.settings.zone
    return [
        [on_day(at.astimezone(zone).date()), kind.label, words, note]
        for at, kind, words, note in sorted(decisions, key=lambda decision: decision[0])
    ]


def _name_undo(row: Any) -> str:
    """How a decision is undone: "Withdraw", "Undo" (what it replaced is put back) or "Restore"; blank: it is not."""
    if row.ended_at is not None:
        return "Restore" if row.end == "Withdrawn" else ""
    if row.replaces_id is not None:
        return "Undo"
    is_from_file = row.entered_by is None and row.kind in (ProtocolKind.FIGURE, ProtocolKind.SCHOOL)
    return "" if is_from_file else "Withdraw"


def describe_entry(kind: ProtocolKind, content: dict[str, Any]) -> str:
    """An entry as text."""
    if kind == ProtocolKind.SCHOOL:
        return f"{content['name']}, {content['timezone']}"
    since = on_day(date.fromisoformat(content["from"]))
    if kind == ProtocolKind.FIGURE:
        name = content["figure"]
        rules = Rules.model_validate(_SAMPLE | {name: content["value"]})
        return f"From {since}: {describe_figures({name: getattr(rules, name)})}"
    if kind == ProtocolKind.VERSION:
        review = content["next_review"]
        until = f", next review {on_day(date.fromisoformat(review))}" if review else ""
        return f"{content['name']}, in force from {since}{until}"
    days = since if content["to"] == content["from"] else f"{since} to {on_day(date.fromisoformat(content['to']))}"
    if kind == ProtocolKind.TERM:
        return f"{content['name']}, {days}"
    return f"{content['name']}, {days}{describe_groups(RemotePeriod.model_validate(content))}"


def list_groups(school: School, person: Person) -> dict[str, list[str]]:
    """The `schools` (codes), `years` and `houses` of today's pupils, each in order. Raises NotAllowedError for those
    who may not change the protocol."""
    require(person, Resource.PROTOCOL_SETTINGS)
    pupil = valid_versions(tables.pupil_versions)
    columns = {"schools": pupil.c.school, "years": pupil.c.year_group, "houses": pupil.c.house}
    with school.engine.connect() as connection:
        there = is_there_on(pupil, school.today())
        found = {
            name: connection.scalars(select(column).distinct().where(there)).all() for name, column in columns.items()
        }
    return {name: sorted(filter(None, groups), key=_order_group) for name, groups in found.items()}


def _order_group(group: str) -> str:
    """So that Year 9 comes before Year 10."""
    return group.zfill(3) if group.isdecimal() else group.casefold()
