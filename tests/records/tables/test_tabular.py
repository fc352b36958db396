"""Tables that people made: what they mean is read, and what cannot be read is said in words."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.records.rows import UnreadableFileError
from app.records.tables.tabular import Expected, read_table
from tests.records.tables.books import Tab, save_xlsx


def csv_rows(text: str) -> list[tuple[int, dict[str, str]]]:
    return read_table(("a.csv", text.encode())).rows


def sheet(*rows: Sequence[object], far: str = "") -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if far:
        book.active[far] = "x"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "code,name\nSEN,Senior\n",
        "\ufeffcode,name\nSEN,Senior\n",
        " Code , NAME \r\n SEN , Senior \r\n",
        "code;name\nSEN;Senior\n",
        '"code","name"\n"SEN","Senior"',
        "\n\ncode,name\n",
        "code,name,\nSEN,Senior,\n",
        "code,name\rSEN,Senior\r",
    ],
)
def test_read_table_reads_every_dialect_of_csv(text: str) -> None:
    read = read_table(("schools.csv", text.encode()))
    assert read.columns == ("code", "name")
    assert [cells for _, cells in read.rows] == ([] if text.startswith("\n") else [{"code": "SEN", "name": "Senior"}])


def test_read_table_numbers_rows_as_a_spreadsheet_does_and_ignores_blank_ones() -> None:
    text = 'a,b\n1,"two\nlines"\n\n , \n2,x\n'
    assert csv_rows(text) == [(2, {"a": "1", "b": "two\nlines"}), (5, {"a": "2", "b": "x"})]


def test_read_table_fills_a_short_row_and_rejects_a_long_one() -> None:
    assert csv_rows("a,b\n1\n1,2,3,,4\n1,2,,\n") == [
        (2, {"a": "1"}),
        (3, {"a": "1", "b": "2", "": "3 4"}),
        (4, {"a": "1", "b": "2"}),
    ]


@pytest.mark.parametrize("broken", ['x,"a "quoted" word"', 'x,"never closed'])
def test_read_table_rejects_only_the_row_with_a_stray_quotation_mark(broken: str) -> None:
    assert csv_rows(f"a,b\n1,2\n{broken}\n3,4\n5,6\n") == [
        (2, {"a": "1", "b": "2"}),
        (3, {"": broken}),
        (4, {"a": "3", "b": "4"}),
        (5, {"a": "5", "b": "6"}),
    ]


def test_read_table_reads_cells_of_a_sheet_as_text_of_a_csv() -> None:
    rows: list[Sequence[object]] = [
        ["When", "Day", "Yes", "Year", "Share", "Text", "Blank"],
        [datetime.fromisoformat("2026-11-03T14:05"), date(2026, 11, 3), True, 9, 0.5, " x ", None],
        [],
        [datetime.fromisoformat("2026-11-03T14:05:59"), date(2026, 12, 31), False, 10.0, 1.25, "a;b", ""],
    ]
    assert read_table(("a.xlsx", sheet(*rows))).rows == [
        (
            2,
            {
                "when": "2026-11-03T14:05:00",
                "day": "2026-11-03",
                "yes": "TRUE",
                "year": "9",
                "share": "0.5",
                "text": "x",
                "blank": "",
            },
        ),
        (
            4,
            {
                "when": "2026-11-03T14:05:59",
                "day": "2026-12-31",
                "yes": "FALSE",
                "year": "10",
                "share": "1.25",
                "text": "a;b",
                "blank": "",
            },
        ),
    ]


cell = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=6)


@given(st.lists(st.lists(cell, min_size=3, max_size=3).filter(any), max_size=5))
def test_a_sheet_and_a_csv_with_the_same_cells_read_the_same(rows: list[list[str]]) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [["a", "b", "c"], *rows]]
    text = "\r\n".join(quoted)
    book = openpyxl.Workbook()
    for number, row in enumerate([["a", "b", "c"], *rows], start=1):
        for column, value in enumerate(row, start=1):
            if value:
                book.active.cell(number, column, value).data_type = "s"  # even what looks like a formula
    out = io.BytesIO()
    book.save(out)
    assert read_table(("a.xlsx", out.getvalue())).rows == read_table(("a.csv", text.encode())).rows


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n , \n", "is empty"),
        ("name\nGwenll\u00efan".encode("latin-1"), "not UTF-8"),
        ("name\nx".encode("utf-16-le"), "not a CSV file"),
        (b"name,Name\nx,y", "name is there twice"),
        (b'"name\nx', "close the quotation mark"),
        (b"PK\x05\x06" + b"\0" * 18, "not a readable workbook"),
        (sheet(["name"])[:-40] + b"\0" * 40, "is incomplete"),
        (sheet(["name"], far="XFD1048576"), "cell far out"),
    ],
)
def test_read_table_reports_what_is_not_a_table(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        read_table(("file", content))


def test_read_table_refuses_a_sheet_that_unpacks_to_too_much() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 201_000_000)
    with pytest.raises(UnreadableFileError, match="too large"):
        read_table(("bomb.xlsx", out.getvalue()))


def test_read_table_reports_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"logs.csv cannot be read"):
        read_table(tmp_path / "logs.csv")


@given(st.binary(max_size=60) | st.text('a,;"\n\r\0 \ufeff', max_size=40).map(str.encode))
@example(b'a\n"')
def test_read_table_of_any_bytes_gives_a_table_or_an_error(content: bytes) -> None:
    try:
        read = read_table(("file.csv", content))
    except UnreadableFileError:
        return
    numbers = [number for number, _ in read.rows]
    assert numbers == sorted(set(numbers))
    assert all(number > 1 and set(cells) <= {*read.columns, ""} for number, cells in read.rows)


def test_read_table_says_what_is_missing_and_what_may_be_meant() -> None:
    expected = Expected(("staff_email", "started_at"), ("staff_email", "started_at"))
    with pytest.raises(UnreadableFileError) as caught:
        read_table(("a.csv", b"Staff e-mail address,start,colour\n"), expected)
    assert "are missing: staff_email, started_at. It has: Staff e-mail address, start, colour." in str(caught.value)
    assert "staff e-mail address (did you mean staff_email?); start (did you mean started_at?)" in str(caught.value)


def test_read_table_says_what_stands_above_the_headings_or_hides_them() -> None:
    rows = [["Autumn"], ["code", "name"], ["SEN", "Senior"]]
    for hidden, notes in (((), []), ((1,), ["the headings are in the hidden row 2, which was read"])):
        table = read_table(("a.xlsx", save_xlsx({"A": Tab(rows, hidden_rows=hidden)})), Expected(("code",), ("code",)))
        assert table.rows == [(3, {"code": "SEN", "name": "Senior"})]
        assert list(table.notes) == ["row 1, above the headings, was not read", *notes]
