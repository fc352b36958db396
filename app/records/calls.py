"""Microsoft Graph's call records: who was in the call from when to when, and with camera or without."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from app.records.attendance import IMPORT_REPORT, is_report
from app.records.graph_objects import (
    Identity,
    UnreadableObjectError,
    list_objects,
    read_endpoint,
    read_entry,
    read_identity,
    read_text,
    read_time,
)
from app.vocabulary import CallSource

READER = 1  # raise it when the reader improves, so that stored originals are read again

_MAX_SESSIONS = 60  # the most that Graph puts into one answer; it gives a link to the others


@dataclass(frozen=True)
class Stay:
    """A period in which somebody was in the call with one device. `person` is their key within the call; `kind` is
    user, guest, phone, acs or unknown; `caller`: at the calling end; `has_media`: whether there are details of media,
    without which nothing is known of the camera; ids and addresses in lower case."""

    person: str
    kind: str
    entra_id: str | None
    upn: str | None
    tenant: str | None
    caller: bool
    joined_at: datetime
    left_at: datetime
    has_media: bool


@dataclass(frozen=True)
class Video:
    """Camera video that a person sent; both times None: it is not known when and for how long."""

    person: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Listed:
    """Somebody on the call's own list of participants."""

    person: str
    entra_id: str | None
    upn: str | None


@dataclass
class Call:
    """The content of a call record. `original` is the JSON as it arrived."""

    id: str
    version: int
    type: str
    started_at: datetime
    ended_at: datetime
    organiser_id: str | None
    organiser_upn: str | None
    organiser_tenant: str | None
    channel: bool
    join_key: str | None = None
    join_url: str | None = None
    source: CallSource = CallSource.RECORD
    stays: list[Stay] = field(default_factory=list)
    videos: list[Video] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    original: bytes = b""


def read_call(record: Any, original: bytes | None = None) -> Call:
    """A call record, in the shape of today's v1.0 or with the older `organizer` and `identity.user`; `original` is its
    JSON if it is at hand. UnreadableObjectError if it lacks what every call record has."""
    call_id, version, sessions = _check_record(record)
    started_at, ended_at = _read_required_time(record, "startDateTime"), _read_required_time(record, "endDateTime")
    if ended_at < started_at:
        raise UnreadableObjectError("its endDateTime is before its startDateTime")
    organiser, join_url = _read_organiser(record), read_text(record.get("joinWebUrl"), 10_000)
    stays: dict[Stay, None] = {}  # the same session may be listed twice
    videos: dict[Video, None] = {}
    for number, session in enumerate(sessions):
        _read_session(session, number, stays, videos)
    return Call(
        id=call_id,
        version=version,
        type=read_text(record.get("type"), 40) or "unknown",
        started_at=started_at,
        ended_at=ended_at,
        organiser_id=organiser.entra_id if organiser else None,
        organiser_upn=organiser.upn if organiser else None,
        organiser_tenant=organiser.tenant if organiser else None,
        channel=_is_in_channel(join_url),
        join_key=digest_join_link(join_url) if join_url else None,
        join_url=join_url,
        stays=list(stays),
        videos=list(videos),
        listed=_read_listed(record),
        original=original or _to_json(record),
    )


def _check_record(record: Any) -> tuple[str, int, list[Any]]:
    """Check a record's form; return its id, version and sessions."""
    if not isinstance(record, dict):
        raise UnreadableObjectError("it is not a call record")
    if "error" in record and "id" not in record:
        raise UnreadableObjectError("it is an error of Microsoft Graph, not a call record")
    if is_report(record):
        raise UnreadableObjectError(f"it is an attendance report: {IMPORT_REPORT}")
    call_id, version, sessions = read_text(record.get("id"), 100), record.get("version", 0), record.get("sessions")
    if call_id is None:
        raise UnreadableObjectError("it has no id")
    if isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 2**63:
        raise UnreadableObjectError("its version is not a number")
    if not isinstance(sessions, list):
        raise UnreadableObjectError(
            "its sessions are missing: ask Graph for them with $expand=sessions($expand=segments)"
        )
    if len(sessions) >= _MAX_SESSIONS and record.get("sessions@odata.nextLink"):
        raise UnreadableObjectError("it has only its first sessions: fetch the rest from sessions@odata.nextLink")
    return call_id, version, sessions


def _to_json(record: dict[str, Any]) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    except RecursionError:
        raise UnreadableObjectError("it is nested too deeply") from None


def _read_session(session: Any, number: int, stays: dict[Stay, None], videos: dict[Video, None]) -> None:
    """Read one leg between two ends, one of which is the meeting service in a group call."""
    if not isinstance(session, dict):
        raise UnreadableObjectError(f"its session {number + 1} is not a session")
    segments = list_objects(session.get("segments"))
    if session.get("isTest") is True or (session.get("failureInfo") and not segments):
        return
    joined, left = read_time(session.get("startDateTime")), read_time(session.get("endDateTime"))
    if joined is None or left is None:
        raise UnreadableObjectError(f"its session {number + 1} has no time")
    if left <= joined:
        return
    key = f"session:{read_text(session.get('id'), 100) or number}"
    has_media = any(list_objects(segment.get("media")) for segment in segments)
    for end, direction in (("caller", "callerToCallee"), ("callee", "calleeToCaller")):
        endpoint = session.get(end)
        if not isinstance(endpoint, dict) or "serviceEndpoint" in str(endpoint.get("@odata.type")):
            continue
        one = read_endpoint(endpoint, f"{key}:{end}")
        if one is None:
            continue
        stays[Stay(one.key, one.kind, one.entra_id, one.upn, one.tenant, end == "caller", joined, left, has_media)] = (
            None
        )
        for segment in segments:
            for started_at, ended_at in _iter_videos(segment, direction):
                videos[Video(one.key, started_at, ended_at)] = None


def _iter_videos(segment: dict[str, Any], direction: str) -> Iterator[tuple[datetime | None, datetime | None]]:
    """The camera streams of a segment in one direction."""
    for media in list_objects(segment.get("media")):
        if media.get("label") != "main-video":
            continue
        for stream in list_objects(media.get("streams")):
            packets = stream.get("packetUtilization")
            is_empty = isinstance(packets, int | float) and packets <= 0
            if is_empty or stream.get("streamDirection") != direction:
                continue
            started_at, ended_at = read_time(stream.get("startDateTime")), read_time(stream.get("endDateTime"))
            if started_at is None or ended_at is None:
                yield None, None
            elif ended_at > started_at:
                yield started_at, ended_at


def _read_organiser(record: Mapping[str, Any]) -> Identity | None:
    """Read `organizer_v2`, or in old records `organizer`."""
    for name in ("organizer_v2", "organizer"):
        entry = record.get(name)
        if not isinstance(entry, dict):
            continue
        if isinstance(entry.get("associatedIdentity"), dict):
            return read_identity(entry["associatedIdentity"], "organiser")
        return read_entry(entry, "organiser")
    return None


def _read_listed(record: Mapping[str, Any]) -> list[Listed]:
    """Read `participants_v2`, or in old records `participants`."""
    listed: dict[str, Listed] = {}
    entries = list_objects(record.get("participants_v2")) or list_objects(record.get("participants"))
    for number, entry in enumerate(entries):
        person = read_entry(entry, f"listed:{number}")
        if person is not None:
            listed.setdefault(person.key, Listed(person.key, person.entra_id, person.upn))
    return list(listed.values())


def digest_join_link(url: str) -> str:
    """A digest by which calls and events with the same join link are recognised; what follows "?" does not count."""
    link = unquote(unquote(url)).strip().lower().split("?")[0].rstrip("/")
    return hashlib.sha256(link.encode(errors="replace")).hexdigest()


def _is_in_channel(join_url: str | None) -> bool:
    """Whether the thread id in a join URL is a channel's; a private meeting's ends otherwise."""
    parts = unquote(unquote(join_url or "")).lower().replace("?", "/").split("/")
    return any(part.endswith("@thread.tacv2") for part in parts)


def _read_required_time(record: Mapping[str, Any], name: str) -> datetime:
    moment = read_time(record.get(name))
    if moment is None:
        raise UnreadableObjectError(f"its {name} is not a time")
    return moment
