"""Mappings: how a table that another system made becomes one of the program's own."""

import csv
import io
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.records.columns import COLUMNS, TABLES
from app.records.known_mappings import get_known_table, list_known_tables, propose, propose_as, read_as, recognise
from app.records.mappings import Mapping, Source, apply, list_words, read_mapped_table
from app.records.rows import UnreadableFileError
from app.records.tables.raw_tables import RawTable, read_raw_table
from app.records.tables.tabular import Expected, read_table
from tests.records.tables.books import Rows, Tab, Unvalued, save_xlsx

PUPILS = Mapping(
    kind="pupils",
    columns={
        "email": Source(headings=("Mail",)),
        "name": Source(headings=("Forename", "Surname")),
        "school": Source(value="SEN"),
        "year_group": Source(headings=("Year",)),
        "house": Source(headings=("House",), words={"none": "", "Ty Gwy": "Wye"}),
    },
)


def as_csv(*rows: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def xlsx(sheets: dict[str, Rows]) -> bytes:
    return save_xlsx({title: Tab(rows) for title, rows in sheets.items()})


def raw(*rows: tuple[str, ...]) -> RawTable:
    return read_raw_table(("file.csv", as_csv(*rows)))


FILE = raw(
    ("Surname", "Forename", "mail ", "Year", "HOUSE", "Locker"),
    ("Haf", "Nia", "n.haf@school.example", "09", "TY GWY", "12"),
    ("Puw", "Ifan", "i.puw@school.example", "Year 10", "None", "13"),
)


def test_apply_gives_the_columns_of_the_kind() -> None:
    table = apply(PUPILS, FILE)
    assert table.columns == ("email", "name", "school", "year_group", "house", "locker")
    nia = {"email": "n.haf@school.example", "name": "Nia Haf", "school": "SEN", "year_group": "09", "house": "Wye"}
    assert table.rows[0] == (2, nia | {"locker": "12"})
    assert table.rows[1][1]["house"] == ""


def test_apply_keeps_what_the_file_calls_a_column() -> None:
    assert apply(PUPILS, FILE).headings == {
        "email": "mail",
        "name": "Forename + Surname",
        "year_group": "Year",
        "house": "HOUSE",
    }


def test_apply_reports_headings_that_it_does_not_read() -> None:
    assert apply(PUPILS, FILE).list_unknown(TABLES["pupils"].columns) == ["locker"]


def test_apply_never_takes_a_heading_that_the_mapping_does_not_name() -> None:
    file = raw(
        ("Mail", "Email", "Forename", "Surname", "Year", "House"), ("a@school.example", "home@x.example") + ("",) * 4
    )
    assert apply(PUPILS, file).rows[0][1]["email"] == "a@school.example"
    assert "email (not read)" in apply(PUPILS, file).columns


def test_apply_refuses_a_file_without_a_heading() -> None:
    with pytest.raises(UnreadableFileError, match=r"does not have: Forename.*It has: Mail, Surname"):
        apply(PUPILS, raw(("Mail", "Surname", "Year", "House"), ("a", "b", "c", "d")))


def test_apply_keeps_faults_of_the_cells_that_it_reads() -> None:
    content = xlsx({"Pupils": [["Mail", "Forename", "Surname", "Year", "House", "Sum"], [*"abcde", Unvalued("=1+1")]]})
    broken = xlsx(
        {"Pupils": [["Mail", "Forename", "Surname", "Year", "House", "Sum"], ["a", Unvalued("=A1"), *"cdef"]]}
    )
    of_no_column, of_name = (apply(PUPILS, read_raw_table(("f.xlsx", file))).faults for file in (content, broken))
    assert not of_no_column.get(0)
    assert [fault.column for fault in of_name[0]] == ["name"]


def test_apply_keeps_stray_cells() -> None:
    file = raw(("Mail", "Forename", "Surname", "Year", "House"), (*"abcde", "stray"))
    assert apply(PUPILS, file).rows[0][1][""] == "stray"


@pytest.mark.parametrize("day", [date(2026, 10, 13), datetime.fromisoformat("2026-10-13")])
def test_apply_joins_a_day_and_a_time(day: date) -> None:
    mapping = Mapping(kind="logs", columns={"started_at": Source(headings=("Date", "From"))})
    content = xlsx({"A": [["Date", "From"], [day, time(17, 10)]]})
    assert apply(mapping, read_raw_table(("a.xlsx", content))).rows[0][1]["started_at"] == "2026-10-13 17:10:00"


def test_apply_joins_lists_by_semicolons() -> None:
    mapping = Mapping(kind="pupils", columns={"contact_emails": Source(headings=("Mother", "Father"))})
    file = raw(("Mother", "Father"), ("m@x.example", "f@x.example"), ("", "f@x.example"))
    assert [row["contact_emails"] for _, row in apply(mapping, file).rows] == ["m@x.example;f@x.example", "f@x.example"]


def test_read_mapped_table_reads_every_sheet_with_the_headings() -> None:
    rows = [["Mail", "Forename", "Surname", "Year", "House"], ["a@x.example", "A", "B", "9", ""]]
    content = xlsx({"Year 9": [["Pupils of Year 9"], *rows], "Year 10": rows, "Notes": [["nothing"]]})
    table = read_mapped_table(("pupils.xlsx", content), PUPILS)
    assert [number for number, _ in table.rows] == [3, 2]
    assert "the sheet Notes was not read" in table.notes


def test_source_translates_items_of_lists() -> None:
    roles = Source(headings=("Job",), words={"form tutor": "tutor", "Bursar": "", "Deputy, Pastoral": "slt"})
    column = COLUMNS["staff"]["roles"]
    assert roles.translate("Head of Year; FORM  TUTOR; Bursar; Cook", column) == "hoy;tutor;Cook"
    assert roles.translate("deputy, pastoral", column) == "slt"


def test_mapping_refuses_what_no_table_has() -> None:
    with pytest.raises(ValidationError, match="not a kind of table"):
        Mapping(kind="parents", columns={})
    with pytest.raises(ValidationError, match="shoe_size: not a column of staff"):
        Mapping(kind="staff", columns={"shoe_size": Source(value="7")})
    with pytest.raises(ValidationError, match="either from headings or from one value"):
        Source()


def test_from_json_reads_what_to_json_writes() -> None:
    assert Mapping.from_json(PUPILS.to_json()) == PUPILS
    with pytest.raises(UnreadableFileError, match="save it again"):
        Mapping.from_json('{"kind": "pupils", "columns": {"email": {}}}')


def test_list_words_says_which_words_are_values() -> None:
    mapping = Mapping(kind="staff", columns={"roles": Source(headings=("Job",), words={"Cook": ""})})
    words = list_words(
        mapping, raw(("Job", "x"), ("Head of Year; Bursar", ""), ("Bursar", ""), ("Cook", ""), ("", "y"))
    )
    assert [(word.word, word.rows, word.value) for word in words] == [
        ("Bursar", 2, None),
        ("Head of Year", 1, "hoy"),
        ("Cook", 1, ""),
    ]


def test_list_words_keeps_other_words_that_the_mapping_names() -> None:
    source = Source(headings=("Why",), words={"Duke of Edinburgh": "Duke of Edinburgh"})
    words = list_words(Mapping(kind="logs", columns={"purpose": source}), raw(("Why",), ("DUKE of Edinburgh",), ("x",)))
    assert [(word.word, word.value) for word in words] == [("DUKE of Edinburgh", "Duke of Edinburgh"), ("x", None)]


# Of each system an export as it comes: its headings, and what they become.
EXPORTS = {
    "iSAMS pupils": (
        "School ID, Forename, Surname, NC Year, Form, Academic House, School Email Address, Tutor",
        "email = School Email Address, name = Forename + Surname, year_group = NC Year, house = Academic House",
    ),
    "iSAMS staff": (
        "Initials, Salutation, Forename, Surname, School Email Address, Departments, Roles",
        "email = School Email Address, name = Forename + Surname, department = Departments, roles = Roles",
    ),
    "SIMS pupils": (
        "Adno, Legal Surname, Legal Forename, Year Group, Reg Group, House, Primary Email, UPN",
        "email = Primary Email, name = Legal Forename + Legal Surname, year_group = Year Group, house = House",
    ),
    "SIMS staff": (
        "Staff Code, Title, Preferred Forename, Legal Surname, Workplace Email, Post",
        "email = Workplace Email, name = Preferred Forename + Legal Surname, roles = Post",
    ),
    "Arbor pupils": (
        "Arbor ID, Legal First Name, Legal Last Name, Year group, Registration form, House, Email address",
        "email = Email address, name = Legal First Name + Legal Last Name, year_group = Year group, house = House",
    ),
    "Arbor staff": (
        "Arbor Staff ID, First name, Last name, Work email, Position",
        "email = Work email, name = First name + Last name, roles = Position",
    ),
    "Microsoft Forms": (
        "ID, Start time, Completion time, Email, Name, Which pupils?, Type of session, Date, From, To",
        "staff_email = Email, pupil_emails = Which pupils?, purpose = Type of session, started_at = Date + From, "
        "ended_at = Date + To",
    ),
    "Google Forms": (
        "Timestamp, Email Address, Pupils, Purpose, Start of the session, End of the session",
        "staff_email = Email Address, pupil_emails = Pupils, purpose = Purpose, started_at = Start of the session, "
        "ended_at = End of the session",
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_propose_knows_the_headings_of_a_system(name: str) -> None:
    headings, columns = (text.split(", ") for text in EXPORTS[name])
    file = raw(tuple(headings), tuple("a@school.example" for _ in headings))
    assert name in [known.name for known in recognise(file)]
    mapping = propose(file)
    assert mapping is not None
    assert [f"{column} = {heading}" for column, heading in apply(mapping, file).headings.items()] == columns


def test_exports_are_given_for_every_system() -> None:
    assert set(EXPORTS) == {known.name for known in list_known_tables()}


@pytest.mark.parametrize("kind", TABLES)
def test_propose_reads_the_tables_of_the_program_as_they_are(kind: str) -> None:
    columns = TABLES[kind].columns
    mapping = propose(raw(columns, tuple("a@b.example" for _ in columns)))
    assert mapping is not None
    assert mapping.kind == kind
    assert {name: source.headings for name, source in mapping.columns.items()} == {name: (name,) for name in columns}


def test_propose_finds_headings_with_a_slip() -> None:
    mapping = propose(raw(("pupil_emial", "kind", "sent on"), ("a@b.example", "x", "y")))
    assert mapping is not None
    assert mapping.columns["pupil_email"].headings == ("pupil_emial",)


def test_propose_takes_no_names_for_addresses() -> None:
    mapping = propose(
        raw(("Email", "Forename", "Surname", "Year", "Tutor email"), ("a@b.example", "A", "B", "9", "Mr C"))
    )
    assert mapping is not None
    assert "tutor_email" not in mapping.columns


def test_propose_says_nothing_of_a_table_that_it_does_not_know() -> None:
    assert propose(raw(("Breakfast", "Lunch"), ("toast", "soup"))) is None


def test_propose_keeps_to_the_kind_that_is_asked_for() -> None:
    mapping = propose(raw(("Email", "Full name"), ("a@b.example", "A B")), "staff")
    assert mapping is not None
    assert mapping.kind == "staff"


def test_propose_as_gives_the_words_that_the_file_has() -> None:
    known = get_known_table("microsoft forms")
    assert known is not None
    file = raw(("Start time", "Completion time", "Purpose"), ("x", "y", "Music lesson;"), ("x", "y", "Chat"))
    assert propose_as(known, file).columns["purpose"].words == {"music lesson": "music"}


def test_read_as_names_what_is_missing() -> None:
    known = get_known_table("iSAMS staff")
    assert known is not None
    with pytest.raises(UnreadableFileError, match=r"no heading for school, roles. The file has: Forename"):
        read_as(known, raw(("Forename", "Surname", "School Email Address"), ("a", "b", "c@d.example")))


def test_columns_describe_every_table() -> None:
    for kind, table in TABLES.items():
        assert tuple(COLUMNS[kind]) == table.columns
        assert all(column.meaning for column in COLUMNS[kind].values())


CELLS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5), st.permutations(["A", "B", "C"]))
def test_apply_gives_what_a_renamed_file_holds(rows: list[tuple[str, str, str]], order: list[str]) -> None:
    columns = ("pupil_email", "covers_from", "reason")
    renamed = dict(zip(order, columns, strict=True))
    mapping = Mapping(kind="consents", columns={name: Source(headings=(heading,)) for heading, name in renamed.items()})
    mapped = apply(mapping, raw(("A", "B", "C"), *rows))
    ours = read_table(
        ("a.csv", as_csv(tuple(renamed[heading] for heading in "ABC"), *rows)), Expected(columns, columns)
    )
    assert mapped.rows == ours.rows
