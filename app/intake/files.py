"""Imports tables of every kind; a rejected row that was fixed is imported in the same way."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection

from app.formatting import on_day
from app.intake.demonstration import check_not_demonstration, check_table
from app.intake.logs import store_logs
from app.intake.mappings import read_by_mapping
from app.intake.people import RosterOptions, store_pupils, store_schools, store_staff
from app.intake.registers import store_consents, store_letters
from app.intake.result import ImportResult
from app.intake.roster_files import read_roster_files
from app.intake.transaction import Run, Work, carry_out, run_import_in
from app.judging.rejudge import Affected
from app.records.columns import TABLES
from app.records.evidence.attendance_lines import refuse_attendance_report
from app.records.rows import UnreadableFileError
from app.records.tables.tabular import Table, read_table
from app.school import School
from app.store.groups import list_groups_without_pupils, list_leaders_without_groups

Source = str | Path | tuple[str, bytes]

AS_OF_TODAY = RosterOptions()
_STORE_ROSTER: dict[str, Callable[[Connection, School, Table, ImportResult, RosterOptions], Affected]] = {
    "schools": store_schools,
    "staff": store_staff,
    "pupils": store_pupils,
}
_STORE: dict[str, Callable[[Connection, School, Table, ImportResult], Affected]] = {
    "logs": store_logs,
    "letters": store_letters,
    "consents": store_consents,
}


def import_table(
    school: School, kind: str, file: Source, actor_id: int | None = None, options: RosterOptions = AS_OF_TODAY
) -> ImportResult:
    """Import a table of `logs`, `letters`, `consents`, `schools`, `staff` or `pupils`; the options are for the last
    two."""
    return carry_out(school, prepare_file(school, kind, file, actor_id, options))[0]


def prepare_file(
    school: School,
    kind: str,
    file: Source,
    actor_id: int | None = None,
    options: RosterOptions = AS_OF_TODAY,
    mapping: str | None = None,
) -> Run:
    """The import of one table, read as it is or by the mapping of that name, and ready to be run."""
    check_not_demonstration(school, kind)
    refuse_attendance_report(file)
    table = read_by_mapping(school, mapping, file, [kind])[1] if mapping else read_table(file, TABLES[kind])
    return prepare_tables(school, {kind: table}, actor_id, options)


def prepare_tables(
    school: School, read: Mapping[str, Table], actor_id: int | None = None, options: RosterOptions = AS_OF_TODAY
) -> Run:
    """The import of some tables by their kind, ready to be run: first schools, staff and pupils, then what names
    them."""
    for kind, table in read.items():
        check_table(school, kind, table)
    _check_days(school, options)

    def run(connection: Connection) -> list[ImportResult]:
        results = [
            run_import_in(
                connection,
                school,
                ImportResult(kind, read[kind].name, actor_id),
                create_work(school, read[kind], options),
            )
            for kind in (*_STORE_ROSTER, *_STORE)
            if kind in read
        ]
        if {"staff", "pupils"} & read.keys():
            results[-1].notes += list_groups_without_pupils(connection, school.today())
            results[-1].notes += list_leaders_without_groups(connection, school.today())
        return results

    return run


def import_logs(school: School, file: Source, actor_id: int | None = None) -> ImportResult:
    """Import a file of session logs. A row whose reference is known changes nothing if its content is the same, and is
    rejected otherwise: only its author can correct a log, for a reason."""
    return import_table(school, "logs", file, actor_id)


def import_letters(school: School, file: Source, actor_id: int | None = None) -> ImportResult:
    """Import letters.csv."""
    return import_table(school, "letters", file, actor_id)


def import_consents(school: School, file: Source, actor_id: int | None = None) -> ImportResult:
    """Import consents.csv."""
    return import_table(school, "consents", file, actor_id)


def import_roster(
    school: School, folder: str | Path, actor_id: int | None = None, options: RosterOptions = AS_OF_TODAY
) -> list[ImportResult]:
    """Import the roster from a folder, as `read_roster_files` reads it. The results name the files that were not
    read."""
    return carry_out(school, prepare_roster(school, folder, actor_id, options))


def prepare_roster(
    school: School,
    path: str | Path,
    actor_id: int | None = None,
    options: RosterOptions = AS_OF_TODAY,
    mappings: Sequence[str] = (),
) -> Run:
    """The import of a folder, as `read_roster_files` reads it, ready to be run."""
    for kind in _STORE_ROSTER:
        check_not_demonstration(school, kind)
    files = read_roster_files(school, Path(path), options, mappings)
    import_files = prepare_tables(school, files.tables, actor_id, files.options)

    def run(connection: Connection) -> list[ImportResult]:
        results = import_files(connection)
        last = results[-1]
        last.unread += files.unread
        if files.rest:
            last.notes.append(f"other files of the folder were not read: {', '.join(files.rest)}")
        return results

    return run


def _check_days(school: School, options: RosterOptions) -> None:
    """Raise UnreadableFileError if a day that the office gave has not come yet."""
    for day in (options.valid_from, options.left_on):
        if day is not None and day > school.today():
            raise UnreadableFileError(f"{on_day(day)} has not come yet: import the file on that day, or correct it.")


def create_work(school: School, table: Table, options: RosterOptions = AS_OF_TODAY) -> Work:
    """The work of importing a table, whose kind the result names."""

    def work(connection: Connection, result: ImportResult) -> Affected:
        result.read, result.headings = len(table.rows), table.headings
        if result.kind in _STORE_ROSTER:
            return _STORE_ROSTER[result.kind](connection, school, table, result, options)
        return _STORE[result.kind](connection, school, table, result)

    return work
