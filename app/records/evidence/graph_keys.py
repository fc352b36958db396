"""Checks the keys of a record of Graph: how they are spelt, and whether they show that parts are missing."""

import re
from typing import Any

from app.records.evidence.graph_objects import UnreadableObjectError

_NAMES = (
    "@odata.type",
    "id",
    "version",
    "type",
    "startDateTime",
    "endDateTime",
    "joinWebUrl",
    "organizer",
    "organizer_v2",
    "participants",
    "participants_v2",
    "sessions",
    "isTest",
    "failureInfo",
    "stage",
    "caller",
    "callee",
    "segments",
    "media",
    "label",
    "streams",
    "streamDirection",
    "packetUtilization",
    "userAgent",
    "role",
    "associatedIdentity",
    "identity",
    "userPrincipalName",
    "tenantId",
    "userIdentityType",
    "identityType",
    "endpointType",
    "user",
    "guest",
    "phone",
    "acsUser",
    "azureCommunicationServicesUser",
    "spoolUser",
    "onPremises",
    "encrypted",
    "application",
    "device",
    "value",
    "createdDateTime",
    "callId",
    "meetingOrganizer",
    "meetingOrganizerId",
    "recordingContentUrl",
    "transcriptContentUrl",
    "expirationDateTime",
    "attendanceReports",
    "attendanceRecords",
    "attendanceIntervals",
    "meetingStartDateTime",
    "meetingEndDateTime",
    "totalParticipantCount",
    "emailAddress",
    "joinDateTime",
    "leaveDateTime",
    "@odata.context",
)
_SPELT = {name.replace("_", "").lower(): name for name in _NAMES} | dict.fromkeys(
    ("odatatype", "odata.type", "@odatatype"), "@odata.type"
)
_LISTS = ("attendanceRecords", "sessions", "segments", "participants", "participants_v2")
_ANNOTATIONS = ("@odata.context", "@odata.etag", "@odata.id")
# The key of a link to the next page, in any spelling that programs use. The first group is the list that goes on there,
# if the key names it.
_NEXT_LINK = re.compile(r"(.*?)[@._]*(?:odata)?[._]*next[._]?link", re.IGNORECASE | re.DOTALL)

# The kinds of key: in Graph's spelling, in another, a link to the next page, and a place where a program puts the rest.
_FINE, _RESPELT, _LINK, _REST = range(4)
_MANY = 10_000


class _Kinds(dict[str, int]):
    """The kind of each key that has occurred so far, found when it is first asked for."""

    def __missing__(self, key: str) -> int:
        kind = _classify(key)
        if len(self) < _MANY:
            self[key] = kind
        return kind


def _classify(key: str) -> int:
    if _NEXT_LINK.fullmatch(key):
        return _LINK
    if key.replace("_", "").lower() in ("additionalproperties", "additionaldata"):
        return _REST
    return _RESPELT if _spell(key) != key else _FINE


def _spell(key: str) -> str:
    return _SPELT.get(key.replace("_", "").lower(), key)


def has_next_page(page: dict[str, Any]) -> bool:
    """Whether Graph has another page after this one."""
    return any(value is not None and _NEXT_LINK.fullmatch(key) for key, value in page.items())


_kinds = _Kinds()


def check_keys(record: dict[str, Any]) -> dict[str, Any]:
    """The record with its keys in Graph's spelling. UnreadableObjectError if Graph has more pages of it, or if the
    program that saved it put parts of it under a key of its own."""
    is_respelt = False
    parts: list[Any] = [record]
    while parts:
        part = parts.pop()
        if type(part) is list:
            parts += part
        elif type(part) is dict:
            for key, value in part.items():
                kind = _kinds[key]
                if kind:
                    is_respelt = is_respelt or kind == _RESPELT
                    _check_key(key, kind, value)
                if type(value) is dict or type(value) is list:
                    parts.append(value)
    if not is_respelt:
        return record
    try:
        spelt: dict[str, Any] = _respell(record)
    except RecursionError:
        raise UnreadableObjectError("it is nested too deeply") from None
    return spelt


def _check_key(key: str, kind: int, value: Any) -> None:
    if kind == _LINK and value is not None:
        found = _NEXT_LINK.fullmatch(key)
        what = _spell(found[1]) if found else ""
        raise UnreadableObjectError(
            f"it is not whole: a next link leads to more of its {what if what in _LISTS else 'content'}",
            "fetch the rest of its pages as well, and put them into the record",
        )
    if kind == _REST and value and not (type(value) is dict and value.keys() <= set(_ANNOTATIONS)):
        raise UnreadableObjectError(
            f"it is damaged: parts of it are in {key}, where a program put what it did not know",
            "fetch it as JSON and save it as it comes: in PowerShell with Invoke-MgGraphRequest -OutputType Json",
        )


def _respell(part: Any) -> Any:
    if type(part) is list:
        return [_respell(entry) for entry in part]
    if type(part) is not dict:
        return part
    spelt = {_spell(key): _respell(value) for key, value in part.items()}
    if len(spelt) != len(part):
        raise UnreadableObjectError("it is damaged: a key is in it twice, in different spellings", "keep one of them")
    return spelt
