"""Evidence as plain rows, and their conversion to the program's frames. Instants are microseconds since 1970 in UTC."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from app.protocol.evidence import COLUMNS, Evidence, empty

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


@dataclass(frozen=True)
class Log:
    log_id: int
    staff_id: int
    started_at: int
    ended_at: int
    ref: str
    purpose: str | None
    pupils: tuple[int, ...]
    invited: tuple[int | None, ...] = ()
    answers: Mapping[str, bool | str] = field(default_factory=dict)  # a missing answer was left blank


@dataclass(frozen=True)
class Stay:
    person: str
    kind: str
    tenant: str | None
    staff_id: int | None
    pupil_id: int | None
    caller: bool
    joined_at: int
    left_at: int
    has_media: bool = True


@dataclass(frozen=True)
class Video:
    person: str
    started_at: int | None
    ended_at: int | None


@dataclass(frozen=True)
class Listed:
    person: str
    staff_id: int | None
    pupil_id: int | None
    tenant: str | None = None


@dataclass(frozen=True)
class Call:
    call_id: str
    source: str
    type: str
    started_at: int
    ended_at: int
    organiser_id: str | None
    organiser_tenant: str | None
    organiser_staff_id: int | None
    channel: bool
    join_key: str | None
    stays: tuple[Stay, ...]
    videos: tuple[Video, ...] = ()
    listed: tuple[Listed, ...] = ()

    @cached_property
    def people(self) -> tuple[Stay | Listed, ...]:
        """Everybody who took part, once for each stay."""
        return *self.stays, *self.listed

    @cached_property
    def staff(self) -> frozenset[int]:
        """The staff who took part."""
        return frozenset(one.staff_id for one in self.people if one.staff_id is not None)

    @cached_property
    def pupils(self) -> frozenset[int]:
        """The pupils who took part."""
        return frozenset(one.pupil_id for one in self.people if one.pupil_id is not None)

    @cached_property
    def has_unidentified(self) -> bool:
        return any(one.staff_id is None and one.pupil_id is None for one in self.people)


@dataclass(frozen=True)
class Event:
    """One version of an event in a calendar."""

    event_id: int
    event_key: str
    join_key: str
    starts_at: int
    ends_at: int
    changed_at: int
    invited: tuple[int, ...]


@dataclass(frozen=True)
class Recording:
    call_id: str | None
    organiser_id: str | None
    created_at: int


@dataclass(frozen=True)
class StaffVersion:
    staff_id: int
    from_day: date
    name: str
    school: str
    senior: bool
    department: str
    roles: tuple[str, ...]
    year_groups: tuple[str, ...]
    houses: tuple[str, ...]


@dataclass(frozen=True)
class PupilVersion:
    pupil_id: int
    from_day: date
    name: str
    school: str
    year_group: str
    house: str


@dataclass(frozen=True)
class Letter:
    pupil_id: int
    kind: str
    sent_on: date


@dataclass(frozen=True)
class Consent:
    pupil_id: int
    kind: str
    covers_from: int
    covers_to: int
    reason: str | None
    obtained_at: int
    withdrawn_at: int | None
    slt_informed_at: int | None


@dataclass(frozen=True)
class RemotePupil:
    """Days on which one pupil learns from home."""

    pupil_id: int
    from_day: date
    to_day: date


@dataclass(frozen=True)
class Concern:
    log_id: int | None
    call_id: str | None
    home_alone: bool
    alerted: bool


@dataclass
class World:
    """Everything on record."""

    logs: list[Log] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    staff: list[StaffVersion] = field(default_factory=list)
    pupils: list[PupilVersion] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    remote_pupils: list[RemotePupil] = field(default_factory=list)
    concerns: list[Concern] = field(default_factory=list)


def merge(worlds: Iterable[World]) -> World:
    """Several worlds, which share no people, as one world."""
    whole = World()
    for world in worlds:
        for name in vars(whole):
            getattr(whole, name).extend(getattr(world, name))
    return whole


def to_evidence(world: World) -> Evidence:
    """The evidence of a world, as the program's frames."""
    logs, calls = world.logs, world.calls
    return Evidence(
        logs=_frame("logs", [vars(log) | dict(log.answers) for log in logs]),
        log_pupils=_frame("log_pupils", [{"log_id": log.log_id, "pupil_id": p} for log in logs for p in log.pupils]),
        log_invited=_frame("log_invited", [{"log_id": log.log_id, "staff_id": s} for log in logs for s in log.invited]),
        calls=_frame("calls", [vars(call) for call in calls]),
        stays=_frame("stays", [vars(stay) | {"call_id": call.call_id} for call in calls for stay in call.stays]),
        videos=_frame("videos", [vars(video) | {"call_id": call.call_id} for call in calls for video in call.videos]),
        listed=_frame("listed", [vars(one) | {"call_id": call.call_id} for call in calls for one in call.listed]),
        calendar_events=_frame("calendar_events", [vars(event) for event in world.events]),
        calendar_invited=_frame(
            "calendar_invited", [{"event_id": e.event_id, "staff_id": s} for e in world.events for s in e.invited]
        ),
        recordings=_frame("recordings", [vars(recording) for recording in world.recordings]),
        staff=_frame("staff", [vars(version) | _as_cells(version) for version in world.staff]),
        pupils=_frame("pupils", [vars(version) for version in world.pupils]),
        letters=_frame("letters", [vars(letter) for letter in world.letters]),
        consents=_frame("consents", [vars(consent) for consent in world.consents]),
        remote_pupils=_frame("remote_pupils", [vars(entry) for entry in world.remote_pupils]),
        concerns=_frame("concerns", [vars(concern) for concern in world.concerns]),
    )


def _as_cells(version: StaffVersion) -> dict[str, str]:
    return {name: ";".join(getattr(version, name)) for name in ("roles", "year_groups", "houses")}


def _frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The frame `name`, with the columns that the rules expect. What a row lacks is blank."""
    if not rows:
        return empty(name)
    columns = COLUMNS[name].items()
    return pd.DataFrame({column: _column(dtype, [row.get(column) for row in rows]) for column, dtype in columns})


def _column(dtype: str, values: list[Any]) -> Any:
    if dtype.endswith("UTC]"):
        return pd.Series(pd.array(values, "Int64")).astype("datetime64[us]").dt.tz_localize("UTC")
    if dtype.startswith("datetime64"):
        return pd.Series(pd.to_datetime(values)).astype(dtype)
    return pd.Series(values, dtype=dtype)
