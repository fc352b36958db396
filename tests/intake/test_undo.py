"""Undoing the last import: the database is as before, or nothing happens."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from app.access.administration import get_audit_trail
from app.concerns.raising import Report, raise_concern
from app.intake.calls import import_calls
from app.intake.files import import_logs, import_roster, prepare_tables
from app.intake.logs import enter_log
from app.intake.transaction import carry_out
from app.intake.undo import NotUndoneError, describe_last_import, find_obstacles, undo_last_import
from app.judging.breaches import update_breaches
from app.operations.retention import purge
from app.parents.letters import mark_letters_sent
from app.records.tables.tabular import read_table
from app.school import School
from app.sessions.breaches import explain_breaches
from app.store import reading, tables
from app.store.concerns import CHILD, CONDUCT
from app.store.database import open_database
from app.store.key_rotation import reencrypt_all
from tests import people
from tests.conftest import SETTINGS
from tests.intake.contents import all_rows
from tests.intake.undoing import FILES, NEW, START, TEACHER, File, fill, rows_of, session_of
from tests.people import call, calls, email, find_pupil, log, someone, table

pytestmark = pytest.mark.usefixtures("story_clock")


@pytest.fixture
def busy_school(school_with: Callable[[Callable[[School, Path], None]], School]) -> School:
    return school_with(fill)


@pytest.mark.parametrize("name", FILES)
def test_undo_last_import_leaves_the_database_as_it_was(busy_school: School, tmp_path: Path, name: str) -> None:
    before = rows_of(busy_school)
    FILES[name].read_into(busy_school, tmp_path)
    assert rows_of(busy_school) != before
    undo_last_import(busy_school)
    assert rows_of(busy_school) == before
    assert describe_last_import(busy_school) is None
    FILES[name].read_into(busy_school, tmp_path)


def _judge_breaches(school: School, *, found: bool) -> None:
    """Close the breaches of all sessions, as if evidence had shown that there were none, or open them again."""
    with school.writing() as connection:
        sessions = reading.read_frame(connection, select(tables.sessions))
        numbers = sessions["id"].tolist()
        update_breaches(connection, sessions if found else sessions.head(0), numbers, school.now())


def _explain_everything(school: School, folder: Path) -> None:
    """A term in which every breach has been closed and reopened by evidence, and then explained."""
    fill(school, folder)
    _judge_breaches(school, found=False)
    _judge_breaches(school, found=True)
    assert _list_events(school) == {"closed", "reopened"}
    for number, staff in _list_breached(school):
        explain_breaches(school, someone(school, staff), number, "I forgot.")


def _list_events(school: School) -> set[str]:
    with school.engine.connect() as connection:
        return set(connection.scalars(select(tables.breach_events.c.kind)))


def _list_breached(school: School) -> list[tuple[int, str]]:
    """The sessions with an open breach, and who held them."""
    session, breach = tables.sessions.c, tables.breaches.c
    query = select(session.id, tables.staff.c.email).join(tables.staff, tables.staff.c.id == session.staff_id)
    query = query.join(tables.breaches, breach.session_id == session.id).where(breach.state == "open").distinct()
    with school.engine.connect() as connection:
        return [(row.id, row.email.partition("@")[0]) for row in connection.execute(query)]


@pytest.mark.parametrize("name", FILES)
def test_undo_last_import_leaves_what_was_written_before_it(
    school_with: Callable[[Callable[[School, Path], None]], School], tmp_path: Path, name: str
) -> None:
    """What evidence and people did to a breach before the import is no obstacle, even if the import changes it."""
    school = school_with(_explain_everything)
    before = rows_of(school)
    FILES[name].read_into(school, tmp_path)
    undo_last_import(school)
    assert rows_of(school) == before


def test_undo_last_import_takes_a_whole_roster_back(empty_school: School, tmp_path: Path) -> None:
    before = rows_of(empty_school)
    import_roster(empty_school, people.roster(tmp_path / "roster"))
    last = undo_last_import(empty_school)
    assert last.sources == ("schools.csv", "staff.csv", "pupils.csv")
    assert rows_of(empty_school) == before


def test_undo_last_import_separates_a_call_from_a_log_again(school: School, tmp_path: Path) -> None:
    """A call that was somebody's own session is matched with a log as soon as its people are known."""
    who = {"teacher": (0, 30), "aled": (0, 30), "new@pupils.habs.example": (0, 30)}
    import_calls(school, calls(tmp_path / "calls.json", call("c1", "2026-11-03T10:00", who)))
    before = rows_of(school)
    logged = log("teacher", "aled", START, ref="L1")
    File("pupils", [NEW]).read_into(school, tmp_path)
    import_logs(school, table(tmp_path / "logs.csv", [logged]))
    undo_last_import(school)
    after = rows_of(school)
    assert after["sessions"] != before["sessions"]  # one more pupil
    assert after["session_calls"] == before["session_calls"]


def test_undo_last_import_keeps_what_does_not_depend_on_it(school: School, tmp_path: Path) -> None:
    File("pupils", [NEW]).read_into(school, tmp_path)
    with school.writing() as connection:
        sent = {"pupil_id": 1, "kind": "one_to_one", "sent_on": date(2026, 10, 1)}
        connection.execute(insert(tables.letters).values(sent))
    letters = rows_of(school)["letters"]
    undo_last_import(school)
    assert rows_of(school)["letters"] == letters


def test_undo_last_import_undoes_the_last_of_two_alone(school: School, tmp_path: Path) -> None:
    File("pupils", [NEW]).read_into(school, tmp_path)
    before = rows_of(school)
    File("pupils", [NEW | {"house": "Dore"}]).read_into(school, tmp_path)
    undo_last_import(school)
    assert rows_of(school) == before
    with pytest.raises(NotUndoneError, match="no import to undo"):
        undo_last_import(school)


def test_undo_last_import_undoes_nothing_twice(school: School, tmp_path: Path) -> None:
    File("pupils", [NEW]).read_into(school, tmp_path)
    undo_last_import(school)
    with pytest.raises(NotUndoneError, match="no import to undo"):
        undo_last_import(school)


def test_undo_last_import_is_on_the_audit_trail(school: School, tmp_path: Path) -> None:
    File("pupils", [NEW]).read_into(school, tmp_path)
    undo_last_import(school, people.staff_id(school, "admin"))
    with school.engine.connect() as connection:
        last = connection.execute(select(tables.audit).order_by(tables.audit.c.id.desc()).limit(1)).one()
        undone = connection.scalars(select(tables.imports.c.undone_at).order_by(tables.imports.c.id)).all()
    assert (last.actor, last.subject.endswith("import of pupils, undone")) == (email("admin"), True)
    assert undone[-1] is not None
    assert undone[0] is None


def _log_with_the_pupil(school: School, folder: Path) -> None:
    with school.writing() as connection:
        pupil = find_pupil(school, NEW["email"])
        log_id = connection.scalars(select(tables.logs.c.id)).first()
        connection.execute(insert(tables.log_pupils).values(log_id=log_id, pupil_id=pupil))


def _send_a_letter(school: School, folder: Path) -> None:
    mark_letters_sent(school, someone(school, "sdh"), "introduction", [_new_pupil(school)], date(2026, 11, 2))


def _new_pupil(school: School) -> int:
    with school.engine.connect() as connection:
        return reading.read_roster(connection).pupils[NEW["email"]]


def _raise_a_concern(school: School, folder: Path) -> None:
    report = Report(CHILD, "He was crying.", ["other"], pupil_ids=[_new_pupil(school)], told_dsp=True)
    raise_concern(school, someone(school, "teacher"), report)


def _raise_a_conduct_concern(school: School, folder: Path) -> None:
    adult = people.staff_id(school, "musician")
    report = Report(
        CONDUCT, "He shouted.", [next(iter(CONDUCT.categories))], [_new_pupil(school)], [adult], told_dsp=True
    )
    raise_concern(school, someone(school, "teacher"), report)


def _fetch_a_call(school: School, folder: Path) -> None:
    who = {"teacher": (0.0, 30.0), NEW["email"]: (0.0, 30.0)}
    import_calls(school, calls(folder / "more.json", call("c9", "2026-11-10T10:00", who)))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (_log_with_the_pupil, "a session was logged"),
        (_send_a_letter, "a letter to parents was recorded"),
        (_raise_a_concern, "something confidential was recorded"),
        (_raise_a_conduct_concern, "something confidential was recorded"),
        (_fetch_a_call, "more.json was imported"),
    ],
)
def test_undo_last_import_is_refused_once_something_is_built_on_a_pupil(
    busy_school: School, tmp_path: Path, build: Callable[[School, Path], None], words: str
) -> None:
    File("pupils", [NEW]).read_into(busy_school, tmp_path)
    build(busy_school, tmp_path)
    before = rows_of(busy_school)
    with pytest.raises(NotUndoneError, match=words):
        undo_last_import(busy_school)
    assert rows_of(busy_school) == before


def test_undo_last_import_is_refused_once_a_breach_is_explained_or_a_log_corrected(
    busy_school: School, tmp_path: Path
) -> None:
    logged = log("tutor", "bethan", "2026-11-04T10:00", ref="L2", dress_ok="no")
    teacher = someone(busy_school, "tutor")
    File("logs", [logged]).read_into(busy_school, tmp_path)
    explain_breaches(busy_school, teacher, session_of(busy_school, "L2"), "I forgot.")
    enter_log(busy_school, logged | {"dress_ok": "yes"}, teacher.staff_id, "typed wrongly")
    with pytest.raises(NotUndoneError, match="a session was logged or corrected") as refused:
        undo_last_import(busy_school)
    assert "a breach was explained or resolved" in str(refused.value)


def test_undo_last_import_is_refused_once_a_breach_that_it_reopened_is_explained(
    busy_school: School, tmp_path: Path
) -> None:
    _judge_breaches(busy_school, found=False)
    FILES["letter"].read_into(busy_school, tmp_path)
    assert _list_events(busy_school) == {"closed", "reopened"}
    assert find_obstacles(busy_school) == []
    for number, staff in _list_breached(busy_school):
        explain_breaches(busy_school, someone(busy_school, staff), number, "I forgot.")
    assert find_obstacles(busy_school) == ["a breach was explained or resolved"]


def test_undo_last_import_is_refused_once_a_new_member_of_staff_has_signed_in(school: School, tmp_path: Path) -> None:
    File("staff", [TEACHER | {"email": "new@habs.example", "name": "New"}]).read_into(school, tmp_path)
    with school.writing() as connection:
        school.add_to_trail(connection, "new@habs.example", "signed in", "")
    with pytest.raises(NotUndoneError, match="has signed in"):
        undo_last_import(school)


def _report_conduct(school: School, adult: str, session_id: int | None = None) -> None:
    """As the tutor, of a member of staff given by name or address."""
    named = [people.staff_id(school, adult)]
    report = Report(CONDUCT, "He shouted.", [next(iter(CONDUCT.categories))], staff_ids=named, told_dsp=True)
    raise_concern(school, someone(school, "tutor"), report, session_id)


def test_undo_last_import_is_refused_once_a_concern_names_a_new_member_of_staff(school: School, tmp_path: Path) -> None:
    new = TEACHER | {"email": "new@habs.example", "name": "New", "roles": "teacher"}
    File("staff", [new]).read_into(school, tmp_path)
    _report_conduct(school, "new@habs.example")
    with pytest.raises(NotUndoneError, match="something confidential was recorded"):
        undo_last_import(school)
    assert people.staff_id(school, "new@habs.example")


def test_undo_last_import_is_refused_once_a_concern_about_conduct_is_linked_to_its_log(
    school: School, tmp_path: Path
) -> None:
    File("logs", [log("tutor", "bethan", START, ref="L2")]).read_into(school, tmp_path)
    _report_conduct(school, "teacher", session_of(school, "L2"))
    with pytest.raises(NotUndoneError, match="something confidential was recorded"):
        undo_last_import(school)
    # Another log of the session takes the first one's place, and its link. Undoing that gives the link back.
    File("logs", [log("tutor", "bethan", START, ref="L1", dress_ok="no")]).read_into(school, tmp_path)
    undo_last_import(school)
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.conduct_sessions.c.log_ref)).all() == ["L2"]


SECRET = log("counsellor", "aled", "2026-11-05T12:00", ref="L7", purpose="counselling")


def test_an_import_of_nothing_but_counselling_is_never_named_and_cannot_be_undone(
    school: School, tmp_path: Path
) -> None:
    File("pupils", [NEW]).read_into(school, tmp_path)
    secret = call("c7", "2026-11-05T12:00", {"counsellor": (0, 30), "aled": (0, 30)})
    import_calls(school, calls(tmp_path / "secret.json", secret))
    assert find_obstacles(school) == ["something confidential was recorded"]
    File("logs", [SECRET]).read_into(school, tmp_path)
    assert describe_last_import(school) is None
    assert find_obstacles(school) == []
    before = rows_of(school)
    with pytest.raises(NotUndoneError, match="no import to undo"):
        undo_last_import(school)
    assert rows_of(school) == before


def test_undo_last_import_names_of_its_files_none_of_nothing_but_counselling(school: School, tmp_path: Path) -> None:
    files = {"pupils": [NEW], "logs": [SECRET]}
    read = {kind: read_table(table(tmp_path / f"{kind}.csv", rows)) for kind, rows in files.items()}
    before, admin = rows_of(school)["pupils"], someone(school, "admin")
    carry_out(school, prepare_tables(school, read, admin.staff_id))
    assert undo_last_import(school, admin.staff_id).sources == ("pupils.csv",)
    assert (rows_of(school)["pupils"], rows_of(school)["logs"]) == (before, [])
    undone = get_audit_trail(school, admin)["subject"].str.contains("undone")
    assert get_audit_trail(school, admin)["subject"][undone].tolist() == ["import of pupils, undone"]


def test_purge_and_reencrypt_all_leave_nothing_to_undo(school: School, tmp_path: Path) -> None:
    File("pupils", [NEW]).read_into(school, tmp_path)
    purge(school)
    assert describe_last_import(school) is None
    File("pupils", [NEW | {"house": "Dore"}]).read_into(school, tmp_path)
    with school.writing() as connection:
        reencrypt_all(connection)
    assert describe_last_import(school) is None


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(FILES)), st.booleans()), min_size=1, max_size=3))
def test_undo_last_import_after_any_imports_restores_what_was_before_the_last(
    filled_by: Callable[[Callable[[School, Path], None]], str],
    new_database: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
    story: list[tuple[str, bool]],
) -> None:
    school = School(open_database(new_database(copy_of=filled_by(fill))), SETTINGS)
    folder = tmp_path_factory.mktemp("files")
    for name, undone in story:
        before, imports = rows_of(school), len(all_rows(school)["imports"])
        FILES[name].read_into(school, folder)
        if undone and len(all_rows(school)["imports"]) > imports:
            undo_last_import(school)
            assert rows_of(school) == before
    school.engine.dispose()
