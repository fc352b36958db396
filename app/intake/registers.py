"""The parents' registers: letters that were sent, and consents."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from app.intake.transaction import ImportResult, noted
from app.judging.rejudge import Touched
from app.parents import consents
from app.records import R, Read
from app.records.registers import Consent, Letter, parse_consents, parse_letters
from app.records.tabular import Table
from app.school import School
from app.store import reading, tables
from app.store.writing import insert_rows


def keep_letters(connection: Connection, school: School, file: Table, result: ImportResult) -> Touched:
    """Keep the letters that are not known yet."""
    parsed = parse_letters(file, reading.roster(connection), school.settings, school.now())
    kept = tables.letters.c
    known = {tuple(row) for row in connection.execute(select(kept.pupil_id, kept.kind, kept.sent_on))}
    new = _new(result, noted(result, parsed), known, lambda letter: (letter.pupil_id, letter.kind, letter.sent_on))
    insert_rows(connection, tables.letters, [letter.model_dump() for letter in new])
    return _of_pupils(connection, new)


def keep_consents(connection: Connection, school: School, file: Table, result: ImportResult) -> Touched:
    """Keep the consents that are not known yet."""
    parsed = parse_consents(file, reading.roster(connection), school.settings)
    known = set(connection.scalars(select(tables.consents.c.fingerprint)))
    new = _new(result, noted(result, parsed), known, lambda consent: consent.fingerprint)
    consents.keep(connection, new, result.by, school.now())
    return _of_pupils(connection, new)


def _new(result: ImportResult, rows: Sequence[Read[R]], known: set[Any], key: Callable[[R], Any]) -> list[R]:
    """The rows whose key is not known yet."""
    new = []
    for read in rows:
        if key(read.row) not in known:
            known.add(key(read.row))
            new.append(read.row)
    result.added = len(new)
    result.unchanged = len(rows) - len(new)
    return new


def _of_pupils(connection: Connection, rows: Sequence[Letter | Consent]) -> Touched:
    """The sessions of the pupils of some rows."""
    of = tables.session_pupils.c
    mine = reading.chosen(connection, "register", of.pupil_id, {row.pupil_id for row in rows})
    return Touched(sessions=set(connection.scalars(select(of.session_id).where(mine))))
