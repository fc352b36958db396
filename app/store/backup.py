"""Backs up the embedded database as a consistent copy, and restores it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine, make_url

from app import clock
from app.store.copies import CopyError, copy_file, is_encrypted, protect, unprotect
from app.store.database import DatabaseError


def backup(engine: Engine, file: Path) -> None:
    """Copy the database to `file` while others go on writing. The copy is checked, and encrypted if there is a key for
    copies: it gets to its place only then."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        raise DatabaseError("Only the embedded database is copied like this; of PostgreSQL make copies with pg_dump.")
    if file.exists():
        raise DatabaseError(f"{file} is there already; name a new file.")
    database = Path(engine.url.database)
    with _explained_errors():
        _check_file(database)
        copy_file(database, file, check=_check_file, protected=True)


def restore(url: str, file: Path) -> Path | None:
    """Put the copy in `file`, once it is checked, in place of the embedded database at `url`. Returns the path under
    which the old database is kept."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise DatabaseError("Only the embedded database is restored like this; for PostgreSQL use pg_restore.")
    target = Path(parsed.database)
    target.parent.mkdir(parents=True, exist_ok=True)
    restored = target.with_name(target.name + ".restored")
    old = None
    try:
        copy_checked(file, restored)
        if target.exists():
            _check_same_kind(restored, target)
            old = target.with_name(f"{target.stem}-before-{clock.now().astimezone():%Y%m%d-%H%M%S}{target.suffix}")
            _keep(target, old)
            for tail in ("-wal", "-shm"):
                target.with_name(target.name + tail).unlink(missing_ok=True)
        restored.replace(target)
    finally:
        restored.unlink(missing_ok=True)
    return old


def _check_same_kind(restored: Path, target: Path) -> None:
    """DatabaseError if one of two databases is the demonstration's and the other a school's."""
    if _is_demonstration(target) not in (None, _is_demonstration(restored)):
        raise DatabaseError(
            "One of the two is the demonstration's database, the other a school's: neither takes the place of the "
            "other. Set DATABASE_URL to a file that does not exist yet. Nothing was changed."
        )


def _is_demonstration(file: Path) -> bool | None:
    """Whether a database is the demonstration's; None if it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("select 1 from meta where key = 'demo'").fetchone() is not None
    except sqlite3.Error:
        return None


def decrypt_copy(file: Path, to: Path) -> None:
    """Write a copy, checked and decrypted, to a new file, for an earlier version of the program."""
    if to.exists():
        raise DatabaseError(f"{to} is there already; name a new file.")
    copy_checked(file, to)


def _keep(database: Path, old: Path) -> None:
    try:
        copy_file(database, old, protected=True)
    except sqlite3.Error:  # the database may be damaged, hence the restore: keep its files as they are
        for tail in ("", "-wal"):
            if (part := database.with_name(database.name + tail)).exists():
                protect(part, old.with_name(old.name + tail))


def copy_checked(file: Path, copy: Path) -> None:
    """Copy a database file, decrypted. DatabaseError, and no copy, unless both are whole databases of this program."""
    with _explained_errors():
        if file.is_file() and is_encrypted(file):
            _copy_decrypted(file, copy)
        else:
            _check_file(file)
            copy_file(file, copy, check=_check_file)


@contextmanager
def _explained_errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"The copy could not be written ({error}): is there room on its disk?") from None


def _copy_decrypted(file: Path, copy: Path) -> None:
    try:
        unprotect(file, copy)
        _check_file(copy)
    except CopyError as error:
        raise DatabaseError(f"{error} Nothing was changed.") from None
    except DatabaseError:
        copy.unlink(missing_ok=True)
        raise


def _check_file(file: Path) -> None:
    if not file.is_file():
        raise DatabaseError(f"{file} is not there.")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            is_whole = connection.execute("pragma integrity_check").fetchone()[0] == "ok"
            is_linked = connection.execute("pragma foreign_key_check").fetchone() is None
            tables = connection.execute("select name from sqlite_master where name in ('alembic_version', 'logs')")
            is_ours = len(tables.fetchall()) == 2
    except sqlite3.DatabaseError:
        raise DatabaseError(f"{file} is damaged, or is not a database. Nothing was changed.") from None
    if not (is_whole and is_linked):
        raise DatabaseError(f"{file} is damaged: its parts do not fit together. Nothing was changed.")
    if not is_ours:
        raise DatabaseError(f"{file} is not a database of this program. Nothing was changed.")
