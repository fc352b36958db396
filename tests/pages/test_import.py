"""The import on the Administration page: files are dropped, checked, corrected, imported and undone."""

import csv
import io
import zipfile

from app.access.administration import get_roster
from app.intake.mappings import list_mappings
from app.intake.undo import undo_last_import
from app.school import School
from tests import people
from tests.apptest import AppTest
from tests.pages.conftest import OpenAs, Opened, text
from tests.people import email, someone
from tests.records.people.exports import ONEROSTER_1_1, OWN, files
from tests.records.tables.books import Tab, save_xlsx

Rows = list[dict[str, str]]
PUPILS = [
    {"Pupil": "Aled Pugh", "Mail": email("aled"), "NC Year": "Year 10", "House": "Wye", "Site": "SEN"},
    {"Pupil": "Nia New", "Mail": "nia@pupils.habs.example", "NC Year": "Y7", "House": "Wye", "Site": "SEN"},
    {"Pupil": "Sam Slip", "Mail": "sam,slip@habs", "NC Year": "7", "House": "Wye", "Site": "SEN"},
]
LETTERS = [{"pupil_email": "nobody@x.example", "kind": "introduction", "sent_on": "2026-09-01"}]


def _as_csv(rows: Rows) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _drop(at: AppTest, *files: tuple[str, Rows]) -> None:
    box = next(one for one in at.file_uploader if one.label.startswith("Drop files here"))
    box.set_value([(name, _as_csv(rows), "text/csv") for name, rows in files]).run()
    assert not at.exception


def _press(at: AppTest, label: str) -> None:
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception


def _choose(at: AppTest, label: str, value: object) -> None:
    next(box for box in at.selectbox if box.label == label).set_value(value).run()
    assert not at.exception


def _list_pupils(school: School) -> dict[str, str]:
    """The house of each pupil."""
    pupils = get_roster(school, someone(school, "admin"))["pupils"]
    return dict(zip(pupils["name"], pupils["house"], strict=True))


def test_import_is_checked_then_applied_and_can_be_undone(open_as: OpenAs, school: School) -> None:
    at = open_as("admin")
    before = _list_pupils(school)
    _drop(at, ("pupils of the school.csv", PUPILS))
    _choose(at, "Email *", ("Mail",))
    _choose(at, "Name *", ("Pupil",))
    shown = text(at)
    assert "Nia New" in shown
    assert "Monnow,Wye" in shown  # the house, now and after the import
    assert "sam,slip@habs" in " ".join(table.value.to_csv() for table in at.dataframe)
    assert _list_pupils(school) == before
    _press(at, "Import")
    assert "Imported." in [element.value for element in at.success]
    assert _list_pupils(school) == before | {"Aled Pugh": "Wye", "Nia New": "Wye"}
    assert [saved.name for saved in list_mappings(school)] == ["Pupils as in pupils of the school"]
    assert [button.label for button in at.button if button.label == "Undo"]  # its dialog needs a browser
    assert undo_last_import(school).sources == ("pupils of the school.csv",)
    assert _list_pupils(school) == before


def test_import_reads_a_file_with_the_same_headings_as_the_last_time(open_as: OpenAs, school: School) -> None:
    at = open_as("admin")
    _drop(at, ("pupils.csv", PUPILS[:1]))
    _choose(at, "Email *", ("Mail",))
    _choose(at, "Name *", ("Pupil",))
    _press(at, "Import")
    _press(at, "Import more")
    _drop(at, ("pupils 2027.csv", PUPILS[1:2]))
    _press(at, "Import")
    assert _list_pupils(school)["Nia New"] == "Wye"


def test_import_corrects_a_rejected_row_in_the_table(open_as: OpenAs, school: School) -> None:
    at = open_as("admin")
    _drop(at, ("pupils.csv", PUPILS))
    _choose(at, "Email *", ("Mail",))
    _choose(at, "Name *", ("Pupil",))
    at.session_state["import corrections"] = {"pupils": {("", 4): {"email": "sam@pupils.habs.example"}}}
    at.run()
    assert "2 new" in text(at).replace("<bdi>", "").replace("</bdi>", "")
    _press(at, "Import")
    assert "Sam Slip" in _list_pupils(school)


def test_import_corrects_one_of_two_rows_with_one_number(open_as: OpenAs, school: School) -> None:
    headings = [*PUPILS[0]]
    sheets = {
        title: Tab([headings, [name, address, "Year 7", "Wye", "SEN"]])
        for title, name, address in (("Wye", "Nia New", "nia@pupils"), ("Usk", "Una Usk", "una@pupils"))
    }
    at = open_as("admin")
    box = next(one for one in at.file_uploader if one.label.startswith("Drop files here"))
    box.set_value([("pupils.xlsx", save_xlsx({"Notes": Tab([["Read me"]]), **sheets}), "application/xlsx")]).run()
    _choose(at, "Email *", ("Mail",))
    _choose(at, "Name *", ("Pupil",))
    assert "Usk,2," in " ".join(table.value.to_csv() for table in at.dataframe)
    at.session_state["import corrections"] = {"pupils": {("Usk", 2): {"email": "una@pupils.habs.example"}}}
    at.run()
    _press(at, "Import")
    assert "Una Usk" in _list_pupils(school)
    assert "Nia New" not in _list_pupils(school)


def test_import_takes_the_files_of_a_oneroster_export(open_as: OpenAs, school: School) -> None:
    at = open_as("admin")
    exported = dict(files(ONEROSTER_1_1).values())
    own = [(name, exported.pop(name), "text/csv") for name in OWN]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in exported.items():
            archive.writestr(f"export/{name}", content)
    box = next(one for one in at.file_uploader if one.label.startswith("Drop files here"))
    box.set_value([("export.zip", packed.getvalue(), "application/zip"), *own]).run()
    assert not at.exception
    assert "An export of School Data Sync or OneRoster" in text(at)
    before = _list_pupils(school)
    _press(at, next(button.label for button in at.button if button.label.startswith("Import")))
    assert "Imported." in [element.value for element in at.success]
    assert _list_pupils(school) == before | {"Aled Bowen": "Wye", "Nia Haf": "Dore"}


def _list_rows(*left: str) -> Rows:
    """The pupils of the school as a file, without some."""
    rows = [(who, *facts) for who, facts in people.PUPILS.items() if who not in left]
    return [
        {"email": email(who), "name": name, "school": code, "year_group": year, "house": house}
        for who, name, code, year, house, _ in rows
    ]


def test_import_says_who_leaves_on_its_button(open_as: OpenAs, school: School) -> None:
    at = open_as("admin")
    _drop(at, ("pupils.csv", _list_rows("dai")))
    assert people.PUPILS["dai"][0] in " ".join(table.value.to_csv() for table in at.dataframe)
    _press(at, "Import, and mark 1 pupil as having left")
    assert people.PUPILS["dai"][0] not in _list_pupils(school)


def test_import_of_a_part_of_the_list_lets_nobody_leave(open_as: OpenAs, school: School) -> None:
    at = open_as("admin")
    before = _list_pupils(school)
    _drop(at, ("pupils of year 9.csv", _list_rows("aled", "carys", "dai")))
    assert "Not in the files: " in text(at)
    _press(at, "Import")
    assert _list_pupils(school) == before


def test_import_of_staff_never_lets_whoever_imports_leave(open_as: OpenAs, school: School) -> None:
    staff = get_roster(school, someone(school, "admin"))["staff"]
    rows = staff[staff["email"] != email("admin")][["email", "name", "school", "roles"]].to_dict("records")
    at = open_as("admin")
    _drop(at, ("staff.csv", rows))
    assert "Import" in [button.label for button in at.button]


def test_import_asks_what_a_purpose_stands_for(open_as: OpenAs) -> None:
    at = open_as("admin")
    wrong, other = (people.log("teacher", "aled", f"2026-11-0{day}T10:00") for day in (3, 4))
    _drop(at, ("answers.csv", [wrong | {"purpose": "Accademic"}, other | {"purpose": "Expedition"}]))
    assert [warning.value for warning in at.warning] == ["Choose what the words mean in: Purpose."]
    _choose(at, "Accademic (1 row)", "academic")
    assert "Import" not in [button.label for button in at.button]
    _choose(at, "Expedition (1 row)", "Expedition")
    _press(at, "Import")
    assert "Imported." in [element.value for element in at.success]
    assert not at.warning


def test_import_is_for_the_administrator_alone(open_as: OpenAs) -> None:
    at = open_as("teacher")
    assert "You do not have access to this page." in text(at)
    assert not at.file_uploader


def test_import_of_real_people_into_the_demonstration_is_refused(opened: Opened) -> None:
    at = opened("administration", "admin", tab="Import")
    pupil = {"email": "a@x.example", "name": "Ann", "school": "SEN", "year_group": "9", "house": "Wye"}
    _drop(at, ("pupils.csv", [pupil]))
    assert "no real people may be imported" in " ".join(error.value for error in at.error)
    assert "Import" not in [button.label for button in at.button]


def test_import_shows_what_is_wrong_with_a_file(opened: Opened) -> None:
    at = opened("administration", "admin", tab="Import")
    _drop(at, ("letters.csv", LETTERS), ("more letters.csv", LETTERS))
    assert "Two files hold letters to parents" in " ".join(error.value for error in at.error)
