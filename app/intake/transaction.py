"""One import, whatever it brings: its work, its rejected rows, and what it touched judged again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from app.intake import rejected_rows
from app.judging.rejudge import Touched, rejudge
from app.records.rows import ParsedRows, R, ReadRow, RejectedRow
from app.school import School
from app.store import audit_log, tables
from app.store.writing import insert_rows, raise_revision
from app.vocabulary import RowResolution


@dataclass
class ImportResult:
    """What an import did: how many rows or records were read, and what became of them. `actor_id` is the staff id of
    who brought it; None: a command."""

    kind: str
    source: str
    actor_id: int | None = None
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    dropped: int = 0  # calls that are not sessions
    rejected: list[RejectedRow] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)
    resolved: int = 0  # rows that earlier imports had rejected
    rows: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)  # that could be used, by number
    calls: dict[str, int] = field(default_factory=dict)  # that could be read: id and version; of a recording 0


_COUNTED = ("kind", "source", "read", "added", "changed", "unchanged", "dropped")


Work = Callable[[Connection, ImportResult], Touched]


def run_import(school: School, kind: str, source: str, actor_id: int | None, work: Work) -> ImportResult:
    """One import in one transaction."""
    with school.writing() as connection:
        return run_import_in(connection, school, kind, source, actor_id, work)


def run_import_in(
    connection: Connection, school: School, kind: str, source: str, actor_id: int | None, work: Work
) -> ImportResult:
    """An import's work, its rejected rows, what it touched judged again, and an entry in the list of imports
    if it changed anything."""
    result = ImportResult(kind, source, actor_id)
    touched = work(connection, result)
    fixed = rejected_rows.find_fixed(
        connection, school.settings, kind, source, used=result.rows, rejected=result.rejected, calls=result.calls
    )
    done = rejected_rows.resolve(connection, fixed, RowResolution.IMPORTED, at=school.now(), actor_id=actor_id)
    result.resolved = len(done)
    new = rejected_rows.list_new(connection, kind, source, result.rejected)
    wrote = result.added or result.changed or result.resolved or new
    if not (wrote or touched.times):  # a call that turned out not to be a session is none of these, and gone
        return result
    import_id = connection.scalar(
        insert(tables.imports)
        .returning(tables.imports.c.id)
        .values({name: getattr(result, name) for name in _COUNTED})
        .values(imported_at=school.now(), imported_by=actor_id, rejected=len(result.rejected))
    )
    insert_rows(connection, tables.rejected_rows, [row | {"import_id": import_id} for row in new])
    rejudge(connection, school, touched)
    raise_revision(connection)
    record_change(connection, school, actor_id, "imported", f"{kind} from {source}, import {import_id}")
    return result


def record_change(connection: Connection, school: School, actor_id: int | None, action: str, subject: str) -> None:
    """Put a change on the audit trail; without an actor it is a command's."""
    staff = tables.staff.c
    email = connection.scalar(select(staff.email).where(staff.id == actor_id)) if actor_id else None
    actor = email or audit_log.COMMAND
    school.add_to_trail(connection, actor, action, subject)


def note_rows(result: ImportResult, parsed: ParsedRows[R]) -> list[ReadRow[R]]:
    """The rows of a file that can be used; what else was found in it goes into the result."""
    result.rejected += parsed.rejected
    result.unknown_columns = parsed.unknown_columns
    result.rows = [(read.number, read.cells) for read in parsed.rows]
    return parsed.rows


def span(started_at: datetime, ended_at: datetime) -> tuple[int, int]:
    """A stretch of time in microseconds since 1970."""
    microsecond = timedelta(microseconds=1)
    return (started_at - tables.EPOCH) // microsecond, (ended_at - tables.EPOCH) // microsecond
