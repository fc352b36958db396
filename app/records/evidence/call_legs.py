"""Reads the sessions of a call record: the legs of the call, each between two ends.

In a group call, one end is the meeting service. A session says who was there, and from when to when. Its segments say
which media were sent. They may name other ends than the session, and they show how far a failed session got.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app.records.evidence.graph_objects import (
    Identity,
    UnreadableObjectError,
    damaged,
    read_endpoint,
    read_lower,
    read_object,
    read_objects,
    read_time,
    read_word,
)

_ENDS = ("caller", "callee")
_DIRECTIONS = {"callertocallee": 0, "calleetocaller": 1}  # the index in _ENDS of the sender
_CLOCKS_DIFFER = timedelta(seconds=5)

Ends = tuple[Identity | None, Identity | None]
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Stay:
    """A period in which somebody was in the call with one device. Ids and addresses are in lower case.

    - `person`: the person's key within the call
    - `kind`: user, guest, phone, acs or unknown
    - `caller`: whether they were at the calling end
    - `has_media`: whether there are details of media; without them nothing is known about the camera
    """

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
    """Camera video that a person sent. Both times are None if it is not known when and for how long."""

    person: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class _Segment:
    """A part of a session: who was at its ends, its time (None if the record does not say), and the video streams, each
    as the index of the end that sent it, and its times."""

    ends: Ends
    span: Span | None
    videos: Sequence[tuple[int, datetime | None, datetime | None]]
    has_media: bool

    def has(self, person: Identity) -> bool:
        return any(end is not None and end.key == person.key for end in self.ends)


@dataclass
class Legs:
    """What the sessions of a record show.

    - `people`: everybody whom they name
    - `absent`: the keys of people named in a test, or in a call that nobody answered
    - `momentary`: the keys of people named in a session of no length between two people; such a session is what is left
      of a call that others joined
    - `replaced`: people of a session whose segments name others in their place
    - `direct`: which kinds of session there are: True for one between two people, False for one with a service
    """

    stays: dict[tuple[str, str, int, Span], Stay] = field(default_factory=dict)
    videos: dict[Video, None] = field(default_factory=dict)
    people: list[Identity] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    momentary: set[str] = field(default_factory=set)
    replaced: list[Identity] = field(default_factory=list)
    direct: set[bool] = field(default_factory=set)

    def add_session(self, session: dict[str, Any], number: int) -> None:
        """Read a session, which is number `number` in its record, counted from 1."""
        what = f"session {number}"
        key = f"session:{read_lower(session.get('id'), 100) or number}"
        first, second = (read_endpoint(session.get(end), f"{key}:{end}", f"the {end} of {what}") for end in _ENDS)
        ends = first, second
        people = [end for end in ends if end is not None]
        self.people += people
        span = _read_span(session, what)
        failure = read_object(session, "failureInfo", what)
        objects = read_objects(session, "segments", what)
        set_up = [part for part in objects if not _failed_at_setup(part, what)]
        segments = [_read_segment(part, session, ends, key, what) for part in set_up]
        if _is_test(session, what) or _failed_at_setup(session, what) or (objects and not segments):
            self.absent |= {person.key for person in people}
            return
        if span is None:
            raise UnreadableObjectError(f"{what} has no time")
        if span[1] <= span[0]:
            self.momentary |= {person.key for person in people if len(people) == 2}
            return
        self.direct.add(len(people) == 2)
        self._add_stays(key, ends, span, segments, has_failed=failure is not None)
        for segment in segments:
            for place, started_at, ended_at in segment.videos:
                if (sender := segment.ends[place]) is not None:
                    self.videos[Video(sender.key, started_at, ended_at)] = None

    def _add_stays(self, key: str, ends: Ends, span: Span, segments: Sequence[_Segment], *, has_failed: bool) -> None:
        """Add the stays of a session's people: for the time of the session or, if it failed or its segments name
        somebody else, for the time of the segments. Also add the stays of people whom only the segments name."""
        of_session = {end.key for end in ends if end is not None}
        others = [any(end is not None and end.key not in of_session for end in segment.ends) for segment in segments]
        has_media = bool(segments) and all(segment.has_media for segment in segments)
        for place, person in enumerate(ends):
            if person is None:
                continue
            own = [segment for segment, other in zip(segments, others, strict=True) if segment.has(person) or not other]
            if not has_failed and len(own) == len(segments):
                self._add(key, person, place, span, has_media=has_media)
                continue
            shown = [segment for segment in own if _get_span(segment)[0] < _get_span(segment)[1]]
            for segment in shown:
                self._add(key, person, place, _get_span(segment), has_media=segment.has_media)
            if not shown and len(own) == len(segments):
                self._add(key, person, place, span, has_media=has_media)
            elif not shown:
                self.replaced.append(person)
        for segment in segments:
            for place, person in enumerate(segment.ends):
                if person is not None and person.key not in of_session:
                    self.people.append(person)
                    self._add(key, person, place, segment.span or span, has_media=segment.has_media)

    def _add(self, key: str, person: Identity, place: int, span: Span, *, has_media: bool) -> None:
        """Add a stay, unless it has no length. If the session is listed twice, it is added once, with media if either
        has details of them."""
        if span[1] <= span[0]:
            return
        stay = Stay(person.key, person.kind, person.entra_id, person.upn, person.tenant, place == 0, *span, has_media)
        before = self.stays.get((key, person.key, place, span))
        if before is None or not before.has_media:
            self.stays[key, person.key, place, span] = stay


def _read_span(part: dict[str, Any], what: str) -> Span | None:
    """The start and the end of a session or a segment; None if it does not say. UnreadableObjectError if it ends before
    it starts by more than clocks may differ."""
    started_at, ended_at = read_time(part, "startDateTime", what), read_time(part, "endDateTime", what)
    if started_at is None or ended_at is None:
        return None
    if started_at - ended_at > _CLOCKS_DIFFER:
        raise UnreadableObjectError(f"{what} ends before it begins")
    return started_at, ended_at


def _is_test(session: dict[str, Any], what: str) -> bool:
    is_test = session.get("isTest")
    if is_test is not None and type(is_test) is not bool:
        raise damaged(f"the isTest of {what} is neither true nor false")
    return is_test is True


def _failed_at_setup(part: dict[str, Any], what: str) -> bool:
    """Whether a session or a segment failed before it was set up, so that nobody was in it."""
    failure = read_object(part, "failureInfo", what)
    return failure is not None and read_word(failure, "stage", what) == "callsetup"


def _get_span(segment: _Segment) -> Span:
    if segment.span is None:
        raise UnreadableObjectError("a segment of a session that failed has no time")
    return segment.span


def _read_segment(segment: dict[str, Any], session: dict[str, Any], ends: Ends, key: str, what: str) -> _Segment:
    what = f"a segment of {what}"
    span = _read_span(segment, what)
    videos, has_media = _read_media(segment, what)
    return _Segment(_read_segment_ends(segment, session, ends, key, what), span, videos, has_media)


def _read_segment_ends(segment: dict[str, Any], session: dict[str, Any], ends: Ends, key: str, what: str) -> Ends:
    """The people at a segment's own ends, which may be the session's in reverse. An end that the segment does not give,
    or gives without id and address, is taken from the session."""
    if all(segment.get(end) is None or segment[end] == session[end] for end in _ENDS):
        return ends
    named = [
        None if segment.get(end) is None else read_endpoint(segment[end], f"{key}:{end}", f"the {end} of {what}")
        for end in _ENDS
    ]
    own = list(named)
    for place, end in enumerate(_ENDS):
        if segment.get(end) is None:  # the same person cannot be at both ends
            usual, other = ends[place], named[1 - place]
            is_reversed = usual is not None and other is not None and usual.key == other.key
            own[place] = ends[1 - place] if is_reversed else usual
    for place, person in enumerate(own):
        if person is not None and person.entra_id is None and person.upn is None:
            likely = ends[place] or ends[1 - place]
            if likely is not None and likely != own[1 - place]:
                own[place] = replace(likely)
    return own[0], own[1]


def _read_media(segment: dict[str, Any], what: str) -> tuple[list[tuple[int, datetime | None, datetime | None]], bool]:
    """The camera streams of a segment, each as the index of its sender and its times, and whether the details of media
    are complete."""
    videos: list[tuple[int, datetime | None, datetime | None]] = []
    has_streams, has_gaps = False, False
    for media in read_objects(segment, "media", what):
        streams = read_objects(media, "streams", what)
        label = read_word(media, "label", what)
        has_streams = has_streams or bool(streams)
        has_gaps = has_gaps or not label or (label == "main-video" and not streams)
        if label != "main-video":
            continue
        for stream in streams:
            place = _DIRECTIONS.get(read_word(stream, "streamDirection", what))
            started_at, ended_at = read_time(stream, "startDateTime", what), read_time(stream, "endDateTime", what)
            has_gaps = has_gaps or stream.get("streamDirection") is None or (started_at is None) != (ended_at is None)
            if place is None or _is_empty(stream, what):
                continue
            if started_at is None and ended_at is None:
                videos.append((place, None, None))
            elif started_at is not None and ended_at is not None and ended_at > started_at:
                videos.append((place, started_at, ended_at))
    return videos, has_streams and not has_gaps


def _is_empty(stream: dict[str, Any], what: str) -> bool:
    """Whether nothing was sent. A stream without a number of packets counts as sent."""
    packets = stream.get("packetUtilization")
    if packets is not None and not isinstance(packets, int | float):
        raise damaged(f"the packetUtilization of {what} is not a number")
    return packets is not None and packets <= 0
