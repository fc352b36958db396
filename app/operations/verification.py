"""Proving that a database is whole: a copy that could be restored, or one that everything was moved to."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine, func, inspect, select

from app.school import School
from app.store import audit_log, tables
from app.store.backup import copy_checked
from app.store.database import DatabaseError, open_database
from app.store.key_rotation import count_by_key
from app.store.writing import get_meta, set_meta

_TESTED = "restore_tested"


@dataclass(frozen=True)
class Verification:
    """What a whole database holds: rows by table, and entries of the audit trail."""

    rows: dict[str, int]
    entries: int

    def __str__(self) -> str:
        rows = f"{sum(self.rows.values()):,} rows in {len(self.rows)} tables"
        return f"{rows}; {self.entries:,} entries of the audit trail, all unchanged"


def verify(connection: Connection) -> Verification:
    """What the database holds. DatabaseError, in words, if the audit trail was altered, or if something in it is
    sealed with a key that is not at hand."""
    _, fault = audit_log.verify(connection)
    if fault:
        raise DatabaseError(f"The audit trail in it was altered. {fault}")
    if lost := sum(one.lost for one in count_by_key(connection, sample=True)):
        raise DatabaseError(
            f"{lost} or more values in it are sealed with a key that ENCRYPTION_KEYS does not hold: add that key."
        )
    rows = {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in tables.metadata.sorted_tables
    }
    return Verification(rows, rows["audit"])


def verify_copy(file: Path) -> Verification:
    """What a copy holds, as `restore` would bring it back: it is restored into a folder of its own, brought up to
    date there, and read. DatabaseError if it could not be used; the copy itself is not touched."""
    with tempfile.TemporaryDirectory(prefix="restore-test-") as folder:
        again = Path(folder) / "restored.sqlite"
        copy_checked(file, again)
        before = _counts(again)
        engine = open_database(f"sqlite:///{again}")
        try:
            with engine.connect() as connection:
                proved = verify(connection)
        finally:
            engine.dispose()
    if changed := [name for name, number in before.items() if proved.rows.get(name, number) < number]:
        raise DatabaseError(f"Rows of {', '.join(changed)} were lost while it was brought up to date.")
    return proved


def _counts(file: Path) -> dict[str, int]:
    engine = create_engine(f"sqlite:///{file}")
    try:
        with engine.connect() as connection:
            names = [name for name in inspect(connection).get_table_names() if name in tables.metadata.tables]
            return {
                name: connection.scalar(select(func.count()).select_from(tables.metadata.tables[name])) or 0
                for name in names
            }
    finally:
        engine.dispose()


def rehearse_restore(school: School, file: Path) -> Verification:
    """Prove that a copy could be restored, and remember the day, for the administrator to see."""
    proved = verify_copy(file)
    with school.writing() as connection:
        set_meta(connection, _TESTED, school.now().isoformat())
        school.add_to_trail(connection, audit_log.COMMAND, "changed", "restore test of a copy, passed")
    return proved


def last_restore_test(school: School) -> datetime | None:
    """When a copy last proved that it could be restored; None: never."""
    with school.engine.connect() as connection:
        told = get_meta(connection, _TESTED)
    return datetime.fromisoformat(told) if told else None
