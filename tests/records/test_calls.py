"""Call records: who was in the call when, and with camera; and that nothing makes reading fail."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.calls import Call, Listed, Stay, Video, read_call
from app.records.graph_objects import UnreadableObjectError
from tests.records.shapes import ALED, MAIR, SERVICE, TENANT, at, person, record, session, utc, video

HERE = Path(__file__).parent
MAIR_ID, ALED_ID = MAIR["id"], ALED["id"]
FROM, TO = utc("14:05:00"), utc("14:35:00")


def stays(*sessions: Any) -> list[tuple[str, str, datetime, datetime]]:
    return [(stay.person, stay.kind, stay.joined_at, stay.left_at) for stay in read_call(record(*sessions)).stays]


def videos(*media: Any, caller: Any = ALED, callee: Any = None) -> list[tuple[str, datetime | None, datetime | None]]:
    there = SERVICE if callee is None else person(callee)
    read = read_call(record(session(person(caller), there, *media)))
    return [(one.person, one.started_at, one.ended_at) for one in read.videos]


def kind(identity: Any) -> str | None:
    """The kind of person with that identity; None: no person."""
    found = stays(session(person(identity)))
    return found[0][1] if found else None


def test_read_call_of_a_call_between_two() -> None:
    read = read_call(json.loads((HERE / "peer_to_peer.json").read_text(encoding="utf-8")))
    left = utc("14:35:00", 764001)
    assert (read.id, read.version, read.type) == ("0d0f3f2a-1c5e-4f0b-9a77-3f1f6a2b9c10", 2, "peerToPeer")
    assert (read.started_at, read.ended_at, read.channel) == (FROM, left, False)
    assert (read.organiser_id, read.organiser_upn, read.organiser_tenant) == (MAIR_ID, None, TENANT)
    assert read.stays == [
        Stay(MAIR_ID, "user", MAIR_ID, "mair.howell@school.example", TENANT, True, FROM, left, True),
        Stay(ALED_ID, "user", ALED_ID, None, TENANT, False, FROM, left, True),
    ]
    assert read.videos == [Video(MAIR_ID, utc("14:06:00", 999999), utc("14:30:00", 0)), Video(ALED_ID, None, None)]
    assert read.listed == []


def test_read_call_of_the_older_shape() -> None:
    read = read_call(json.loads((HERE / "old_shape.json").read_text(encoding="utf-8")))
    assert (read.organiser_id, read.organiser_tenant, read.channel) == (MAIR_ID, TENANT, True)
    assert [(stay.person, stay.kind) for stay in read.stays] == [
        (MAIR_ID, "user"),
        (ALED_ID, "user"),
        ("+441632960001", "phone"),
    ]
    assert [listed.person for listed in read.listed] == [MAIR_ID, ALED_ID, "+441632960001"]


def test_read_call_counts_rejoins_and_devices_as_stays_and_a_repeated_session_once() -> None:
    first = session(person(ALED), startDateTime=at("14:05:00"), endDateTime=at("14:10:00"))
    rejoin = session(person(ALED), id="later", startDateTime=at("14:12:00"), endDateTime=at("14:30:00"))
    device = session(person(ALED), id="device", startDateTime=at("14:08:00"), endDateTime=at("14:20:00"))
    assert stays(first, rejoin, device, copy.deepcopy(first)) == [
        (ALED_ID, "user", utc("14:05:00"), utc("14:10:00")),
        (ALED_ID, "user", utc("14:12:00"), utc("14:30:00")),
        (ALED_ID, "user", utc("14:08:00"), utc("14:20:00")),
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"isTest": True},
        {"failureInfo": {"stage": "callSetup"}, "segments": []},
        {"failureInfo": {"stage": "callSetup"}, "segments": None},
        {"startDateTime": at("14:05:00"), "endDateTime": at("14:05:00")},
        {"startDateTime": at("14:05:01"), "endDateTime": at("14:05:00")},
    ],
)
def test_read_call_ignores_sessions_that_show_nobody(more: dict[str, Any]) -> None:
    assert stays(session(person(ALED), SERVICE, **more)) == []
    assert len(stays(session(person(ALED)), session(person(MAIR), SERVICE, id="other", **more))) == 1


def test_read_call_shows_who_was_there_until_a_session_failed() -> None:
    assert len(stays(session(person(ALED), failureInfo={"stage": "midcall"}))) == 1


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (ALED, "user"),
        (ALED | {"@odata.type": "#microsoft.graph.communicationsUserIdentity"}, "user"),
        (ALED | {"@odata.type": "#microsoft.graph.communicationsGuestIdentity"}, "guest"),
        (ALED | {"@odata.type": "#microsoft.graph.communicationsPhoneIdentity"}, "phone"),
        (ALED | {"@odata.type": "#microsoft.graph.azureCommunicationServicesUserIdentity"}, "acs"),
        (ALED | {"@odata.type": "#microsoft.graph.communicationsApplicationInstanceIdentity"}, None),
        (ALED | {"@odata.type": "#microsoft.graph.communicationsApplicationIdentity"}, None),
        (ALED | {"@odata.type": "#microsoft.graph.identityOfTheFuture"}, "user"),
        ({"id": "teamsvisitor:abc", "displayName": None}, "guest"),
        ({"guest": {"id": "g", "displayName": "A guest"}}, "guest"),
        ({"acsUser": {"id": "8:acs:1"}}, "acs"),
        ({"azureCommunicationServicesUser": {"id": "8:acs:1"}}, "acs"),
        ({"user": None, "onPremises": {"id": "p"}}, "user"),
        ({"encrypted": {"id": "e"}}, "unknown"),
        ({"applicationInstance": {"id": "bot"}}, None),
        ({"id": None, "displayName": None, "tenantId": None}, "unknown"),
        ({"id": "a" * 201}, "unknown"),
        ({"id": 17, "userPrincipalName": ["x"]}, "unknown"),
        ({}, "unknown"),
        (None, "unknown"),
    ],
)
def test_read_call_tells_kinds_of_people(identity: Any, expected: str | None) -> None:
    assert kind(identity) == expected


def test_read_call_gives_unknown_people_a_key_of_their_session_and_the_service_none() -> None:
    caller = {"associatedIdentity": None, "userAgent": None}
    found = stays(session(person(None), id="s1"), session(person(None), id="s2"), session(caller, id="s3"))
    assert [key for key, *_ in found] == ["session:s1:caller", "session:s2:caller", "session:s3:caller"]
    assert stays(session(SERVICE, {"userAgent": {"role": "x"}}), session(None, "x")) == []


def test_read_call_knows_a_person_by_address_alone() -> None:
    (stay,) = read_call(record(session(person({"userPrincipalName": "Aled.Pugh@Pupils.example"})))).stays
    assert (stay.person, stay.entra_id, stay.upn) == ("aled.pugh@pupils.example", None, "aled.pugh@pupils.example")


def test_read_call_counts_only_video_away_from_its_sender() -> None:
    times = {"startDateTime": at("14:06:00"), "endDateTime": at("14:16:00")}
    assert videos(video("callerToCallee", **times)) == [(ALED_ID, utc("14:06:00"), utc("14:16:00"))]
    assert videos(video("calleeToCaller", **times)) == []
    assert videos(video("calleeToCaller", **times), callee=MAIR) == [(MAIR_ID, utc("14:06:00"), utc("14:16:00"))]
    assert videos(video("sideways", **times)) == []
    for label in ("main-audio", "vbss", "data", "hologram", None):
        assert videos(video("callerToCallee", **times) | {"label": label}) == []


def test_read_call_keeps_video_without_times() -> None:
    unknown = [(ALED_ID, None, None)]
    assert videos(video("callerToCallee")) == unknown
    assert videos(video("callerToCallee", packetUtilization=None)) == unknown
    assert videos(video("callerToCallee", packetUtilization=3, startDateTime=at("14:06:00"))) == unknown
    assert videos(video("callerToCallee", packetUtilization=3), video("callerToCallee")) == unknown
    assert videos(video("callerToCallee", packetUtilization=0)) == []


@pytest.mark.parametrize("nonsense", [None, 5, "x", {}, [None], [5], [[]], [{"label": "main-video", "streams": 5}]])
def test_read_call_ignores_media_that_are_none(nonsense: Any) -> None:
    leg = session(person(ALED))
    leg["segments"][0]["media"] = nonsense
    assert read_call(record(leg)).videos == []
    leg["segments"] = nonsense
    assert len(read_call(record(leg)).stays) == 1


@pytest.mark.parametrize(
    ("url", "channel"),
    [
        ("https://teams.microsoft.com/l/meetup-join/19%3aabc%40thread.tacv2/17?context=x", True),
        ("https://teams.microsoft.com/l/meetup-join/19:abc@Thread.tacv2/17", True),
        ("https://teams.microsoft.com/l/meetup-join/19%253aabc%2540thread.tacv2/17", True),
        ("https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0", False),
        ("https://teams.microsoft.com/meet/1234", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_read_call_recognises_channel_meetings(url: Any, channel: bool) -> None:
    assert read_call(record(joinWebUrl=url)).channel is channel


def test_read_call_reads_participants_and_an_organiser_without_identity() -> None:
    entries = [
        {"id": MAIR_ID.upper(), "identity": {"user": MAIR | {"userPrincipalName": "Mair@School.example"}}},
        {"id": ALED_ID, "identity": None},
        {"id": ALED_ID, "identity": {"user": ALED}},
        {"id": "bot", "identity": {"applicationInstance": {"id": "bot"}}},
        {"id": None, "identity": {"user": None, "guest": None}},
        None,
    ]
    read = read_call(record(participants_v2=entries, organizer_v2={"id": "Somebody", "identity": {"user": None}}))
    assert read.listed == [
        Listed(MAIR_ID, MAIR_ID, "mair@school.example"),
        Listed(ALED_ID, ALED_ID, None),
        Listed("listed:4", None, None),
    ]
    assert (read.organiser_id, read.organiser_tenant) == ("somebody", None)
    assert read_call(record(organizer_v2=None)).organiser_id is None


def test_read_call_accepts_unknown_words_and_keeps_the_original() -> None:
    told = record(session(person(ALED), modalities=["smell"]), type="hologramCall", modalities=["smell"], more={"a": 1})
    read = read_call(told)
    assert read.type == "hologramCall"
    assert json.loads(read.original) == told


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "not a call record"),
        ([], "not a call record"),
        ("call", "not a call record"),
        ({"error": {"code": "NotFound"}}, "error of Microsoft Graph"),
        (record(id=None), "no id"),
        (record(id=" "), "no id"),
        (record(id="i" * 101), "no id"),
        (record(id="a\0b"), "no id"),
        (record(version="1"), "version"),
        (record(version=True), "version"),
        (record(version=2**63), "version"),
        (record(startDateTime=None), "startDateTime"),
        (record(endDateTime="later"), "endDateTime"),
        (record(endDateTime="0001-01-01T00:00:00+14:00"), "endDateTime"),
        (record(endDateTime=at("14:04:59")), "before its start"),
        (record(sessions=None), "sessions are missing"),
        (record(sessions={"id": "s"}), "sessions are missing"),
        (record(None), "session 1 is not a session"),
        (record(session(person(ALED)), session(person(MAIR), endDateTime=None)), "session 2 has no time"),
        (record(*[session(person(ALED))] * 60, **{"sessions@odata.nextLink": "https://x"}), "only its first sessions"),
    ],
)
def test_read_call_rejects_what_is_not_a_call_record(told: Any, why: str) -> None:
    with pytest.raises(UnreadableObjectError, match=why):
        read_call(told)


WHOLE = record(
    session(
        person(MAIR), person(ALED), video("callerToCallee", startDateTime=at("14:06:00"), endDateTime=at("14:07:00"))
    ),
    session(person(None), id="other"),
)


def places(part: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every way into a JSON value."""
    yield way
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        yield from places(value, (*way, key))


nonsense = st.sampled_from(
    [None, True, 0, -1, 10**30, 1.5, "", "x", "\ud800", "a\0", [], [None], {}, {"id": 3}]
) | st.text(max_size=4)


@given(st.lists(st.tuples(st.sampled_from(list(places(WHOLE))), nonsense), min_size=1, max_size=3))
def test_read_call_of_anything_is_a_storable_call_or_a_reason(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    told: Any = {"whole": copy.deepcopy(WHOLE)}
    for way, value in changes:
        part, steps = told, ("whole", *way)
        try:
            for step in steps[:-1]:
                part = part[step]
            part[steps[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken the place away
    try:
        read = read_call(told["whole"])
    except UnreadableObjectError:
        return
    assert_storable(read)


def assert_storable(read: Call) -> None:
    """In order, and no longer than the tables' columns."""
    assert read.started_at <= read.ended_at
    assert all(stay.joined_at < stay.left_at for stay in read.stays)
    assert all(seen.started_at < seen.ended_at for seen in read.videos if seen.started_at and seen.ended_at)
    words = [(read.id, 100), (read.type, 40), (read.organiser_id, 200), (read.organiser_tenant, 100)]
    for stay in read.stays:
        words += [(stay.person, 200), (stay.entra_id, 200), (stay.upn, 320), (stay.tenant, 100)]
    for listed in read.listed:
        words += [(listed.person, 200), (listed.entra_id, 200), (listed.upn, 320)]
    for word, longest in words:
        assert word is None or (0 < len(word) <= longest and "\0" not in word and word.encode())
    assert read.original.decode()


def test_read_call_takes_times_without_an_offset_as_utc() -> None:
    assert read_call(record(startDateTime="2026-11-03T14:05:00")).started_at == datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
