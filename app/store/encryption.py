"""Secrets at rest: narratives, notes and original call records are sealed with the school's own keys.

ENCRYPTION_KEYS holds one or more Fernet keys, separated by commas, the newest first: it seals, all of
them open. Without keys (the demonstration) text is kept as it is. A sealed value says so by its first
character, so that a database can hold both and `python -m app keys rotate` can seal the rest.
"""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import LargeBinary, Text, TypeDecorator

from app.settings import SettingsError, variable

_SEALED, _PLAIN = b"s", b"p"


class CannotOpen(Exception):
    """A sealed value that none of the keys opens."""


def keys() -> tuple[str, ...]:
    """The keys of ENCRYPTION_KEYS, the newest first; empty where none is set."""
    return tuple(key.strip() for key in (variable("ENCRYPTION_KEYS") or "").split(",") if key.strip())


@lru_cache(maxsize=16)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise SettingsError(
            "ENCRYPTION_KEYS: each key has to be one that `python -m app keys new` printed; separate several by commas."
        ) from None


def seal(content: bytes) -> bytes:
    """What is written to the database."""
    known = keys()
    return _SEALED + _box(known).encrypt(content) if known else _PLAIN + content


def unseal(kept: bytes) -> bytes:
    """What was given to `seal`; CannotOpen where its key is not among ENCRYPTION_KEYS."""
    if kept[:1] == _PLAIN:
        return kept[1:]
    known = keys()
    try:
        return _box(known).decrypt(kept[1:]) if known else _no_key()
    except InvalidToken:
        return _no_key()


def _no_key() -> bytes:
    raise CannotOpen("Something in the database is sealed with a key that ENCRYPTION_KEYS does not hold; add that key.")


NEWEST, OLDER, NO_KEY, LOST = "newest", "older", "no_key", "lost"


def stands_under(kept: bytes) -> str:
    """What a kept value is sealed with: the newest of ENCRYPTION_KEYS, an older one, none, or one that is lost.
    Without any key in use, what is kept as it is counts as sealed with the newest."""
    known = keys()
    if kept[:1] == _PLAIN:
        return NO_KEY if known else NEWEST
    for number in range(len(known)):
        try:
            _box(known[number : number + 1]).decrypt(kept[1:])
        except InvalidToken:
            continue
        return OLDER if number else NEWEST
    return LOST


def newly_sealed(kept: bytes) -> bytes:
    """The same content, sealed with the newest key."""
    return seal(unseal(kept))


class Sealed(TypeDecorator[str]):
    """Text that is sealed in the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else seal(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else unseal(value.encode()).decode()


class SealedBytes(TypeDecorator[bytes]):
    """Bytes that are sealed in the database."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Any) -> bytes | None:
        return None if value is None else seal(value)

    def process_result_value(self, value: bytes | None, dialect: Any) -> bytes | None:
        return None if value is None else unseal(value)


def new_key() -> str:
    """A key to put in front of ENCRYPTION_KEYS."""
    return Fernet.generate_key().decode()
