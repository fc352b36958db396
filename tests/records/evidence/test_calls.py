"""Call records: who was in the call when, and with camera."""

import copy
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.records.evidence.call_legs import Stay, Video
from app.records.evidence.calls import Listed, is_fuller, is_session, read_call
from app.records.people.roster import Roster
from tests.records.evidence.shapes import ALED, MAIR, SERVICE, TENANT, at, person, record, session, utc, video

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
    assert read.listed == []  # the bot that is listed as well is nobody


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
        {"failureInfo": {"stage": "callSetup"}},
        {"failureInfo": {"stage": "CallSetup", "reason": None}, "segments": [], "endDateTime": None},
        {"segments": [{"failureInfo": {"stage": "callSetup"}}]},
        {"startDateTime": at("14:05:00"), "endDateTime": at("14:05:00")},
        {"startDateTime": at("14:05:01"), "endDateTime": at("14:05:00")},
    ],
)
def test_read_call_ignores_sessions_that_show_nobody(more: dict[str, Any]) -> None:
    assert stays(session(person(ALED), SERVICE, **more)) == []
    assert len(stays(session(person(ALED)), session(person(MAIR), SERVICE, id="other", **more))) == 1


@pytest.mark.parametrize("failure", [{"stage": "midcall"}, {"stage": None, "reason": None}, {"stage": "new"}, {}])
def test_read_call_shows_who_was_there_until_a_session_failed(failure: dict[str, Any]) -> None:
    segments = [
        {"startDateTime": at("14:05:00"), "endDateTime": at("14:10:00"), "media": []},
        {"startDateTime": at("14:12:00"), "endDateTime": at("14:20:00"), "media": None},
        {"startDateTime": at("14:20:00"), "endDateTime": at("14:30:00"), "failureInfo": {"stage": "callSetup"}},
    ]
    spans = [(joined, left) for _, _, joined, left in stays(session(person(ALED), failureInfo=failure))]
    assert spans == [(FROM, TO)]
    found = stays(session(person(ALED), failureInfo=failure, segments=segments))
    assert found == [
        (ALED_ID, "user", utc("14:05:00"), utc("14:10:00")),
        (ALED_ID, "user", utc("14:12:00"), utc("14:20:00")),
    ]
    assert stays(session(person(ALED), failureInfo=failure, segments=[])) == [(ALED_ID, "user", FROM, TO)]
    assert stays(session(person(ALED), segments=segments)) == [(ALED_ID, "user", FROM, TO)]  # it did not fail


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
        ({"id": None, "userPrincipalName": ["x"]}, "unknown"),
        (None, "unknown"),
        ({"spoolUser": {"id": "s"}}, "unknown"),
        (ALED | {"@odata.type": "#Microsoft.Graph.azureApplicationInstanceIdentity"}, None),
        ({"spoolApplicationInstance": {"id": "bot"}, "user": None}, None),
        ({"AcsApplicationInstance": {"id": "bot"}}, None),
        ({"applicationInstance": {"id": None, "displayName": None}, "user": ALED}, "user"),
        ({"user": ALED, "endpointType": "voicemail"}, None),
        ({"application": {"id": "bot"}}, None),
        ({"application": {"id": "app"}, "user": ALED}, "user"),
        ({"application": {"id": None}, "device": None, "user": ALED}, "user"),
        (ALED | {"id": "28:bbbbbbbb-0000-4000-8000-000000000002"}, None),
    ],
)
def test_read_call_distinguishes_kinds_of_people(identity: Any, expected: str | None) -> None:
    assert kind(identity) == expected


def test_read_call_gives_unknown_people_a_key_of_their_session_and_the_service_none() -> None:
    caller = {"associatedIdentity": None, "userAgent": None}
    found = stays(session(person(None), id="s1"), session(person(None), id="s2"), session(caller, id="s3"))
    assert [key for key, *_ in found] == ["session:s1:caller", "session:s2:caller", "session:s3:caller"]
    assert stays(session(SERVICE, {"userAgent": {"role": "x"}})) == []
    assert stays(session({"userAgent": {"role": None}, "associatedIdentity": None})) == []


def test_read_call_takes_no_service_and_no_bot_for_a_person() -> None:
    for name in (
        "applicationInstance",
        "azureApplicationInstance",
        "spool_application_instance",
        "application",
        "device",
    ):
        assert stays(session({"identity": {name: {"id": "bot"}}, "associatedIdentity": ALED})) == []
    for role in ("voicemail", "skypeForBusinessAutoAttendant", "skypeForBusinessCallQueues", "customBot", "new"):
        assert stays(session(person(ALED) | {"userAgent": {"role": role}})) == []
    gateway = person({"phone": {"id": "+441632960001"}}) | {"userAgent": {"role": "mediationServer"}}
    assert [kind for _, kind, *_ in stays(session(gateway))] == ["phone"]


def test_read_call_recognises_a_person_by_address_alone() -> None:
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


def test_read_call_reads_video_without_times() -> None:
    unknown = [(ALED_ID, None, None)]
    assert videos(video("callerToCallee")) == unknown
    assert videos(video("callerToCallee", packetUtilization=None)) == unknown
    assert videos(video("callerToCallee", packetUtilization=3, startDateTime=at("14:06:00"))) == []  # cut off
    assert videos(video("callerToCallee", packetUtilization=3), video("callerToCallee")) == unknown
    assert videos(video("callerToCallee", packetUtilization=0)) == []


@pytest.mark.parametrize(
    ("segments", "has_media"),
    [
        ([{"media": [video("calleeToCaller")]}], True),
        ([{"media": [{"label": "main-audio", "streams": [{}]}, {"label": "data", "streams": []}]}], True),
        ([{"media": [video("calleeToCaller")]}, {"media": None}], False),
        ([{"media": [{"label": "main-audio", "streams": [{}]}, {"label": "main-video", "streams": None}]}], False),
        ([{"media": [{"streams": [{"streamDirection": "callerToCallee"}]}]}], False),
        ([{"media": [video("callerToCallee", startDateTime=at("14:06:00"))]}], False),
        ([{"media": []}], False),
        ([{}], False),
        ([], False),
        (None, False),
    ],
)
def test_read_call_tells_whether_anything_is_known_of_the_camera(segments: Any, has_media: bool) -> None:
    read = read_call(record(session(person(ALED), segments=segments)))
    assert [stay.has_media for stay in read.stays] == [has_media]


def test_read_call_knows_the_media_of_a_session_that_is_listed_again_without_them() -> None:
    whole = session(person(ALED), SERVICE, video("calleeToCaller"))
    for twice in ((whole, whole | {"segments": []}), (whole | {"segments": []}, whole)):
        assert [stay.has_media for stay in read_call(record(*twice)).stays] == [True]


def test_read_call_reads_the_ends_of_a_segment_where_they_differ() -> None:
    sent = video("callerToCallee")
    ends = {"caller": SERVICE, "callee": person(ALED)}
    reversed_leg = session(person(ALED), SERVICE, sent)
    reversed_leg["segments"][0] |= ends
    half = copy.deepcopy(reversed_leg)
    del half["segments"][0]["caller"]
    for leg in (reversed_leg, half):
        read = read_call(record(leg))
        assert ([stay.person for stay in read.stays], read.videos) == ([ALED_ID], [])
    reversed_leg["segments"][0] |= {"callee": person(None), "media": [video("calleeToCaller")]}
    assert [one.person for one in read_call(record(reversed_leg)).videos] == [ALED_ID]


def test_read_call_reads_people_whom_only_segments_name() -> None:
    def segment(callee: Any, begun: str, ended: str) -> dict[str, Any]:
        times = {"startDateTime": at(begun), "endDateTime": at(ended)}
        return {"caller": person(MAIR), "callee": person(callee), "media": [], **times}

    bethan = ALED | {"id": "bethan"}
    parts = [segment(ALED, "14:05:00", "14:15:00"), segment(bethan, "14:15:00", "14:35:00")]
    read = read_call(record(session(person(MAIR), person(ALED), segments=parts), type="peerToPeer"))
    assert [(stay.person, stay.joined_at, stay.left_at) for stay in read.stays] == [
        (MAIR_ID, FROM, TO),
        (ALED_ID, FROM, utc("14:15:00")),
        ("bethan", utc("14:15:00"), TO),
    ]
    never = read_call(record(session(person(MAIR), person(ALED), segments=parts[1:]), type="peerToPeer"))
    assert [listed.person for listed in never.listed] == [ALED_ID]


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
    assert read_call(record(session(person(ALED)), joinWebUrl=url)).channel is channel


def test_read_call_lists_who_took_part_at_unknown_times() -> None:
    entries = [
        {"id": MAIR_ID.upper(), "identity": {"user": MAIR | {"userPrincipalName": "Mair@School.example"}}},
        {"id": ALED_ID, "identity": None},
        {"id": ALED_ID, "identity": {"user": ALED}},
        {"id": "bot", "identity": {"applicationInstance": {"id": "bot"}}},
        {"id": None, "identity": {"user": None, "guest": None}},
    ]
    organiser = {"id": "Somebody", "identity": {"user": None}}
    read = read_call(record(session(person(MAIR)), participants_v2=entries, organizer_v2=organiser))
    assert read.listed == [Listed(ALED_ID, ALED_ID, None, TENANT), Listed("listed:4", None, None, None)]
    assert [stay.upn for stay in read.stays] == ["mair@school.example"]
    assert (read.organiser_id, read.organiser_tenant) == ("somebody", None)
    visited = read_call(record(session(person(MAIR)), session(person(None), id="s2"), participants_v2=entries))
    assert [listed.person for listed in visited.listed] == [ALED_ID]  # the nameless one is in a session
    assert read_call(record(session(person(ALED)), organizer_v2=None)).organiser_id is None


def test_read_call_takes_a_tenant_that_a_session_lacks_from_the_list_of_people() -> None:
    entries = [{"id": MAIR_ID, "identity": {"user": MAIR}}]
    read = read_call(record(session(person(MAIR | {"tenantId": None})), participants_v2=entries))
    assert [stay.tenant for stay in read.stays] == [TENANT]


def test_read_call_lists_nobody_whose_only_trace_is_a_call_that_was_not_answered() -> None:
    failed = session(person(ALED), failureInfo={"stage": "callSetup"})
    assert read_call(record(session(person(MAIR)), failed | {"id": "f"})).listed == []
    assert (
        read_call(record(session(person(MAIR)), failed | {"id": "t", "failureInfo": None, "isTest": True})).listed == []
    )


def test_read_call_lists_nobody_of_what_is_left_of_a_call_that_became_a_groups() -> None:
    left = session(person(MAIR), person(ALED), startDateTime=at("14:05:00"), endDateTime=at("14:05:00"))
    entries = [{"id": one, "identity": None} for one in (MAIR_ID, ALED_ID)]
    assert read_call(record(left, type="peerToPeer", participants_v2=entries)).listed == []
    of_group = read_call(record(left, session(person(MAIR), id="other"), participants_v2=entries))
    assert [one.person for one in of_group.listed] == [ALED_ID]


def test_read_call_recognises_a_person_by_id_or_address() -> None:
    address = {"userPrincipalName": "Aled@School.example"}
    by_address, by_both = session(person(address), id="a"), session(person(ALED | address), id="b")
    later = {"startDateTime": at("14:35:00"), "endDateTime": at("14:40:00")}
    read = read_call(record(by_address, by_both | later, participants_v2=[{"id": ALED_ID.upper(), "identity": None}]))
    assert [(stay.person, stay.entra_id, stay.upn) for stay in read.stays] == [
        (ALED_ID, ALED_ID, "aled@school.example")
    ] * 2
    assert read.listed == []


@pytest.mark.parametrize(
    ("sessions", "word", "expected"),
    [
        ([session(person(MAIR), person(ALED))], None, "peerToPeer"),
        ([session(person(MAIR), person(ALED))], "unknown", "peerToPeer"),
        ([session(person(MAIR)), session(person(ALED))], "unknown", "groupCall"),
        ([session(person(MAIR), person(ALED))], "GroupCall", "groupCall"),
        ([session(person(MAIR))], "hologramCall", "hologramCall"),
        ([session(person(MAIR)), session(person(ALED))], "peerToPeer", "groupCall"),
        ([session(person(ALED), SERVICE)], "peerToPeer", "peerToPeer"),
    ],
)
def test_read_call_tells_the_type_by_its_ends_where_graph_does_not(
    sessions: list[Any], word: str | None, expected: str
) -> None:
    assert read_call(record(*sessions, type=word)).type == expected


def test_is_session_needs_a_pupil_and_another_person_or_a_room_of_staff() -> None:
    def kept(*people: dict[str, Any], organiser: dict[str, Any] = MAIR, **more: Any) -> bool:
        entries = {"organizer_v2": {"identity": {"user": organiser}}, "participants_v2": None}
        told = record(*(session(person(one), id=str(n)) for n, one in enumerate(people)), **entries | more)
        return is_session(read_call(told), roster, TENANT.upper())

    roster = Roster({}, {}, {MAIR_ID: 1}, {ALED_ID: 11, "bethan": 12})
    bethan, guest = ALED | {"id": "bethan"}, {"id": "teamsvisitor:x"}
    assert kept(MAIR, ALED)
    assert kept(guest, ALED)
    assert not kept(MAIR)
    assert not kept(MAIR, guest)
    assert kept(ALED)  # a room of staff
    assert kept(ALED, bethan)
    assert not kept(ALED, bethan, organiser=bethan)
    assert not kept(ALED, bethan, organiser=MAIR | {"tenantId": "another"})
    assert kept(ALED, bethan, organiser={"id": MAIR_ID})
    assert not kept(ALED, bethan, organiser=guest)
    assert kept(MAIR, participants_v2=[{"id": ALED_ID, "identity": None}])
    assert kept(ALED, organiser=ALED, participants_v2=[{"id": MAIR_ID, "identity": None}])
    direct = record(session(person(ALED), person(bethan)), type="peerToPeer", participants_v2=[])
    assert not is_session(read_call(direct), roster, TENANT)


def test_holds_more_compares_what_two_records_hold() -> None:
    leg = session(person(ALED), SERVICE, video("callerToCallee"))
    whole = read_call(record(leg, session(person(MAIR), id="m")))
    bare = read_call(record(leg | {"segments": []}, session(person(MAIR), id="m", segments=[])))
    fewer = read_call(record(leg, participants_v2=None))
    other = read_call(record(session(person(MAIR), id="m"), participants_v2=None))
    for less in (bare, fewer, other):
        assert is_fuller(whole, less)
        assert not is_fuller(less, whole)
    assert not is_fuller(whole, whole)
    assert not is_fuller(fewer, other)
    listed = read_call(record(leg))  # with Mair at unknown times
    assert is_fuller(listed, fewer)
    assert is_fuller(whole, listed)


def test_holds_more_prefers_people_to_media_in_whatever_order_two_records_came() -> None:
    legs = session(person(MAIR), id="a"), session(person(ALED), SERVICE, video("callerToCallee"), id="b")
    with_media = read_call(record(*legs))
    entries = [{"id": "bethan", "identity": None}]
    with_people = read_call(record(*(leg | {"segments": []} for leg in legs), participants_v2=entries))
    assert is_fuller(with_people, with_media)
    assert not is_fuller(with_media, with_people)


def test_holds_more_lets_segments_say_how_far_a_session_came_that_failed() -> None:
    failed = session(person(ALED), SERVICE, video("calleeToCaller"), failureInfo={"stage": "midcall"})
    failed["segments"][0]["endDateTime"] = at("14:15:00")
    whole, bare = read_call(record(failed)), read_call(record(failed | {"segments": []}))
    assert [stay.left_at for call in (whole, bare) for stay in call.stays] == [utc("14:15:00"), TO]
    assert is_fuller(whole, bare)
    assert not is_fuller(bare, whole)
