"""Tables of which nobody has said what they hold: shown as they stand, and named by a person."""

import pytest

from app.records.rows import InvalidCellError, RowNumber, UnreadableFileError
from app.records.tables.raw_tables import read_raw_table
from tests.records.tables.books import Tab, save_xlsx

PUPILS: list[list[object]] = [
    ["Pupil Email", "Form"],
    ["a.byrne@school.example", "9B"],
    [None, None],
    ["b.chan@school.example", 10],
]


def test_read_raw_table_keeps_headings_and_cells_as_they_are_written() -> None:
    raw = read_raw_table(("a.csv", b" Pupil Email ,Form,\nA@b.example, 9B ,stray\n\nlast\n"))
    assert (raw.name, raw.sheet, raw.sheets, raw.heading_row) == ("a.csv", "", ("",), 1)
    assert raw.headings == ("Pupil Email", "Form", "")
    assert raw.rows == [(2, ("A@b.example", "9B", "stray")), (4, ("last",))]
    assert raw.notes == ()


@pytest.mark.parametrize(
    "text",
    [
        "Pupils of Year 9, November 2026\n\nName;Form\nAnn Byrne;9B, top set\nBen Chan;9C\n",
        "Name;Form\nAnn Byrne;9B, top set, back row\nBen Chan;9C\n",
        "Name\tForm\nByrne, Ann\t9B\nChan, Ben\t9C\n",
    ],
)
def test_read_raw_table_finds_what_separates_cells_and_where_the_headings_are(text: str) -> None:
    raw = read_raw_table(("a.csv", text.encode()))
    assert raw.headings == ("Name", "Form")
    assert [len(cells) for _, cells in raw.rows] == [2, 2]


def test_read_raw_table_reads_the_first_visible_sheet_and_names_the_others() -> None:
    tabs = {"Codes": Tab([["x"]], is_hidden=True), "Pupils": Tab(PUPILS), "Staff": Tab([["Name"], ["Carys"]])}
    content = save_xlsx(tabs)
    raw = read_raw_table(("a.xlsx", content))
    assert (raw.sheet, raw.sheets) == ("Pupils", ("Pupils", "Staff", "Codes"))
    assert raw.rows == [(2, ("a.byrne@school.example", "9B")), (4, ("b.chan@school.example", "10"))]
    assert raw.notes == ("the sheet Staff was not read", "the hidden sheet Codes was not read")
    assert read_raw_table(("a.xlsx", content), "Staff").rows == [(2, ("Carys",))]
    assert read_raw_table(("a.xlsx", content), rate=lambda one: one.headings == ("Name",)).sheet == "Staff"
    with pytest.raises(UnreadableFileError, match=r"has no sheet Houses; it has: Pupils, Staff, Codes\."):
        read_raw_table(("a.xlsx", content), "Houses")


def test_read_raw_table_leaves_out_hidden_rows_with_a_note() -> None:
    raw = read_raw_table(("a.xlsx", save_xlsx({"Pupils": Tab(PUPILS, hidden_rows=[1])})))
    assert [number for number, _ in raw.rows] == [4]
    assert "1 hidden row was not read (row 2 " in raw.notes[0]


def test_read_raw_table_takes_the_row_of_the_headings_from_a_person() -> None:
    content = b"Name,Form\nAnn,9B\nBen,9C\n"
    raw = read_raw_table(("a.csv", content), heading_row=2)
    assert (raw.headings, raw.rows) == (("Ann", "9B"), [(3, ("Ben", "9C"))])
    with pytest.raises(UnreadableFileError, match="has no row 7"):
        read_raw_table(("a.csv", content), heading_row=7)


def test_name_columns_gives_a_table_of_the_columns_a_person_chose() -> None:
    raw = read_raw_table(("a.xlsx", save_xlsx({"Pupils": Tab(PUPILS), "Other": Tab(PUPILS)})), "Pupils")
    table = raw.name_columns(["email", "form"])
    assert table.columns == ("email", "form")
    assert [cells for _, cells in table.rows] == [
        {"email": "a.byrne@school.example", "form": "9B"},
        {"email": "b.chan@school.example", "form": "10"},
    ]
    number = table.rows[1][0]
    assert isinstance(number, RowNumber)
    assert (number, number.sheet) == (4, "Pupils")
    assert table.notes == ("the sheet Other was not read",)


def test_read_raw_table_reads_all_sheets_with_the_same_headings() -> None:
    """A sheet for each term, of which one has a title."""
    spring: list[list[object]] = [["Pupils, spring"], ["pupil email", "FORM", None], ["c.dafis@school.example", "9C"]]
    tabs = {"Autumn": Tab(PUPILS), "Staff": Tab([["Name"], ["Carys"]]), "Spring": Tab(spring)}
    raw = read_raw_table(("a.xlsx", save_xlsx(tabs)))
    assert raw.sheet == "Autumn, Spring"
    assert raw.notes[:2] == ("2 sheets were read: Autumn, Spring", "the sheet Staff was not read")
    assert "row 1, above the headings, was not read" in raw.notes
    table = raw.name_columns(["email", "form"])
    places = [(number.sheet, number) for number, _ in table.rows if isinstance(number, RowNumber)]
    assert places == [("Autumn", 2), ("Autumn", 4), ("Spring", 3)]
    assert table.rows[-1][1] == {"email": "c.dafis@school.example", "form": "9C"}


def test_name_columns_refuses_one_name_for_two_headings() -> None:
    with pytest.raises(UnreadableFileError, match="the column email is there twice"):
        read_raw_table(("a.csv", b"a,b\n1,2\n")).name_columns(["email", "email"])


def test_name_columns_keeps_what_is_wrong_with_a_row() -> None:
    table = read_raw_table(("a.csv", b"a,b\n1,2,3\n")).name_columns(["email", "form"])
    with pytest.raises(InvalidCellError, match="more cells than there are headings"):
        table.check_faults(0, ["email"])
