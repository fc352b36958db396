"""Saved mappings: how the school's own tables are read, under names; and the mapping of a file by a name."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from app.intake.transaction import record_change
from app.records.known_mappings import get_known_table, list_known_tables, propose_as, rate, read_as, recognise
from app.records.mappings import Mapping, read_mapped_table
from app.records.rows import UnreadableFileError
from app.records.tables.raw_tables import RawTable, read_raw_table
from app.records.tables.sheets import TableFile
from app.records.tables.tabular import Table
from app.school import School
from app.store import tables
from app.vocabulary.words import fold, squeeze, tidy

_saved = tables.mappings.c
_LONGEST = 200  # characters of a name


@dataclass(frozen=True)
class SavedMapping:
    """A mapping that somebody saved. `saved_by` is their address; None: a command."""

    name: str
    mapping: Mapping
    saved_at: datetime
    saved_by: str | None


def save_mapping(school: School, name: str, mapping: Mapping, actor_id: int | None = None) -> None:
    """Save a mapping under a name; one of that name is replaced. UnreadableFileError if the name cannot be used."""
    name = tidy(name)
    if not name or len(name) > _LONGEST:
        raise UnreadableFileError(f"Give the mapping a name of at most {_LONGEST} characters.")
    if get_known_table(name):
        raise UnreadableFileError(f"“{name}” is a mapping that comes with the program; choose another name.")
    row = {
        "key": fold(name),
        "name": name,
        "kind": mapping.kind,
        "content": mapping.to_json(),
        "saved_at": school.now(),
        "saved_by": actor_id,
    }
    with school.writing() as connection:
        connection.execute(delete(tables.mappings).where(_saved.key == fold(name)))
        connection.execute(insert(tables.mappings).values(row))
        record_change(connection, school, actor_id, "changed", f"the mapping {name} of {mapping.kind}")


def list_mappings(school: School, kind: str | None = None) -> list[SavedMapping]:
    """The saved mappings, of whatever kind or the given one, by name."""
    query = select(tables.mappings, tables.staff.c.email).outerjoin(tables.staff).order_by(_saved.key)
    if kind:
        query = query.where(_saved.kind == kind)
    with school.engine.connect() as connection:
        rows = connection.execute(query).all()
    return [SavedMapping(row.name, Mapping.from_json(row.content), row.saved_at, row.email) for row in rows]


def get_mapping(school: School, name: str) -> Mapping | None:
    """The saved mapping of a name, whatever its capitals."""
    with school.engine.connect() as connection:
        content = connection.scalar(select(_saved.content).where(_saved.key == fold(name)))
    return Mapping.from_json(content) if content is not None else None


def find_mapping(school: School, name: str, file: TableFile) -> Mapping:
    """The mapping by which a name, of a saved mapping or of a system's, reads a file. UnreadableFileError if there is
    no such name, or if the file lacks what the system's table has."""
    if mapping := get_mapping(school, name):
        return mapping
    if known := get_known_table(name):
        return read_as(known, read_raw_table(file, rate=lambda raw: -len(propose_as(known, raw).list_missing())))
    names = [saved.name for saved in list_mappings(school)] + [known.name for known in list_known_tables()]
    raise UnreadableFileError(f"There is no mapping “{name}”. There are: {', '.join(names)}.")


def read_by_mapping(school: School, name: str, file: TableFile, kinds: Collection[str]) -> tuple[str, Table]:
    """A file as the mapping of a name reads it: its kind, which must be one of some kinds, and its table.
    UnreadableFileError if there is no such mapping, or if it does not fit."""
    mapping = find_mapping(school, name, file)
    if mapping.kind not in kinds:
        raise UnreadableFileError(f"The mapping “{name}” is for {mapping.kind}, not for {' or '.join(kinds)}.")
    return mapping.kind, read_mapped_table(file, mapping)


def suggest_mapping(school: School, file: TableFile, kinds: Collection[str]) -> str:
    """A sentence that says with which mappings a file can be read as one of some kinds; "" if with none."""
    try:
        names = suggest_names(school, read_raw_table(file, rate=rate), kinds)
    except UnreadableFileError:
        return ""
    return f"It can be read with --mapping “{'” or “'.join(names)}”." if names else ""


def suggest_names(school: School, raw: RawTable, kinds: Collection[str]) -> list[str]:
    """The names of the mappings that read a sheet as a table of one of some kinds: saved ones first."""
    headings = set(map(squeeze, raw.headings))
    saved = [
        mapping.name
        for mapping in list_mappings(school)
        if mapping.mapping.kind in kinds and set(map(squeeze, mapping.mapping.headings)) <= headings
    ]
    systems = [system for system in recognise(raw) if system.kind in kinds]
    fitting = [system.name for system in systems if not propose_as(system, raw).list_missing()]
    return saved + fitting
