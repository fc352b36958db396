"""Verifying that a database is whole: a copy that could be restored, or one that everything was moved to."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, func, inspect, make_url, select

from app.school import School, open_school
from app.settings import get_database_url
from app.store import audit_log, tables
from app.store.backup import copy_checked, restore
from app.store.database import DatabaseError, open_database
from app.store.key_rotation import count_by_key
from app.store.writing import get_meta, set_meta

_TESTED = "restore_tested"


def describe_rows(rows: dict[str, int]) -> str:
    """The contents of a verified database, as text: without numbers, which count counselling and conduct too."""
    return f"all rows of {len(rows)} tables are there; the audit trail is unchanged"


def verify(connection: Connection) -> dict[str, int]:
    """The number of rows by table. Raises DatabaseError, with a message to show, if the audit trail was altered or a
    value is encrypted with a key that is not set."""
    _, fault = audit_log.verify(connection, may_be_older=True)
    if fault:
        raise DatabaseError(f"The audit trail in it was altered. {fault}")
    if lost := sum(counts.lost for counts in count_by_key(connection, sample=True)):
        raise DatabaseError(
            f"{lost} or more values in it are encrypted with a key that is missing in ENCRYPTION_KEYS: add that key."
        )
    return _count_rows(connection)


def verify_copy(file: Path) -> dict[str, int]:
    """The number of rows by table of a copy, as `restore` would bring it back: it is restored into a folder of its own,
    upgraded there, and read. Raises DatabaseError if it could not be used; the copy itself is not changed."""
    with tempfile.TemporaryDirectory(prefix="restore-test-") as folder:
        restored = Path(folder) / "restored.sqlite"
        copy_checked(file, restored)
        url = f"sqlite:///{restored}"
        with _connect(create_engine(url)) as connection:
            before = _count_rows(connection)
        with _connect(open_database(url)) as connection:
            verified = verify(connection)
    if changed := [name for name, number in before.items() if verified.get(name, number) < number]:
        raise DatabaseError(f"Rows of {', '.join(changed)} were lost while it was brought up to date.")
    return verified


@contextmanager
def _connect(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _count_rows(connection: Connection) -> dict[str, int]:
    """The number of rows of each table that there is and that this version knows."""
    known = tables.metadata.tables
    return {
        name: connection.scalar(select(func.count()).select_from(known[name])) or 0
        for name in inspect(connection).get_table_names()
        if name in known
    }


def rehearse_restore(school: School, file: Path) -> dict[str, int]:
    """Verify that a copy could be restored, and store the day, for the administrator to see."""
    verified = verify_copy(file)
    with school.writing() as connection:
        set_meta(connection, _TESTED, school.now().isoformat())
        school.add_to_trail(connection, audit_log.COMMAND, "changed", "restore test of a copy, passed")
    return verified


def restore_and_record(file: Path) -> tuple[dict[str, int], Path | None]:
    """Restore a verified copy in place of the embedded database, and record on its audit trail which entries of the
    trail were lost. Returns the number of rows by table, and the file with the old database if there was one."""
    rows, url = verify_copy(file), get_database_url()
    before = _read_last_entry(Path(make_url(url).database or ""))
    old = restore(url, file)
    school = open_school(url)
    with school.writing() as connection:
        number, _ = audit_log.get_head(connection) or (0, "")
        school.add_to_trail(connection, audit_log.COMMAND, "changed", _describe_restored(number, before, old))
    school.engine.dispose()
    return rows, old


def _describe_restored(number: int, before: audit_log.Head | None, old: Path | None) -> str:
    words = "restored from a copy"
    if old is None:
        return f"{words}; there was no database"
    if before is None:
        return f"{words}; the audit trail of {old.name} could not be read"
    if before[0] <= number:
        return f"{words}; no entry of the audit trail was lost"
    return f"{words}; entries {number + 1} to {before[0]} of the audit trail, hash {before[1]}, are only in {old.name}"


def _read_last_entry(database: Path) -> audit_log.Head | None:
    """The newest entry of an embedded database of any version, or damaged; None if it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("select id, hash from audit order by id desc limit 1").fetchone()
    except sqlite3.Error:
        return None
    return found or (0, "")


def get_last_restore_test(school: School) -> datetime | None:
    """When a copy was last verified; None: never."""
    with school.engine.connect() as connection:
        tested = get_meta(connection, _TESTED)
    return datetime.fromisoformat(tested) if tested else None
