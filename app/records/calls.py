"""Microsoft Graph call records: who was in the call from when to when, and with camera or without.

A record is read by hand, not by a model of its types: Graph adds values and leaves out whole parts, and
reading has to keep pace with the parsing of the JSON. What a call record must have and has not makes it
`Unreadable`; anything else that is missing or new is passed over.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

READER = 1  # raise it when reading better: the originals of older readings are then read again


_MOST_SESSIONS = 60  # that Graph puts into one answer; more stand behind a link
_MOST_BYTES = 300_000_000  # of a file that has to be read whole
_LONGEST_LINE = 50_000_000  # bytes
_LONGEST = 200  # characters of an id: what is longer is none, and the store has no room for it


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


def read_call(record: Any, original: bytes | None = None) -> Call:
    """A call record, in the shape of v1.0 of today or with the older `organizer` and `identity.user`;
    `original` is its JSON where it is at hand. Unreadable if it lacks what every call record has."""
    if not isinstance(record, dict):
        raise Unreadable("it is no call record but something else")
    if "error" in record and "id" not in record:
        raise Unreadable("it is an error of Microsoft Graph, not a call record")
    call_id, version, sessions = record.get("id"), record.get("version", 0), record.get("sessions")
    call_id = _text(call_id, 100)
    if call_id is None:
        raise Unreadable("it has no id")
    if isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 2**63:
        raise Unreadable("its version is no number")
    if not isinstance(sessions, list):
        raise Unreadable("its sessions are missing: ask Graph for them with $expand=sessions($expand=segments)")
    if len(sessions) >= _MOST_SESSIONS and record.get("sessions@odata.nextLink"):
        raise Unreadable("it holds its first sessions alone: fetch the others from sessions@odata.nextLink as well")
    started_at, ended_at = _needed_time(record, "startDateTime"), _needed_time(record, "endDateTime")
    if ended_at < started_at:
        raise Unreadable("its endDateTime is before its startDateTime")
    organiser = _organiser(record)
    call = Call(
        id=call_id,
        version=version,
        type=_text(record.get("type"), 40) or "unknown",
        started_at=started_at,
        ended_at=ended_at,
        organiser_id=organiser.entra_id if organiser else None,
        organiser_upn=organiser.upn if organiser else None,
        organiser_tenant=organiser.tenant if organiser else None,
        channel=_in_channel(_text(record.get("joinWebUrl"), 10_000)),
        original=original or _written(record),
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


def _written(record: dict[str, Any]) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    except RecursionError:
        raise Unreadable("it is nested too deep") from None


def _dicts(entries: Any) -> list[dict[str, Any]]:
    """The objects of a list; nothing, where there is no list."""
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _read_session(session: dict[str, Any], number: int, stays: dict[Stay, None], videos: dict[Video, None]) -> None:
    """One leg between two ends; of a group call one of them is the meeting service."""
    segments = _dicts(session.get("segments"))
    if session.get("isTest") is True or (session.get("failureInfo") and not segments):
        return
    joined, left = _time(session.get("startDateTime")), _time(session.get("endDateTime"))
    if joined is None or left is None:
        raise Unreadable(f"its session {number + 1} has no time")
    if left <= joined:
        return
    session_key = f"session:{_text(session.get('id'), 100) or number}"
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
    for media in _dicts(segment.get("media")):
        if media.get("label") != "main-video":
            continue
        for stream in _dicts(media.get("streams")):
            if stream.get("streamDirection") != away:
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
_PEOPLE = (
    ("user", "user"),
    ("guest", "guest"),
    ("phone", "phone"),
    ("acsUser", "acs"),
    ("azureCommunicationServicesUser", "acs"),
    ("onPremises", "user"),
    ("encrypted", "unknown"),
)
_NOT_PEOPLE = ("application", "applicationInstance", "device", "acsApplicationInstance")


def _at_end(endpoint: dict[str, Any], unknown: str) -> _Person | None:
    """The person at an end of a session; None for a bot, a recorder or an end of which nothing is known."""
    identity = endpoint.get("associatedIdentity")
    if isinstance(identity, dict) and identity:
        return _person(identity, unknown)
    if not endpoint.get("@odata.type") and not endpoint.keys() & {"associatedIdentity", "identity"}:
        return None  # as a service's end is that does not say its type
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
    entra_id, upn = _lower(identity.get("id")), _lower(identity.get("userPrincipalName"), 320)
    if kind is None:
        kind = _kind(said, entra_id)
    key = entra_id or (upn or "")[:_LONGEST] or unknown
    return _Person(key, kind, entra_id, upn, _lower(identity.get("tenantId"), 100))


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
        if isinstance(entry.get("associatedIdentity"), dict):
            return _person(entry["associatedIdentity"], "organiser")
        return _in_entry(entry, "organiser")
    return None


def _in_entry(entry: dict[str, Any], unknown: str) -> _Person | None:
    """The person of an entry of today (`id`, `identity`) or of old (the identities themselves). The entry's
    own id is the person's, and all that is left of one whose identity is null."""
    identities = entry.get("identity")
    person = _from_set(identities if isinstance(identities, dict) else entry, unknown)
    entry_id = _lower(entry.get("id"))
    if person is None or person.entra_id or entry_id is None:
        return person
    return replace(person, key=entry_id, entra_id=entry_id)


def _listed(record: Mapping[str, Any]) -> list[Listed]:
    """From `participants_v2`, or in old records `participants`."""
    found: dict[str, Listed] = {}
    for number, entry in enumerate(_dicts(record.get("participants_v2")) or _dicts(record.get("participants"))):
        person = _in_entry(entry, f"listed:{number}")
        if person is not None:
            found.setdefault(person.key, Listed(person.key, person.entra_id, person.upn))
    return list(found.values())


def _in_channel(join_url: str | None) -> bool:
    """Whether the thread id in a join URL is a channel's; a private meeting's ends otherwise."""
    parts = unquote(unquote(join_url or "")).lower().replace("?", "/").split("/")
    return any(part.endswith("@thread.tacv2") for part in parts)


def _text(value: Any, longest: int = _LONGEST) -> str | None:
    """A text without blanks around it; None for what is none, is empty, or cannot be kept."""
    if not isinstance(value, str):
        return None
    value = value.strip()
    if not value or len(value) > longest or not (value.isprintable() or _storable(value)):
        return None
    return value


def _storable(value: str) -> bool:
    """Whether a database takes it: no half of a character, no zero."""
    return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def _lower(value: Any, longest: int = _LONGEST) -> str | None:
    text = _text(value, longest)
    return text.lower() if text else None


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
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if not 1900 < moment.year < 2200:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


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
            if file.is_file() and file.suffix.lower() in (".json", ".jsonl", ".ndjson"):
                yield from iter_json(file)
        return
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        yield from _lines(path)
        return
    try:
        with path.open("rb") as whole_file:
            content = whole_file.read(_MOST_BYTES + 1)
    except OSError as error:
        yield Found(path.name, 1, None, f"the file cannot be read ({error.strerror})")
        return
    if len(content) > _MOST_BYTES:
        yield Found(path.name, 1, None, "the file is too large: write it as .jsonl, a record a line, or split it")
        return
    try:
        whole = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        yield Found(path.name, 1, None, "it is no JSON, or was cut off", content.decode(errors="replace"))
        return
    for number, one in enumerate(_each(whole, content), start=1):
        yield Found(path.name, number, one)


def _each(whole: Any, content: bytes) -> list[Any]:
    """The objects of a list or a page, or the one."""
    if _ESCAPED_UNFIT.search(content):
        whole = _cleaned(whole)
    if isinstance(whole, dict) and isinstance(whole.get("value"), list) and "sessions" not in whole:
        whole = whole["value"]
    return whole if isinstance(whole, list) else [whole]


_ESCAPED_UNFIT = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


def _cleaned(part: Any) -> Any:
    """Without zeros and halves of characters: JSON can write them, and no database or file takes them."""
    if isinstance(part, str):
        return part.replace("\0", "").encode(errors="replace").decode()
    if isinstance(part, dict):
        return {_cleaned(key): _cleaned(value) for key, value in part.items()}
    return [_cleaned(one) for one in part] if isinstance(part, list) else part


def _lines(path: Path) -> Iterator[Found]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(_LONGEST_LINE), b""), start=1):
                if len(line) == _LONGEST_LINE:
                    yield Found(
                        path.name, number, None, "the line is too long to be a record, and the rest was not read"
                    )
                    return
                if not line.strip(b"\xef\xbb\xbf \t\r\n"):
                    continue
                try:
                    whole = json.loads(line.decode("utf-8-sig"))
                except (ValueError, RecursionError):
                    why = "the line is no JSON, or was cut off"
                    yield Found(path.name, number, None, why, line.decode(errors="replace"))
                else:
                    yield from (Found(path.name, number, one) for one in _each(whole, line))
    except OSError as error:
        yield Found(path.name, 1, None, f"the file cannot be read ({error.strerror})")
