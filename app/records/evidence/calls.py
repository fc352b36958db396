"""Microsoft Graph's call records: who was in the call, from when to when, and with or without a camera."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from app.records.evidence.attendance import IMPORT_REPORT, is_report
from app.records.evidence.call_legs import Legs, Stay, Video
from app.records.evidence.graph_keys import check_keys
from app.records.evidence.graph_objects import (
    Identity,
    UnreadableObjectError,
    damaged,
    read_entry,
    read_identity,
    read_lower,
    read_object,
    read_objects,
    read_text,
    read_time,
    read_word,
    to_json,
)
from app.records.people.roster import Roster
from app.vocabulary.terms import CallSource

_TYPES = {"groupcall": "groupCall", "peertopeer": "peerToPeer"}
_EXPAND = "ask Graph for them with $expand=sessions($expand=segments)"


@dataclass(frozen=True)
class Listed:
    """Somebody who took part at unknown times: the record lists them, but none of its sessions shows them in the
    call."""

    person: str
    entra_id: str | None
    upn: str | None
    tenant: str | None


@dataclass
class Call:
    """The content of a call record. Times are in UTC. `channel` says whether it was a channel meeting; `original` is
    the JSON as it arrived."""

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
    """Read a call record, in the current form of v1.0 or with the older `organizer` and `identity.user`. `original` is
    its JSON, by default written anew. UnreadableObjectError if the record is incomplete, or lacks what every call
    record has."""
    fields = _check_record(record)
    started_at, ended_at = (_read_required_time(fields, name) for name in ("startDateTime", "endDateTime"))
    if ended_at < started_at:
        raise UnreadableObjectError("its endDateTime is before its startDateTime")
    organiser, join_url = _read_organiser(fields), read_text(fields.get("joinWebUrl"), 10_000)
    legs = Legs()
    for number, session in enumerate(_read_sessions(fields), start=1):
        legs.add_session(session, number)
    listed = _read_listed(fields)
    people = _People([*legs.people, *listed])
    call = Call(
        id=read_lower(fields.get("id"), 100) or "",
        version=fields.get("version", 0),
        type=_read_type(fields, legs),
        started_at=started_at,
        ended_at=ended_at,
        organiser_id=organiser.entra_id if organiser else None,
        organiser_upn=organiser.upn if organiser else None,
        organiser_tenant=organiser.tenant if organiser else None,
        channel=_is_in_channel(join_url),
        join_key=digest_join_link(join_url) if join_url else None,
        join_url=join_url,
        stays=people.unite_stays(legs.stays.values()),
        videos=people.unite_videos(legs.videos),
        original=original or to_json(record),
    )
    call.listed = people.list_unseen(legs, call.stays, listed)
    if not all(2000 <= moment.year < 2100 for moment in _times(call)):
        raise UnreadableObjectError("its times cannot be right")
    return call


def is_session(call: Call, roster: Roster, tenant: str) -> bool:
    """Whether a call is a session, and so is stored: a pupil on the roster took part, and so did somebody who is not
    one; or only pupils took part, in a group call that roster staff organised in the school's `tenant`."""
    people = {person.person: roster.find_ids(person.entra_id, person.upn) for person in _list_people(call)}
    if all(pupil is None for _, pupil in people.values()):
        return False
    organiser, _ = roster.find_ids(call.organiser_id, call.organiser_upn)
    is_room = organiser is not None and call.type != "peerToPeer" and call.organiser_tenant in (None, tenant.lower())
    return is_room or any(pupil is None for _, pupil in people.values())


def _list_people(call: Call) -> list[Stay | Listed]:
    return [*call.stays, *call.listed]


def is_fuller(call: Call, other: Call) -> bool:
    """Whether a record holds everything that another record of the same call does, and more. If both show the same
    stays and neither or each holds the other, whether it names more people or has more details of media."""
    more, less = _holds(call, other), _holds(other, call)
    if more or less:
        return more and not less
    return _spans(call) == _spans(other) and _measure(call) > _measure(other)


def is_preferred(call: Call, other: Call) -> bool:
    """Whether a record counts rather than another one of the same call and version, whichever came first: the one that
    holds more, else that whose content comes later in an order of its own."""
    if is_fuller(call, other) or is_fuller(other, call):
        return is_fuller(call, other)
    return _order(call) > _order(other)


def _order(call: Call) -> tuple[str, ...]:
    lists = ("stays", "videos", "listed")
    facts = repr([value for name, value in vars(call).items() if name not in (*lists, "original")])
    return (*(repr(sorted(map(repr, getattr(call, name)))) for name in lists), facts)


def _spans(call: Call) -> set[tuple[str, bool, datetime, datetime]]:
    return {(stay.person, stay.caller, stay.joined_at, stay.left_at) for stay in call.stays}


def _measure(call: Call) -> tuple[int, int, int]:
    people = {person.person for person in _list_people(call)}
    return len(people), sum(stay.has_media for stay in call.stays), len(call.videos)


def _holds(call: Call, other: Call) -> bool:
    def shows(stay: Stay) -> bool:
        # A record with segments may show a shorter stay: they say how far a failed session got.
        return any(
            (own.person, own.caller) == (stay.person, stay.caller)
            and (
                (own.has_media >= stay.has_media and (own.joined_at, own.left_at) == (stay.joined_at, stay.left_at))
                or (own.has_media > stay.has_media and stay.joined_at <= own.joined_at and own.left_at <= stay.left_at)
            )
            for own in call.stays
        )

    facts = ("organiser_id", "organiser_upn", "organiser_tenant", "join_key")
    return (
        all(shows(stay) for stay in other.stays)
        and {each.person for each in _list_people(call)} >= {each.person for each in _list_people(other)}
        and set(call.videos) >= set(other.videos)
        and all(getattr(other, fact) in (None, getattr(call, fact)) for fact in facts)
    )


def _check_record(record: Any) -> dict[str, Any]:
    """The record with its keys in Graph's spelling. UnreadableObjectError if its kind, id or version is wrong."""
    if not isinstance(record, dict):
        raise UnreadableObjectError("it is not a call record")
    fields = check_keys(record)
    _check_kind(fields)
    version = fields.get("version", 0)
    if read_lower(fields.get("id"), 100) is None:
        raise UnreadableObjectError("it has no id")
    if isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 2**63:
        raise UnreadableObjectError("its version is not a number")
    return fields


def _check_kind(fields: Mapping[str, Any]) -> None:
    """Raise UnreadableObjectError for objects that people mistake for a call record; the message says what they are."""
    if "error" in fields and "id" not in fields:
        raise UnreadableObjectError("it is an error of Microsoft Graph, not a call record")
    if is_report(fields):
        raise UnreadableObjectError("it is a Teams attendance report, not a call record", IMPORT_REPORT)
    if {"recordingContentUrl", "transcriptContentUrl"} & fields.keys():
        raise UnreadableObjectError(
            "it is a recording or a transcript, not a call record",
            "import recordings with “python -m app import recordings”",
        )
    if "sessions" not in fields and ("value" in fields or fields.keys() & {"caller", "callee"}):
        raise UnreadableObjectError(
            "it holds parts of a call record, without the record",
            "fetch record and parts together, with $expand=sessions($expand=segments)",
        )


def _read_sessions(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    sessions = fields.get("sessions")
    if sessions is None:
        raise UnreadableObjectError("its sessions are missing", _EXPAND)
    if not sessions and type(sessions) is list:
        raise UnreadableObjectError("it has no sessions, and no call is without", _EXPAND)
    if type(sessions) is list:
        for number, session in enumerate(sessions, start=1):
            if type(session) is not dict:
                raise damaged(f"session {number} is not an object")
    return read_objects(fields, "sessions", "the record")


def _read_type(fields: Mapping[str, Any], legs: Legs) -> str:
    """The type of the call. If Graph does not know it, the ends of the sessions decide. Several people who each had a
    session with a service are a group call, even if the record says peer-to-peer, since in such a call nobody would
    count as alone."""
    word = read_word(fields, "type", "the record")
    if word == "peertopeer" and legs.direct == {False} and len({stay.person for stay in legs.stays.values()}) > 1:
        return "groupCall"
    if word in _TYPES:
        return _TYPES[word]
    if legs.direct == {True}:
        return "peerToPeer"
    return (read_text(fields.get("type"), 40) if word != "unknown" else None) or "groupCall"


def _read_organiser(fields: Mapping[str, Any]) -> Identity | None:
    """Read `organizer_v2` or, in old records, `organizer`."""
    for name in ("organizer_v2", "organizer"):
        entry = read_object(fields, name, "the record")
        if entry is None:
            continue
        if (identity := read_object(entry, "associatedIdentity", "the organiser")) is not None:
            return read_identity(identity, "organiser", "the organiser")
        return read_entry(entry, "organiser", "the organiser")
    return None


def _read_listed(fields: Mapping[str, Any]) -> list[Identity]:
    """Read `participants_v2` and, in old records, `participants`."""
    listed = []
    for name in ("participants_v2", "participants"):
        for number, entry in enumerate(read_objects(fields, name, "the record")):
            person = read_entry(entry, f"listed:{number}", f"participant {number + 1}")
            if person is not None:
                listed.append(person)
    return listed


class _People:
    """Recognises the same person in a call by id or by address."""

    def __init__(self, people: Iterable[Identity]) -> None:
        self._ids: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        people = list(people)
        for person in people:
            if person.entra_id and person.upn:
                self._ids.setdefault(person.upn, person.entra_id)
                self._addresses.setdefault(person.entra_id, person.upn)
        self._tenants = {self.key(person.key): person.tenant for person in reversed(people) if person.tenant}

    def key(self, person: str) -> str:
        """The key for a person: the Entra id if `person` is an address that belongs to one, else `person` itself."""
        return self._ids.get(person, person)

    def unite_stays(self, stays: Iterable[Stay]) -> list[Stay]:
        return list(
            dict.fromkeys(
                replace(
                    stay,
                    person=self.key(stay.person),
                    entra_id=stay.entra_id or self._ids.get(stay.upn or ""),
                    upn=stay.upn or self._addresses.get(stay.entra_id or ""),
                    tenant=stay.tenant or self._tenants.get(self.key(stay.person)),
                )
                if stay.entra_id is None or stay.upn is None or stay.tenant is None
                else stay
                for stay in stays
            )
        )

    def unite_videos(self, videos: Iterable[Video]) -> list[Video]:
        return list(dict.fromkeys(replace(video, person=self.key(video.person)) for video in videos))

    def list_unseen(self, legs: Legs, stays: Sequence[Stay], listed: Iterable[Identity]) -> list[Listed]:
        """People who took part but whom no session shows in the call. Left out are those whose only trace is a call
        that nobody answered, or the remainder of a call that became a group call under another id. People without id
        and address cannot be recognised, so only as many count as are listed beyond those in the sessions."""
        absent = legs.absent if stays else legs.absent | legs.momentary
        seen = {stay.person for stay in stays} | {self.key(person) for person in absent}
        nameless = sum(person.startswith("session:") for person in seen)
        unseen: dict[str, Listed] = {}
        for person in (*legs.replaced, *listed):
            key = self.key(person.key)
            if key.startswith(("listed:", "session:")) and nameless:
                nameless -= 1
            elif key not in seen:
                entra_id = person.entra_id or self._ids.get(person.upn or "")
                upn = person.upn or self._addresses.get(person.entra_id or "")
                unseen.setdefault(key, Listed(key, entra_id, upn, self._tenants.get(key)))
        return list(unseen.values())


def digest_join_link(url: str) -> str:
    """A digest that is equal for calls and events with the same join link; anything after "?" is ignored."""
    link = unquote(unquote(url)).strip().lower().split("?")[0].rstrip("/")
    return hashlib.sha256(link.encode(errors="replace")).hexdigest()


def _is_in_channel(join_url: str | None) -> bool:
    """Whether the thread id in a join URL is that of a channel; private meetings have another ending."""
    parts = unquote(unquote(join_url or "")).lower().replace("?", "/").split("/")
    return any(part.endswith("@thread.tacv2") for part in parts)


def _read_required_time(fields: Mapping[str, Any], name: str) -> datetime:
    moment = read_time(fields, name, "the record")
    if moment is None:
        raise UnreadableObjectError(f"it has no {name}")
    return moment


def _times(call: Call) -> Iterable[datetime]:
    yield call.started_at
    yield call.ended_at
    for stay in call.stays:
        yield stay.joined_at
        yield stay.left_at
