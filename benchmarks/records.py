"""Reading call records, compared with parsing the same bytes as JSON in the same run.

The records have the size and the structure of Microsoft Graph's: group calls of a teacher and some pupils, with a
session for each, its devices and networks, and one segment with audio, camera and shared screen.
"""

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from app.records.evidence.calls import read_call

_START = datetime(2026, 3, 3, 9, tzinfo=UTC)


def _stamp(seconds: float, start: datetime = _START) -> str:
    return f"{start + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.1234567Z"


def _stream(direction: str, number: int) -> dict[str, Any]:
    return {
        "streamId": str(1504545584 + number),
        "streamDirection": direction,
        "startDateTime": None,
        "endDateTime": None,
        "averageAudioDegradation": None,
        "averageJitter": "PT0.016S",
        "maxJitter": "PT0.021S",
        "averagePacketLossRate": 0.0,
        "maxPacketLossRate": 0.0,
        "averageRoundTripTime": "PT0.061S",
        "maxRoundTripTime": "PT0.079S",
        "packetUtilization": 67 + number,
        "averageBandwidthEstimate": 9965083,
        "wasMediaBypassed": False,
        "postForwardErrorCorrectionPacketLossRate": None,
        "averageVideoFrameLossPercentage": None,
        "averageReceivedFrameRate": None,
        "lowFrameRateRatio": None,
        "averageVideoPacketLossRate": None,
        "averageVideoFrameRate": None,
        "lowVideoProcessingCapabilityRatio": None,
        "averageAudioNetworkJitter": "PT0.043S",
        "maxAudioNetworkJitter": "PT0.046S",
        "rmsFreezeDuration": None,
        "averageFreezeDuration": None,
        "isAudioForwardErrorCorrectionUsed": None,
        "averageRatioOfConcealedSamples": None,
        "maxRatioOfConcealedSamples": None,
        "audioCodec": "unknown",
        "videoCodec": "unknown",
    }


def media_with_telemetry(label: str) -> dict[str, Any]:
    """What Teams reports about one medium of a session. Most bytes of a record are such figures."""
    network = {
        "ipAddress": "10.150.0.2",
        "subnet": "10.150.0.0",
        "linkSpeed": 54000000,
        "connectionType": "wifi",
        "port": 27288,
        "reflexiveIPAddress": "198.51.100.7",
        "relayIPAddress": "192.0.2.89",
        "relayPort": 10100,
        "macAddress": "00-00-00-00-00-00",
        "wifiMicrosoftDriver": "A wireless driver",
        "dnsSuffix": None,
        "sentQualityEventRatio": 0.31,
        "receivedQualityEventRatio": 0.27,
        "delayEventRatio": 0.0,
        "bandwidthLowEventRatio": 0.0,
    }
    device = {
        "captureDeviceName": "Default input device",
        "captureDeviceDriver": "Audio driver 1.2",
        "renderDeviceName": "Default output device",
        "renderDeviceDriver": "Audio driver 1.2",
        "sentSignalLevel": -14,
        "receivedSignalLevel": -10,
        "sentNoiseLevel": -55,
        "receivedNoiseLevel": -68,
        "speakerGlitchRate": 3.0,
        "micGlitchRate": 23.0,
    }
    return {
        "label": label,
        "callerNetwork": network,
        "calleeNetwork": network,
        "callerDevice": device,
        "calleeDevice": device,
        "streams": [_stream("callerToCallee", 1), _stream("calleeToCaller", 2)],
    }


def _session(call: int, place: int, person: int, start: datetime) -> dict[str, Any]:
    times = {"startDateTime": _stamp(place, start), "endDateTime": _stamp(2400 + place, start)}
    identity = {
        "@odata.type": "#microsoft.graph.communicationsUserIdentity",
        "id": f"{person:08d}-0000-0000-0000-00000000abcd",
        "displayName": f"Person {person}",
        "tenantId": "00000000-0000-0000-0000-000000000001",
        "userPrincipalName": f"person{person}@school.example",
    }
    media = [media_with_telemetry(label) for label in ("main-audio", "main-video", "vbss")]
    return {
        "id": f"{call:08d}-0000-0000-0000-{person:012d}",
        "modalities": ["audio", "video"],
        **times,
        "isTest": False,
        "failureInfo": None,
        "caller": {
            "@odata.type": "#microsoft.graph.callRecords.participantEndpoint",
            "name": f"machine-{person}",
            "userAgent": {
                "@odata.type": "#microsoft.graph.callRecords.clientUserAgent",
                "headerValue": "CallSignallingAgent (27/1.0.0.0//1.0;release)",
                "platform": "windows",
                "productFamily": "teams",
            },
            "associatedIdentity": identity,
        },
        "callee": {
            "@odata.type": "#microsoft.graph.callRecords.serviceEndpoint",
            "userAgent": {"headerValue": "MediaController", "role": "mediationServerCallController"},
        },
        "segments": [{"id": f"segment-{person}", **times, "failureInfo": None, "media": media}],
    }


def record(call: int, people: Sequence[int], start: datetime = _START) -> dict[str, Any]:
    """The record of a group call. The first of the people organised it."""
    first = {"id": f"{people[0]:08d}-0000-0000-0000-00000000abcd", "tenantId": "00000000-0000-0000-0000-000000000001"}
    return {
        "id": f"{call:08d}-1111-1111-1111-111111111111",
        "version": 1,
        "type": "groupCall",
        "modalities": ["audio", "video"],
        "startDateTime": _stamp(0, start),
        "endDateTime": _stamp(2500, start),
        "lastModifiedDateTime": _stamp(5000, start),
        "joinWebUrl": f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{call:08d}%40thread.v2/0",
        "organizer_v2": {"id": first["id"], "identity": {"user": first}},
        "participants_v2": [],
        "sessions": [_session(call, place, person, start) for place, person in enumerate(people)],
    }


def quickest(work: Callable[[], object]) -> float:
    """The seconds that the quickest of five runs took."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def measure(calls: int = 200, people: int = 6) -> float:
    """The time to parse the JSON and read the records, divided by the time to parse it alone."""
    written = [json.dumps(record(call, range(people))).encode() for call in range(calls)]
    parsing = quickest(lambda: [json.loads(one) for one in written])
    reading = quickest(lambda: [read_call(json.loads(one)) for one in written])
    return reading / parsing


if __name__ == "__main__":
    print(f"Reading call records takes {measure():.1f} times as long as parsing their JSON (at most 5).")
