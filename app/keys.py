"""The school's keys, and digests that nobody computes without them."""

import hashlib
import hmac
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.settings import get_variable


def read_keys(variable: str) -> tuple[str, ...]:
    """The keys in a variable of the environment, separated by commas, the newest first; empty if none is set."""
    return tuple(key.strip() for key in (get_variable(variable) or "").split(",") if key.strip())


def encryption_keys() -> tuple[str, ...]:
    """The keys that encrypt what is stored, the newest first; empty if none is set."""
    return read_keys("ENCRYPTION_KEYS")


def derive_key(key: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, derived from a key of the environment."""
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(key.encode())


def compute_keyed_digest(text: str) -> str:
    """64 letters and digits that are equal for equal texts. Without the newest key nobody can find a text by trying;
    while there is no key, anybody can."""
    keys = encryption_keys()
    if not keys:
        return hashlib.sha256(text.encode()).hexdigest()
    return hmac.new(_derive_for_digests(keys[0]), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=16)
def _derive_for_digests(key: str) -> bytes:
    return derive_key(key, "digests")
