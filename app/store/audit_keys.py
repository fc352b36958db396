"""The keys of the audit trail: derived from those that encrypt, and stored, encrypted, so that entries remain
verifiable when an encryption key is replaced."""

import hashlib
import hmac
import json
from functools import lru_cache

from sqlalchemy import Connection

from app.keys import derive_key, encryption_keys
from app.settings import SettingsError
from app.store.encryption import DecryptionError, decrypt, encrypt
from app.store.writing import get_meta, set_meta

AUDIT_KEYS = "audit_keys"


def read_keys(connection: Connection) -> tuple[bytes, ...]:
    """The keys of the trail's entries, the newest first; empty if there never were encryption keys. SettingsError if
    those of ENCRYPTION_KEYS do not decrypt what is stored."""
    stored = get_meta(connection, AUDIT_KEYS)
    derived = _derive(encryption_keys())
    if stored is None:
        return derived
    try:
        former = tuple(map(bytes.fromhex, json.loads(decrypt(stored.encode()))))
    except DecryptionError:
        raise SettingsError(
            "The audit trail is protected by a key that ENCRYPTION_KEYS does not hold: set ENCRYPTION_KEYS as for the "
            "program."
        ) from None
    return tuple(dict.fromkeys((*derived, *former)))


def keep_keys(connection: Connection, *, encrypt_again: bool = False) -> tuple[bytes, ...]:
    """The keys as `read_keys` has them, once they are stored too, encrypted by the newest encryption key."""
    keys, stored = read_keys(connection), get_meta(connection, AUDIT_KEYS)
    if keys and (encrypt_again or stored is None or len(keys) > _count(stored, encryption_keys())):
        set_meta(connection, AUDIT_KEYS, encrypt(json.dumps([key.hex() for key in keys]).encode()).decode())
    return keys


def is_keyed(connection: Connection) -> bool:
    """Whether the trail has had a key."""
    return get_meta(connection, AUDIT_KEYS) is not None


def compute_code(key: bytes | None, *content: object) -> str:
    """A code over some values that nobody computes without the key; without one, a hash that anybody can compute."""
    words = json.dumps(content).encode()
    return hmac.new(key, words, hashlib.sha256).hexdigest() if key else hashlib.sha256(words).hexdigest()


@lru_cache(maxsize=16)
def _derive(keys: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(derive_key(key, "audit trail") for key in keys)


@lru_cache(maxsize=16)
def _count(stored: str, _keys: tuple[str, ...]) -> int:
    return len(json.loads(decrypt(stored.encode())))
