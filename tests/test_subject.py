"""Everything held on one pupil, in one file: all of it, other people marked, counselling closed."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.__main__ import cli
from app.intake import import_calls, import_consents, import_logs
from app.school import School
from app.store import tables
from app.subject import UnknownPupil, subject
from tests import people

DAY = "2026-11-03"


@pytest.fixture
def held_much(school: School, tmp_path: Path) -> School:
    rows = [
        people.log("teacher", "aled bethan", f"{DAY}T10:00", ref="L1", notes="Helped bethan rees. <b>Well.</b>"),
        people.log("tutor", "aled", f"{DAY}T11:00", ref="L2", concern="yes", concern_summary="Cried about home."),
        people.log("counsellor", "aled", f"{DAY}T12:00", ref="L3", purpose="counselling", notes="most secret"),
        people.log("teacher", "carys", f"{DAY}T13:00", ref="L4", notes="nothing to do with him"),
    ]  # fmt: skip
    assert not import_logs(school, people.table(tmp_path / "l.csv", rows)).refused
    there = {"tutor": (0, 30), "aled": (4, 25)}
    assert not import_calls(
        school, people.calls(tmp_path / "c.json", people.call("c1", f"{DAY}T11:00:00", there))
    ).refused
    consent = {
        "pupil_email": people.email("aled"), "kind": "one_to_one", "covers_from": DAY, "covers_to": DAY,
        "obtained_at": DAY, "given_by": "his father", "reason": "a course",
    }  # fmt: skip
    assert not import_consents(school, people.table(tmp_path / "p.csv", [consent])).refused
    return school


def test_it_holds_everything_and_marks_what_is_somebody_elses(held_much: School) -> None:
    page = subject(held_much, f" {people.email('aled').upper()} ")
    for words in (
        "Aled Pugh",
        "introduction",
        "his father",
        "Cried about home.",
        "11:04 to",
        "Helped",
        "Tutor",
        "opened,",
    ):
        assert words in page, words
    assert "<mark>bethan rees</mark>. &lt;b&gt;Well.&lt;/b&gt;" in page
    assert "<mark>Aled" not in page
    assert "nothing to do with him" not in page
    assert "carys" not in page.lower()


def test_of_counselling_it_says_that_it_was_and_no_more(held_much: School) -> None:
    page = subject(held_much, people.email("aled"))
    assert page.count('<section class="redact">') == 1
    assert "Counselling. Notes and reasons are the counsellor" in page
    assert "most secret" not in page


def test_it_stands_on_the_trail_without_a_name(held_much: School) -> None:
    subject(held_much, people.email("aled"))
    with held_much.engine.connect() as connection:
        pupil = connection.scalar(select(tables.pupils.c.id).where(tables.pupils.c.email == people.email("aled")))
        last = connection.scalars(select(tables.audit.c.about).order_by(tables.audit.c.id.desc())).first()
    assert last == f"everything held on pupil {pupil}"


def test_nobody_of_that_name_is_an_answer(school: School) -> None:
    with pytest.raises(UnknownPupil, match="was a pupil on the roster"):
        subject(school, "nobody@pupils.habs.example")


def test_the_command_writes_a_file_for_its_owner_alone_and_over_none(
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
    unknown = CliRunner().invoke(cli, ["subject", "x@x.example", "--to", str(tmp_path / "x.html")])
    assert (unknown.exit_code, (tmp_path / "x.html").exists()) == (2, False)
