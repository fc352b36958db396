"""Years and houses without pupils."""

from pathlib import Path

from sqlalchemy import update

from app.intake.files import import_roster
from app.school import School
from app.store import tables
from app.store.groups import list_groups_without_pupils, list_leaders_without_groups
from tests import people


def test_list_groups_without_pupils_names_the_year_and_the_house(school: School) -> None:
    with school.engine.begin() as connection:
        assert list_groups_without_pupils(connection, school.today()) == []
        connection.execute(update(tables.pupil_versions).values(year_group="7", house="Wye"))
        empty = list_groups_without_pupils(connection, school.today())
    assert any("in the year 9" in words for words in empty)
    assert any("in the house Monnow" in words for words in empty)


def test_list_leaders_without_groups_names_the_column(school: School) -> None:
    with school.engine.begin() as connection:
        assert list_leaders_without_groups(connection, school.today()) == []
        connection.execute(update(tables.staff_versions).values(year_groups=""))
        (words,) = list_leaders_without_groups(connection, school.today())
    assert "Head of Year" in words
    assert words.endswith("give it in the column year_groups")


def test_import_roster_names_other_files_of_its_folder(empty_school: School, tmp_path: Path) -> None:
    folder = people.roster(tmp_path / "roster")
    for name in ("pupils (1).csv", "students.csv", "photo.jpg"):
        (folder / name).write_text("email\n")
    results = import_roster(empty_school, folder)
    assert [words.split(" was")[0] for words in results[-1].unread] == ["pupils (1).csv", "students.csv"]
    assert any("photo.jpg" in words for words in results[-1].notes)
