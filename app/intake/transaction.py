"""Runs an import of any kind, quarantines its rejected rows, and judges again what it affects."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from app.intake import quarantine
from app.intake.confidential import count_confidential
from app.intake.result import ImportResult
from app.judging.rejudge import Affected, rejudge
from app.school import School
from app.store import audit_log, tables
from app.store.changes import recording
from app.store.writing import raise_revision
from app.vocabulary.terms import RowResolution

Work = Callable[[Connection, ImportResult], Affected]
Run = Callable[[Connection], list[ImportResult]]  # imports some files in an open transaction


def carry_out(school: School, run: Run) -> list[ImportResult]:
    """Import some files in one transaction, so that the whole can be undone (`app.intake.undo`)."""
    with school.writing() as connection, recording(connection):
        return run(connection)


def carry_out_for_good(school: School, run: Run) -> list[ImportResult]:
    """Import some files in one transaction that cannot be undone: call records, of which there are many, and which the
    sync would fetch again."""
    with school.writing() as connection:
        return run(connection)


def prepare_import(school: School, result: ImportResult, work: Work) -> Run:
    """An import ready to be run; `result` says what is imported."""
    return lambda connection: [run_import_in(connection, school, result, work)]


def run_import(school: School, result: ImportResult, work: Work) -> ImportResult:
    """Run an import in a transaction of its own. `result` says what is imported; it is filled in and returned."""
    with school.writing() as connection:
        return run_import_in(connection, school, result, work)


def run_import_in(connection: Connection, school: School, result: ImportResult, work: Work) -> ImportResult:
    """Run an import in an open transaction: do its work, quarantine its rejected rows, judge again what it affects, and
    list it among the imports if it changed anything."""
    affected = work(connection, result)
    fixed = quarantine.find_fixed(connection, school.settings, result)
    done = quarantine.resolve(connection, fixed, RowResolution.IMPORTED, at=school.now(), actor_id=result.actor_id)
    result.resolved = len(done)
    if result.calls:
        result.resolved += quarantine.settle_calls(connection, result.calls, school.now(), result.actor_id)
    new = quarantine.quarantine_rows(connection, result, school.now())
    wrote = result.added or result.changed or result.left or result.resolved or new
    if not (wrote or affected.times):  # removing a call that is not a session after all adds to no count
        count_confidential(connection, result)
        return result
    rejudge(connection, school, affected)
    count_confidential(connection, result)
    facts = {"kind": result.kind, "source": result.source, "imported_at": school.now(), "imported_by": result.actor_id}
    connection.execute(insert(tables.imports).values(facts | result.count() | {"rejected": len(result.rejected)}))
    raise_revision(connection)
    # Without the file, whose name may be a child's.
    about = f"{audit_log.CONFIDENTIAL if result.is_confidential else ''}{result.kind}"
    record_change(connection, school, result.actor_id, "imported", about)
    return result


def record_change(connection: Connection, school: School, actor_id: int | None, action: str, subject: str) -> None:
    """Put a change on the audit trail; without an actor it is a command's."""
    staff = tables.staff.c
    email = connection.scalar(select(staff.email).where(staff.id == actor_id)) if actor_id else None
    actor = email or audit_log.COMMAND
    school.add_to_trail(connection, actor, action, subject)


def span(started_at: datetime, ended_at: datetime) -> tuple[int, int]:
    """A stretch of time in microseconds since 1970."""
    microsecond = timedelta(microseconds=1)
    return (started_at - tables.EPOCH) // microsecond, (ended_at - tables.EPOCH) // microsecond
