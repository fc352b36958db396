"""Whatever an export does to a call record: it is refused, or judged as the whole record is, and never better."""

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from app.protocol.evidence import COLUMNS, Evidence
from app.protocol.judge import judge
from app.records.evidence.calls import Call, is_session, read_call
from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.people.roster import Roster
from tests.conftest import SETTINGS
from tests.records.evidence.shapes import ALED, MAIR, NOW, SERVICE, TENANT, at, person, record, session, video

BETHAN = {"id": "bbbbbbbb-0000-4000-8000-000000000003", "displayName": "Bethan Rees", "tenantId": TENANT}
BOT = {"@odata.type": "#microsoft.graph.azureApplicationInstanceIdentity", "id": "b", "displayName": "A bot"}
PEOPLE = {"mair.howell@school.example": MAIR, "aled.pugh@pupils.example": ALED, "bethan.rees@pupils.example": BETHAN}
ROSTER = Roster(
    staff={"mair.howell@school.example": 1},
    pupils={"aled.pugh@pupils.example": 11, "bethan.rees@pupils.example": 12},
    staff_entra={MAIR["id"]: 1},
    pupil_entra={ALED["id"]: 11, BETHAN["id"]: 12},
)


def leg(who: dict[str, Any], begun: str, ended: str, *filmed: str, **more: Any) -> dict[str, Any]:
    """Somebody's session with the meeting service; `filmed`: from when to when their camera was on."""
    address = next(address for address, one in PEOPLE.items() if one is who)
    end = person(who | {"userPrincipalName": address}) | {"userAgent": {"platform": "windows"}}
    times = {"startDateTime": at(begun), "endDateTime": at(ended)}
    sent = {"startDateTime": at(filmed[0]), "endDateTime": at(filmed[1])} if filmed else {}
    audio = {"label": "main-audio", "streams": [{"streamId": "2", "streamDirection": "callerToCallee"}]}
    media = [audio, video("callerToCallee", packetUtilization=900, **sent)] if filmed else [audio]
    segments = [{"id": "s", **times, "caller": end, "callee": SERVICE, "failureInfo": None, "media": media}]
    return session(end, SERVICE, id=f"{begun}-{who['id']}", **times, segments=segments) | {"failureInfo": None} | more


def whole(*sessions: Any, **more: Any) -> dict[str, Any]:
    listed = [{"id": one["id"], "identity": {"user": one}} for one in (MAIR, ALED, BETHAN)]
    return record(*sessions, participants_v2=listed, **more)


def without_media(session: dict[str, Any]) -> dict[str, Any]:
    return session | {"segments": [segment | {"media": []} for segment in session["segments"]]}


def reversed_ends(session: dict[str, Any]) -> dict[str, Any]:
    ends = {"caller": session["callee"], "callee": session["caller"]}
    return session | {"segments": [segment | ends for segment in session["segments"]]}


RECORDS = [
    whole(  # the pupils came first and stayed longer, and one had the camera off for half of the time
        leg(MAIR, "14:10:00", "14:20:00", "14:10:00", "14:20:00"),
        leg(ALED, "14:05:00", "14:35:00", "14:05:00", "14:20:00"),
        leg(BETHAN, "14:06:00", "14:35:00", "14:06:00", "14:35:00"),
    ),
    whole(  # all in order, after a call that nobody answered
        leg(MAIR, "14:00:00", "14:00:30", failureInfo={"stage": "callSetup", "reason": "x"}),
        leg(MAIR, "14:05:00", "14:35:00", "14:05:00", "14:35:00"),
        leg(ALED, "14:06:00", "14:30:00", "14:06:00", "14:30:00"),
        leg(BETHAN, "14:06:00", "14:30:00", "14:06:00", "14:30:00"),
    ),
    whole(  # the teacher's connection failed, and the pupils were alone afterwards
        leg(MAIR, "14:05:00", "14:35:00")
        | {
            "failureInfo": {"stage": "midcall", "reason": "x"},
            "segments": leg(MAIR, "14:05:00", "14:15:00")["segments"],
        },
        leg(ALED, "14:05:00", "14:35:00"),
        leg(BETHAN, "14:05:00", "14:35:00"),
    ),
    record(  # a pupil rang the teacher
        session(person(ALED), person(MAIR)) | {"failureInfo": None}, type="peerToPeer", joinWebUrl=None
    ),
    whole(  # a pupil's camera is not known, and another pupil is only listed
        leg(MAIR, "14:05:00", "14:35:00", "14:05:00", "14:35:00"),
        without_media(leg(ALED, "14:06:00", "14:20:00")),
        leg(ALED, "14:20:05", "14:30:00", "14:20:05", "14:30:00"),
    ),
    record(  # only bots and services were with the pupils, in a room of the teacher's
        session(SERVICE | {"userAgent": {"role": "autoAttendant"}}, SERVICE, id="attendant") | {"failureInfo": None},
        session(person(BOT), SERVICE, id="bot") | {"failureInfo": None},
        leg(ALED, "14:05:00", "14:35:00", "14:05:00", "14:35:00"),
        leg(BETHAN, "14:05:00", "14:30:00", "14:05:00", "14:30:00"),
        participants_v2=[{"id": one["id"], "identity": {"user": one}} for one in (ALED, BETHAN)],
    ),
    whole(  # a pupil's segments have the ends of the session the other way round, and only receive
        leg(MAIR, "14:05:00", "14:35:00", "14:05:00", "14:35:00"),
        reversed_ends(leg(ALED, "14:05:00", "14:35:00", "14:05:00", "14:35:00")),
        leg(BETHAN, "14:05:00", "14:35:00", "14:05:00", "14:35:00"),
    ),
]


DAY = pd.Timestamp("2020-09-01")
TEACHER = {"from_day": DAY, "department": "Art", "roles": "teacher", "year_groups": "", "houses": ""}


def outcomes(calls: list[Call]) -> list[dict[str, str]]:
    """How each call is judged by itself, with a log that leaves everything blank: the outcomes by clause."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
    for number, call in enumerate(calls):
        first = 100 * number  # of the ids of people and logs, so that no call matches another's log

        def ids(one: Any, first: int = first) -> dict[str, Any]:
            found = zip(("staff_id", "pupil_id"), ROSTER.find_ids(one.entra_id, one.upn), strict=True)
            return asdict(one) | {name: known and first + known for name, known in found}

        organiser, _ = ROSTER.find_ids(call.organiser_id, call.organiser_upn)
        of_call, pupils = {"call_id": str(number)}, (first + 11, first + 12)
        held = {"staff_id": first + 1, "started_at": call.started_at, "ended_at": call.ended_at}
        rows["logs"].append(held | {"log_id": first, "ref": str(number), "purpose": "academic"})
        rows["log_pupils"] += [{"log_id": first, "pupil_id": pupil} for pupil in pupils]
        facts = {name: getattr(call, name, None) for name in COLUMNS["calls"]} | of_call
        rows["calls"].append(facts | {"organiser_staff_id": organiser and first + organiser})
        rows["stays"] += [ids(stay) | of_call for stay in call.stays]
        rows["videos"] += [asdict(one) | of_call for one in call.videos]
        rows["listed"] += [ids(one) | of_call for one in call.listed]
        rows["staff"].append({"staff_id": first + 1, "name": "Mair", "school": "SEN", "senior": True} | TEACHER)
        rows["pupils"] += [{"pupil_id": pupil, "from_day": DAY, "name": "A pupil"} for pupil in pupils]
        rows["letters"] += [{"pupil_id": pupil, "kind": "introduction", "sent_on": DAY} for pupil in pupils]
    frames = {
        name: pd.DataFrame(some, columns=list(COLUMNS[name])).astype(COLUMNS[name]) for name, some in rows.items()
    }
    judged = judge(Evidence(**frames), SETTINGS.model_copy(update={"tenant_id": TENANT}), NOW)
    assert (judged.sessions["call_id"].notna() & judged.sessions["log_id"].notna()).all()
    table = judged.table()
    found: list[dict[str, str]] = [{} for _ in calls]
    numbers = table["session"].map(judged.sessions["log_id"] // 100)
    for number, clause, outcome in zip(numbers, table["clause"], table["outcome"], strict=True):
        found[number][clause] = outcome
    return found


WHOLE = outcomes([read_call(one) for one in RECORDS])

# What Graph itself leaves out or leaves blank, so that its absence says nothing.
OPTIONAL = {"failureInfo", "organizer_v2", "participants_v2", "packetUtilization"}


def places(part: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a JSON value."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        yield (*way, key)
        yield from places(value, (*way, key))


def fails_without_segments(part: Any, key: Any) -> bool:
    """Whether it would be a session that failed, without segments: then the session itself says how long it was."""
    return key == "segments" and bool(part.get("failureInfo"))


def drop(part: Any, key: Any) -> None:
    is_as_in_teams = key == "endDateTime" and "streamId" in part  # a stream without both times
    is_last = isinstance(part, list) and len(part) == 1  # `empty` does the same
    is_listed = isinstance(part, list) and isinstance(part[key], dict) and "identity" in part[key]
    if not (key in OPTIONAL or is_as_in_teams or is_last or is_listed or fails_without_segments(part, key)):
        del part[key]


def empty(part: Any, key: Any) -> None:
    is_optional = key in OPTIONAL and isinstance(part[key], list)
    if isinstance(part[key], dict | list) and not (is_optional or fails_without_segments(part, key)):
        part[key] = type(part[key])()


def cut(part: Any, key: Any) -> None:
    if isinstance(part[key], dict | list):
        part[key] = "System.Object[]" if isinstance(part[key], list) else "@{id=x; name=y}"


def repeat(part: Any, key: Any) -> None:
    if isinstance(part, list):
        part.append(copy.deepcopy(part[key]))


def respell(part: Any, key: Any) -> None:
    if isinstance(key, str):
        part[key.upper()] = part.pop(key)


def shout(part: Any, key: Any) -> None:
    if key in ("id", "type", "label", "streamDirection", "stage", "userPrincipalName", "@odata.type"):
        part[key] = part[key].upper()


def cut_off(part: Any, key: Any) -> None:
    """The rest of a list is on a further page."""
    if isinstance(part[key], list) and isinstance(key, str):
        part[f"{key}@odata.nextLink"] = "https://graph.microsoft.com/v1.0/x"
        del part[key][1:]


def set_aside(part: Any, key: Any) -> None:
    if isinstance(part, dict):
        part.setdefault("AdditionalProperties", {})[key] = part.pop(key)


# Where they apply.
CHANGES: list[Callable[[Any, Any], None]] = [drop, empty, cut, repeat, respell, shout, cut_off, set_aside]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[int, Any]:
    """One of the records, by its number, after up to three changes."""
    number = draw(st.sampled_from(range(len(RECORDS))))
    told = copy.deepcopy(RECORDS[number])
    for _ in range(draw(st.integers(1, 3))):
        *way, key = draw(st.sampled_from(list(places(told))))
        part = told
        for step in way:
            part = part[step]
        draw(st.sampled_from(CHANGES))(part, key)
    return number, told


@settings(max_examples=15)
@given(st.lists(damaged(), min_size=20, max_size=20))
def test_read_call_of_a_damaged_record_is_judged_no_better_than_the_whole(records: list[tuple[int, Any]]) -> None:
    read: list[tuple[int, Call]] = []
    for number, told in records:
        with suppress(UnreadableObjectError):
            read.append((number, read_call(told)))
    assert all(is_session(call, ROSTER, TENANT) for _, call in read)
    for (number, _), judged in zip(read, outcomes([call for _, call in read]), strict=True):
        good = {clause for clause, outcome in judged.items() if outcome in ("met", "exempt")}
        assert good <= {clause for clause, outcome in WHOLE[number].items() if outcome in ("met", "exempt")}
