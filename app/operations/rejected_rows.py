"""Fixing and dismissing rejected rows."""

import json
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from app.access.administration import list_rejected_rows
from app.access.policy import Person
from app.intake import rejected_rows
from app.intake.files import check_not_demonstration, create_work
from app.intake.transaction import run_import_in
from app.records.rows import RejectedRow
from app.records.tabular import Table
from app.school import School
from app.store import tables
from app.store.writing import raise_revision
from app.vocabulary import RowResolution


class _RejectedAgainError(Exception):
    def __init__(self, rejected: RejectedRow) -> None:
        super().__init__()
        self.rejected = rejected


def fix_row(school: School, person: Person, number: int, cells: Mapping[str, str]) -> RejectedRow | None:
    """Import a rejected row with the administrator's cells, the way that its file was imported; cells withheld from
    them stay as they came. None if it was imported; if it is rejected again, how, and nothing is changed. ValueError,
    in words, if the row is not theirs to fix."""
    found = list_rejected_rows(school, person, number)
    fixable = found["fixable"].iloc[0] if len(found) else ()
    if not fixable:
        raise ValueError("This row is resolved already, or cannot be fixed here. Nothing was changed.")
    check_not_demonstration(school, found["kind"].iloc[0])
    stored = tables.rejected_rows
    try:
        with school.writing() as connection:
            row = connection.execute(select(stored).where(stored.c.id == number)).one()
            fixed = rejected_rows.resolve(
                connection, [number], RowResolution.FIXED, at=school.now(), actor_id=person.staff_id
            )
            if not fixed:
                raise ValueError("Somebody else has resolved this row. Nothing was changed.")
            before = {name.strip().lower(): cell for name, cell in json.loads(row.original).items() if name}
            after = before | {name: cell.strip() for name, cell in cells.items() if name in fixable}
            if row.kind == "logs" and _author(after) == person.email != _author(before):
                raise ValueError("Enter a log of your own on the page “Log a session”. Nothing was changed.")
            table = Table(row.source, tuple(after), [(row.row, after)])
            work = create_work(school, row.kind, table)
            result = run_import_in(connection, school, row.kind, row.source, person.staff_id, work)
            if result.rejected:
                raise _RejectedAgainError(result.rejected[0])
            _audit(connection, school, person, fixed, RowResolution.FIXED)
    except _RejectedAgainError as again:
        return again.rejected
    return None


def _author(cells: Mapping[str, str]) -> str:
    return cells.get("staff_email", "").strip().lower()


def dismiss_rows(school: School, person: Person, numbers: Collection[int], reason: str) -> int:
    """Resolve rows without fixing them, and put that on the audit trail; how many of them were still open.
    ValueError, in words, without a reason."""
    if not reason.strip():
        raise ValueError("Say why the rows need not be fixed.")
    theirs = set(list_rejected_rows(school, person)["id"]) & set(numbers)
    with school.writing() as connection:
        done = rejected_rows.resolve(
            connection,
            theirs,
            RowResolution.DISMISSED,
            at=school.now(),
            actor_id=person.staff_id,
            reason=reason.strip(),
        )
        _audit(connection, school, person, done, RowResolution.DISMISSED)
    return len(done)


def _audit(
    connection: Connection, school: School, person: Person, numbers: Collection[int], how: RowResolution
) -> None:
    """Put on the audit trail that the person resolved rejected rows."""
    if numbers:
        subject = f"rejected row {', '.join(map(str, sorted(numbers)))}: {how}"
        school.add_to_trail(connection, person.email, "changed", subject)
        raise_revision(connection)
