"""Imports the parents' registers: letters that were sent, and consents."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from app.intake.result import ImportResult
from app.judging.rejudge import Affected
from app.parents import consents
from app.records.registers import Consent, Letter, parse_consents, parse_letters
from app.records.rows import R, ReadRow
from app.records.tables.tabular import Table
from app.school import School
from app.store import reading, tables
from app.store.writing import insert_rows


def store_letters(connection: Connection, school: School, file: Table, result: ImportResult) -> Affected:
    """Store the letters that are not stored yet."""
    parsed = parse_letters(file, reading.read_roster(connection), school.settings, school.now())
    stored = tables.letters.c
    known = {tuple(row) for row in connection.execute(select(stored.pupil_id, stored.kind, stored.sent_on))}
    new = _pick_new(result, result.note(parsed), known, lambda letter: (letter.pupil_id, letter.kind, letter.sent_on))
    insert_rows(connection, tables.letters, [letter.model_dump() for letter in new])
    return _touch_pupils(connection, new)


def store_consents(connection: Connection, school: School, file: Table, result: ImportResult) -> Affected:
    """Store the consents that are not stored yet."""
    parsed = parse_consents(file, reading.read_roster(connection), school.settings, school.now())
    known = set(connection.scalars(select(tables.consents.c.fingerprint)))
    new = _pick_new(result, result.note(parsed), known, lambda consent: consent.fingerprint)
    consents.add_imported(connection, new, result.actor_id, school.now())
    return _touch_pupils(connection, new)


def _pick_new(result: ImportResult, rows: Sequence[ReadRow[R]], known: set[Any], key: Callable[[R], Any]) -> list[R]:
    """The rows whose key is not known yet."""
    new = []
    for read in rows:
        if key(read.row) not in known:
            known.add(key(read.row))
            new.append(read.row)
            result.new_rows.append((read.number, read.cells))
    result.added = len(new)
    result.unchanged = len(rows) - len(new)
    return new


def _touch_pupils(connection: Connection, rows: Sequence[Letter | Consent]) -> Affected:
    """The sessions of the pupils of some rows."""
    attended = tables.session_pupils.c
    is_attended = reading.is_among(connection, attended.pupil_id, {row.pupil_id for row in rows})
    return Affected(sessions=set(connection.scalars(select(attended.session_id).where(is_attended))))
