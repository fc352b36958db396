"""Call records, recordings, attendance reports and calendar events in the format of Microsoft Graph.

Teams gives no start and end of streams; a room system that joins by SIP does. All times have seven decimals. The
telemetry of devices and networks, which the program does not read, is left out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.demo.calendar import TENANT
from app.demo.chance import Chance
from app.demo.people import Row

Json = dict[str, Any]

_TYPE = "#microsoft.graph.callRecords."
_SERVICE = {
    "@odata.type": f"{_TYPE}serviceEndpoint",
    "userAgent": {"@odata.type": f"{_TYPE}serviceUserAgent", "role": "mcu"},
}
_CLIENTS = [
    {"@odata.type": f"{_TYPE}clientUserAgent", "platform": platform, "productFamily": "teams"}
    for platform in ("windows", "macOS", "chromeOS", "iPadOS", "android")
]


@dataclass(frozen=True)
class Leg:
    """One device's time in a meeting. `person` is a row of the roster, or None for a visitor without a name."""

    person: Row | None
    joined: datetime
    left: datetime
    camera: bool = True
    filmed: float | None = None  # for a room system: the share of the time with the camera on
    shares_screen: bool = False
    details: bool = True  # whether Teams reports audio and video


def _as_identity(person: Row) -> Json:
    return {
        "id": person["entra_id"],
        "displayName": person["name"],
        "tenantId": TENANT,
        "userPrincipalName": person["email"],
    }


def _as_time(at: datetime, chance: Chance) -> str:
    """A time as Graph writes it: UTC, with seven decimals, one more than a datetime holds."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}{chance.whole(0, 9)}Z"


def create_meeting(
    chance: Chance, organiser: Row, legs: list[Leg], *, in_channel: bool = False, recorded: bool = False
) -> Json:
    """A group call: one session for each leg, between the participant and the meeting service. Its list of participants
    names those who took part, never those who were only invited."""
    thread = f"19:{chance.uuid()}@thread.tacv2" if in_channel else f"19:meeting_{chance.uuid()}@thread.v2"
    sessions = [_create_session(chance, chance.uuid(), leg) | {"callee": _SERVICE} for leg in legs]
    if recorded:
        sessions.append(_create_recorder(sessions[0], chance))
    link = thread.replace(":", "%3a").replace("@", "%40")
    people = {leg.person["entra_id"]: leg.person for leg in legs if leg.person}
    return _record(chance, "groupCall", chance.uuid(), sessions, organiser, list(people.values())) | {
        "joinWebUrl": f"https://teams.microsoft.com/l/meetup-join/{link}/0?context=%7b%22Tid%22%3a%22{TENANT}%22%7d"
    }


def create_peer_to_peer_call(chance: Chance, caller: Leg, callee: Leg) -> Json:
    """A call from one person to another. It has one session, whose id is the call's."""
    assert caller.person
    assert callee.person
    call_id = chance.uuid()
    session = _create_session(chance, call_id, caller) | {"callee": _end(chance, callee)}
    video = session["segments"][0]["media"][1]
    sent = {"callerToCallee": caller.camera, "calleeToCaller": callee.camera}
    video["streams"] = [_create_stream(chance, direction) for direction, on in sent.items() if on]
    people = [caller.person, callee.person]
    return _record(chance, "peerToPeer", call_id, [session], caller.person, people) | {"joinWebUrl": None}


def create_recording(chance: Chance, call: Json, organiser: Row, started: datetime, ended: datetime) -> Json:
    """The recording of a meeting or of an unscheduled call; it expires after sixty days. A meeting's recording does not
    always name the call; organiser and time identify it then."""
    is_meeting = call["type"] == "groupCall"
    return {
        "@odata.type": "#microsoft.graph.callRecording",
        "id": f"MSMjMCMj{chance.uuid()}",
        "meetingId": f"MSpkYzE3{chance.uuid()}" if is_meeting else None,
        "callId": call["id"] if chance.often(0.9) or not is_meeting else None,
        "createdDateTime": _as_time(started, chance),
        "endDateTime": _as_time(ended, chance),
        "recordingContentUrl": f"https://afonwen-my.sharepoint.example/recordings/{chance.uuid()}.mp4",
        "expirationDateTime": _as_time(ended + timedelta(days=60), chance),
        "meetingOrganizer": {"application": None, "device": None, "user": _as_identity(organiser)},
    }


def create_event(chance: Chance, call: Json, invited: list[Row], times: tuple[datetime, datetime, datetime]) -> Json:
    """A meeting as an event in its organiser's calendar. `times` are when it was last changed, when it begins and when
    it ends."""
    changed, begins, ends = times
    key = chance.uuid()
    return {
        "id": f"AAMkAG{key}",
        "iCalUId": f"040000008200E00074C5B7101A82E008{key}",
        "createdDateTime": _as_time(changed, chance),
        "lastModifiedDateTime": _as_time(changed, chance),
        "isCancelled": False,
        "isOnlineMeeting": True,
        "isOrganizer": True,
        "start": {"dateTime": f"{begins:%Y-%m-%dT%H:%M:%S.0000000}", "timeZone": "UTC"},
        "end": {"dateTime": f"{ends:%Y-%m-%dT%H:%M:%S.0000000}", "timeZone": "UTC"},
        "organizer": {"emailAddress": _as_address(call["organizer_v2"]["identity"]["user"])},
        "attendees": [
            {"type": "required", "status": {"response": "none"}, "emailAddress": _as_address(_as_identity(person))}
            for person in invited
        ],
        "onlineMeeting": {"joinUrl": call["joinWebUrl"]},
    }


def _as_address(identity: Json) -> Json:
    return {"name": identity["displayName"], "address": identity["userPrincipalName"]}


def create_report(chance: Chance, call: Json, legs: list[Leg]) -> Json:
    """A meeting's attendance report, inside the meeting as Graph returns it. `legs` are those whom it lists."""
    times = [moment for leg in legs for moment in (leg.joined, leg.left)]
    people = [(leg, leg.person) for leg in legs if leg.person]
    report = {
        "id": chance.uuid(),
        "totalParticipantCount": len(people),
        "meetingStartDateTime": _as_time(min(times), chance),
        "meetingEndDateTime": _as_time(max(times), chance),
        "attendanceRecords": [
            {
                "id": person["entra_id"],
                "emailAddress": person["email"],
                "totalAttendanceInSeconds": round((leg.left - leg.joined).total_seconds()),
                "role": "Organizer" if person["entra_id"] == call["organizer_v2"]["id"] else "Attendee",
                "identity": _as_identity(person),
                "attendanceIntervals": [
                    {"joinDateTime": _as_time(leg.joined, chance), "leaveDateTime": _as_time(leg.left, chance)}
                ],
            }
            for leg, person in people
        ],
    }
    return {"joinWebUrl": call["joinWebUrl"], "attendanceReports": [report]}


def add_participant(call: Json, person: Row) -> Json:
    """The record with one more person on its list of participants; nothing else in it mentions them."""
    return call | {"participants_v2": [*call["participants_v2"], _as_participant(person)]}


def create_earlier_version(call: Json) -> Json:
    """The record as Graph returned it before the last participant's client had reported."""
    return call | {"version": call["version"] - 1, "sessions": call["sessions"][:-1]}


def _record(chance: Chance, kind: str, call_id: str, sessions: list[Json], organiser: Row, people: list[Row]) -> Json:
    started = min(session["startDateTime"] for session in sessions)
    ended = max(session["endDateTime"] for session in sessions)
    changed = datetime.fromisoformat(ended) + timedelta(minutes=chance.between(15, 60))
    return {
        "id": call_id,
        "version": chance.one((1, 1, 1, 2, 2, 3)),
        "type": kind,
        "modalities": ["audio", "video"],
        "lastModifiedDateTime": _as_time(changed, chance),
        "startDateTime": started,
        "endDateTime": ended,
        "organizer_v2": {"id": organiser["entra_id"], "identity": {"user": _as_identity(organiser)}},
        "participants_v2": [_as_participant(person) for person in people],
        "sessions": sessions,
    }


def _as_participant(person: Row) -> Json:
    return {"id": person["entra_id"], "identity": {"user": _as_identity(person)}, "administrativeUnitInfos": []}


def _create_session(chance: Chance, session_id: str, leg: Leg) -> Json:
    started, ended = _as_time(leg.joined, chance), _as_time(leg.left, chance)
    video = [_create_stream(chance, "calleeToCaller")]
    if leg.filmed is not None:
        until = leg.joined + (leg.left - leg.joined) * leg.filmed
        video.append(_create_stream(chance, "callerToCallee", started, _as_time(until, chance)))
    elif leg.camera:
        video.append(_create_stream(chance, "callerToCallee"))
    heard = [_create_stream(chance, direction) for direction in ("callerToCallee", "calleeToCaller")]
    media = [{"label": "main-audio", "streams": heard}, {"label": "main-video", "streams": video}]
    if leg.shares_screen:
        media.append({"label": "vbss", "streams": [_create_stream(chance, "callerToCallee")]})
    return {
        "id": session_id,
        "modalities": ["audio", "video", "screenSharing"] if leg.shares_screen else ["audio", "video"],
        "startDateTime": started,
        "endDateTime": ended,
        "isTest": False,
        "failureInfo": None,
        "caller": _end(chance, leg),
        "segments": [
            {
                "id": session_id,
                "startDateTime": started,
                "endDateTime": ended,
                "failureInfo": None,
                "media": media if leg.details else [],
            }
        ],
    }


def _end(chance: Chance, leg: Leg) -> Json:
    known = _as_identity(leg.person) if leg.person else {"id": f"teamsvisitor:{chance.uuid()}", "displayName": None}
    return {
        "@odata.type": f"{_TYPE}participantEndpoint",
        "name": None,
        "userAgent": chance.one(_CLIENTS),
        "associatedIdentity": known,
    }


def _create_stream(chance: Chance, direction: str, started: str | None = None, ended: str | None = None) -> Json:
    return {
        "streamId": str(chance.whole(1, 2**31)),
        "streamDirection": direction,
        "startDateTime": started,
        "endDateTime": ended,
        "packetUtilization": chance.whole(2_000, 90_000),
    }


def _create_recorder(like: Json, chance: Chance) -> Json:
    """The session of the recording bot, which is not a person."""
    ends = {
        "@odata.type": f"{_TYPE}participantEndpoint",
        "identity": {"applicationInstance": {"id": chance.uuid(), "displayName": "Recorder"}},
        "associatedIdentity": None,
    }
    return like | {"id": chance.uuid(), "caller": ends, "segments": []}
