"""Encryption at rest: what people wrote, who pupils are and what calls hold is encrypted with the school's own keys.

ENCRYPTION_KEYS holds one or more keys, separated by commas, the newest first: the newest encrypts, all of them decrypt.
Without keys (the demonstration) values are stored as plain text. The first character of a stored value says which of
the two it is, so that a database can hold both and `python -m app keys rotate` can encrypt the rest.
"""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, LargeBinary, Text, TypeDecorator
from sqlalchemy.sql import operators

from app.keys import compute_keyed_digest, derive_key, encryption_keys
from app.settings import SettingsError

_ENCRYPTED, _BY_FERNET, _PLAIN = b"g", b"s", b"p"  # AES-256-GCM; as version 0.2.0 encrypted; without a key
_NONCE = 12


class DecryptionError(Exception):
    """None of the keys decrypts a value."""


class KeyStatus(StrEnum):
    """The key of a stored value: the newest of ENCRYPTION_KEYS, an older one, none, or one that is lost."""

    NEWEST = "newest"
    OLDER = "older"
    NO_KEY = "no_key"
    LOST = "lost"


class _Key:
    """One of ENCRYPTION_KEYS, which encrypts with keys derived from it."""

    def __init__(self, key: str) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise SettingsError(
                "ENCRYPTION_KEYS: each key has to be one that `python -m app keys new` printed; separate several by "
                "commas."
            ) from None
        self._cipher = AESGCM(derive_key(key, "values"))

    def encrypt(self, content: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return _ENCRYPTED + b64encode(nonce + self._cipher.encrypt(nonce, content, None))

    def decrypt(self, stored: bytes) -> bytes | None:
        """What `encrypt` was given; None if another key encrypted it."""
        try:
            if stored[:1] == _BY_FERNET:
                return self._fernet.decrypt(stored[1:])
            whole = b64decode(stored[1:])
            return self._cipher.decrypt(whole[:_NONCE], whole[_NONCE:], None)
        except (InvalidToken, InvalidTag, ValueError):
            return None


@lru_cache(maxsize=16)
def _open_keys(keys: tuple[str, ...]) -> tuple[_Key, ...]:
    return tuple(map(_Key, keys))


def encrypt(content: bytes) -> bytes:
    """Encrypt content for storage."""
    keys = _open_keys(encryption_keys())
    return keys[0].encrypt(content) if keys else _PLAIN + content


def decrypt(stored: bytes) -> bytes:
    """Decrypt what `encrypt` returned. Raises DecryptionError if its key is not among ENCRYPTION_KEYS."""
    return _decrypt(stored, () if stored[:1] == _PLAIN else _open_keys(encryption_keys()))


def _decrypt(stored: bytes, keys: Sequence[_Key]) -> bytes:
    if stored[:1] == _PLAIN:
        return stored[1:]
    for key in keys:
        content = key.decrypt(stored)
        if content is not None:
            return content
    raise DecryptionError(
        "Something in the database is encrypted with a key that ENCRYPTION_KEYS does not hold; add that key."
    )


def key_status(stored: bytes) -> KeyStatus:
    """The status of the key of a stored value. While no key is in use, plain values count as NEWEST."""
    keys = _open_keys(encryption_keys())
    if stored[:1] == _PLAIN:
        return KeyStatus.NO_KEY if keys else KeyStatus.NEWEST
    for number, key in enumerate(keys):
        if key.decrypt(stored) is not None:
            return KeyStatus.OLDER if number else KeyStatus.NEWEST
    return KeyStatus.LOST


def hide_name(name: str) -> str:
    """Letters and digits that stand for a name without showing it, the same each time while the newest key stays;
    without keys the name itself."""
    return compute_keyed_digest(name) if encryption_keys() else name


def is_hidden(name: str) -> bool:
    """Whether a name is one that `hide_name` made with a key."""
    return re.fullmatch("[0-9a-f]{64}", name) is not None


class _NotSearched(TypeDecorator.Comparator[Any]):
    """Refuses to build SQL that compares or sorts encrypted values, which would find nothing, in no order."""

    def operate(self, op: Any, *other: Any, **options: Any) -> ColumnElement[Any]:
        if op not in (operators.is_, operators.is_not):
            raise TypeError(f"{self.expr} is encrypted: compare and sort its values in Python")
        return super().operate(op, *other, **options)


class EncryptedText(TypeDecorator[str]):
    """Text that is encrypted in the database."""

    impl = Text
    cache_ok = True
    comparator_factory: Any = _NotSearched

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else decrypt(value.encode()).decode()

    def read_all(self, stored: Sequence[str | None]) -> list[Any]:
        """Many values of a column, each different one decrypted once."""
        keys = _open_keys(encryption_keys())
        known = {value: self._read(value, keys) for value in set(stored) if value is not None}
        return [None if value is None else known[value] for value in stored]

    def _read(self, stored: str, keys: Sequence[_Key]) -> Any:
        return _decrypt(stored.encode(), keys).decode()


class EncryptedNumber(TypeDecorator[int]):
    """A whole number that is encrypted in the database."""

    impl = Text
    cache_ok = True
    comparator_factory: Any = _NotSearched

    def process_bind_param(self, value: int | None, _dialect: Any) -> str | None:
        return None if value is None else encrypt(str(value).encode()).decode()

    def process_result_value(self, value: str | None, _dialect: Any) -> int | None:
        return None if value is None else int(decrypt(value.encode()))


class EncryptedUnlessListed(EncryptedText):
    """Text that is encrypted in the database unless it is one of some words, by which the database is searched."""

    MARK = "~"  # before an encrypted value, which no word of a list begins with
    cache_ok = True
    comparator_factory: Any = TypeDecorator.Comparator

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__()
        self.words = frozenset({"", *map(str, words)})

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        if value is None or value.strip().lower() in self.words:
            return value
        return f"{self.MARK}{super().process_bind_param(value, dialect)}"

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        if value is None or not value.startswith(self.MARK):
            return value
        return super().process_result_value(value.removeprefix(self.MARK), dialect)

    def _read(self, stored: str, keys: Sequence[_Key]) -> Any:
        return super()._read(stored.removeprefix(self.MARK), keys) if stored.startswith(self.MARK) else stored


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
