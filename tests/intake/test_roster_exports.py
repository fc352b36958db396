"""The roster from School Data Sync and OneRoster folders, and from tables by mappings."""

import io
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from app.access.administration import list_rejected_rows
from app.access.people import find_person
from app.intake.files import import_roster, prepare_roster
from app.intake.mappings import save_mapping
from app.intake.people import RosterOptions
from app.intake.transaction import carry_out
from app.operations.rejected_rows import fix_row
from app.records.mappings import Mapping as TableMapping
from app.records.mappings import Source
from app.records.rows import UnreadableFileError
from app.school import School
from app.store import reading, tables
from app.store.versions import valid_versions
from tests.people import found
from tests.records.people.exports import ONEROSTER_1_1, OWN, SDS, files

PUPILS = TableMapping(
    kind="pupils",
    columns={
        "email": Source(headings=("Mail",)),
        "name": Source(headings=("Name",)),
        "school": Source(value="SEN"),
        "year_group": Source(headings=("Form",), words={"9B": "9"}),
        "house": Source(headings=("House",)),
    },
)


def write(folder: Path, export: Mapping[str, str], **changes: str) -> Path:
    folder.mkdir()
    for name, content in files(export, **changes).values():
        (folder / name).write_bytes(content)
    return folder


def pupils(school: School) -> dict[str, tuple[str, str, bool, str | None]]:
    """Year, house, whether they have left, and contacts, by address."""
    version, pupil = valid_versions(tables.pupil_versions), tables.pupils.c
    query = select(pupil.email, version.c.year_group, version.c.house, version.c.has_left, pupil.contact_emails)
    with school.engine.connect() as connection:
        rows = connection.execute(query.join(version, version.c.pupil_id == pupil.id).where(version.c.until.is_(None)))
        return {row.email: tuple(row)[1:] for row in rows}


def roles(school: School, email: str) -> str:
    version = valid_versions(tables.staff_versions)
    with school.engine.connect() as connection:
        number = reading.read_roster(connection).staff[email]
        query = select(version.c.roles).where(version.c.staff_id == number, version.c.until.is_(None))
        return str(connection.scalars(query).one())


def test_import_roster_takes_a_oneroster_folder(empty_school: School, tmp_path: Path) -> None:
    results = import_roster(empty_school, write(tmp_path / "a", ONEROSTER_1_1))
    assert [(result.kind, result.source, result.added) for result in results] == [
        ("schools", "schools.csv", 2),
        ("staff", "users.csv", 1),
        ("pupils", "users.csv", 2),
    ]
    assert pupils(empty_school) == {
        "a.bowen@ysgol.example": ("9", "Wye", False, "p.bowen@cartref.example;m.bowen@cartref.example"),
        "n.haf@ysgol.example": ("10", "Dore", False, None),
    }
    assert roles(empty_school, "t.evans@ysgol.example") == "teacher;hoy"
    assert results[2].headings["school"] == "orgSourcedIds"
    assert not results[-1].unread


def pack(export: Mapping[str, str], folder: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("__MACOSX/._users.csv", "of the system")
        for name, content in files(export).values():
            archive.writestr(folder + name, content)
    return out.getvalue()


@pytest.mark.parametrize("folder", ["", "export/"])
def test_import_roster_takes_an_archive(empty_school: School, tmp_path: Path, folder: str) -> None:
    (tmp_path / "roster.zip").write_bytes(pack(ONEROSTER_1_1, folder))
    assert [result.added for result in import_roster(empty_school, tmp_path / "roster.zip")] == [2, 1, 2]
    assert pupils(empty_school)["n.haf@ysgol.example"] == ("10", "Dore", False, None)


def test_import_roster_takes_an_archive_with_files_beside_it(empty_school: School, tmp_path: Path) -> None:
    export = pack(dict.fromkeys(OWN, "") | dict(SDS))
    (tmp_path / "sds.zip").write_bytes(export)
    for name, content in OWN.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "last year").mkdir()
    results = import_roster(empty_school, tmp_path)
    assert [result.added for result in results] == [2, 1, 1]
    assert "other files of the folder were not read: last year/" in results[-1].notes
    (tmp_path / "again.zip").write_bytes(export)
    with pytest.raises(UnreadableFileError, match="in two archives"):
        import_roster(empty_school, tmp_path)


def test_import_roster_says_what_is_wrong_with_an_archive(empty_school: School, tmp_path: Path) -> None:
    (tmp_path / "roster.zip").write_bytes(pack(ONEROSTER_1_1)[:-40])
    for path in (tmp_path, tmp_path / "roster.zip"):
        with pytest.raises(UnreadableFileError, match="is no archive, or is damaged"):
            import_roster(empty_school, path)


def test_import_roster_takes_the_same_folder_again(empty_school: School, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", ONEROSTER_1_1)
    import_roster(empty_school, folder)
    again = import_roster(empty_school, folder)
    assert [(result.added, result.changed, result.left, result.missing) for result in again] == [(0, 0, [], [])] * 3


def test_import_roster_marks_whoever_is_to_be_deleted_as_left(empty_school: School, tmp_path: Path) -> None:
    import_roster(empty_school, write(tmp_path / "a", ONEROSTER_1_1))
    users = ONEROSTER_1_1["users.csv"].replace("s1,active", "s1,tobedeleted")
    own = "email,house\nn.haf@ysgol.example,Dore\n"
    results = import_roster(empty_school, write(tmp_path / "b", ONEROSTER_1_1, users=users, pupils=own))
    assert results[2].left == ["Aled Bowen (a.bowen@ysgol.example)"]
    assert pupils(empty_school)["a.bowen@ysgol.example"][2]
    assert not pupils(empty_school)["n.haf@ysgol.example"][2]


def test_import_roster_lets_nobody_leave_by_a_delta(empty_school: School, tmp_path: Path) -> None:
    import_roster(empty_school, write(tmp_path / "a", ONEROSTER_1_1))
    header, *rows = ONEROSTER_1_1["users.csv"].splitlines(keepends=True)
    delta = {
        "manifest": "propertyName,value\nfile.users,delta\n",
        "users": header + "".join(row for row in rows if row.startswith("s4")).replace(",10,", ",11,"),
        "pupils": "email,house\nn.haf@ysgol.example,Dore\n",
    }
    folder = write(tmp_path / "b", ONEROSTER_1_1, **delta)
    results = import_roster(empty_school, folder, options=RosterOptions(left_on=date(2026, 9, 1)))
    assert [(result.left, result.missing, result.rejected) for result in results] == [([], [], [])] * 2
    assert pupils(empty_school)["n.haf@ysgol.example"][0] == "11"
    assert not pupils(empty_school)["a.bowen@ysgol.example"][2]
    assert pupils(empty_school)["a.bowen@ysgol.example"][3]


def test_import_roster_lets_nobody_leave_by_a_wrong_role(empty_school: School, tmp_path: Path) -> None:
    import_roster(empty_school, write(tmp_path / "a", ONEROSTER_1_1))
    users = ONEROSTER_1_1["users.csv"].replace("s1,active,,true,senior,student", "s1,active,,true,senior,wizard")
    folder = write(tmp_path / "b", ONEROSTER_1_1, users=users, pupils="email,house\nn.haf@ysgol.example,Dore\n")
    results = import_roster(empty_school, folder, options=RosterOptions(left_on=date(2026, 9, 1)))
    assert [result.left for result in results] == [[], [], []]


def test_import_roster_keeps_what_a_folder_does_not_say(empty_school: School, tmp_path: Path) -> None:
    sds = {name: text for name, text in SDS.items() if name != "relationships.csv"}
    import_roster(empty_school, write(tmp_path / "a", SDS, pupils="email,house\na.bowen@ysgol.example,Wye\n"))
    before = pupils(empty_school), roles(empty_school, "t.evans@ysgol.example")
    folder = write(tmp_path / "b", sds, schools="", pupils="", staff="email,school\nt.evans@ysgol.example,SEN\n")
    import_roster(empty_school, folder)
    assert (pupils(empty_school), roles(empty_school, "t.evans@ysgol.example")) == before


def test_fix_row_keeps_what_the_folder_does_not_say(empty_school: School, tmp_path: Path) -> None:
    staff = OWN["staff.csv"] + "g.puw@ysgol.example,admin,,SEN\n"
    import_roster(empty_school, write(tmp_path / "a", ONEROSTER_1_1, staff=staff))
    users = ONEROSTER_1_1["users.csv"].replace("m.bowen@cartref.example", "m.bowen")
    folder = write(
        tmp_path / "b", ONEROSTER_1_1, users=users, pupils="", staff="email,school\nt.evans@ysgol.example,SEN\n"
    )
    rejected = import_roster(empty_school, folder)[2].rejected
    assert [(row.row, row.column) for row in rejected] == [(4, "contact_emails"), (6, "email")]
    admin = found(find_person(empty_school, "g.puw@ysgol.example"))
    rows = list_rejected_rows(empty_school, admin)
    number = int(rows.loc[rows["column"] == "contact_emails", "id"].iloc[0])
    cells = rows.loc[rows["id"] == number, "original"].iloc[0] | {"house": "", "contact_emails": "mam@cartref.example"}
    assert fix_row(empty_school, admin, number, cells) is None
    assert pupils(empty_school)["a.bowen@ysgol.example"] == ("9", "Wye", False, "mam@cartref.example")


def test_import_roster_refuses_a_folder_without_what_it_needs(empty_school: School, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"Put a file schools.csv beside the others"):
        import_roster(empty_school, write(tmp_path / "a", SDS, schools=""))


def test_prepare_roster_reads_tables_by_mappings(empty_school: School, tmp_path: Path) -> None:
    save_mapping(empty_school, "Ours", PUPILS)
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "schools.csv").write_text("code,name,senior\nSEN,Senior,yes\n")
    (folder / "export.csv").write_text("Name,Mail,Form,House\nNia Haf,n.haf@ysgol.example,9B,Wye\nX,none,9B,Wye\n")
    results = carry_out(empty_school, prepare_roster(empty_school, folder, mappings=["ours"]))
    assert pupils(empty_school) == {"n.haf@ysgol.example": ("9", "Wye", False, None)}
    assert (results[1].source, results[1].rejected[0].row, results[1].headings["email"]) == ("export.csv", 3, "Mail")
    again = carry_out(empty_school, prepare_roster(empty_school, folder / "export.csv", mappings=["Ours"]))
    assert [(result.added, result.changed) for result in again] == [(0, 0)]


def test_prepare_roster_reads_an_export_that_has_a_name_of_the_programs_own(
    empty_school: School, tmp_path: Path
) -> None:
    save_mapping(empty_school, "Ours", PUPILS)
    (tmp_path / "schools.csv").write_text("code,name,senior\nSEN,Senior,yes\n")
    (tmp_path / "pupils.csv").write_text("Name,Mail,Form,House\nNia Haf,n.haf@ysgol.example,9B,Wye\n")
    with pytest.raises(UnreadableFileError, match=r"pupils.csv: .* missing: email.*can be read with --mapping “Ours”"):
        prepare_roster(empty_school, tmp_path)
    carry_out(empty_school, prepare_roster(empty_school, tmp_path, mappings=["Ours"]))
    assert [*pupils(empty_school)] == ["n.haf@ysgol.example"]


def test_prepare_roster_says_why_a_mapping_reads_nothing(empty_school: School, tmp_path: Path) -> None:
    save_mapping(empty_school, "Ours", PUPILS)
    (tmp_path / "export.csv").write_text("Name,Post\nNia,x\n")
    with pytest.raises(UnreadableFileError, match=r"export.csv.*Mail"):
        prepare_roster(empty_school, tmp_path, mappings=["Ours"])
    (tmp_path / "one.csv").write_text("Name,Mail,Form,House\n")
    (tmp_path / "two.csv").write_text("Name,Mail,Form,House\n")
    with pytest.raises(UnreadableFileError, match=r"reads several files: one.csv, two.csv"):
        prepare_roster(empty_school, tmp_path, mappings=["Ours"])
