"""Fixing and dismissing rejected rows."""

import io
import json
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from app.access.administration import RECORDS, list_rejected_rows
from app.access.policy import Person, require
from app.intake import quarantine
from app.intake.calls import create_record_work
from app.intake.demonstration import check_not_demonstration, check_table
from app.intake.files import create_work
from app.intake.people import RosterOptions
from app.intake.result import ImportResult
from app.intake.transaction import run_import_in
from app.records.columns import TABLES
from app.records.evidence.json_files import iter_content
from app.records.rows import RejectedRow
from app.records.tables.tabular import Table
from app.school import School
from app.store import tables
from app.store.writing import raise_revision
from app.vocabulary.roles import Resource
from app.vocabulary.terms import RowResolution


def fix_row(school: School, person: Person, number: int, cells: Mapping[str, str]) -> RejectedRow | None:
    """Import a rejected row with the administrator's cells, in the same way as its file; withheld cells stay as they
    came, and what is stored stays where its file had no column. Returns None if it was imported, or the new rejection,
    with nothing changed. Raises ValueError, with a message to show, if the administrator may not fix the row."""
    rows = list_rejected_rows(school, person, number)
    fixable = rows["fixable"].iloc[0] if len(rows) else ()
    if not fixable:
        raise ValueError("This row is resolved already, or cannot be fixed here. Nothing was changed.")
    with school.writing() as connection:
        if not _resolve(connection, school, person, [number], RowResolution.FIXED):
            raise ValueError("Somebody else has resolved this row. Nothing was changed.")
        stored = tables.quarantine
        row = connection.execute(select(stored).where(stored.c.id == number)).one()
        before = {name.strip().lower(): cell for name, cell in json.loads(row.original).items() if name}
        given = {name: cell.strip() for name, cell in cells.items() if name in fixable}
        after = before | {name: cell for name, cell in given.items() if cell or name in before}
        if row.kind == "logs" and _find_author(after) == person.email != _find_author(before):
            raise ValueError("Enter a log of your own on the page “Log a session”. Nothing was changed.")
        result = ImportResult(row.kind, row.source, person.staff_id)
        table = Table(row.source, tuple(after), [(row.row, after)], unchanged=frozenset(TABLES[row.kind].required))
        check_table(school, row.kind, table)
        run_import_in(connection, school, result, create_work(school, table, RosterOptions(whole=False)))
        if result.rejected:
            connection.rollback()
            return result.rejected[0]
    return None


def give_record(school: School, person: Person, number: int, file: tuple[str, bytes]) -> RejectedRow | None:
    """Import a corrected file, as (name, content), that holds a rejected call record or recording. Returns None if the
    record could be read, or the new rejection, with nothing changed. Raises ValueError, with a message to show, if
    the record is resolved already or the file does not hold it."""
    rows = list_rejected_rows(school, person, number)
    if rows.empty or rows["kind"].iloc[0] not in RECORDS:
        raise ValueError("This record is resolved already. Nothing was changed.")
    check_not_demonstration(school, rows["kind"].iloc[0])
    with school.writing() as connection:
        result = ImportResult(rows["kind"].iloc[0], file[0], person.staff_id)
        run_import_in(
            connection, school, result, create_record_work(school, iter_content(file[0], io.BytesIO(file[1])))
        )
        stored = tables.quarantine.c
        is_open = select(stored.id).where(stored.id == number, stored.resolved_at.is_(None))
        if connection.scalar(is_open) is None:
            return None
        connection.rollback()
    if result.rejected:
        return result.rejected[0]
    raise ValueError("The file does not hold this record, or an older version of it. Nothing was changed.")


def _find_author(cells: Mapping[str, str]) -> str:
    return cells.get("staff_email", "").strip().lower()


def dismiss_rows(school: School, person: Person, numbers: Collection[int], reason: str) -> int:
    """Resolve rows without fixing them, record that on the audit trail, and return how many were still open. Raises
    ValueError, with a message to show, without a reason."""
    if not reason.strip():
        raise ValueError("Say why the rows need not be fixed.")
    require(person, Resource.REJECTED_ROWS)
    with school.writing() as connection:
        return len(_resolve(connection, school, person, numbers, RowResolution.DISMISSED, reason.strip()))


def _resolve(
    connection: Connection,
    school: School,
    person: Person,
    numbers: Collection[int],
    resolution: RowResolution,
    reason: str | None = None,
) -> list[int]:
    """Resolve those rows that are still open, record that on the audit trail, and return their ids."""
    resolved = quarantine.resolve(
        connection, numbers, resolution, at=school.now(), actor_id=person.staff_id, reason=reason
    )
    if resolved:
        subject = f"rejected row {', '.join(map(str, sorted(resolved)))}: {resolution}"
        school.add_to_trail(connection, person.email, "changed", subject)
        raise_revision(connection)
    return resolved
