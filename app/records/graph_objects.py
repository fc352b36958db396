"""Reads what Microsoft Graph's objects have in common: texts, times and identities.

Objects are read by hand, not by a model of their types: Graph adds values and leaves out whole parts, and reading has
to keep pace with the parsing of the JSON. An object that lacks what it must have is an UnreadableObjectError; anything
else that is missing or new is ignored.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

_MAX_ID = 200  # characters: the store has no room for a longer id, so that one counts as none


class UnreadableObjectError(ValueError):
    """An object of an unexpected form, or not JSON; the message gives the reason without any of the content."""


@dataclass(frozen=True)
class Identity:
    """The identity of a person: `key` tells the people of one call apart; `kind` is user, guest, phone, acs or
    unknown; ids and addresses in lower case."""

    key: str
    kind: str
    entra_id: str | None
    upn: str | None
    tenant: str | None


def read_text(value: Any, longest: int = _MAX_ID) -> str | None:
    """Read a text without surrounding blanks; None if it is not text, is empty, or cannot be stored."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > longest or not (text.isprintable() or _is_storable(text)):
        return None
    return text


def _is_storable(value: str) -> bool:
    """Whether a database accepts a text, which must hold no half of a character and no NUL."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def read_lower(value: Any, longest: int = _MAX_ID) -> str | None:
    text = read_text(value, longest)
    return text.lower() if text else None


def read_time(value: Any) -> datetime | None:
    """Read a time of Graph: UTC, up to seven decimals, of which six are kept; year 1 means no time."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if not 1900 < moment.year < 2200:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def list_objects(entries: Any) -> list[dict[str, Any]]:
    """The objects of a list; none if there is no list."""
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


# --- identities: current ones give their kind by `@odata.type` or `userIdentityType`, or not at all --------------

_PEOPLE = (
    ("user", "user"),
    ("guest", "guest"),
    ("phone", "phone"),
    ("acsUser", "acs"),
    ("azureCommunicationServicesUser", "acs"),
    ("onPremises", "user"),
    ("encrypted", "unknown"),
)
_NOT_PEOPLE = ("application", "applicationInstance", "device", "acsApplicationInstance")
_NESTED = (*(name for name, _ in _PEOPLE), *_NOT_PEOPLE)


def read_endpoint(endpoint: dict[str, Any], key: str) -> Identity | None:
    """Read the person at an end of a session; None for a bot, a recorder or an end without information. `key` is used
    if the person is unknown."""
    identity = endpoint.get("associatedIdentity")
    if isinstance(identity, dict) and identity:
        return read_identity(identity, key)
    if not endpoint.get("@odata.type") and not endpoint.keys() & {"associatedIdentity", "identity"}:
        return None  # this is what the end of a meeting service without a type looks like
    return read_identity_set(endpoint.get("identity"), key)


def read_entry(entry: dict[str, Any], key: str) -> Identity | None:
    """Read the person of a current entry (`id`, `identity`) or of an old one (the identities themselves). The entry's
    own id is the person's, and the only information if the identity is null."""
    identities = entry.get("identity")
    person = read_identity_set(identities if isinstance(identities, dict) else entry, key)
    entry_id = read_lower(entry.get("id"))
    if person is None or person.entra_id or entry_id is None:
        return person
    return replace(person, key=entry_id, entra_id=entry_id)


def read_identity_set(identities: Any, key: str) -> Identity | None:
    """Read the person of an identity set, whose entries' names state their kind."""
    known = {k: v for k, v in identities.items() if isinstance(v, dict)} if isinstance(identities, dict) else {}
    for name, kind in _PEOPLE:
        if name in known:
            return read_identity(known[name], key, kind)
    if any(name in known for name in _NOT_PEOPLE):
        return None
    return Identity(key, "unknown", None, None, None)


def read_identity(identity: dict[str, Any], key: str, kind: str | None = None) -> Identity | None:
    if any(isinstance(identity.get(name), dict) for name in _NESTED):
        return read_identity_set(identity, key)
    type_words = f"{identity.get('@odata.type')} {identity.get('userIdentityType') or identity.get('identityType')}"
    type_words = type_words.lower()
    if any(word in type_words for word in ("applicationinstance", "bot", "application")):
        return None
    entra_id, upn = read_lower(identity.get("id")), read_lower(identity.get("userPrincipalName"), 320)
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
