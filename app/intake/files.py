"""A file of any kind, and a row of one that was refused and is mended: both come in the same way."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from app.intake.logs import keep_logs
from app.intake.people import keep_pupils, keep_schools, keep_staff
from app.intake.registers import keep_consents, keep_letters
from app.intake.transaction import ImportResult, Work, take_in, taken_in
from app.judging.rejudge import Touched
from app.records import UnreadableFile
from app.records.tabular import Table, read_table
from app.school import School
from app.store.database import DatabaseError
from app.store.writing import remembered

Source = str | Path | tuple[str, bytes]

_ROSTER = ("schools", "staff", "pupils")
_KEEP: dict[str, Callable[[Connection, School, Table, ImportResult], Touched]] = {
    "schools": keep_schools,
    "staff": keep_staff,
    "pupils": keep_pupils,
    "logs": keep_logs,
    "letters": keep_letters,
    "consents": keep_consents,
}


def import_table(school: School, kind: str, file: Source, by: int | None = None) -> ImportResult:
    """A table of `logs`, `letters`, `consents`, `schools`, `staff` or `pupils`."""
    _not_into_the_demonstration(school, kind)
    table = read_table(file)
    return take_in(school, kind, table.name, by, _work_of(school, kind, table))


def import_logs(school: School, file: Source, by: int | None = None) -> ImportResult:
    """A file of session logs. A row whose reference is known with the same content changes nothing;
    with other content it is refused: a log is corrected by who wrote it, with a reason."""
    return import_table(school, "logs", file, by)


def import_letters(school: School, file: Source, by: int | None = None) -> ImportResult:
    """letters.csv."""
    return import_table(school, "letters", file, by)


def import_consents(school: School, file: Source, by: int | None = None) -> ImportResult:
    """consents.csv."""
    return import_table(school, "consents", file, by)


def import_people(school: School, kind: str, table: Table, by: int | None = None) -> ImportResult:
    """A table of `schools`, `staff` or `pupils`; of the fictional school as well."""
    return take_in(school, kind, table.name, by, _work_of(school, kind, table))


def import_roster(school: School, folder: str | Path, by: int | None = None) -> list[ImportResult]:
    """schools.csv, staff.csv and pupils.csv (or .xlsx) of a folder, those that are there."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UnreadableFile(f"{folder} is no folder; give the one that holds schools.csv, staff.csv and pupils.csv.")
    files = {kind: _roster_file(folder, kind) for kind in _ROSTER}
    if not any(files.values()):
        raise UnreadableFile(f"{folder} holds none of schools.csv, staff.csv and pupils.csv.")
    read = {kind: read_table(file) for kind, file in files.items() if file}
    for kind in read:
        _not_into_the_demonstration(school, kind)
    with school.writing() as connection:
        return [
            taken_in(connection, school, kind, table.name, by, _work_of(school, kind, table))
            for kind, table in read.items()
        ]


def _roster_file(folder: Path, kind: str) -> Path | None:
    return next((f for f in sorted(folder.iterdir()) if f.name.lower() in (f"{kind}.csv", f"{kind}.xlsx")), None)


def _work_of(school: School, kind: str, table: Table) -> Work:
    def work(connection: Connection, result: ImportResult) -> Touched:
        result.read = len(table.rows)
        return _KEEP[kind](connection, school, table, result)

    return work


def _not_into_the_demonstration(school: School, kind: str) -> None:
    """Nobody real is ever in a database whose people lend their eyes to everybody."""
    if kind not in _ROSTER:
        return
    with school.engine.connect() as connection:
        if remembered(connection, "demo") or remembered(connection, "demo_unfinished"):
            raise DatabaseError(
                "This database holds the demonstration: nobody real comes into it. Set DATABASE_URL to a database of "
                "the school's own. Nothing was changed."
            )
