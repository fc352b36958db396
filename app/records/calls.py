"""Microsoft Graph call records: who was in the call from when to when, and with camera or without.

A record is read by hand, not by a model of its types: Graph adds values and leaves out whole parts, and
reading has to keep pace with the parsing of the JSON. What a call record must have and has not makes it
`Unreadable`; anything else that is missing or new is passed over.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

READER = 1  # raise it when reading better: the originals of older readings are then read again


class Unreadable(ValueError):
    """Not a call record, or no JSON; the message says why, without anything of its content."""


@dataclass(frozen=True)
class Stay:
    """One time that somebody was in the call with one device. `person` is one key a person within the
    call; `kind` is user, guest, phone, acs or unknown; ids and addresses in lower case."""

    person: str
    kind: str
    entra_id: str | None
    upn: str | None
    tenant: str | None
    caller: bool
    joined_at: datetime
    left_at: datetime


@dataclass(frozen=True)
class Video:
    """Camera video that a person sent; both times blank: it is not known when and for how long."""

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
    """What a call record says. `original` is the JSON as it came."""

    id: str
    version: int
    type: str
    started_at: datetime
    ended_at: datetime
    organiser_id: str | None
    organiser_upn: str | None
    organiser_tenant: str | None
    channel: bool
    stays: list[Stay] = field(default_factory=list)
    videos: list[Video] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    original: bytes = b""


@dataclass(frozen=True)
class _Person:
    key: str
    kind: str
    entra_id: str | None
    upn: str | None
    tenant: str | None


def read_call(record: Any) -> Call:
    """A call record, in the shape of v1.0 of today or with the older `organizer` and `identity.user`.
    Unreadable if it lacks what every call record has."""
    if not isinstance(record, dict):
        raise Unreadable("it is no call record but something else")
    if "error" in record and "id" not in record:
        raise Unreadable("it is an error of Microsoft Graph, not a call record")
    call_id, version, sessions = record.get("id"), record.get("version", 0), record.get("sessions")
    if not isinstance(call_id, str) or not call_id.strip():
        raise Unreadable("it has no id")
    if isinstance(version, bool) or not isinstance(version, int):
        raise Unreadable("its version is no number")
    if not isinstance(sessions, list):
        raise Unreadable("its sessions are missing: ask Graph for them with $expand=sessions($expand=segments)")
    organiser = _organiser(record)
    call = Call(
        id=call_id.strip(),
        version=version,
        type=_text(record.get("type")) or "unknown",
        started_at=_needed_time(record, "startDateTime"),
        ended_at=_needed_time(record, "endDateTime"),
        organiser_id=organiser.entra_id if organiser else None,
        organiser_upn=organiser.upn if organiser else None,
        organiser_tenant=organiser.tenant if organiser else None,
        channel=_in_channel(_text(record.get("joinWebUrl"))),
        original=json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"),
    )
    stays: dict[Stay, None] = {}  # the same session may be listed twice
    videos: dict[Video, None] = {}
    for number, session in enumerate(sessions):
        if not isinstance(session, dict):
            raise Unreadable(f"its session {number + 1} is no session")
        _read_session(session, number, stays, videos)
    call.stays, call.videos = list(stays), list(videos)
    call.listed = _listed(record)
    return call


def _read_session(session: dict[str, Any], number: int, stays: dict[Stay, None], videos: dict[Video, None]) -> None:
    """One leg between two ends; of a group call one of them is the meeting service."""
    segments = session.get("segments")
    segments = [s for s in segments if isinstance(s, dict)] if isinstance(segments, list) else []
    if session.get("isTest") is True or (session.get("failureInfo") and not segments):
        return
    joined, left = _time(session.get("startDateTime")), _time(session.get("endDateTime"))
    if joined is None or left is None:
        raise Unreadable(f"its session {number + 1} has no time")
    if left <= joined:
        return
    session_key = f"session:{_text(session.get('id')) or number}"
    for end, away in (("caller", "callerToCallee"), ("callee", "calleeToCaller")):
        endpoint = session.get(end)
        if not isinstance(endpoint, dict) or "serviceEndpoint" in str(endpoint.get("@odata.type")):
            continue
        person = _at_end(endpoint, f"{session_key}:{end}")
        if person is None:
            continue
        stay = Stay(person.key, person.kind, person.entra_id, person.upn, person.tenant, end == "caller", joined, left)
        stays[stay] = None
        for segment in segments:
            for started_at, ended_at in _videos(segment, away):
                videos[Video(person.key, started_at, ended_at)] = None


def _videos(segment: dict[str, Any], away: str) -> Iterator[tuple[datetime | None, datetime | None]]:
    """The camera streams of a segment that run in one direction."""
    for media in segment.get("media") or ():
        if not isinstance(media, dict) or media.get("label") != "main-video":
            continue
        for stream in media.get("streams") or ():
            if not isinstance(stream, dict) or stream.get("streamDirection") != away:
                continue
            packets = stream.get("packetUtilization")
            if isinstance(packets, int | float) and packets <= 0:
                continue
            started_at, ended_at = _time(stream.get("startDateTime")), _time(stream.get("endDateTime"))
            if started_at is None or ended_at is None:
                yield None, None
            elif ended_at > started_at:
                yield started_at, ended_at


# An endpoint's identity of today says its kind by `@odata.type` or `userIdentityType` or not at all.
_PEOPLE = (("user", "user"), ("guest", "guest"), ("phone", "phone"), ("acsUser", "acs"))
_NOT_PEOPLE = (
    "application",
    "applicationInstance",
    "device",
    "acsApplicationInstance",
    "assertedIdentity",
    "onPremises",
)


def _at_end(endpoint: dict[str, Any], unknown: str) -> _Person | None:
    """The person at an end of a session; None for a bot, a recorder or an end of which nothing is known."""
    identity = endpoint.get("associatedIdentity")
    if isinstance(identity, dict) and identity:
        return _person(identity, unknown)
    if not endpoint.get("@odata.type") and not endpoint.get("identity"):
        return None
    return _from_set(endpoint.get("identity"), unknown)


def _from_set(identities: Any, unknown: str) -> _Person | None:
    """The person of an identity set, whose entries say by their name what they are."""
    known = {k: v for k, v in identities.items() if isinstance(v, dict)} if isinstance(identities, dict) else {}
    for name, kind in _PEOPLE:
        if name in known:
            return _person(known[name], unknown, kind)
    if any(name in known for name in _NOT_PEOPLE):
        return None
    return _Person(unknown, "unknown", None, None, None)


def _person(identity: dict[str, Any], unknown: str, kind: str | None = None) -> _Person | None:
    nested = next((name for name, _ in _PEOPLE if isinstance(identity.get(name), dict)), None)
    if nested or any(isinstance(identity.get(name), dict) for name in _NOT_PEOPLE):
        return _from_set(identity, unknown)
    said = f"{identity.get('@odata.type')} {identity.get('userIdentityType') or identity.get('identityType')}".lower()
    if any(word in said for word in ("applicationinstance", "bot", "application")):
        return None
    entra_id, upn = _lower(identity.get("id")), _lower(identity.get("userPrincipalName"))
    if kind is None:
        kind = _kind(said, entra_id)
    key = entra_id or upn or unknown
    return _Person(key, kind, entra_id, upn, _lower(identity.get("tenantId")))


def _kind(said: str, entra_id: str | None) -> str:
    if "teamsvisitor" in (entra_id or "") or "guest" in said or "anonymous" in said:
        return "guest"
    if "phone" in said:
        return "phone"
    if "acs" in said or "communicationservices" in said:
        return "acs"
    return "user" if entra_id else "unknown"


def _organiser(record: Mapping[str, Any]) -> _Person | None:
    """From `organizer_v2`, or in old records `organizer`."""
    for name in ("organizer_v2", "organizer"):
        entry = record.get(name)
        if not isinstance(entry, dict):
            continue
        if isinstance(entry.get("identity"), dict):
            return _from_set(entry["identity"], "organiser")
        if isinstance(entry.get("associatedIdentity"), dict):
            return _person(entry["associatedIdentity"], "organiser")
        return _from_set(entry, "organiser")
    return None


def _listed(record: Mapping[str, Any]) -> list[Listed]:
    """From `participants_v2`, or in old records `participants`."""
    entries = record.get("participants_v2")
    entries = entries if isinstance(entries, list) and entries else record.get("participants")
    found: dict[str, Listed] = {}
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        identities = entry.get("identity") if isinstance(entry.get("identity"), dict) else entry
        person = _from_set(identities, _lower(entry.get("id")) or f"listed:{number}")
        if person is not None:
            found.setdefault(person.key, Listed(person.key, person.entra_id, person.upn))
    return list(found.values())


def _in_channel(join_url: str | None) -> bool:
    """Whether the thread id in a join URL is a channel's; a private meeting's ends otherwise."""
    return any(part.endswith("@thread.tacv2") for part in unquote(unquote(join_url or "")).replace("?", "/").split("/"))


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _lower(value: Any) -> str | None:
    return value.strip().lower() or None if isinstance(value, str) else None


def _needed_time(record: Mapping[str, Any], name: str) -> datetime:
    moment = _time(record.get(name))
    if moment is None:
        raise Unreadable(f"its {name} is no time")
    return moment


def _time(value: Any) -> datetime | None:
    """Graph's times: UTC, up to seven decimals, of which six are kept. Year 1 stands for none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if moment.year > 1900 else None


@dataclass(frozen=True)
class Found:
    """An object in a file of JSON, or why it could not be read: `where` names the file and, in it, the
    `number` of the object or line; `raw` is what stands there if it is no JSON."""

    where: str
    number: int
    content: Any
    why: str | None = None
    raw: str = ""


def iter_json(path: Path) -> Iterator[Found]:
    """The objects in a file with one of them, a list or a page of Graph (`value`), in a .jsonl file, or in
    a folder of such files. What cannot be read is given with its reason, and the rest goes on."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in (".json", ".jsonl", ".ndjson"):
                yield from iter_json(file)
        return
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        yield from _lines(path)
        return
    try:
        content = path.read_bytes()
    except OSError as error:
        yield Found(path.name, 1, None, f"the file cannot be read ({error.strerror})")
        return
    try:
        whole = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        yield Found(path.name, 1, None, "it is no JSON, or was cut off", content.decode(errors="replace"))
        return
    if isinstance(whole, dict) and isinstance(whole.get("value"), list) and "sessions" not in whole:
        whole = whole["value"]
    for number, one in enumerate(whole if isinstance(whole, list) else [whole], start=1):
        yield Found(path.name, number, one)


def _lines(path: Path) -> Iterator[Found]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip(b"\xef\xbb\xbf \t\r\n"):
                    continue
                try:
                    yield Found(path.name, number, json.loads(line.decode("utf-8-sig")))
                except (ValueError, RecursionError):
                    why = "the line is no JSON, or was cut off"
                    yield Found(path.name, number, None, why, line.decode(errors="replace"))
    except OSError as error:
        yield Found(path.name, 1, None, f"the file cannot be read ({error.strerror})")
