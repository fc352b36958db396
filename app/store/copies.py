"""Copies of the embedded database: whole or not there at all, encrypted with keys of their own, and deleted once they
are too old.

BACKUP_KEYS holds one or more keys, as ENCRYPTION_KEYS does: the newest encrypts, all of them decrypt. Without one,
copies are files that SQLite opens, in which only what the database itself encrypts is encrypted.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from re import Match, compile
from secrets import token_hex
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, inspect

from app import clock
from app.keys import derive_key, read_keys
from app.settings import SettingsError

_HEADER = b"encrypted copy of a database 1\n"
_HEADER_OF_SQLITE = b"SQLite format 3\0"
_SALT = 32  # bytes; each copy has a key of its own
_AT_ONCE = 1 << 20
_TAG = 16
_PART = compile(r".+\.part-[0-9a-f]{8}")  # what is not finished
_BEING_WRITTEN = 60 * 60  # seconds since the last change of a part that no process locks
# What the program itself puts beside a database, with the server's day and time.
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


def copy_file(
    database: Path, copy: Path, *, check: Callable[[Path], None] | None = None, protected: bool = False
) -> None:
    """Copy an embedded database while others write to it: all of it, or nothing, readable by its owner alone. `check`
    is given the copy before it gets to its place, and may raise. If it is to be `protected` and there is a key for
    copies, it is encrypted; until then it is beside the database. Parts of copies that were cut off are removed, beside
    the database as well. Raises SettingsError, sqlite3.Error or OSError."""
    will_encrypt = protected and bool(backup_keys())
    part = _name_part(database if will_encrypt else copy)
    for folder in {copy.parent, database.parent}:
        _remove_cut_off(folder)
    read_only = f"{database.absolute().as_uri()}?mode=ro"
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with (
            closing(sqlite3.connect(read_only, uri=True)) as source,
            closing(sqlite3.connect(part, isolation_level=None)) as target,
        ):
            source.backup(target)
            target.execute("pragma journal_mode=delete")  # so that reading the copy puts no files beside it
            target.execute("begin immediate")  # so that other processes see that it is in use
            if check:
                check(part)
            if will_encrypt:
                protect(part, copy)
        if not will_encrypt:
            part.replace(copy)
    finally:
        part.unlink(missing_ok=True)


def protect(file: Path, to: Path) -> None:
    """Write the content of a file to another: all of it, or nothing, readable by its owner alone, and encrypted if
    there is a key for copies. Raises SettingsError or OSError."""
    keys = backup_keys()
    with file.open("rb") as content, _replace(to) as out:
        if not keys:
            shutil.copyfileobj(content, out)
            return
        salt = os.urandom(_SALT)
        cipher = AESGCM(derive_key(keys[0], f"copy {salt.hex()}"))
        out.write(_HEADER + salt)
        for number, part, is_last in _iter_parts(content, _AT_ONCE):
            out.write(cipher.encrypt(_create_nonce(number, is_last=is_last), part, None))


def unprotect(copy: Path, to: Path) -> None:
    """Write an encrypted copy, decrypted, to another file: all of it, or nothing, readable by its owner alone. Raises
    CopyError, SettingsError or OSError."""
    for key in backup_keys():
        try:
            _decrypt(copy, to, key)
        except InvalidTag:
            continue
        return
    raise CopyError(f"{copy} is damaged, or encrypted with a key that BACKUP_KEYS does not hold; add that key.")


def _decrypt(copy: Path, to: Path, key: str) -> None:
    with copy.open("rb") as content, _replace(to) as out:
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
    part = _name_part(file)
    try:
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _name_part(file: Path) -> Path:
    """A name beside a file, another one each time, for what is not finished."""
    return file.with_name(f"{file.name}.part-{token_hex(4)}")


def _remove_cut_off(folder: Path) -> None:
    """Remove what processes that were killed while they copied left in a folder."""
    for part in list(folder.iterdir()):
        if _PART.fullmatch(part.name) and part.is_file() and _is_cut_off(part):
            for tail in ("", "-journal", "-wal", "-shm"):
                part.with_name(part.name + tail).unlink(missing_ok=True)


def _is_cut_off(part: Path) -> bool:
    """Whether a file with the name of a part is one of ours that no process is writing. A process that writes a
    database locks it; another part counts as cut off once it has not changed for long."""
    try:
        before = part.stat()
        if _is_locked(part):
            return False
        # Only now, because to open and close a file takes away the locks that this process itself has on it.
        with part.open("rb") as content:
            beginning = content.read(len(_HEADER))
    except OSError:
        return False  # it is finished, or another's
    if beginning.startswith(_HEADER_OF_SQLITE) or (before.st_size and not beginning):  # SQLite has just rolled it back
        return True
    # By the machine's clock, which also gives files their times.
    return beginning in (b"", _HEADER) and clock.real().timestamp() - before.st_mtime > _BEING_WRITTEN


def _is_locked(part: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{part.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as connection:
            connection.execute("begin immediate")
    except sqlite3.Error as error:
        return "locked" in str(error)
    return False


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
