"""Who is asked to confirm a version of the protocol, and what is stored when they do."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from app.access.confirmations import count_confirmations, find_version_to_confirm, list_confirmations
from app.access.policy import NotAllowedError
from app.intake.files import import_logs, import_roster
from app.intake.people import RosterOptions
from app.management.confirmations import confirm_version
from app.school import School
from app.settings import Version
from app.store import tables
from tests.people import STAFF, found, log, roster, someone, table

pytestmark = pytest.mark.usefixtures("story_clock")

FIRST, SECOND = date(2021, 1, 1), date(2026, 11, 2)
ASKED = sorted(who.title() for who in STAFF if who != "admin")


def with_new_version(school: School) -> School:
    """The same school, in which another version with the same name has come into force."""
    name = found(school.settings.version_on(FIRST)).name
    versions = (*school.settings.versions, Version.model_validate({"name": name, "from": SECOND}))
    return School(school.engine, school.settings.model_copy(update={"versions": versions}))


def confirm(school: School, *people: str) -> None:
    for who in people:
        confirm_version(school, someone(school, who), found(school.settings.version_on(school.today())).from_)


def entries(school: School) -> list[str]:
    with school.engine.connect() as connection:
        trail = tables.audit.c
        query = select(trail.actor, trail.subject).where(trail.action == "changed", trail.subject.contains("protocol"))
        query = query.order_by(trail.id)
        return [f"{row.actor}: {row.subject}" for row in connection.execute(query)]


def test_list_confirmations_asks_everybody_who_works_with_sessions(school: School) -> None:
    rows = list_confirmations(school, someone(school, "sdh"))
    assert rows["name"].tolist() == ASKED
    assert rows["confirmed_at"].isna().all()
    for who in STAFF:
        assert (find_version_to_confirm(school, someone(school, who)) is None) == (who == "admin")


def test_an_administrator_is_asked_after_a_session_but_not_after_counselling(school: School, tmp_path: Path) -> None:
    def is_asked() -> bool:
        listed = "Admin" in set(list_confirmations(school, someone(school, "sdh"))["name"])
        assert listed == (find_version_to_confirm(school, someone(school, "admin")) is not None)
        return listed

    for number, purpose in enumerate(("counselling", "academic")):
        start = f"2026-11-0{3 + number}T10:00"
        rows = [log("admin", "aled", start, purpose=purpose, ref=f"L{number}")]
        assert not import_logs(school, table(tmp_path / "l.csv", rows)).rejected
        assert is_asked() == (purpose == "academic")


def test_confirm_version_stores_it_once(school: School) -> None:
    confirm(school, "tutor", "tutor", "sdh")
    assert entries(school) == [
        f"{who}@habs.example: protocol in force from 2021-01-01: read and understood" for who in ("tutor", "sdh")
    ]
    rows = list_confirmations(school, someone(school, "sdh")).set_index("name")["confirmed_at"].dropna()
    assert {name: at.to_pydatetime() for name, at in rows.items()} == dict.fromkeys(("Sdh", "Tutor"), school.now())
    counts = found(count_confirmations(school, someone(school, "slt")))
    assert (counts.confirmed, counts.asked) == (2, len(ASKED))
    assert find_version_to_confirm(school, someone(school, "tutor")) is None
    assert find_version_to_confirm(school, someone(school, "teacher")) is not None


def test_a_new_version_is_confirmed_anew_even_if_it_has_the_same_name(school: School) -> None:
    confirm(school, "tutor")
    school = with_new_version(school)
    assert found(find_version_to_confirm(school, someone(school, "tutor"))).from_ == SECOND
    with pytest.raises(ValueError, match="Another version"):
        confirm_version(school, someone(school, "tutor"), FIRST)
    assert found(count_confirmations(school, someone(school, "sdh"))).confirmed == 0
    confirm(school, "tutor")
    assert found(count_confirmations(school, someone(school, "sdh"))).confirmed == 1


def test_leavers_are_not_listed(school: School, tmp_path: Path) -> None:
    confirm(school, "teacher")
    folder = roster(tmp_path / "roster")
    staff = (folder / "staff.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    without = [line for line in staff if not line.startswith("teacher@")]
    (folder / "staff.csv").write_text("".join(without), encoding="utf-8")
    import_roster(school, folder, options=RosterOptions(left_on=date(2026, 11, 20)))
    assert "Teacher" not in set(list_confirmations(school, someone(school, "sdh"))["name"])
    assert found(count_confirmations(school, someone(school, "sdh"))).confirmed == 0


def test_nobody_is_asked_before_the_first_version(school: School) -> None:
    school = School(school.engine, school.settings.model_copy(update={"versions": ()}))
    assert find_version_to_confirm(school, someone(school, "tutor")) is None
    assert count_confirmations(school, someone(school, "sdh")) is None
    assert list_confirmations(school, someone(school, "sdh")).empty


@pytest.mark.parametrize("who", sorted(STAFF.keys() - {"sdh"}))
def test_list_confirmations_is_for_the_senior_deputy_head(school: School, who: str) -> None:
    with pytest.raises(NotAllowedError):
        list_confirmations(school, someone(school, who))
