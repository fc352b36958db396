"""Outcomes as CSV or JSON. In the CSV, no cell is one that a spreadsheet would run as a formula."""

import csv
import json
import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from textwrap import indent
from typing import Any, TextIO

import pandas as pd
from sqlalchemy import Connection, not_, select

from app.access.scope import is_confidential
from app.judging.parts import find_sessions, read_part
from app.judging.upkeep import refresh
from app.protocol.judge import judge
from app.school import School
from app.store import tables

COLUMNS = (
    "log_ref",
    "call_id",
    "started_at",
    "staff_email",
    "purpose",
    "clause",
    "outcome",
    "evidence",
    "disputed",
    "reason",
)
_AT_ONCE = 2_500  # sessions judged at a time, so that the memory needed does not grow with their number


def iter_outcomes(school: School, days: tuple[date, date]) -> Iterator[dict[str, Any]]:
    """One row for each session of some days and clause, in order of the sessions' start; the keys are
    COLUMNS. Blank texts are "", `disputed` is true or false, `started_at` ISO 8601 in school time. There are
    none of what is or may be counselling: whoever runs a command is not the counsellor."""
    refresh(school)
    session = tables.sessions.c
    with school.engine.connect() as connection:
        school = school.as_of(connection)
        ids = connection.scalars(
            select(session.id)
            .where(session.day.between(*days), not_(is_confidential()))
            .order_by(session.started_at, session.id)
        ).all()
        for first in range(0, len(ids), _AT_ONCE):
            yield from _read_outcomes(school, connection, ids[first : first + _AT_ONCE])


def _read_outcomes(school: School, connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    evidence = read_part(connection, school.settings, ids)
    judged = judge(evidence, school.settings, school.now(), reasons=True)
    staff = tables.staff.c
    emails = dict(connection.execute(select(staff.id, staff.email)).all())
    refs = dict(zip(evidence.logs["log_id"], evidence.logs["ref"], strict=True))
    sessions = judged.sessions
    facts = pd.DataFrame(
        {
            "log_ref": [refs.get(log_id, "") for log_id in sessions["log_id"]],
            "call_id": sessions["call_id"].fillna(""),
            "started_at": [t.isoformat() for t in sessions["started_at"].dt.tz_convert(school.settings.timezone)],
            "staff_email": [emails.get(staff_id, "") for staff_id in sessions["staff_id"]],
            "purpose": sessions["purpose"].fillna(""),
        }
    )
    table = judged.table()
    rows = table[table["session"].isin(find_sessions(connection, judged, ids))].join(facts, on="session")
    records: list[dict[str, Any]] = rows[list(COLUMNS)].to_dict("records")
    return records


def write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV, with true and false as yes and no, and no cell that a spreadsheet would run as a formula."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([make_harmless(row[column]) for column in columns])


def write_json(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as a JSON list, one at a time."""
    before = "["
    for row in rows:
        file.write(f"{before}\n{indent(json.dumps(row, ensure_ascii=False, indent=1), ' ')}")
        before = ","
    file.write("[]\n" if before == "[" else "\n]\n")


def make_harmless(value: Any) -> str:
    """A cell's value as text that no spreadsheet takes for a formula; true and false become yes and no."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"'{text}" if _find_first_visible(text) in ("=", "+", "-", "@") and not _is_number(text) else text


def _find_first_visible(text: str) -> str:
    """The first visible character, in its usual form if it is full-width; "" if there is none."""
    first = next((letter for letter in text if unicodedata.category(letter)[0] not in "CMZ"), "")
    return unicodedata.normalize("NFKC", first)[:1]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
