"""Reads the roster from a folder or an archive: the program's own files, tables of other systems by mappings, or what
School Data Sync or OneRoster export."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from app.intake.mappings import read_by_mapping, suggest_mapping
from app.intake.people import RosterOptions
from app.records.columns import TABLES
from app.records.evidence.attendance_lines import refuse_attendance_report
from app.records.people.roster import ROSTER_TABLES
from app.records.people.roster_folders import FILES, is_roster_folder, read_export
from app.records.rows import UnreadableFileError
from app.records.tables.archives import read_archive
from app.records.tables.sheets import TableFile, get_name
from app.records.tables.tabular import Table, read_table
from app.school import School
from app.store import tables

_KINDS = tuple(ROSTER_TABLES)
_ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".numbers")
_ARCHIVE = ".zip"
_LEFT_BY_SYSTEMS = ("~$", ".", "thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class RosterFiles:
    """What was read of a folder: the tables by kind, the options with what the folder itself says, the names of files
    that are no tables, and sentences about tables that were meant to be read and were not."""

    tables: dict[str, Table]
    options: RosterOptions
    rest: Sequence[str] = ()
    unread: Sequence[str] = ()


def read_roster_files(school: School, path: Path, options: RosterOptions, mappings: Sequence[str] = ()) -> RosterFiles:
    """Read a folder or a .zip: schools.csv, staff.csv and pupils.csv (or .xlsx), those that are there; a School Data
    Sync or OneRoster export, which may also be a .zip in the folder; or any tables, also a single file, by the mappings
    of those names. UnreadableFileError says at once what is wrong with the files."""
    if path.is_dir() or (path.is_file() and path.suffix.lower() == _ARCHIVE):
        files = _list_files(path)
        if is_roster_folder([get_name(file).lower() for file in files]):
            return read_export_files(school, path.name, files, options)
        return _read_files(school, path.name, files, options, mappings)
    refuse_attendance_report(path)
    if mappings and path.is_file():
        read = {kind: table for kind, (_, table) in _read_mapped(school, [path], mappings).items()}
        return RosterFiles(read, options)
    raise UnreadableFileError(
        f"{path} is neither a folder nor a .zip; give the one with schools.csv, staff.csv and pupils.csv, or a file "
        "with --mapping."
    )


def _list_files(path: Path) -> list[TableFile]:
    """The files of a folder or an archive by name. What an archive in the folder exports of a roster counts as if it
    were in the folder itself."""
    files: dict[str, TableFile] = {}
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if file.name.lower().startswith((*_LEFT_BY_SYSTEMS, "__macosx")):
            continue
        if file.is_dir():
            files[f"{file.name}/"] = (f"{file.name}/", b"")  # to be named among what was not read
            continue
        packed = read_archive(file) if file.suffix.lower() == _ARCHIVE else {}
        if file == path or is_roster_folder([name.lower() for name in packed]):
            found: dict[str, TableFile] = {name: (name, content) for name, content in packed.items()}
        else:
            found = {file.name: file}
        if twice := sorted(found.keys() & files.keys()):
            raise UnreadableFileError(
                f"{path.name} has {', '.join(twice)} both as a file and in an archive, or in two archives; keep one."
            )
        files |= {name: content for name, content in found.items() if not name.lower().startswith(_LEFT_BY_SYSTEMS)}
    return [files[name] for name in sorted(files)]


def unpack(files: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Some files as (name, content), with the files of archives in place of these. UnreadableFileError if an archive
    cannot be read, or two files have one name."""
    unpacked: dict[str, bytes] = {}
    for name, content in files:
        parts = read_archive((name, content)) if name.lower().endswith(_ARCHIVE) else {name: content}
        for inner, part in parts.items():
            if inner in unpacked:
                raise UnreadableFileError(f"There are two files of the name {inner}; keep one.")
            if not inner.lower().startswith(_LEFT_BY_SYSTEMS):
                unpacked[inner] = part
    return [*unpacked.items()]


def read_export_files(school: School, folder: str, files: Sequence[TableFile], options: RosterOptions) -> RosterFiles:
    """The files of a School Data Sync or OneRoster folder, which has a name. UnreadableFileError if one cannot be used,
    or if nobody is in them."""
    by_name = {get_name(file).lower(): file for file in files}
    known = tables.schools.c
    with school.engine.connect() as connection:
        schools = {row.code: row.name for row in connection.execute(select(known.code, known.name))}
    export = read_export(by_name, schools, school.today())
    if not export.tables:
        raise UnreadableFileError(f"users.csv of {folder} names no pupils and no staff.")
    day = options.left_on or options.valid_from or school.today()
    options = replace(
        options,
        whole=options.whole and export.is_whole,
        leave_days=dict.fromkeys(export.left, day),
        staying=export.unclear,
    )
    of_format = (*FILES, *(f"{kind}.csv" for kind in _KINDS))
    others = [get_name(file) for name, file in by_name.items() if name not in of_format]
    return RosterFiles(
        export.tables,
        options,
        [name for name in others if not name.lower().endswith(_ENDINGS)],
        [f"{name} was not read: it is no file of this format." for name in others if name.lower().endswith(_ENDINGS)],
    )


def _read_files(
    school: School, folder: str, files: Sequence[TableFile], options: RosterOptions, mappings: Sequence[str]
) -> RosterFiles:
    """The program's own files, and others by mappings. A file with a name of the program's own may be another's."""
    own, others = _find_own_files(folder, files)
    read, unreadable = {}, {}
    for kind, file in own.items():
        try:
            refuse_attendance_report(file)
            read[kind] = read_table(file, TABLES[kind])
        except UnreadableFileError as error:
            unreadable[get_name(file)] = (file, error)
    others += [file for file, _ in unreadable.values()]
    faults = []
    try:
        for kind, (file, table) in _read_mapped(school, [file for file in others if _is_table(file)], mappings).items():
            if kind in read:
                raise UnreadableFileError(_describe_both(kind, own[kind], file))
            read[kind] = table
            others.remove(file)
            unreadable.pop(get_name(file), None)
    except UnreadableFileError as error:
        faults.append(str(error))
    faults += [_describe_unreadable(school, file, error) for file, error in unreadable.values()]
    if faults:
        raise UnreadableFileError("\n".join(dict.fromkeys(faults)))
    if not read:
        found = f" It has: {', '.join(map(get_name, others))}." if others else ""
        raise UnreadableFileError(
            f"{folder} has none of schools.csv, staff.csv and pupils.csv, nor users.csv and orgs.csv of School Data "
            f"Sync or OneRoster.{found} Tables of other systems are read on the Administration page, or with --mapping."
        )
    return RosterFiles(
        {kind: read[kind] for kind in _KINDS if kind in read},
        options,
        [get_name(file) for file in others if not _is_table(file)],
        [f"{get_name(file)} was not read: {_suggest_name(school, file)}" for file in others if _is_table(file)],
    )


def _describe_unreadable(school: School, file: TableFile, error: UnreadableFileError) -> str:
    return " ".join(filter(None, (str(error), suggest_mapping(school, file, _KINDS))))


def _is_table(file: TableFile) -> bool:
    return get_name(file).lower().endswith((*_ENDINGS, _ARCHIVE))


def _find_own_files(folder: str, files: Sequence[TableFile]) -> tuple[dict[str, TableFile], list[TableFile]]:
    """The file of each kind, and the folder's other files. UnreadableFileError if there are two of one kind."""
    own: dict[str, TableFile] = {}
    others = []
    for file in files:
        kind = Path(get_name(file)).stem.lower()
        if kind not in _KINDS or not get_name(file).lower().endswith(_ENDINGS):
            others.append(file)
        elif kind in own:
            raise UnreadableFileError(
                f"{folder} has both {get_name(own[kind])} and {get_name(file)}; keep one of the two."
            )
        else:
            own[kind] = file
    return {kind: own[kind] for kind in _KINDS if kind in own}, others


def _describe_both(kind: str, file: TableFile, other: TableFile) -> str:
    return f"{get_name(file)} and {get_name(other)} both hold {kind}; keep one of the two."


def _suggest_name(school: School, file: TableFile) -> str:
    """What to do about a file of the folder whose name is not one of a roster's."""
    if get_name(file).lower().endswith(_ARCHIVE):
        return "it holds no export of School Data Sync or OneRoster; unpack it, and give the folder."
    kind = next((kind for kind in _KINDS if get_name(file).lower().startswith(kind)), None)
    meant = f"{kind}.csv" if kind else "schools.csv, staff.csv or pupils.csv"
    fix = f"for an import of the roster its name has to be {meant} (or .xlsx)."
    return " ".join(filter(None, (fix, suggest_mapping(school, file, _KINDS))))


def _read_mapped(
    school: School, files: Sequence[TableFile], names: Sequence[str]
) -> dict[str, tuple[TableFile, Table]]:
    """For each mapping the one file that it reads, and its table, by kind."""
    read: dict[str, tuple[TableFile, Table]] = {}
    for name in names:
        found: list[tuple[TableFile, str, Table]] = []
        faults: dict[str, None] = {}
        for file in files:
            try:
                found.append((file, *read_by_mapping(school, name, file, _KINDS)))
            except UnreadableFileError as error:
                faults[str(error)] = None
        if len(found) > 1:
            both = ", ".join(get_name(file) for file, _, _ in found)
            raise UnreadableFileError(f"The mapping “{name}” reads several files: {both}; keep one of them.")
        if not found:
            raise UnreadableFileError("\n".join(faults) or f"There is no table that the mapping “{name}” could read.")
        for file, kind, table in found:
            if kind in read:
                raise UnreadableFileError(_describe_both(kind, read[kind][0], file))
            read[kind] = file, table
    return read
