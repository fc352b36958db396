"""What can happen to a school's data, as plain values, so that any process can do it; and what there is afterwards."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select

from app.access.concern_detail import get_concern
from app.concerns.casework import record
from app.intake.calls import import_calls, import_recordings
from app.intake.files import import_consents, import_letters, import_logs, import_table
from app.intake.logs import Entered, enter_log
from app.intake.people import RosterOptions
from app.intake.undo import describe_last_import, undo_last_import
from app.judging.upkeep import refresh
from app.management.protocol import Change, change_protocol
from app.parents.letters import strike_letters_out
from app.school import School, open_school
from app.store import reading, tables
from app.vocabulary.terms import BreachState, ProtocolKind
from tests import people

Operation = dict[str, Any]  # `kind`, and what it is done with


def _write(given: Operation, folder: Path) -> Path:
    """The file with the rows of an operation."""
    return people.table(folder / given.get("file", f"{given['kind']}.csv"), given["rows"])


def give_roster(school: School, given: Operation, folder: Path) -> None:
    """Rows of a roster's file (`table`), valid from a day on."""
    file = _write(given, folder)
    known = frozenset(row["email"] for row in given["rows"])
    options = RosterOptions(date.fromisoformat(given["from"]), whole=False, same_person=known)
    result = import_table(school, given["table"], (file.name, file.read_bytes()), options=options)
    assert not result.rejected, result.rejected


def give_logs(school: School, given: Operation, folder: Path) -> None:
    import_logs(school, _write(given, folder))


def give_form(school: School, given: Operation, _folder: Path) -> None:
    """A log by the form; again under its reference it is a correction."""
    (row,) = given["rows"]
    entered = enter_log(school, row, people.staff_id(school, row["staff_email"]), "I was wrong")
    assert isinstance(entered, Entered), entered


def give_calls(school: School, given: Operation, folder: Path) -> None:
    assert not import_calls(school, people.calls(folder / "calls.json", *given["rows"])).rejected


def give_recordings(school: School, given: Operation, folder: Path) -> None:
    assert not import_recordings(school, people.calls(folder / "recordings.json", *given["rows"])).rejected


def give_letters(school: School, given: Operation, folder: Path) -> None:
    assert not import_letters(school, _write(given, folder)).rejected


def give_consents(school: School, given: Operation, folder: Path) -> None:
    assert not import_consents(school, _write(given, folder)).rejected


def strike_letter(school: School, given: Operation, folder: Path) -> None:
    """A letter that is entered, and struck out as a mistake."""
    give_letters(school, given, folder)
    (row,) = given["rows"]
    with school.engine.connect() as connection:
        pupil = reading.read_roster(connection).pupils[row["pupil_email"]]
    head = people.someone(school, "sdh")
    strike_letters_out(school, head, row["kind"], [pupil], date.fromisoformat(row["sent_on"]), "a mistake")


def undo(school: School, given: Operation, folder: Path) -> None:
    """Files, the import of which is undone, unless it changed nothing."""
    carry_out(school, given["of"])
    last = describe_last_import(school)
    if last and last.sources == (given["of"]["file"],):
        undo_last_import(school)


def change_figure(school: School, given: Operation, _folder: Path) -> None:
    """A figure of the protocol from a day on."""
    content = {name: given[name] for name in ("figure", "from", "value")}
    change_protocol(school, people.someone(school, "sdh"), [Change(ProtocolKind.FIGURE, content)])


def correct_category(school: School, given: Operation, folder: Path) -> None:
    """A log that reports a concern, the category of which the DSP then corrects."""
    give_logs(school, given, folder)
    link, concern = tables.concern_sessions.c, tables.concerns.c
    with school.engine.connect() as connection:
        query = select(concern.ref).join(tables.concern_sessions).where(link.log_ref == given["rows"][0]["ref"])
        ref = connection.scalars(query).one()
    dsp = people.someone(school, "prepdsp")
    view = people.found(get_concern(school, dsp, ref))
    if view.categories != (given["category"],):
        answers = {"field": "categories", "after": (given["category"],), "text": "as it was"}
        record(school, dsp, ref, view.version, "corrected", answers)


def bring_up_to_date(school: School, _given: Operation, _folder: Path) -> None:
    refresh(school)


_WORK: dict[str, Callable[[School, Operation, Path], None]] = {
    "roster": give_roster,
    "logs": give_logs,
    "form": give_form,
    "calls": give_calls,
    "recordings": give_recordings,
    "letters": give_letters,
    "consents": give_consents,
    "struck": strike_letter,
    "undone": undo,
    "figure": change_figure,
    "category": correct_category,
    "upkeep": bring_up_to_date,
}


def carry_out(school: School, operation: Operation) -> None:
    with TemporaryDirectory() as folder:
        _WORK[operation["kind"]](school, operation, Path(folder))


def carry_out_elsewhere(url: str, operation: str, done: str) -> None:
    """Carry out an operation, as JSON, in a process of its own; the file `done` shows that it was."""
    school = open_school(url)
    carry_out(school, json.loads(operation))
    Path(done).touch()


# --- what one process would have been given once


def as_once(operations: Sequence[Operation]) -> list[Operation]:
    """The last state of what was given by some operations, each thing once and in an order of its own: of the roster
    every file, because each says from which day on it is right."""
    of = {kind: [each for each in operations if each["kind"] == kind] for kind in _WORK}
    calls: dict[str, Operation] = {}
    for row in (row for each in of["calls"] for row in each["rows"]):
        if row["version"] >= calls.get(row["id"], row)["version"]:
            calls[row["id"]] = row
    struck = [row for each in of["struck"] for row in each["rows"]]
    letters = [row for each in of["letters"] for row in each["rows"] if row not in struck]
    forms = {each["rows"][0]["ref"]: each for each in of["form"]}
    figures = {(each["figure"], each["from"]): each for each in of["figure"]}
    categories = {each["rows"][0]["ref"]: each for each in of["category"]}
    rows = {
        "letters": letters,
        "consents": [row for each in of["consents"] for row in each["rows"]],
        "recordings": [row for each in of["recordings"] for row in each["rows"]],
        "calls": list(calls.values()),
        "logs": [row for each in of["logs"] for row in each["rows"]],
    }
    given = [{"kind": kind, "rows": some} for kind, some in rows.items() if some]
    return [*of["roster"], *figures.values(), *given, *forms.values(), *categories.values(), {"kind": "upkeep"}]


# --- what there is


def read_state(school: School) -> list[tuple[Any, ...]]:
    """Every session as it is stored: what was judged, its log, calls and pupils, and the clauses whose breach is
    open."""
    session, of_call, of_pupil, breach = (
        table.c for table in (tables.sessions, tables.session_calls, tables.session_pupils, tables.breaches)
    )
    facts = [column for column in session if column.name not in ("id", "log_id", "clause_set_id")]
    with school.engine.connect() as connection:
        calls = connection.execute(select(of_call.session_id, of_call.call_id, of_call.part).order_by(of_call.place))
        calls_of = [tuple(row) for row in calls]
        pupils_of = [tuple(row) for row in connection.execute(select(of_pupil.session_id, of_pupil.pupil_id))]
        is_open = breach.state == BreachState.OPEN
        open_of = connection.execute(select(breach.session_id, breach.clause).where(is_open)).all()
        rows = connection.execute(select(session.id, tables.logs.c.ref, *facts).outerjoin(tables.logs)).all()

    def of(number: int, some: Sequence[Any]) -> list[Any]:
        return [tuple(row[1:]) for row in some if row[0] == number]

    numbers = {row.id for row in rows}
    state = [
        (*row[1:], of(row.id, calls_of), sorted(of(row.id, pupils_of)), sorted(of(row.id, open_of))) for row in rows
    ]
    without = sorted(row.clause for row in open_of if row.session_id not in numbers)
    return [*sorted(state, key=repr), ("breaches of no session", *without)]
