"""Tables in text files: what separates the cells, and what a stray quotation mark spoils."""

import pytest

from app.records.rows import UnreadableFileError
from app.records.tables.text_tables import Lines, read_text

COLUMNS = {"ref", "who", "notes"}


def read(text: str | bytes) -> Lines:
    content = text.encode() if isinstance(text, str) else text
    return read_text("a.csv", content, lambda cells: len(COLUMNS & set(cells)))


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_read_text_finds_what_separates_cells(mark: str) -> None:
    others = "".join({",", ";", "|"} - {mark})
    written = f"ref{mark}who{mark}notes\nL1{mark}Ann{mark}a{others}b\n"
    assert read(written) == [["ref", "who", "notes"], ["L1", "Ann", f"a{others}b"]]


def test_read_text_takes_the_mark_that_the_file_names() -> None:
    assert read("sep=;\nref;who;notes\n1;2,5;\n") == [["ref", "who", "notes"], ["1", "2,5", ""]]


def test_read_text_looks_for_headings_below_a_title() -> None:
    assert read("Logs, by term, of the school, in all\n\nref;who;notes\n1;Ann;x\n")[2:] == [
        ["ref", "who", "notes"],
        ["1", "Ann", "x"],
    ]


def test_read_text_keeps_cells_of_several_lines() -> None:
    written = 'ref,who,notes\n"1\n2","","\n"\n3,"A, B","first, second\nthird, fourth"\n'
    assert read(written)[1:] == [["1\n2", "", "\n"], ["3", "A, B", "first, second\nthird, fourth"]]


@pytest.mark.parametrize(
    ("lines", "spoilt", "kept"),
    [
        # From the cell that the first mark begins to the one that the second ends.
        (['1,Ann,"x', "2,Ben,y", "3,Cai,z", '4,Dai,w"'], [1, 4], [["2", "Ben", "y"], ["3", "Cai", "z"]]),
        (['1,"Ann,x', '2,Ben",y'], [1, 2], []),
        (['1,Ann,"x', '2,Ben,y"'], [1, 2], []),
        (['1,"Ann,x', '2,Ben,y"'], [1, 2], []),
        (['1,Ann,"x', '2,Ben",y'], [1, 2], []),
        (['"1,Ann,x', '2",Ben,y'], [1, 2], []),
        # Never closed: only its own line.
        (['1,Ann,"x', "2,Ben,y"], [1], [["2", "Ben", "y"]]),
    ],
)
def test_read_text_leaves_lines_whole_that_a_quotation_mark_spoils(
    lines: list[str], spoilt: list[int], kept: list[list[str]]
) -> None:
    read_lines = read("\n".join(["ref,who,notes", *lines, "9,Zoe,end"]))
    assert len(read_lines) == len(lines) + 2
    assert [n for n, line in enumerate(read_lines) if isinstance(line, str)] == spoilt
    assert [line for line in read_lines[1:-1] if isinstance(line, list)] == kept
    assert read_lines[-1] == ["9", "Zoe", "end"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><body><table>", "is a web page, whatever its name"),
        (b"\xef\xbb\xbf \r\n<!DOCTYPE html>", "is a web page, whatever its name"),
        ("<table><tr><td>Siân".encode("cp1252"), "is a web page, whatever its name"),
        ("<HTML>".encode("utf-16"), "is a web page, whatever its name"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related", "is a web page, whatever its name"),
        (b'<?xml version="1.0"?><Workbook/>', "is an XML file, whatever its name"),
        (b"%PDF-1.7", "is a PDF file, whatever its name"),
        (b"{\\rtf1", "is a Word document, whatever its name"),
        ("Siân".encode("cp1252"), "is not UTF-8 text"),
        ("ref".encode("utf-16-le"), "is not a CSV file"),
    ],
)
def test_read_text_says_what_another_file_is(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        read(content)


def test_read_text_says_that_text_is_no_workbook() -> None:
    with pytest.raises(UnreadableFileError, match=r"^logs.xls is text, whatever its name"):
        read_text("logs.xls", b"ref,who,notes\n", len)
