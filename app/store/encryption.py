"""Encryption at rest: narratives, notes and original call records are encrypted with the school's own keys.

ENCRYPTION_KEYS holds one or more Fernet keys, separated by commas, the newest first: the newest encrypts, all of them
decrypt. Without keys (the demonstration) values are stored as plain text. The first character of a stored value says
which of the two it is, so that a database can hold both and `python -m app keys rotate` can encrypt the rest.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import LargeBinary, Text, TypeDecorator

from app.settings import SettingsError, get_variable

_ENCRYPTED, _PLAIN = b"s", b"p"


class DecryptionError(Exception):
    """None of the keys decrypts a value."""


class KeyStatus(StrEnum):
    """The key of a stored value: the newest of ENCRYPTION_KEYS, an older one, none, or one that is lost."""

    NEWEST = "newest"
    OLDER = "older"
    NO_KEY = "no_key"
    LOST = "lost"


def encryption_keys() -> tuple[str, ...]:
    """The keys in ENCRYPTION_KEYS, the newest first; empty if none is set."""
    return tuple(key.strip() for key in (get_variable("ENCRYPTION_KEYS") or "").split(",") if key.strip())


@lru_cache(maxsize=16)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise SettingsError(
            "ENCRYPTION_KEYS: each key has to be one that `python -m app keys new` printed; separate several by commas."
        ) from None


def encrypt(content: bytes) -> bytes:
    """Encrypt content for storage."""
    keys = encryption_keys()
    return _ENCRYPTED + _fernet(keys).encrypt(content) if keys else _PLAIN + content


def decrypt(stored: bytes) -> bytes:
    """Decrypt what `encrypt` returned. Raises DecryptionError if its key is not among ENCRYPTION_KEYS."""
    if stored[:1] == _PLAIN:
        return stored[1:]
    keys = encryption_keys()
    try:
        if keys:
            return _fernet(keys).decrypt(stored[1:])
    except InvalidToken:
        pass
    raise DecryptionError(
        "Something in the database is encrypted with a key that ENCRYPTION_KEYS does not hold; add that key."
    )


def key_status(stored: bytes) -> KeyStatus:
    """The status of the key of a stored value. While no key is in use, plain values count as NEWEST."""
    keys = encryption_keys()
    if stored[:1] == _PLAIN:
        return KeyStatus.NO_KEY if keys else KeyStatus.NEWEST
    for number, key in enumerate(keys):
        try:
            _fernet((key,)).decrypt(stored[1:])
        except InvalidToken:
            continue
        return KeyStatus.OLDER if number else KeyStatus.NEWEST
    return KeyStatus.LOST


class EncryptedText(TypeDecorator[str]):
    """Text that is encrypted in the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else decrypt(value.encode()).decode()


class EncryptedBytes(TypeDecorator[bytes]):
    """Bytes that are encrypted in the database."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, _dialect: Any) -> bytes | None:
        return None if value is None else encrypt(value)

    def process_result_value(self, value: bytes | None, _dialect: Any) -> bytes | None:
        return None if value is None else decrypt(value)


def generate_key() -> str:
    """A key to put in front of ENCRYPTION_KEYS."""
    return Fernet.generate_key().decode()
