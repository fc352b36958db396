"""A question of the log needs one entry; everything else follows, even in a database that already holds data."""

import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from app.intake.files import import_logs
from app.log_questions import QUESTIONS
from app.school import open_school
from app.settings import ROOT
from app.store.database import open_database
from app.store.writing import set_meta
from app.vocabulary.terms import CamerasOn
from tests import people
from tests.running import PYTHON

pytestmark = pytest.mark.usefixtures("story_clock")

ENTRY = """    Question(
        "headphones",
        "Did everybody wear headphones?",
        "Headphones worn",
        expected=(YesNo.YES, "everybody wore headphones"),
        purposes=frozenset({Purpose.ACADEMIC}),
        help="All of them, all the time.",
    ),
"""


def program_with(entry: str, folder: Path) -> Path:
    """A copy of the program in which QUESTIONS has one more entry. Returns its folder."""
    folder.mkdir()
    for name in ("pages", "tests", "data", "streamlit_app.py", ".streamlit"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "app", folder / "app")
    file = folder / "app" / "log_questions.py"
    before, tuple_begins, after = file.read_text(encoding="utf-8").partition("QUESTIONS = (\n")
    file.write_text(before + tuple_begins + entry + after, encoding="utf-8")
    return folder


def test_a_new_question_is_followed_from_the_form_to_the_report(
    peopled_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = peopled_database()
    monkeypatch.setenv("DATABASE_URL", url)
    school = open_school()
    logs = people.table(tmp_path / "logs.csv", [people.log("teacher", "aled", "2026-11-03T10:00", ref="L1")])
    assert import_logs(school, logs).added == 1
    with school.writing() as connection:
        set_meta(connection, "demo", "yes")  # so that pages open without a sign-in
    program = program_with(ENTRY, tmp_path / "program")
    done = subprocess.run(
        [*PYTHON, "tests.new_question", tmp_path],
        cwd=program,
        env=os.environ | {"PYTHONPATH": str(program)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    later = people.table(tmp_path / "later.csv", [people.log("teacher", "carys", "2026-11-04T10:00", ref="L9")])
    assert import_logs(school, later).added == 1, "a program that does not know the question goes on as before"
    school.engine.dispose()


def test_open_database_adds_a_missing_column_once_whoever_opens_first(new_database: Callable[[], str]) -> None:
    url = new_database()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("alter table logs drop column door_open"))
    with ThreadPoolExecutor() as several:
        for opened in several.map(open_database, [url] * 4):
            opened.dispose()
    columns = [column["name"] for column in inspect(engine).get_columns("logs")]
    assert columns.count("door_open") == 1
    engine.dispose()


def test_answer_label_names_stored_and_typed_answers() -> None:
    questions = {question.name: question for question in QUESTIONS}
    assert questions["dress_ok"].answer_label(answer=True) == questions["dress_ok"].answer_label("yes") == "Yes"
    assert questions["dress_ok"].answer_label(answer=False) == "No"
    assert questions["cameras_on"].answer_label("no_camera") == CamerasOn.NO_CAMERA.label
    assert questions["room"].answer_label("The shed") == "The shed"
    assert questions["notes"].answer_label("Calm.") == "Calm."


def test_questions_have_unique_names_and_follow_the_one_they_depend_on() -> None:
    names = [question.name for question in QUESTIONS]
    assert len(set(names)) == len(names)
    for place, question in enumerate(QUESTIONS):
        if question.only_if and question.only_if.question:
            assert question.only_if.question in names[:place]
