"""Everything held on one pupil, in one file: all of it, other people marked, counselling closed."""

import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select, update

from app.__main__ import cli
from app.access.breaches import list_breaches_to_resolve
from app.access.people import find_person
from app.intake.calls import import_calls
from app.intake.files import import_consents, import_logs, import_roster
from app.intake.logs import Entered, enter_log
from app.management.remote_pupils import enter_remote_learning
from app.reports.subject_access import UnknownPupilError, create_file_for_command
from app.school import School
from app.sessions.breaches import resolve_breaches
from app.sessions.drafts import save_draft
from app.store import tables
from app.vocabulary.terms import Resolution
from tests import people
from tests.conftest import SchoolWith

pytestmark = pytest.mark.usefixtures("story_clock")

DAY = "2026-11-03"
NOTES = "Helped bethan rees. <b>Well.</b> Bethan laughed, Pugh too, Carys was away."


def hold_much(school: School, folder: Path) -> None:
    rows = [
        people.log("teacher", "aled bethan", f"{DAY}T10:00", ref="L1", notes=NOTES),
        people.log("tutor", "aled", f"{DAY}T11:00", ref="L2", concern="yes", concern_summary="Cried about home."),
        people.log("counsellor", "aled", f"{DAY}T12:00", ref="L3", purpose="counselling", notes="most secret"),
        people.log("teacher", "carys", f"{DAY}T13:00", ref="L4", notes="nothing to do with him"),
        people.log("counsellor", "aled", f"{DAY}T14:00", ref="L5", purpose="counceling", notes="as secret"),
    ]
    assert not import_logs(school, people.table(folder / "l.csv", rows)).rejected
    lost = [
        people.log("nobody", "aled", f"{DAY}T15:00", notes="an academic row"),
        people.log("nobody", "aled", f"{DAY}T16:00", purpose="counselling", notes="a secret row"),
        people.log("nobody", "bethan", f"{DAY}T17:00", notes="a row about her"),
    ]
    assert len(import_logs(school, people.table(folder / "lost.csv", lost)).rejected) == 3
    teacher, counsellor = (find_person(school, people.email(who)) for who in ("teacher", "counsellor"))
    for person, purpose, notes in ((teacher, "music", "half a draft"), (counsellor, "", "a secret draft")):
        assert person
        save_draft(school, person, "log", {"pupils": [people.email("aled")], "purpose": purpose, "notes": notes})
        save_draft(school, person, "plan", {"pupils": [people.email("aled")], "purpose": purpose, "why": notes})
        with school.writing() as connection:
            planned = {"staff_id": person.staff_id, "purpose": purpose or "secret", "reason": notes, "changes": 0}
            number = connection.execute(
                insert(tables.plans)
                .returning(tables.plans.c.id)
                .values(ref=person.email, started_at=school.now(), ended_at=school.now(), **planned)
            ).scalar_one()
            aled = people.find_pupil(school, "aled")
            connection.execute(insert(tables.plan_pupils).values(plan_id=number, pupil_id=aled))
    there = {"tutor": (0, 30), "aled": (4, 25)}
    assert not import_calls(
        school, people.calls(folder / "c.json", people.call("c1", f"{DAY}T11:00:00", there))
    ).rejected
    consent = {
        "pupil_email": people.email("aled"),
        "kind": "one_to_one",
        "covers_from": DAY,
        "covers_to": DAY,
        "obtained_at": DAY,
        "given_by": "his father",
        "reason": "a course",
    }
    assert not import_consents(school, people.table(folder / "p.csv", [consent])).rejected


@pytest.fixture
def held_much(school_with: SchoolWith) -> School:
    return school_with(hold_much)


def test_subject_says_how_a_breach_was_resolved(school: School, tmp_path: Path) -> None:
    row = people.log("teacher", "aled", f"{DAY}T10:00", ref="G", room="garden")
    assert not import_logs(school, people.table(tmp_path / "l.csv", [row])).rejected
    hoy = find_person(school, people.email("hoy9"))
    assert hoy
    session_id = int(list_breaches_to_resolve(school, hoy)["session_id"].iloc[0])
    resolve_breaches(school, hoy, session_id, Resolution.TRAINING, "In January.")
    assert "Training agreed. In January." in create_file_for_command(school, people.email("aled"))


def test_subject_access_contains_everything_and_marks_other_people(held_much: School) -> None:
    page = create_file_for_command(held_much, f" {people.email('aled').upper()} ")
    for words in (
        "Aled Pugh",
        "introduction",
        "his father",
        "Cried about home.",
        "11:04 to",
        "Helped",
        "Tutor",
        "Raised,",
    ):
        assert words in page, words
    assert "<mark>bethan rees</mark>. &lt;b&gt;Well.&lt;/b&gt;" in page
    assert "<mark>Bethan</mark> laughed, Pugh too, Carys was away" in page, "a first name only of who was there"
    assert "<mark>his father</mark>" in page
    assert "<mark>Aled" not in page
    for words in ("an academic row", "half a draft"):
        assert words in page
    assert page.count("half a draft") == 3, "the draft of a log, of a plan, and the plan"
    for words in ("nothing to do with him", "carys owen", "a row about her"):
        assert words not in page.lower()


def test_it_holds_former_addresses_and_marks_the_familys(school: School) -> None:
    aled = people.email("aled")
    with school.writing() as connection:
        pupil = tables.pupils.c
        number = people.find_pupil(school, aled)
        connection.execute(
            update(tables.pupils).where(pupil.id == number).values(contact_emails="mam@cartref.example", language="cy")
        )
        former = {"email": "old@pupils.habs.example", "pupil_id": number, "ended_on": date(2026, 9, 1)}
        connection.execute(insert(tables.former_emails).values(former))
    page = create_file_for_command(school, "OLD@pupils.habs.example")
    assert "old@pupils.habs.example (until 01 Sep 2026)" in page
    assert re.search(r"<mark[^>]*>\s*mam@cartref\.example", page)


def test_subject_access_contains_remote_learning(school: School) -> None:
    hoy, day = people.someone(school, "hoy9"), school.today()
    aled = people.find_pupil(school, "aled")
    enter_remote_learning(school, hoy, aled, day, day, "Waiting for a test")
    page = create_file_for_command(school, people.email("aled"))
    assert "Remote learning" in page
    assert "Waiting for a test" in page
    assert "27 Nov 2026, 16:00 by Hoy9" in page
    assert "Waiting for a test" not in create_file_for_command(school, people.email("bethan"))


def test_a_name_within_the_pupils_own_is_not_marked(school: School, tmp_path: Path) -> None:
    in_class = {"school": "SEN", "year_group": "9", "house": "Wye", "tutor_email": people.email("tutor")}
    pupils = [
        {"email": f"{n}@pupils.habs.example", "name": name} | in_class
        for n, name in (("x", "Ann Lee"), ("y", "Ann Lee-Price"))
    ]
    (tmp_path / "more").mkdir()
    people.table(tmp_path / "more" / "pupils.csv", pupils)
    assert not import_roster(school, tmp_path / "more")[0].rejected
    assert "<mark>" not in create_file_for_command(school, "y@pupils.habs.example").split("<h2>", 1)[1]


def test_subject_access_contains_a_log_that_named_the_pupil_by_mistake(held_much: School) -> None:
    log = tables.logs.c
    with held_much.engine.connect() as connection:
        teacher = connection.scalar(select(log.staff_id).where(log.ref == "L1"))
    right = people.log("teacher", "bethan", f"{DAY}T10:00", ref="L1", notes="It was her alone.")
    assert isinstance(enter_log(held_much, right, teacher or 0, "the wrong pupil"), Entered)
    page = create_file_for_command(held_much, people.email("aled"))
    for words in (
        "Log, version 1",
        "Helped",
        "Log, version 2",
        "It was her alone.",
        "Reason for the correction: the wrong pupil",
    ):
        assert words in page


def test_subject_access_says_what_to_add_in_the_same_words_whether_or_not_there_is_counselling(
    held_much: School,
) -> None:
    aled, dai = (create_file_for_command(held_much, people.email(who)) for who in ("aled", "dai"))
    by_hand = [page.split("To be added by hand", 1)[1].split("</ul>", 1)[0] for page in (aled, dai)]
    assert by_hand[0] == by_hand[1]
    assert "Counselling, with its plans and drafts, and calls" in by_hand[0]
    assert "rejected call records and attendance reports" in by_hand[0]  # a counsellor has no access to them
    rest = aled.replace(by_hand[0], "")
    for trace in ("secret", "ounsel", "counceling", "12:00", "14:00", "16:00"):
        assert trace not in rest.replace("26 Nov 2026, 16:00", "").replace("27 Nov 2026, 16:00", "")


def test_subject_access_omits_counselling_in_earlier_versions(held_much: School) -> None:
    with held_much.engine.connect() as connection:
        tutor = connection.scalar(select(tables.logs.c.staff_id).where(tables.logs.c.ref == "L2")) or 0
    first = people.log("tutor", "aled", f"{DAY}T18:00", ref="L6", purpose="counselling", notes="told in confidence")
    assert isinstance(enter_log(held_much, first, tutor), Entered)
    assert isinstance(enter_log(held_much, first | {"purpose": "pastoral", "notes": ""}, tutor, "private why"), Entered)
    page = create_file_for_command(held_much, people.email("aled"))
    assert "pastoral" in page
    assert "Log, version 2" not in page
    assert "confidence" not in page
    assert "private why" not in page


def test_subject_access_is_on_the_trail_without_a_name(held_much: School) -> None:
    create_file_for_command(held_much, people.email("aled"))
    with held_much.engine.connect() as connection:
        pupil = people.find_pupil(held_much, "aled")
        last = connection.scalars(select(tables.audit.c.subject).order_by(tables.audit.c.id.desc())).first()
    assert last == f"everything held on pupil {pupil}"


def test_subject_access_reports_an_unknown_name(school: School) -> None:
    with pytest.raises(UnknownPupilError, match="was a pupil on the roster"):
        create_file_for_command(school, "nobody@pupils.habs.example")


def test_subject_access_writes_a_private_file_and_overwrites_none(
    held_much: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", held_much.engine.url.render_as_string(hide_password=False))
    file = tmp_path / "aled.html"
    command = ["subject", people.email("aled"), "--to", str(file)]
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Cried about home." in file.read_text(encoding="utf-8")
    again = CliRunner().invoke(cli, command)
    assert (again.exit_code, "Traceback" in again.output) == (2, False)
    to_screen = CliRunner().invoke(cli, ["subject", people.email("aled")])
    assert (to_screen.exit_code, "Cried about home." in to_screen.output) == (0, True)
    unknown = CliRunner().invoke(cli, ["subject", "x@x.example", "--to", str(tmp_path / "x.html")])
    assert (unknown.exit_code, (tmp_path / "x.html").exists()) == (2, False)
