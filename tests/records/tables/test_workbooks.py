"""Workbooks of every kind: what a person sees in a cell is read, and what is not a value is said."""

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest
import xlsxwriter
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font

from app.records.rows import UnreadableFileError
from app.records.tables.cells import Sheet
from app.records.tables.workbooks import is_workbook, read_sheets
from tests.records.tables.binary_books import save_xlsb
from tests.records.tables.books import KINDS, Error, Tab, Unvalued, save_xls, save_xlsx

AFTERNOON, MIDNIGHT = datetime.fromisoformat("2026-11-03T14:05"), datetime.fromisoformat("2026-11-03")
VALUES = ["Ŵyn & <Siân>\n2", 9, 0.5, True, date(2026, 11, 3), AFTERNOON, MIDNIGHT, time(8, 40)]
TEXTS = ["Ŵyn & <Siân>\n2", "9", "0.5", "TRUE", "2026-11-03", "2026-11-03T14:05:00", "2026-11-03T00:00:00", "08:40:00"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def read(kind: str, tab: Tab) -> Sheet:
    (sheet,) = read_sheets(f"a.{kind}", KINDS[kind]({"Sheet": tab}))
    return sheet


@every_kind
def test_read_sheets_gives_each_cell_as_a_csv_file_would_hold_it(kind: str) -> None:
    sheet = read(kind, Tab([["a", "b"], VALUES, [None, "x"]]))
    assert [[cell for cell in line if cell] for line in sheet.lines] == [["a", "b"], TEXTS, ["x"]]
    assert sheet.lines[2][:2] == ["", "x"]
    assert sheet.faults == {}


@every_kind
def test_read_sheets_shows_errors(kind: str) -> None:
    sheet = read(kind, Tab([["a", "b"], ["x", Error("#N/A")], ["x", Error("#DIV/0!")]]))
    assert [line[1] for line in sheet.lines] == ["b", "#N/A", "#DIV/0!"]


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_read_sheets_names_formulas_without_a_value(kind: str) -> None:
    sheet = read(kind, Tab([["a", "b"], ["x", Unvalued("=1+1")]]))
    assert list(sheet.faults) == [(1, 1)]
    assert "formula whose value" in sheet.faults[1, 1][0]


def test_read_sheets_names_formulas_for_which_a_program_wrote_some_value() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_formula(1, 1, "=1+1")  # and 0 as its value
    (read,) = read_sheets("a.xlsx", out.getvalue())
    assert list(read.faults) == [(1, 1)]
    assert "may not be in the file" in read.faults[1, 1][0]


def test_read_sheets_takes_the_formula_of_a_rule_for_none_of_a_cell() -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active["B2"].font = Font(bold=True)
    book.active.conditional_formatting.add("A1:B9", FormulaRule(["$A1=1"], font=Font(bold=True)))
    out = io.BytesIO()
    book.save(out)
    (sheet,) = read_sheets("a.xlsx", out.getvalue())
    assert sheet.faults == {}


@every_kind
def test_read_sheets_names_cells_that_a_merge_covers(kind: str) -> None:
    sheet = read(kind, Tab([["a", "b", "c"], ["x", "y", "z"], [None, "y", None]], merged=[(1, 2, 0, 0), (0, 0, 1, 2)]))
    assert {place: words[0] for place, words in sheet.faults.items()} == {
        (2, 0): "is merged with the cell above it",
        (0, 2): "is merged with the cell before it",
    }


@every_kind
def test_read_sheets_tells_hidden_rows_and_sheets(kind: str) -> None:
    tabs = {"Seen": Tab([["a"], ["1"], ["2"]], hidden_rows=[1]), "Kept": Tab([["a"]], is_hidden=True)}
    sheets = read_sheets(f"a.{kind}", KINDS[kind](tabs))
    assert [(sheet.name, sheet.is_hidden, set(sheet.hidden_rows)) for sheet in sheets] == [
        ("Seen", False, {1}),
        ("Kept", True, set()),
    ]


@pytest.mark.parametrize("save", [save_xlsx, save_xls, save_xlsb])
def test_read_sheets_reads_days_counted_from_1904(save: object) -> None:
    (sheet,) = read_sheets("a", save({"Sheet": Tab([VALUES])}, counts_from_1904=True))  # type: ignore[operator]
    assert sheet.lines == [TEXTS]


def test_read_sheets_refuses_binary_cells_that_do_not_say_in_which_column_they_are() -> None:
    content = save_xlsb({"Sheet": Tab([["a", "b", "c"]])}, short_cells=True)
    with pytest.raises(UnreadableFileError, match=r"cells of a kind that cannot be read; .* as an \.xlsx file"):
        read_sheets("a.xlsb", content)


@every_kind
def test_read_sheets_refuses_a_truncated_file(kind: str) -> None:
    content = KINDS[kind]({"Sheet": Tab([["a"], *[["some text"]] * 500])})
    assert is_workbook(content[: len(content) // 2])
    with pytest.raises(UnreadableFileError, match=r"^a is (?:incomplete|not a workbook, or is incomplete)"):
        read_sheets("a", content[: len(content) // 2])


@every_kind
def test_read_sheets_reads_a_damaged_file_or_refuses_it(kind: str) -> None:
    content = KINDS[kind]({"Sheet": Tab([["a", "b"], VALUES])})
    refused = 0
    for place in range(0, len(content), max(1, len(content) // 60)):
        damaged = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
        try:
            read_sheets("a", damaged)
        except UnreadableFileError:
            refused += 1
    assert refused


def locked(word: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + word.encode("utf-16-le")


def packed(*names: str, manifest: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "x")
        file.writestr("META-INF/manifest.xml", manifest)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (locked("EncryptedPackage"), "is locked with a password or a sensitivity label"),
        (locked("DRMContent"), "is locked with a password or a sensitivity label"),
        (packed("content.xml", manifest="<encryption-data/>"), "is locked with a password"),
        (packed("encrypted-package", manifest="<encryption-data/>"), "is locked with a password"),
        (locked("Letter"), "is not a workbook, or is incomplete"),
        (packed("word/document.xml"), "is a Word document"),
        (packed("Index/Document.iwa"), "is a Numbers file"),
        (packed("a.txt"), "is not a readable workbook"),
    ],
)
def test_read_sheets_says_what_another_file_is(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        read_sheets("a.xlsx", content)
