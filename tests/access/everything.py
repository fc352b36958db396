"""Everything that somebody can learn: every question, report and command, and every email."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from sqlalchemy import event, select

from app.__main__ import cli
from app.access.breaches import get_session_breaches
from app.access.policy import NotAllowedError, Person
from app.access.session_detail import get_session
from app.access.spot_checks import get_spot_check
from app.alerts.due import enqueue_due
from app.alerts.outbox import KINDS
from app.reports.governors import create_figures_workbook, create_governors_report
from app.reports.inspection import create_inspection_pack
from app.reports.periods import list_report_periods
from app.school import School
from app.store import tables
from tests import people
from tests.access.questions import DIRECTORY, QUESTIONS, as_text
from tests.access.school import EVER

COMMANDS = (
    ("outcomes",),
    ("outcomes", "--format", "json"),
    *(("subject", people.email(pupil)) for pupil in people.PUPILS),
    ("audit", "verify"),
    ("keys", "used"),
    ("purge", "--dry-run"),
    ("protocol", "export"),
    ("check",),
)
# Heads of the audit trail, which are different each time, and whatever is drawn by chance.
_CHANCE = re.compile(r"(?<=--head )\S+|(?<=head=')[^']*|(?<=SHA-256 is )\w+|0x[0-9a-f]+")


@contextmanager
def counted(school: School) -> Iterator[list[str]]:
    """The statements that are executed within, which take the time that a question takes."""
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(school.engine, "before_cursor_execute", note)
    yield statements
    event.remove(school.engine, "before_cursor_execute", note)


def learn(school: School, person: Person) -> dict[str, str]:
    """All that a person is answered, with the number of statements that each answer takes."""
    answers = {}
    for name, ask in (QUESTIONS | DIRECTORY | _OF_SESSIONS | _PAPERS).items():
        with counted(school) as statements:
            try:
                answer = as_text(ask(school, person))
            except NotAllowedError as refused:
                answer = str(refused)
        few = "" if name in (*_OF_SESSIONS, "count_encrypted_values") else f"{len(statements)} statements: "
        answers[name] = few + _CHANCE.sub("…", answer)
    return answers


def _every_session(ask: Callable[[School, Person, int], Any]) -> Callable[[School, Person], Any]:
    """A question about each session on record, as far as there is an answer."""

    def ask_each(school: School, person: Person) -> list[str]:
        with school.engine.connect() as connection:
            ids = connection.scalars(select(tables.sessions.c.id).order_by(tables.sessions.c.started_at)).all()
        nothing = as_text(ask(school, person, 0))
        return [found for number in ids if (found := as_text(ask(school, person, number))) != nothing]

    return ask_each


_OF_SESSIONS = {
    "get_session": _every_session(get_session),
    "get_session_breaches": _every_session(get_session_breaches),
    "get_spot_check": _every_session(get_spot_check),
}


def _read_pdf(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def _read_workbook(content: bytes) -> list[list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [[tuple(cell.value for cell in row) for row in sheet.iter_rows()] for sheet in book]


def _on_paper(make: Callable[..., bytes], **how: bool) -> Callable[[School, Person], Any]:
    def print_it(school: School, person: Person) -> list[Any]:
        periods = list(list_report_periods(school.settings, school.today()))[:2]
        return [_read_workbook(make(school, person, days, **how)) for days in periods]

    return print_it


_PAPERS: dict[str, Callable[[School, Person], Any]] = {
    "tables for governors": _on_paper(create_figures_workbook, governors=True),
    "tables for leadership": lambda school, person: _read_workbook(
        create_figures_workbook(school, person, EVER, governors=False)
    ),
}


def read_papers(school: School, person: Person) -> dict[str, str]:
    """The PDF documents, which take longer."""
    days = next(iter(list_report_periods(school.settings, school.today())))
    return {
        "governors' report": _read_pdf(create_governors_report(school, person, days)),
        "inspection pack": _read_pdf(create_inspection_pack(school, person)),
    }


def run_commands(url: str) -> dict[str, str]:
    """What each command prints."""
    printed = {}
    for words in COMMANDS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", url)
            printed[" ".join(words)] = _CHANCE.sub("…", CliRunner().invoke(cli, list(words)).output)
    return printed


def read_emails(school: School, *entitled: int) -> list[tuple[Any, ...]]:
    """What was queued for everybody but some people (staff ids), as it would arrive, with what is due by now."""
    enqueue_due(school)
    alert = tables.alerts.c
    query = select(alert.recipient_id, alert.kind, alert.subject, alert.body, alert.state).order_by(alert.id)
    with school.engine.connect() as connection:
        rows = connection.execute(query).all()
    return [(KINDS[row.kind].subject, *row) for row in rows if row.recipient_id not in entitled]
