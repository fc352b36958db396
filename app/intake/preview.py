"""Shows what an import would do: it is run as a whole, and rolled back.

So nothing can be shown that the import itself would not do.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, Select, func, not_, select

from app.access.scope import is_confidential
from app.formatting import how_many
from app.intake.people import RosterOptions
from app.intake.result import ImportResult
from app.intake.transaction import Run
from app.records.rows import InvalidCellError, RowNumber
from app.records.tables.tabular import Rows, Table
from app.school import School
from app.store import tables
from app.store.changes import read_changes, read_rows, recording
from app.store.versions import get_person_column, valid_on, valid_versions
from app.vocabulary.terms import BreachState

_LEFT = "has left"
_SHOWN_OF_LOGS = ("ref", "staff_email", "purpose", "started_at", "ended_at")
_change = tables.import_changes.c

Facts = dict[str, str]  # by column of the file


@dataclass(frozen=True)
class ChangedFact:
    """A cell of the roster that an import would change. `kind` is `schools`, `staff` or `pupils`; `who` the name with
    the address, or the code of a school."""

    kind: str
    who: str
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """What an import would do.

    - `results`: one for each file, as the import would return them
    - `changed`: what would change about people and schools on the roster
    - `opened`, `closed`: the numbers of breaches that would open and close
    - `sessions_changed`: the number of past sessions that would have another outcome or other facts, counselling not
      included
    """

    results: list[ImportResult]
    changed: list[ChangedFact]
    opened: int
    closed: int
    sessions_changed: int


def preview_import(school: School, run: Run, options: RosterOptions | None = None) -> Preview:
    """Run an import and roll it back. What it changes about people is shown as of the day from which it is valid, and
    as of today."""
    valid_from = options.valid_from if options else None
    days = sorted({valid_from or school.today(), school.today()})
    with school.writing() as connection:
        before, open_before = _read_roster(connection, days), _list_open_breaches(connection)
        hidden = set(connection.scalars(select(tables.sessions.c.id).where(is_confidential())))
        last_change = connection.scalar(select(func.max(_change.id))) or 0
        with recording(connection):
            results = run(connection)
        after, open_after = _read_roster(connection, days), _list_open_breaches(connection)
        preview = Preview(
            results,
            list(_compare(before, after)),
            len(open_after - open_before),
            len(open_before - open_after),
            _count_sessions_changed(connection, last_change, hidden),
        )
        connection.rollback()
    return preview


def list_new_rows(result: ImportResult) -> list[tuple[int, Facts]]:
    """The rows that an import adds, by number; of session logs only what does not tell of a pupil."""
    if result.kind != "logs":
        return [(number, dict(cells)) for number, cells in result.new_rows]
    return [(number, {name: cells.get(name, "") for name in _SHOWN_OF_LOGS}) for number, cells in result.new_rows]


def describe_effect(preview: Preview) -> list[str]:
    """What an import would do besides storing its rows, as sentences."""
    sessions = how_many(preview.sessions_changed, "past session")
    words = [f"{sessions} would change."] if preview.sessions_changed else ["No past session is affected."]
    if preview.opened or preview.closed:
        words.append(f"{how_many(preview.opened, 'breach', 'breaches')} would open, {preview.closed:,} would close.")
    elif preview.sessions_changed:
        words.append("No breach would open or close.")
    return words


def _list_open_breaches(connection: Connection) -> set[tuple[int, str]]:
    breach = tables.breaches.c
    still_open = select(breach.session_id, breach.clause).join(
        tables.sessions, tables.sessions.c.id == breach.session_id
    )
    still_open = still_open.where(breach.state == BreachState.OPEN, not_(is_confidential()))
    return {(row.session_id, row.clause) for row in connection.execute(still_open)}


def _count_sessions_changed(connection: Connection, last_change: int, hidden: Collection[int]) -> int:
    """The number of stored sessions, but for those `hidden`, that differ from what they were at a change."""
    recorded = read_changes(connection, tables.sessions, later_than=last_change)
    before = {change.key: change.before for change in recorded if change.before and change.key[0] not in hidden}
    now = read_rows(connection, tables.sessions, before)
    return sum(now.get(key) != row for key, row in before.items())


_Roster = dict[tuple[str, int | str, date], Facts]  # by kind, number or code, and day


def _read_roster(connection: Connection, days: list[date]) -> _Roster:
    """What is known on some days of everybody on the roster, and of the schools."""
    roster: _Roster = {}
    for row in connection.execute(select(tables.schools)).mappings():
        facts = {name: _as_text(value) for name, value in row.items()}
        roster["schools", row["code"], days[-1]] = facts
    for day in days:
        for kind, query in (("staff", _select_staff(day)), ("pupils", _select_pupils(day))):
            for row in connection.execute(query).mappings():
                roster[kind, row["id"], day] = {name: _as_text(row[name]) for name in row if name != "id"}
    return roster


def _as_text(value: object) -> str:
    return {True: "yes", False: "no", None: ""}.get(value, str(value))  # type: ignore[call-overload,no-any-return]


def _select_staff(day: date) -> Select[tuple[object, ...]]:
    version, staff = valid_versions(tables.staff_versions), tables.staff.c
    facts = ("name", "school", "department", "roles", "year_groups", "houses")
    query = select(
        staff.id, staff.email, staff.entra_id, *(version.c[name] for name in facts), version.c.has_left.label(_LEFT)
    )
    on_staff = version.c[get_person_column(tables.staff_versions)] == staff.id
    return query.join(version, on_staff).where(valid_on(version, day))


def _select_pupils(day: date) -> Select[tuple[object, ...]]:
    version, pupil, tutor = valid_versions(tables.pupil_versions), tables.pupils.c, tables.staff.alias("tutor")
    facts = ("name", "school", "year_group", "house")
    own = (pupil.id, pupil.email, pupil.entra_id, pupil.contact_emails, pupil.language)
    query = select(*own, *(version.c[name] for name in facts), tutor.c.email.label("tutor_email"))
    query = query.add_columns(version.c.has_left.label(_LEFT))
    on_roster = version.c[get_person_column(tables.pupil_versions)] == pupil.id
    joined = query.join(version, on_roster).outerjoin(tutor, tutor.c.id == version.c.tutor_id)
    return joined.where(valid_on(version, day))


def _compare(before: _Roster, after: _Roster) -> Iterator[ChangedFact]:
    """The cells that differ, of those who were on the roster before; each once, also if it differs on both days. Those
    who leave are in the results."""
    seen: dict[ChangedFact, None] = {}
    for key, facts in after.items():
        kind, number, _ = key
        if key not in before or (facts.get(_LEFT) == "yes" != before[key][_LEFT]):
            continue
        for column, value in facts.items():
            if before[key][column] != value:
                who = str(number) if kind == "schools" else f"{facts['name']} ({facts['email']})"
                seen[ChangedFact(kind, who, column, before[key][column], value)] = None
    yield from seen


Corrections = Mapping[
    tuple[str, int], Mapping[str, str]
]  # cells by column, by sheet or file ("": the only one) and row


def correct_rows(table: Table, corrections: Corrections) -> Table:
    """The table with some cells corrected. A cell that held no value, such as an Excel error, holds one then."""
    rows: Rows = []
    faults: dict[int, list[InvalidCellError]] = {}
    for place, (number, cells) in enumerate(table.rows):
        part = (number.sheet or number.file or "") if isinstance(number, RowNumber) else ""
        given = corrections.get((part, int(number)), {})
        rows.append((number, cells | {column: cell.strip() for column, cell in given.items()}))
        if left := [fault for fault in table.faults.get(place, ()) if fault.column not in given]:
            faults[place] = left
    return replace(table, rows=rows, faults=faults)
