"""One import, whatever it brings: its work, its refused rows, and what it touched judged again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from app.intake import rejected_rows
from app.judging.rejudge import Touched, rejudge
from app.records import Parsed, R, Read, Rejected
from app.school import School
from app.store import audit_log, tables
from app.store.writing import insert_rows, raise_revision


@dataclass
class ImportResult:
    """What an import did: how many rows or records were read, and what became of them. `by` is the staff id of
    who brought it; None: a command."""

    kind: str
    source: str
    by: int | None = None
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    dropped: int = 0  # calls that are no session
    refused: list[Rejected] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)
    came_right: int = 0  # rows that earlier imports had refused
    rows: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)  # that could be used, by number
    calls: dict[str, int] = field(default_factory=dict)  # that could be read: id and version; of a recording 0


_COUNTED = ("kind", "source", "read", "added", "changed", "unchanged", "dropped")


Work = Callable[[Connection, ImportResult], Touched]


def take_in(school: School, kind: str, source: str, by: int | None, work: Work) -> ImportResult:
    """One import in one transaction."""
    with school.writing() as connection:
        return taken_in(connection, school, kind, source, by, work)


def taken_in(
    connection: Connection, school: School, kind: str, source: str, by: int | None, work: Work
) -> ImportResult:
    """An import's work, its refused rows, what it touched judged again, and an entry in the list of imports
    if it changed anything."""
    result = ImportResult(kind, source, by)
    touched = work(connection, result)
    result.came_right = rejected_rows.resolve_fixed_rows(
        connection, school.settings, kind, source,
        taken=result.rows, refused=result.refused, calls=result.calls, at=school.now(), by=by,
    )  # fmt: skip
    new_refusals = rejected_rows.new_rows(connection, kind, source, result.refused)
    wrote = result.added or result.changed or result.came_right or new_refusals
    if not (wrote or touched.times):  # a call that turned out to be no session is neither, and gone
        return result
    import_id = connection.scalar(
        insert(tables.imports)
        .returning(tables.imports.c.id)
        .values({name: getattr(result, name) for name in _COUNTED})
        .values(imported_at=school.now(), imported_by=by, rejected=len(result.refused))
    )
    insert_rows(connection, tables.rejected_rows, [row | {"import_id": import_id} for row in new_refusals])
    rejudge(connection, school.settings, touched, school.now())
    raise_revision(connection)
    put_on_trail(connection, school, by, "imported", f"{kind} from {source}, import {import_id}")
    return result


def put_on_trail(connection: Connection, school: School, by: int | None, what: str, about: str) -> None:
    email = connection.scalar(select(tables.staff.c.email).where(tables.staff.c.id == by)) if by else None
    audit_log.add(connection, occurred_at=school.now(), actor=email or audit_log.COMMAND, action=what, subject=about)


def noted(result: ImportResult, parsed: Parsed[R]) -> list[Read[R]]:
    """The rows of a file that can be used; the rest of what its reading told is noted."""
    result.refused += parsed.refused
    result.unknown_columns = parsed.unknown_columns
    result.rows = [(read.number, read.cells) for read in parsed.rows]
    return parsed.rows


def span(started_at: datetime, ended_at: datetime) -> tuple[int, int]:
    """A stretch of time in microseconds."""
    microsecond = timedelta(microseconds=1)
    return (started_at - tables.EPOCH) // microsecond, (ended_at - tables.EPOCH) // microsecond
