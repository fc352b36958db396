"""Every question there is, asked by everybody: nothing tells of counselling, or of a concern about conduct."""

import inspect
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import walk_packages

import pytest
from sqlalchemy import delete, select

import app.access
from app.operations.retention import find_expired
from app.school import School
from app.store import audit_log, reading, tables
from app.store.database import open_database
from app.store.encryption import generate_key
from app.store.key_rotation import count_by_key, reencrypt_all
from tests.access.questions import DIRECTORY, QUESTIONS, answer_everything
from tests.access.school import COUNSELLOR_S, ID, NUMBER, SETTINGS, follow_up, raise_about, someone

pytestmark = pytest.mark.whole

_KEY = generate_key()
ACTIONS = {"record_access"}
ELSEWHERE = {"create_subject_access_file", "get_sync_state", "get_alerts_view"}  # asked outside app.access
ABOUT_CONDUCT = {"conduct_concern", "list_conduct_concerns", "list_own_conduct_concerns"}  # of the other register
PARTS = {  # of which the others are made
    "find_sessions",
    "select_linked_concerns",
    "concerns_open_to",
    "does_not_name",
    "find_followed",
    "find_linked_sessions",
    "describe_sessions",
}


@pytest.fixture(autouse=True)
def encryption_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key for all tests here, so that what somebody is usually answered is asked once."""
    monkeypatch.setenv("ENCRYPTION_KEYS", _KEY)


@pytest.fixture(scope="module")
def usual_answers(filled_database: str, new_database: Callable[..., str]) -> Callable[[str], dict[str, str]]:
    """Gives what somebody (a short name) is answered by every question, before a test changes anything."""

    @cache
    def ask(name: str) -> dict[str, str]:
        engine = open_database(new_database(copy_of=filled_database))
        school = School(engine, SETTINGS)
        answers = answer_everything(school, someone(school, name))
        engine.dispose()
        return answers

    return ask


def test_questions_cover_every_public_function() -> None:
    asked = {
        name
        for module in walk_packages(app.access.__path__, "app.access.")
        for name, found in inspect.getmembers(import_module(module.name), inspect.isfunction)
        if found.__module__ == module.name
        and not name.startswith("_")
        and {"school", "person"} <= inspect.signature(found).parameters.keys()
    }
    assert asked | ABOUT_CONDUCT | ELSEWHERE == QUESTIONS.keys() | DIRECTORY | ACTIONS | ELSEWHERE | PARTS


@pytest.mark.parametrize("name", sorted(ID.keys() - {"counsellor", "tutor9"}))
def test_questions_reveal_counselling_to_nobody_else(usual_answers: Callable[[str], dict[str, str]], name: str) -> None:
    concerns = (
        {"get_concern", "list_concerns", "create_subject_access_file", "get_chronology"}
        if name in ("sdh", "dsp_sen")
        else set()
    )
    registers = (
        {"list_letters_sent", "list_pupils_with_counts"} if name in ("sdh", "hoy9", "hm_monnow") else set()
    )  # whoever leads her house or year
    for question, answer in usual_answers(name).items():
        if question not in concerns | registers:
            assert "Fflur" not in answer, question
            assert "fflur@" not in answer, question


@pytest.mark.parametrize("name", sorted(ID.keys() - {"counsellor"}))
def test_questions_have_the_same_answers_without_the_counsellors_sessions(
    school: School, usual_answers: Callable[[str], dict[str, str]], name: str
) -> None:
    person = someone(school, name)
    before = usual_answers(name)
    with school.engine.begin() as connection:
        gone = [NUMBER[n] for n in COUNSELLOR_S]
        for table in (tables.session_calls, tables.session_pupils):
            connection.execute(delete(table).where(table.c.session_id.in_(gone)))
        connection.execute(delete(tables.sessions).where(tables.sessions.c.id.in_(gone)))
        planned = select(tables.plans.c.id).where(tables.plans.c.staff_id == ID["counsellor"])
        connection.execute(delete(tables.plan_pupils).where(tables.plan_pupils.c.plan_id.in_(planned)))
        connection.execute(delete(tables.plans).where(tables.plans.c.staff_id == ID["counsellor"]))
    after = answer_everything(school, person)
    assert after == before


def _figures(school: School) -> dict[str, object]:
    """What the commands tell of the whole store."""
    with school.writing() as connection:
        figures: dict[str, object] = {"sealed": reencrypt_all(connection), "under": count_by_key(connection)}
        length, fault = audit_log.verify(connection)  # its length tells of the questions asked here
        figures["trail"] = fault if length else None
        figures["purged"] = find_expired(school)
        figures["revision"] = reading.get_revision(connection)
    return figures


@pytest.mark.parametrize("name", ID)
def test_answers_do_not_depend_on_a_conduct_concern_for_those_it_names(
    school: School, usual_answers: Callable[[str], dict[str, str]], name: str
) -> None:
    person = someone(school, name)
    before = usual_answers(name)
    figures = _figures(school)
    ref = raise_about(school, name, by="tutor9" if name == "teacher" else "teacher")
    follow_up(school, ref, "dsp_sen" if name == "sdh" else "sdh")
    assert answer_everything(school, person) == before
    assert _figures(school) == figures | {"sealed": 0}, "everything was sealed before"
    with school.engine.connect() as connection:
        trail = "\n".join(connection.scalars(select(tables.audit.c.subject)))
    assert ref not in trail
    assert "conduct" not in trail


@pytest.mark.parametrize("name", ["hoy9", "tutor9", "slt", "admin"])
def test_answers_do_not_depend_on_a_conduct_concern_for_those_who_may_not_see_it(
    school: School, usual_answers: Callable[[str], dict[str, str]], name: str
) -> None:
    person = someone(school, name)
    before = usual_answers(name)
    follow_up(school, raise_about(school, "musician"), "sdh")
    assert answer_everything(school, person) == before
