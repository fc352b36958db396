"""Verifying that a database is whole: a copy that could be restored, or one that everything was moved to."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, func, inspect, select

from app.school import School
from app.store import audit_log, tables
from app.store.backup import copy_checked
from app.store.database import DatabaseError, open_database
from app.store.key_rotation import count_by_key
from app.store.writing import get_meta, set_meta

_TESTED = "restore_tested"


def describe_rows(rows: dict[str, int]) -> str:
    """The contents of a verified database, as text."""
    total = f"{sum(rows.values()):,} rows in {len(rows)} tables"
    return f"{total}; {rows['audit']:,} entries of the audit trail, all unchanged"


def verify(connection: Connection) -> dict[str, int]:
    """The number of rows by table. Raises DatabaseError, with a message to show, if the audit trail was altered or a
    value is encrypted with a key that is not set."""
    _, fault = audit_log.verify(connection)
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


def get_last_restore_test(school: School) -> datetime | None:
    """When a copy was last verified; None: never."""
    with school.engine.connect() as connection:
        tested = get_meta(connection, _TESTED)
    return datetime.fromisoformat(tested) if tested else None
