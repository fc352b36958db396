"""Copies of the embedded database: encrypted with keys of their own, and deleted once they are too old.

BACKUP_KEYS holds one or more keys, as ENCRYPTION_KEYS does: the newest encrypts, all of them decrypt. Without one,
copies are files that SQLite opens, in which only what the database itself encrypts is encrypted.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from re import Match, compile
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, inspect

from app.keys import derive_key, read_keys
from app.settings import SettingsError

_HEADER = b"encrypted copy of a database 1\n"
_SALT = 32  # bytes; each copy has a key of its own
_AT_ONCE = 1 << 20
_TAG = 16
# What the program itself puts beside a database, with the school's day and time.
_OWN = compile(r"-(?:version-\d+|before)-(\d{8}.\d{6})\.")
_SCHEMA = compile(r"version_\d+_(\d{8}.\d{6})")


class CopyError(Exception):
    """A copy cannot be decrypted."""


def backup_keys() -> tuple[str, ...]:
    """The keys in BACKUP_KEYS, the newest first; empty if none is set."""
    keys = read_keys("BACKUP_KEYS")
    if any(len(key) < 40 for key in keys):
        raise SettingsError("BACKUP_KEYS: each key has to be one that `python -m app keys new` printed.")
    return keys


def is_encrypted(file: Path) -> bool:
    """Whether a file is a copy that `protect` encrypted."""
    with file.open("rb") as content:
        return content.read(len(_HEADER)) == _HEADER


def protect(copy: Path) -> None:
    """Encrypt a copy, in place, if there is a key for copies. Raises OSError."""
    keys = backup_keys()
    if not keys:
        return
    salt = os.urandom(_SALT)
    cipher = AESGCM(derive_key(keys[0], f"copy {salt.hex()}"))
    with copy.open("rb") as content, _replace(copy) as out:
        out.write(_HEADER + salt)
        for number, part, is_last in _iter_parts(content, _AT_ONCE):
            out.write(cipher.encrypt(_create_nonce(number, is_last=is_last), part, None))


def unprotect(copy: Path) -> None:
    """Decrypt a copy, in place, if it is encrypted. Raises CopyError, with the copy as it was, or OSError."""
    if not is_encrypted(copy):
        return
    for key in backup_keys():
        try:
            _decrypt(copy, key)
        except InvalidTag:
            continue
        return
    raise CopyError(f"{copy} is damaged, or encrypted with a key that BACKUP_KEYS does not hold; add that key.")


def _decrypt(copy: Path, key: str) -> None:
    with copy.open("rb") as content, _replace(copy) as out:
        content.seek(len(_HEADER))
        cipher = AESGCM(derive_key(key, f"copy {content.read(_SALT).hex()}"))
        for number, part, is_last in _iter_parts(content, _AT_ONCE + _TAG):
            out.write(cipher.decrypt(_create_nonce(number, is_last=is_last), part, None))


def _create_nonce(number: int, *, is_last: bool) -> bytes:
    """The nonce of a part: parts that are missing, or in another order, do not decrypt."""
    return number.to_bytes(11) + bytes([is_last])


def _iter_parts(content: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """The parts of a file, numbered, each with whether it is the last; one empty part of an empty file."""
    number, part = 0, content.read(size)
    while True:
        following = content.read(size)
        yield number, part, not following
        if not following:
            return
        number, part = number + 1, following


@contextmanager
def _replace(file: Path) -> Iterator[BinaryIO]:
    """A new file, readable by its owner alone, that takes the place of another once it is written."""
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def list_older_copies(database: Path, moment: datetime) -> list[Path]:
    """The copies that the program itself put beside a database, at an upgrade or before a restore, before a moment."""
    found = ((file, _OWN.match(file.name.removeprefix(database.stem))) for file in database.parent.iterdir())
    return sorted(
        file for file, name in found if file.name.startswith(database.stem) and name and _read_moment(name) < moment
    )


def list_older_schemas(connection: Connection, moment: datetime) -> list[str]:
    """The schemas into which upgrades before a moment copied the tables of PostgreSQL."""
    found = ((name, _SCHEMA.fullmatch(name)) for name in inspect(connection).get_schema_names())
    return [name for name, parts in found if parts and _read_moment(parts) < moment]


def _read_moment(name: Match[str]) -> datetime:
    return datetime.strptime(name[1].replace("_", "-"), "%Y%m%d-%H%M%S").astimezone()
