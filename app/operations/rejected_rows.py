"""TODO."""

import json
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from app.access.administration import list_rejected_rows
from app.access.policy import Person
from app.intake import rejected_rows
from app.intake.files import _not_into_the_demonstration, _work_of
from app.intake.rejected_rows import _settle
from app.intake.transaction import taken_in
from app.records import Rejected
from app.records.tabular import Table
from app.school import School
from app.store import audit_log, tables
from app.store.writing import raise_revision
from app.vocabulary import RowResolution

# --- a row that was refused -------------------------------------------------------------------------


class _RefusedAgain(Exception):
    def __init__(self, refused: Rejected) -> None:
        super().__init__()
        self.refused = refused


def fix_row(school: School, person: Person, number: int, cells: Mapping[str, str]) -> Rejected | None:
    """Take in a refused row as the administrator mended it, the way that its file was taken in; the cells
    withheld from them stay as they came. What is refused about it now, and then nothing was changed; None if it
    was taken in. ValueError, in words, where the row is not theirs to mend."""
    found = list_rejected_rows(school, person, number)
    mendable = found["mendable"].iloc[0] if len(found) else ()
    if not mendable:
        raise ValueError("This row is settled already, or is not to be mended here. Nothing was changed.")
    _not_into_the_demonstration(school, found["kind"].iloc[0])
    kept = tables.rejected_rows
    try:
        with school.writing() as connection:
            row = connection.execute(select(kept).where(kept.c.id == number)).one()
            if not rejected_rows.resolve_row(connection, number, at=school.now(), by=person.staff_id):
                raise ValueError("Somebody else has settled this row meanwhile. Nothing was changed.")
            before = {name.strip().lower(): cell for name, cell in json.loads(row.original).items() if name}
            after = before | {name: cell.strip() for name, cell in cells.items() if name in mendable}
            if row.kind == "logs" and _author(after) == person.email != _author(before):
                raise ValueError("A log of your own is made on the page “Log a session”. Nothing was changed.")
            table = Table(row.source, tuple(after), [(row.row, after)])
            work = _work_of(school, row.kind, table)
            result = taken_in(connection, school, row.kind, row.source, person.staff_id, work)
            if result.refused:
                raise _RefusedAgain(result.refused[0])
            note(connection, school, person, [number], RowResolution.FIXED)
    except _RefusedAgain as again:
        return again.refused
    return None


def _author(cells: Mapping[str, str]) -> str:
    return cells.get("staff_email", "").strip().lower()


def dismiss_rows(school: School, person: Person, numbers: Collection[int], reason: str) -> int:
    """Settle rows that the administrator does not mend, and say so on the audit trail; how many of them still
    waited. ValueError, in words, without a reason."""
    if not reason.strip():
        raise ValueError("Say why it need not be mended.")
    theirs = set(list_rejected_rows(school, person)["id"]) & set(numbers)
    with school.writing() as connection:
        done = _settle(
            connection, theirs, RowResolution.DISMISSED, at=school.now(), by=person.staff_id, why=reason.strip()
        )
        note(connection, school, person, done, RowResolution.DISMISSED)
    return len(done)


def note(connection: Connection, school: School, person: Person, numbers: Collection[int], how: str) -> None:
    """Put on the audit trail that the person settled refused rows."""
    if numbers:
        about = f"refused row {', '.join(map(str, sorted(numbers)))}: {how}"
        audit_log.add(connection, occurred_at=school.now(), actor=person.email, action="changed", subject=about)
        raise_revision(connection)
