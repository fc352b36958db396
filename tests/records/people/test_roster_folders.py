"""School Data Sync and OneRoster folders, as the tables of the roster."""

from datetime import date
from typing import Any

import pytest

from app.records.people.roster import parse_pupils, parse_staff
from app.records.people.roster_folders import Export, is_roster_folder, read_export
from app.records.rows import RejectedRow, UnreadableFileError
from app.records.tables.tabular import Table
from tests.records.people.exports import ONEROSTER_1_1, ONEROSTER_1_2, SDS, files

TODAY = date(2026, 11, 27)
STAFF = {"t.evans@ysgol.example"}
ALED = {
    "email": "a.bowen@ysgol.example",
    "name": "Aled Bowen",
    "school": "SEN",
    "year_group": "9",
    "house": "Wye",
    "tutor_email": "t.evans@ysgol.example",
}


def read(folder: dict[str, str], **changes: str) -> Export:
    return read_export(files(folder, **changes), {}, TODAY)


def people(export: Export) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[RejectedRow]]:
    """The staff and the pupils that can be used, and all rejected rows."""
    none = Table("users.csv", ("email", "name", "school", "roles", "year_group", "house"), [])
    staff = parse_staff(export.tables.get("staff", none), {"SEN", "PREP"}, ())
    pupils = parse_pupils(export.tables.get("pupils", none), {"SEN", "PREP"}, STAFF)
    return (
        [one.row.model_dump() for one in staff.rows],
        [one.row.model_dump() for one in pupils.rows],
        [*staff.rejected, *pupils.rejected],
    )


def rejected(export: Export) -> list[tuple[int, str | None, str | None]]:
    return [(row.row, row.column, row.file) for row in people(export)[2]]


def edit(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def test_is_roster_folder_needs_users_and_orgs() -> None:
    assert is_roster_folder(files(SDS))
    assert not is_roster_folder(["schools.csv", "staff.csv", "users.csv"])


def test_read_export_reads_oneroster_1_1() -> None:
    staff, pupils, wrong = people(
        read(
            ONEROSTER_1_1,
            staff="email,roles,school\ng.puw@ysgol.example,,PREP\nt.evans@ysgol.example,teacher;hoy,SEN\n",
        )
    )
    assert [(one["email"], one["school"], one["roles"]) for one in staff] == [
        ("t.evans@ysgol.example", "SEN", ("teacher", "hoy")),
        ("g.puw@ysgol.example", "PREP", ()),
    ]
    aled, nia = pupils
    assert {name: aled[name] for name in ALED} == ALED
    assert sorted(aled["contact_emails"]) == ["m.bowen@cartref.example", "p.bowen@cartref.example"]
    assert (nia["year_group"], nia["contact_emails"]) == ("10", ())
    assert [(row.row, row.column) for row in wrong] == [(6, "house")]  # Cai is not in pupils.csv


def test_read_export_reads_oneroster_1_2() -> None:
    export = read(ONEROSTER_1_2, staff="", pupils="")
    staff, pupils, wrong = people(export)
    assert [(one["school"], one["roles"]) for one in staff] == [("PREP", ("teacher",))]
    assert [(one["email"], one["school"], one["year_group"]) for one in pupils] == [
        ("a.bowen@ysgol.example", "SEN", "9")
    ]
    assert pupils[0]["contact_emails"] == ("p.bowen@cartref.example",)
    assert not wrong


def test_read_export_reads_school_data_sync() -> None:
    export = read(SDS, pupils=edit(files(SDS)["pupils.csv"][1].decode(), "n.haf@ysgol.example,Dore,\n", ""))
    staff, pupils, wrong = people(export)
    assert [(one["email"], one["school"], one["year_groups"]) for one in staff] == [
        ("t.evans@ysgol.example", "SEN", ("9",))
    ]
    assert {name: pupils[0][name] for name in ALED} == ALED
    assert pupils[0]["contact_emails"] == ("p.bowen@cartref.example",)
    assert not wrong
    notes = export.tables["pupils"].notes
    assert "relationships.csv, row 4, column relationshipUserSourcedId: names nobody of users.csv" in notes


def test_read_export_gives_who_has_left() -> None:
    assert read(ONEROSTER_1_1).left == {"d.gone@ysgol.example"}
    again = ONEROSTER_1_1["users.csv"] + "s9,active,,true,senior,student,,,Dilys,Gone,,,d.gone@ysgol.example,,,,09,\n"
    assert read(ONEROSTER_1_1, users=again).left == set()


def test_read_export_rejects_a_leaver_who_cannot_be_found() -> None:
    export = read(ONEROSTER_1_1, users=edit(ONEROSTER_1_1["users.csv"], "d.gone@ysgol.example", ""))
    assert (5, "status", None) in rejected(export)


def test_read_export_tells_a_delta_from_the_whole() -> None:
    delta = edit(ONEROSTER_1_1["manifest.csv"], "file.users,bulk", "file.users,delta")
    assert read(ONEROSTER_1_1).is_whole
    export = read(ONEROSTER_1_1, manifest=delta, pupils="", staff="email,roles\nsomebody@ysgol.example,dsp\n")
    assert not export.is_whole
    assert "contact_emails" not in export.tables["pupils"].columns
    assert not [row for row in people(export)[2] if row.file]  # the other staff are just not in the delta


def test_read_export_keeps_what_the_folder_does_not_say() -> None:
    tables = read(SDS, staff="", pupils="").tables
    assert "roles" not in tables["staff"].columns
    assert tables["staff"].rows[0][1]["roles"] == "teacher"  # of a new teacher
    assert "house" not in tables["pupils"].columns


def test_read_export_names_schools_of_which_it_is_not_known_whether_they_are_senior() -> None:
    with pytest.raises(UnreadableFileError, match=r"Ysgol Uwch \(orgs.csv, row 2\).*file schools.csv"):
        read(SDS, schools="", staff="", pupils="")
    assert read_export(files(SDS, schools="", pupils=""), {"SEN": "ysgol uwch", "110002": ""}, TODAY).tables


def test_read_export_gives_schools_the_names_of_their_orgs() -> None:
    export = read(ONEROSTER_1_1, schools="code,senior\nsenior,yes\n102,no\n")
    assert [cells["name"] for _, cells in export.tables["schools"].rows] == ["Ysgol Uwch", "Ysgol Iau"]
    assert people(export)[1] == []  # SEN and PREP are no schools of this roster


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("users", "s1,active,,true,senior,student", "s1,active,,true,senior,", (4, "role in the folder", None)),
        ("users", "s1,active,,true,senior,student", "s1,active,,true,senior,wizard", (4, "role in the folder", None)),
        ("users", "s1,active,,true", "s1,inactive,,true", (4, "status in the folder", None)),
        ("users", "s1,active,,true", "s1,active,,perhaps", (4, "enabledUser in the folder", None)),
        ("users", "s1,active,,true,senior", "s1,active,,false,senior", (4, "enableduser", None)),
        ("users", "s1,active,,true,senior", 's1,active,,true,"senior,prep"', (4, "school", None)),
        ("users", "s1,active,,true,senior", "s1,active,,true,nowhere", (4, "school", None)),
        ("users", "p1,09,", 'p1,"09,10",', (4, "year_group", None)),
        ("users", "m.bowen@cartref.example", "m.bowen", (4, "contact_emails", None)),
        ("users", "s4,active", "s1,active", (7, "sourcedId", None)),
        ("users", "s4,active", ",active", (7, "sourcedId", None)),
        ("users", ",10,", ",#N/A,", (7, "year_group", None)),
        ("users", ",10,\n", ",10,,stray\n", (7, None, None)),
        ("staff", "t.evans@", "t.ifans@", (2, "email", "staff.csv")),
        ("pupils", "Dore,\n", "Dore,\nn.haf@ysgol.example,Wye,\n", (4, "email", "pupils.csv")),
    ],
)
def test_read_export_rejects_by_row_and_column(
    file: str, old: str, new: str, expected: tuple[int, str | None, str | None]
) -> None:
    content = files(ONEROSTER_1_1)[f"{file}.csv"][1].decode()
    assert expected not in rejected(read(ONEROSTER_1_1))
    assert expected in rejected(read(ONEROSTER_1_1, **{file: edit(content, old, new)}))


def test_read_export_names_the_row_of_a_role() -> None:
    for day in ("31/07/2027", "soon"):
        export = read(ONEROSTER_1_2, pupils="", roles=edit(ONEROSTER_1_2["roles.csv"], "2027-07-31", day))
        assert (3, "endDate of roles.csv, row 4", None) in rejected(export)


def test_read_export_leaves_out_people_whose_roles_have_ended() -> None:
    roles = edit(ONEROSTER_1_2["roles.csv"], "primary,student,2026-09-01,2027-07-31", "primary,student,,2026-11-26")
    export = read(ONEROSTER_1_2, pupils="", roles=roles)
    assert people(export)[1] == []
    assert any("whose roles have ended" in note for note in export.tables["staff"].notes)
    assert export.left == set()


def test_read_export_never_passes_on_passwords() -> None:
    tables = read(ONEROSTER_1_1).tables
    assert not any("secret" in cells.values() for table in tables.values() for _, cells in table.rows)
