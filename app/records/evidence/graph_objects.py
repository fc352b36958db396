"""Reads what Microsoft Graph's objects have in common: texts, times and identities.

Objects are read by hand, not by a typed model: Graph adds values and leaves out whole parts, and reading should be
about as fast as parsing the JSON. What an export has cut off must not look as if it never happened, so anything else in
place of an object or a list is an UnreadableObjectError. Unknown keys and words are ignored.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

EXPORT_AGAIN = (
    "export it again, with every part written out: in PowerShell Invoke-MgGraphRequest with ConvertTo-Json -Depth 20"
)
WRITE_UTC = "write times in UTC, as 2026-11-10T10:00:00Z"
_MAX_ID = 200  # characters; the store has no room for a longer id, so it counts as missing


class UnreadableObjectError(ValueError):
    """An object of an unexpected form, or that is not JSON. The message gives the reason, `fix` says what to do;
    neither contains any of the content. `fix` is "" if there is nothing better than to correct the object or fetch it
    again."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


def damaged(what: str) -> UnreadableObjectError:
    """The error for an object of which an export cut off a part."""
    return UnreadableObjectError(f"it is damaged: {what}", EXPORT_AGAIN)


def to_json(record: dict[str, Any]) -> bytes:
    """An object as JSON, to be stored. UnreadableObjectError if it is nested too deeply."""
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    except RecursionError:
        raise UnreadableObjectError("it is nested too deeply") from None


@dataclass(frozen=True)
class Identity:
    """The identity of a person. `key` is unique within a call; `kind` is user, guest, phone, acs or unknown. Ids and
    addresses are in lower case."""

    key: str
    kind: str
    entra_id: str | None
    upn: str | None
    tenant: str | None


def read_text(value: Any, longest: int = _MAX_ID) -> str | None:
    """Read a text without surrounding blanks; None if it is not text, is empty, is too long or cannot be stored."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > longest or not (text.isprintable() or _is_storable(text)):
        return None
    return text


def _is_storable(value: str) -> bool:
    """Whether a database accepts a text: it must contain neither surrogates nor NUL."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def read_lower(value: Any, longest: int = _MAX_ID) -> str | None:
    text = read_text(value, longest)
    return text.lower() if text else None


def read_word(holder: Mapping[str, Any], name: str, what: str) -> str:
    """Read an enum value of Graph in lower case; "" if there is none. UnreadableObjectError if it is not text: some
    exporters write a number, which does not show the value."""
    value = holder.get(name)
    if value is None:
        return ""
    if type(value) is not str:
        raise damaged(f"the {name} of {what} is not a word")
    return value.strip().lower()


_SECONDS = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


def read_time(holder: Mapping[str, Any], name: str, what: str = "the record") -> datetime | None:
    """Read a time, in UTC: either ISO 8601 with Z or an offset, whose decimals after the sixth are dropped, or
    /Date(milliseconds)/ as PowerShell writes it. None if there is none, or its year means that (Graph writes year 1).
    UnreadableObjectError if it is anything else."""
    value = holder.get(name)
    if type(value) is dict:
        value = value.get("value")  # PowerShell's object of a time
    if value is None:
        return None
    moment = _parse_time(value) if type(value) is str else None
    if moment is None:
        raise UnreadableObjectError(f"the {name} of {what} is not a time", WRITE_UTC)
    if moment.tzinfo is None:
        raise UnreadableObjectError(f"the {name} of {what} has neither Z nor an offset", WRITE_UTC)
    if not 1900 < moment.year < 2200:
        return None
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _parse_time(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        written = _SECONDS.fullmatch(value.strip())
    try:
        return _FIRST + timedelta(milliseconds=int(written[1])) if written else None
    except OverflowError:
        return None


def read_objects(holder: Mapping[str, Any], name: str, what: str) -> list[dict[str, Any]]:
    """Read a list of objects; empty if it is missing or null."""
    entries = holder.get(name)
    if entries is None:
        return []
    if type(entries) is not list:
        raise damaged(f"the {name} of {what} are not a list")
    for entry in entries:
        if type(entry) is not dict:
            raise damaged(f"one of the {name} of {what} is not an object")
    return entries


def read_object(holder: Mapping[str, Any], name: str, what: str) -> dict[str, Any] | None:
    """Read an object; None if it is missing or null."""
    value = holder.get(name)
    if value is not None and type(value) is not dict:
        raise damaged(f"the {name} of {what} is not an object")
    return value


# --- identities: current ones state their kind in `@odata.type` or `userIdentityType`, or not at all --------------

_PEOPLE = (
    ("user", "user"),
    ("guest", "guest"),
    ("phone", "phone"),
    ("acsUser", "acs"),
    ("azureCommunicationServicesUser", "acs"),
    ("spoolUser", "unknown"),
    ("onPremises", "user"),
    ("encrypted", "unknown"),
)
_NOT_PEOPLE = ("application", "device")
# An identity with only these keys is that of a user. Most are, and need no further checks.
_OF_USER = frozenset(("@odata.type", "id", "displayName", "tenantId", "userPrincipalName", "userIdentityType"))
_INSTANCE = "applicationinstance"  # the keys of all kinds of bots and recorders end with this
# Roles of services that relay somebody's voice; the identity says whose. With any other role, the end is a service
# itself.
_RELAYS = frozenset(
    ("gateway", "mediationserver", "mediationservercloudconnectoredition", "skypeforbusinessmicrosoftteamsgateway")
)


def read_endpoint(endpoint: Any, key: str, what: str) -> Identity | None:
    """Read the person at one end of a session; None for a service, a bot or a recorder. `key` is the person's key if
    they have neither id nor address."""
    if type(endpoint) is not dict:
        raise damaged(f"{what} is not an object")
    type_words = read_word(endpoint, "@odata.type", what)
    agent = read_object(endpoint, "userAgent", what) or {}
    identities = read_object(endpoint, "identity", what)
    identity = read_object(endpoint, "associatedIdentity", what)
    if "serviceendpoint" in type_words or (identities and _is_machine(identities, what)):
        return None
    role = read_word(agent, "role", what)
    if role and role not in _RELAYS:
        return None
    if identity:
        return read_identity(identity, key, what)
    if identities:
        return read_identity_set(identities, key, what)
    if "role" in agent or "serviceuseragent" in read_word(agent, "@odata.type", what):
        return None
    if identity is None and identities is None and endpoint.keys() & {"associatedIdentity", "identity"}:
        return Identity(key, "unknown", None, None, None)
    raise damaged(f"{what} does not say who it was")


def read_entry(entry: dict[str, Any], key: str, what: str = "the record") -> Identity | None:
    """Read the person of a current entry (`id`, `identity`) or of an old one (which is itself an identity set). If the
    identity has no id, the entry's own id is used."""
    if "identity" in entry:
        identities = read_object(entry, "identity", what)
        person = (
            Identity(key, "unknown", None, None, None)
            if identities is None
            else read_identity_set(identities, key, what)
        )
    else:
        person = read_identity_set(entry, key, what)
    entry_id = read_lower(entry.get("id"))
    if person is None or person.entra_id or entry_id is None:
        return person
    return replace(person, key=entry_id, entra_id=entry_id)


def read_identity_set(identities: dict[str, Any], key: str, what: str = "the record") -> Identity | None:
    """Read the person of an identity set, whose keys state the kind; None if it is not a person."""
    if _is_machine(identities, what):
        return None
    named = False
    for name, kind in _PEOPLE:
        identity = read_object(identities, name, what)
        if identity is not None:
            return read_identity(identity, key, what, kind)
        named = named or name in identities
    if not named and not any(type(identity) is dict for identity in identities.values()):
        raise damaged(f"{what} names nobody")
    return Identity(key, "unknown", None, None, None)


def _is_machine(identities: Mapping[str, Any], what: str) -> bool:
    """Whether an identity set is that of a bot, a recorder or a voicemail, or of an application or device without a
    user."""
    if str(identities.get("endpointType")).lower() == "voicemail":
        return True
    for name, identity in identities.items():
        if identity and name.replace("_", "")[-len(_INSTANCE) :].lower() == _INSTANCE:
            return type(identity) is not dict or _names_anybody(identity)
    if not any(map(identities.get, _NOT_PEOPLE)):
        return False
    if not any(_names_anybody(read_object(identities, name, what)) for name in _NOT_PEOPLE):
        return False
    return not any(_names_anybody(read_object(identities, name, what)) for name, _ in _PEOPLE)


def _names_anybody(identity: Mapping[str, Any] | None) -> bool:
    return identity is not None and any(value is not None for value in identity.values())


def read_identity(
    identity: dict[str, Any], key: str, what: str = "the record", kind: str | None = None
) -> Identity | None:
    """Read an identity, or an identity set in its place; None if it is not a person. `kind` is what the set's key
    states."""
    if not identity.keys() <= _OF_USER and (
        _is_machine(identity, what) or any(type(identity.get(name)) is dict for name, _ in _PEOPLE)
    ):
        return read_identity_set(identity, key, what)
    type_words = f"{identity.get('@odata.type')} {identity.get('userIdentityType') or identity.get('identityType')}"
    type_words = type_words.lower()
    if "application" in type_words or "bot" in type_words:
        return None
    own_id = identity.get("id")
    entra_id, upn = read_lower(own_id), read_lower(identity.get("userPrincipalName"), 320)
    if own_id is None:
        if "id" not in identity and upn is None:
            raise damaged(f"the identity of {what} has no id")
    elif type(own_id) is not str or not own_id.strip():
        raise damaged(f"the id of {what} is not one")
    if entra_id and entra_id.startswith("28:"):  # how Teams writes the ids of bots
        return None
    own_key = entra_id or (upn or "")[:_MAX_ID] or key
    tenant = read_lower(identity.get("tenantId"), 100)
    return Identity(own_key, kind or _kind_of(type_words, entra_id), entra_id, upn, tenant)


def _kind_of(type_words: str, entra_id: str | None) -> str:
    if "teamsvisitor" in (entra_id or "") or "guest" in type_words or "anonymous" in type_words:
        return "guest"
    if "phone" in type_words:
        return "phone"
    if "acs" in type_words or "communicationservices" in type_words:
        return "acs"
    return "user" if entra_id else "unknown"
