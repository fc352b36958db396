"""The roster: what is read of each row, and why a row is rejected."""

import pytest

from app.records.people.roster import Roster, parse_pupils, parse_schools, parse_staff
from app.records.rows import UnreadableFileError
from tests.records.evidence.shapes import table

STAFF = {
    "email": "Mair.Howell@School.example",
    "name": "Mair Howell",
    "school": "SEN",
    "department": "English",
    "roles": "teacher; HOY ;teacher",
    "year_groups": "9;10",
    "houses": "",
    "entra_id": "AAAAAAAA-0000-4000-8000-000000000001",
}
PUPIL = {
    "email": "aled.pugh@pupils.example",
    "name": "Aled Pugh",
    "school": "SEN",
    "year_group": "9",
    "house": "Monnow",
    "tutor_email": "MAIR.HOWELL@school.example",
}


def staff(*changes: dict[str, str]) -> tuple[list[str], list[tuple[int, str | None]]]:
    """The emails read, and the rows rejected with their column."""
    parsed = parse_staff(table(*(STAFF | change for change in changes)), {"SEN"}, ())
    return [read.row.email for read in parsed.rows], [(rejected.row, rejected.column) for rejected in parsed.rejected]


def pupils(*changes: dict[str, str]) -> tuple[list[str], list[tuple[int, str | None]]]:
    parsed = parse_pupils(table(*(PUPIL | change for change in changes)), {"SEN"}, {"mair.howell@school.example"})
    return [read.row.email for read in parsed.rows], [(rejected.row, rejected.column) for rejected in parsed.rejected]


def test_parse_staff_reads_a_row() -> None:
    row = parse_staff(table(STAFF), {"SEN"}, ()).rows[0].row
    assert row.email == "mair.howell@school.example"
    assert row.entra_id == "aaaaaaaa-0000-4000-8000-000000000001"
    assert (row.roles, row.year_groups, row.houses) == (("teacher", "hoy"), ("9", "10"), ())


def test_parse_staff_and_parse_pupils_write_a_school_as_the_roster_does() -> None:
    staff = parse_staff(table(STAFF | {"school": "sen"}), {"PREP", "SEN"}, ())
    pupils = parse_pupils(table(PUPIL | {"school": " Sen"}), {"PREP", "SEN"}, {"mair.howell@school.example"})
    assert (staff.rows[0].row.school, pupils.rows[0].row.school) == ("SEN", "SEN")


def test_parse_schools_rejects_one_code_in_two_cases_for_two_schools() -> None:
    schools = (("SEN", "Upper School"), ("sen", "Sixth Form"), ("PREP", "Lower School"))
    rows = [{"code": code, "name": name, "senior": "yes", "email_domain": ""} for code, name in schools]
    parsed = parse_schools(table(*rows))
    assert [(rejected.row, rejected.column) for rejected in parsed.rejected] == [(2, "code"), (3, "code")]


def test_parse_pupils_reads_a_row() -> None:
    row = parse_pupils(table(PUPIL), {"SEN"}, {"mair.howell@school.example"}).rows[0].row
    assert (row.year_group, row.house, row.tutor_email) == ("9", "Monnow", "mair.howell@school.example")
    assert row.entra_id is None


def test_parse_schools_reads_and_rejects_rows() -> None:
    rows = [
        {"code": "SEN", "name": "Senior", "senior": "Y", "email_domain": "School.example"},
        {"code": "PREP", "name": "Prep", "senior": "0", "email_domain": ""},
        {"code": "X", "name": "Neither", "senior": "", "email_domain": ""},
        {"code": "Z", "name": "Perhaps", "senior": "perhaps", "email_domain": ""},
        {"code": "", "name": "Nameless", "senior": "no", "email_domain": ""},
    ]
    parsed = parse_schools(table(*rows))
    assert [(read.row.code, read.row.senior, read.row.email_domain) for read in parsed.rows] == [
        ("SEN", True, "school.example"),
        ("PREP", False, None),
    ]
    assert [(rejected.row, rejected.column) for rejected in parsed.rejected] == [
        (4, "senior"),
        (5, "senior"),
        (6, "code"),
    ]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"email": ""}, "email"),
        ({"email": "mair.howell"}, "email"),
        ({"email": "Mair <mair@school.example>"}, "email"),
        ({"email": f"{'m' * 320}@school.example"}, "email"),
        ({"name": ""}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"school": "sixth"}, "school"),
        ({"roles": "teacher;wizard"}, "roles"),
        ({"entra_id": "1" * 101}, "entra_id"),
        ({"entra_id": "n/a"}, "entra_id"),
    ],
)
def test_parse_staff_rejects_a_row_by_its_column(change: dict[str, str], column: str) -> None:
    assert staff(change) == ([], [(2, column)])


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"tutor_email": "nobody@school.example"}, "tutor_email"),
        ({"tutor_email": "nobody"}, "tutor_email"),
        ({"email": "mair.howell@school.example"}, "email"),
        ({"school": ""}, "school"),
        ({"year_group": "9" * 41}, "year_group"),
        ({"year_group": "09-Oct"}, "year_group"),
        ({"house": "2026-10-09"}, "house"),
    ],
)
def test_parse_pupils_rejects_a_row_by_its_column(change: dict[str, str], column: str) -> None:
    assert pupils(change) == ([], [(2, column)])
    assert pupils({"tutor_email": ""}) == (["aled.pugh@pupils.example"], [])


def test_parse_pupils_rejects_contacts_who_are_pupils_of_the_file() -> None:
    other = {"email": "bethan.rees@pupils.example", "name": "Bethan Rees", "contact_emails": ""}
    own, others = {"contact_emails": "aled.pugh@pupils.example"}, {"contact_emails": "Bethan.Rees@pupils.example"}
    assert pupils(own, other) == (["bethan.rees@pupils.example"], [(2, "contact_emails")])
    assert pupils(others, other) == (["bethan.rees@pupils.example"], [(2, "contact_emails")])


def test_parse_pupils_reads_a_language_as_forms_write_it() -> None:
    row = parse_pupils(table(PUPIL | {"language": " CY;"}), {"SEN"}, {"mair.howell@school.example"}).rows[0].row
    assert row.language == "cy"


def test_parse_staff_accepts_a_repeated_row_only_if_it_says_the_same() -> None:
    assert staff({}, {"email": "mair.howell@school.example"}) == (["mair.howell@school.example"], [])
    assert staff({}, {"department": "ENGLISH"}) == (["mair.howell@school.example"], [])
    assert pupils({}, {"house": "monnow "}) == (["aled.pugh@pupils.example"], [])
    assert staff({}, {"department": "Welsh"}) == ([], [(2, "email"), (3, "email")])
    assert staff({"entra_id": ""}, {}, {"entra_id": "other-1"}) == ([], [(row, "email") for row in (2, 3, 4)])


def test_parse_staff_keeps_the_entra_id_of_rows_that_agree() -> None:
    parsed = parse_staff(table(STAFF | {"entra_id": ""}, STAFF), {"SEN"}, ())
    assert [(read.number, read.row.entra_id) for read in parsed.rows] == [(3, STAFF["entra_id"].lower())]
    assert staff({}, {"entra_id": f"{{{STAFF['entra_id']}}}"}) == (["mair.howell@school.example"], [])


def test_parse_staff_names_every_row_of_a_person_in_two_rows_that_differ() -> None:
    parsed = parse_staff(table(STAFF, STAFF | {"school": "PREP"}, STAFF | {"name": "M Howell"}), {"SEN", "PREP"}, ())
    assert [rejected.reason for rejected in parsed.rejected] == [
        "names the same person as rows 3 and 4, but the rows differ",
        "names the same person as rows 2 and 4, but the rows differ",
        "names the same person as rows 2 and 3, but the rows differ",
    ]


def test_parse_staff_rejects_two_addresses_with_one_entra_id() -> None:
    assert staff({}, {"email": "huw@school.example"}) == ([], [(2, "entra_id"), (3, "entra_id")])
    assert len(staff({"entra_id": ""}, {"email": "huw@school.example", "entra_id": ""})[0]) == 2


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"role": "parent"}, "role"),
        ({"role": "Guardian"}, "role"),
        ({"role": "teacher"}, "role"),
        ({"status": "toBeDeleted"}, "status"),
        ({"enabledUser": "False"}, "enableduser"),
        ({"contact_emails": "mam@cartref.example;dad"}, "contact_emails"),
        ({"language": "fr"}, "language"),
    ],
)
def test_parse_pupils_rejects_a_row_of_somebody_else_or_of_a_leaver(change: dict[str, str], column: str) -> None:
    assert pupils(change) == ([], [(2, column)])
    harmless = {"role": "student", "status": "active", "enabledUser": "true", "language": "CY"}
    assert pupils(harmless) == (["aled.pugh@pupils.example"], [])


def test_parse_pupils_reads_contacts_and_language() -> None:
    cells = PUPIL | {"contact_emails": "Mam@Cartref.example; dad@cartref.example;mam@cartref.example", "language": "Cy"}
    row = parse_pupils(table(cells), {"SEN"}, {"mair.howell@school.example"}).rows[0].row
    assert (row.contact_emails, row.language) == (("mam@cartref.example", "dad@cartref.example"), "cy")


def test_parse_pupils_rejects_a_pupils_address_as_the_familys() -> None:
    mistaken = {"contact_emails": "mam@cartref.example; Aled.Pugh@pupils.example"}
    assert pupils(mistaken) == ([], [(2, "contact_emails")])
    other = table(PUPIL | {"contact_emails": "bethan@pupils.example"})
    parsed = parse_pupils(other, {"SEN"}, {"mair.howell@school.example"}, {"bethan@pupils.example"})
    assert [rejected.column for rejected in parsed.rejected] == ["contact_emails"]


def test_find_ids_prefers_the_entra_id_and_gives_nobody_an_address_that_is_somebody_elses_now() -> None:
    roster = Roster(
        staff={"mair@school.example": 1, "old@school.example": 1, "huw@school.example": 2},
        pupils={},
        staff_entra={"id-1": 1},
        pupil_entra={},
    )
    assert roster.find_ids("id-1", "huw@school.example") == (1, None)
    assert roster.find_ids(None, "old@school.example") == (1, None)
    assert roster.find_ids("id-9", "mair@school.example") == (None, None)
    assert roster.find_ids("id-9", "huw@school.example") == (2, None)  # whose Entra id is not known


def test_parse_staff_needs_its_columns_and_lists_unknown_ones() -> None:
    assert parse_staff(table(STAFF | {"Shoe Size": "7"}), {"SEN"}, ()).unknown_columns == ["shoe size"]
    with pytest.raises(UnreadableFileError, match="missing: email, roles"):
        parse_staff(table({"name": "Mair", "school": "SEN"}), {"SEN"}, ())
