"""Follows a question that was added to the log from the form to the reports. `tests.test_log_questions` runs it.

It runs in a copy of the program in which QUESTIONS has one more entry (`headphones`, for academic sessions), on a
database that was created and filled without it.
"""

import sys
from pathlib import Path

from pypdf import PdfReader
from sqlalchemy import select

from app.access.people import list_demo_people
from app.access.policy import Person
from app.intake.files import import_logs
from app.reports.governors import create_blank_log
from app.reports.subject_access import create_file_for_command
from app.school import School, open_school
from app.sessions.drafts import save_draft
from app.settings import ROOT
from app.store import reading, tables
from app.vocabulary.roles import Role
from tests import people
from tests.apptest import AppTest

WORDS = "Did everybody wear headphones?"


def main(folder: Path) -> None:
    school = open_school()
    check_imports(school, folder)
    session = log_by_form(school)
    assert answers(school) == {"L1": None, "L2": True, "F-1": False}
    with school.engine.connect() as connection:
        logs = list(connection.scalars(select(tables.logs.c.id).order_by(tables.logs.c.id)))
        assert reading.read_evidence(connection, logs=logs).logs["headphones"].tolist()[1:] == [True, False]
    at = open_page("sessions", session=str(session))
    listed = next(table.value for table in at.dataframe if "Question" in table.value)
    assert ("Headphones worn", "No") in listed.itertuples(index=False, name=None)
    assert "Headphones worn: No" in create_file_for_command(school, people.email("bethan"))
    (folder / "form.pdf").write_bytes(create_blank_log(school))
    assert WORDS in " ".join(page.extract_text() for page in PdfReader(folder / "form.pdf").pages)


def check_imports(school: School, folder: Path) -> None:
    again = import_logs(school, folder / "logs.csv")
    assert (again.unchanged, again.rejected) == (1, []), "the file from before is known"
    rows = [
        people.log("teacher", "aled", "2026-11-03T12:00", ref="L2", headphones="yes"),
        people.log("teacher", "aled", "2026-11-03T14:00", ref="L3", headphones="perhaps"),
    ]
    new = import_logs(school, people.table(folder / "more.csv", rows))
    assert (new.added, new.unknown_columns) == (1, [])
    assert [(row.row, row.column) for row in new.rejected] == [(3, "headphones")]


def log_by_form(school: School) -> int:
    """Enter a log with an answer to the new question, and return the id of its session."""
    teacher = tutor(school)
    form = {"ref": "F-1", "pupils": [people.email("bethan")], "day": "2026-11-03", "from": "16:00", "to": "16:30"}
    save_draft(school, teacher, "log", form | {"purpose": "music"})
    assert WORDS not in [group.label for group in open_page("log").button_group]
    save_draft(school, teacher, "log", form | {"purpose": "academic"})
    at = open_page("log")
    question = next(group for group in at.button_group if group.label == WORDS)
    assert question.help == "All of them, all the time."
    question.set_value("no").run()
    click(at, "No issues")
    click(at, "Save log")
    assert any(message.value.startswith("Logged.") for message in at.success)
    with school.engine.connect() as connection:
        log, session = tables.logs.c, tables.sessions.c
        found = select(session.id).join(tables.logs, log.id == session.log_id).where(log.ref == "F-1")
        return int(connection.scalars(found).one())


def answers(school: School) -> dict[str, bool | None]:
    with school.engine.connect() as connection:
        rows = connection.execute(select(tables.logs.c.ref, tables.logs.c.headphones))
        return {row.ref: row.headphones for row in rows}


def tutor(school: School) -> Person:
    """The tutor as whom the pages are viewed."""
    return next(person for person in list_demo_people(school) if Role.TUTOR in person.roles)


def open_page(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    at.session_state["view_as"] = tutor(open_school()).email
    at.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def click(at: AppTest, label: str) -> None:
    next(button for button in at.button if button.label == label).click()
    at.run()
    assert not at.exception


if __name__ == "__main__":
    main(Path(sys.argv[1]))
