"""Backs up the embedded database as a consistent copy, and restores it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, make_url

from app import clock
from app.store.database import DatabaseError, copy_file


def backup(engine: Engine, file: Path) -> None:
    """Copy the database to `file` while others go on writing. The copy is checked."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        raise DatabaseError("Only the embedded database is copied like this; of PostgreSQL make copies with pg_dump.")
    if file.exists():
        raise DatabaseError(f"{file} is there already; name a new file.")
    copy_checked(Path(engine.url.database), file)


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
            old = target.with_name(f"{target.stem}-before-{clock.now().astimezone():%Y%m%d-%H%M%S}{target.suffix}")
            _keep(target, old)
            for tail in ("-wal", "-shm"):
                target.with_name(target.name + tail).unlink(missing_ok=True)
        restored.replace(target)
    finally:
        restored.unlink(missing_ok=True)
    return old


def _keep(database: Path, old: Path) -> None:
    try:
        copy_file(database, old)
    except sqlite3.Error:  # the database may be damaged, hence the restore: keep its files as they are
        for tail in ("", "-wal"):
            if (part := database.with_name(database.name + tail)).exists():
                shutil.copy2(part, old.with_name(old.name + tail))
                old.with_name(old.name + tail).chmod(0o600)


def copy_checked(file: Path, copy: Path) -> None:
    """Copy a database file. DatabaseError, and no copy, unless both are whole databases of this program."""
    _check_file(file)
    try:
        copy_file(file, copy)
        _check_file(copy)
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"The copy could not be written ({error}): is there room on its disk?") from None
    except DatabaseError:
        copy.unlink()
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
