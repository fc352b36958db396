"""A consistent copy of the embedded database, and back."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, make_url

from app import clock
from app.store.database import DatabaseError


def backup(engine: Engine, file: Path) -> None:
    """Copy the database to `file`, by SQLite's own way while others go on writing. The copy is checked."""
    if engine.dialect.name != "sqlite":
        raise DatabaseError("Only the embedded database is copied like this; of PostgreSQL make copies with pg_dump.")
    if file.exists():
        raise DatabaseError(f"{file} is there already; name a new file.")
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with engine.connect() as connection, closing(sqlite3.connect(part)) as copy:
            connection.connection.driver_connection.backup(copy)  # type: ignore[union-attr]
        check_file(part)
        part.rename(file)
    except sqlite3.Error as error:
        raise DatabaseError(f"The copy could not be written ({error}): is there room on its disk?") from None
    finally:
        part.unlink(missing_ok=True)


def restore(url: str, file: Path) -> Path | None:
    """Put the copy in `file` in place of the embedded database at `url`, once it has proved sound. What was
    there is kept beside it under the path given back."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise DatabaseError("Only the embedded database is restored like this; for PostgreSQL use pg_restore.")
    target = Path(parsed.database)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        copy_checked(file, part)
        kept = None
        if target.exists():
            kept = target.with_name(f"{target.stem}-before-{clock.now().astimezone():%Y%m%d-%H%M%S}{target.suffix}")
            _keep(target, kept)
            for tail in ("-wal", "-shm"):
                target.with_name(target.name + tail).unlink(missing_ok=True)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return kept


def _keep(target: Path, kept: Path) -> None:
    try:
        with closing(sqlite3.connect(target)) as before, closing(sqlite3.connect(kept)) as copy:
            before.backup(copy)
    except sqlite3.Error:  # it is damaged, which is why it is restored: kept as it lies there
        for tail in ("", "-wal"):
            if (lying := target.with_name(target.name + tail)).exists():
                shutil.copy2(lying, kept.with_name(kept.name + tail))


def copy_checked(file: Path, to: Path) -> None:
    """A copy of a copy that has proved sound, sound as well. DatabaseError if it is not."""
    check_file(file)
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source, closing(sqlite3.connect(to)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise DatabaseError(f"The copy could not be written ({error}): is there room on its disk?") from None
    check_file(to)


def check_file(file: Path) -> None:
    """DatabaseError unless the file is a whole database of this program."""
    if not file.is_file():
        raise DatabaseError(f"{file} is not there.")
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
            good = copy.execute("pragma integrity_check").fetchone()[0] == "ok"
            whole = copy.execute("pragma foreign_key_check").fetchone() is None
            ours = copy.execute(
                "select count(*) from sqlite_master where name in ('alembic_version', 'logs')"
            ).fetchone()[0]
    except sqlite3.DatabaseError:
        raise DatabaseError(f"{file} is damaged, or is no database. Nothing was changed.") from None
    if not (good and whole):
        raise DatabaseError(f"{file} is damaged: its parts do not fit together. Nothing was changed.")
    if ours != 2:
        raise DatabaseError(f"{file} is no database of this program. Nothing was changed.")
