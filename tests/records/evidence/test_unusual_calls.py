"""Call records as programs save them, and whatever else comes: read as Graph means it, or refused with the reason."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.evidence.calls import Call, read_call
from app.records.evidence.graph_objects import UnreadableObjectError
from tests.records.evidence.shapes import ALED, MAIR, at, person, record, session, video


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
        (record(sessions={"id": "s"}), "sessions of the record are not a list"),
        (record(), "no sessions"),
        (record(None), "session 1 is not an object"),
        (record("@{id=s}"), "session 1 is not an object"),
        (record(session(person(ALED)), session(person(MAIR), endDateTime=None)), "session 2 has no time"),
        (record(session(person(ALED)), **{"sessions@odata.nextLink": "https://x"}), "more of its sessions"),
        (record(session(person(ALED)), **{"Participants_V2@OData.NextLink": "https://x"}), "more of its participants"),
        (record(session(person(ALED), **{"segments@odata.nextlink": "x"})), "more of its segments"),
        (record(session(person(ALED)), **{"@odata.nextLink": ""}), "more of its content"),
        (record(session(person(ALED)), sessionsNextLink="x"), "more of its sessions"),
        (record(session(person(ALED), segments_odata_next_link="x")), "more of its segments"),
        (record(session(person(ALED)), **{"participantsV2@nextLink": "x"}), "more of its participants"),
        (record(session(None)), "caller of session 1 is not an object"),
        (record(session("@{name=x}")), "caller of session 1 is not an object"),
        (record(session({})), "caller of session 1 does not say who"),
        (record(session({"userAgent": {"platform": "windows"}})), "does not say who"),
        (record(session(person("@{id=x}"))), "associatedIdentity of the caller of session 1"),
        (record(session(person({}))), "does not say who"),
        (record(session(person({"displayName": "Aled"}))), "has no id"),
        (record(session(person({"id": " "}))), "the id of the caller"),
        (record(session(person({"id": 17}))), "the id of the caller"),
        (record(session(person(ALED) | {"userAgent": "@{role=}"})), "userAgent of the caller of session 1"),
        (record(session(person(ALED), segments="System.Object[]")), "segments of session 1 are not a list"),
        (record(session(person(ALED), segments=["@{id=x}"])), "one of the segments of session 1"),
        (record(session(person(ALED), segments=[{"media": {"label": "main-video"}}])), "media of a segment"),
        (record(session(person(ALED), segments=[{"media": [{"streams": "@{}"}]}])), "streams of a segment"),
        (record(session(person(ALED), segments=[{"caller": "@{}"}])), "caller of a segment of session 1"),
        (record(session(person(ALED), failureInfo="")), "failureInfo of session 1"),
        (record(session(person(ALED), failureInfo={"stage": 1})), "stage of session 1"),
        (record(session(person(ALED), failureInfo={}, segments=[{}])), "segment of a session that failed has no time"),
        (record(session(person(ALED), isTest="true")), "isTest of session 1"),
        (record(session(person(ALED), endDateTime=at("14:04:00"))), "session 1 ends before it begins"),
        (
            record(session(person(ALED), segments=[{"startDateTime": at("14:10:00"), "endDateTime": at("14:04:00")}])),
            "segment of session 1 ends before it begins",
        ),
        (record(session(person(ALED)), type=1), "type of the record"),
        (record(session(person(ALED)), participants_v2="System.Object[]"), "participants_v2 of the record"),
        (record(session(person(ALED)), participants_v2=[{"id": "x"}]), "participant 1 names nobody"),
        (record(session(person(ALED)), participants_v2=[{"identity": {"user": "@{id=x}"}}]), "user of participant 1"),
        (record(session(person(ALED)), organizer_v2={"identity": "@{}"}), "identity of the organiser"),
        (record(session({"AdditionalProperties": person(ALED)})), "AdditionalProperties"),
        (record(session(person(ALED) | {"additionalData": {"name": "x"}})), "additionalData"),
        (record(session(person(ALED) | {"additional_data": {"name": "x"}})), "additional_data"),
        (record(session({"identity": {"application": "@{id=x}"}, "associatedIdentity": ALED})), "application of the"),
        (record(session(person(ALED)), Id="cccccccc"), "twice"),
        (record(startDateTime="2026-11-03T14:05:00"), "startDateTime of the record has neither Z nor an offset"),
        (record(session(person(ALED), startDateTime="2026-11-03T14:05:00")), "startDateTime of session 1 has neither"),
        (record(session(person(ALED)), startDateTime="1999-11-03T14:05:00Z"), "times cannot be right"),
        ({"id": "r", "attendanceRecords": []}, "attendance report"),
        ({"id": "r", "recordingContentUrl": "https://x"}, "a recording"),
        ({"value": [session(person(ALED))]}, "parts of a call record"),
        (session(person(ALED)), "parts of a call record"),
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
            part[steps[-1]] = copy.deepcopy(value)  # two changes may have one list, and no JSON holds itself
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


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-03T14:05:00Z",
        "2026-11-03T15:05:00+01:00",
        "/Date(1793714700000)/",
        "/Date(1793714700000+0100)/",
        {"value": "/Date(1793714700000)/", "DisplayHint": 2, "DateTime": "Tuesday 3 November 2026 14:05:00"},
    ],
)
def test_read_call_reads_times_as_graph_and_powershell_write_them(written: Any) -> None:
    read = read_call(record(session(person(ALED)), startDateTime=written))
    assert read.started_at == datetime(2026, 11, 3, 14, 5, tzinfo=UTC)


def spelt(part: Any, spell: Callable[[str], str]) -> Any:
    """A JSON value with its keys in another spelling."""
    if isinstance(part, dict):
        return {spell(key): spelt(value, spell) for key, value in part.items()}
    return [spelt(value, spell) for value in part] if isinstance(part, list) else part


@pytest.mark.parametrize("spell", [str.upper, str.lower, lambda key: key[:1].upper() + key[1:].replace("_v2", "V2")])
def test_read_call_reads_keys_in_any_spelling(spell: Callable[[str], str]) -> None:
    whole = read_call(WHOLE)
    respelt = read_call(spelt(WHOLE, spell) | {"AdditionalProperties": {"@odata.context": "x"}}, whole.original)
    assert respelt == whole


def test_read_call_reads_ids_in_any_case() -> None:
    assert read_call(record(session(person(ALED)), id="CCCC-1")).id == "cccc-1"
