"""OpenDocument spreadsheets: what LibreOffice, Excel and others write in their own ways."""

import pytest

from app.records.rows import UnreadableFileError
from app.records.tables.cells import Sheet
from app.records.tables.workbooks import read_sheets
from tests.records.tables.books import wrap_ods

TEXT = 'office:value-type="string"'


def read(rows: str) -> Sheet:
    (sheet,) = read_sheets("a.ods", wrap_ods(rows))
    return sheet


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>\n  {''.join(cells)}\n</table:table-row>"


def cell(content: str = "", attributes: str = TEXT) -> str:
    return f"<table:table-cell {attributes}>{content}</table:table-cell>\n"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<text:p>one</text:p><text:p>two</text:p>", "one\ntwo"),
        ('<text:p>a<text:s text:c="3"/>b<text:s/>c</text:p>', "a   b c"),
        ("<text:p>a<text:tab/>b<text:line-break/>c</text:p>", "a\tb\nc"),
        ("<text:p><text:a>a@school.example</text:a></text:p>", "a@school.example"),
        ("<text:p>T<text:span>ŷ</text:span> Gwyn</text:p>", "Tŷ Gwyn"),
        ("<office:annotation><text:p>a note</text:p></office:annotation><text:p>yes</text:p>", "yes"),
    ],
)
def test_read_open_document_reads_the_text_that_a_cell_shows(content: str, text: str) -> None:
    assert read(row(cell(content))).lines == [[text]]


def test_read_open_document_repeats_cells_and_rows_and_keeps_places() -> None:
    sheet = read(
        row(cell("<text:p>h</text:p>", f'{TEXT} table:number-columns-repeated="2"'))
        + row(cell(attributes=""), attributes='table:number-rows-repeated="3"')
        + row(
            cell(attributes='table:number-columns-repeated="2"'),
            cell("<text:p>x</text:p>"),
            attributes='table:number-rows-repeated="2" table:visibility="collapse"',
        )
        + row(
            cell(attributes='table:number-columns-repeated="16384"'), attributes='table:number-rows-repeated="1048570"'
        )
    )
    assert sheet.lines == [["h", "h"], [], [], [], ["", "", "x"], ["", "", "x"]]
    assert sheet.hidden_rows == {4, 5}


def test_read_open_document_reads_rows_in_groups() -> None:
    rows = f"<table:table-header-rows>{row(cell('<text:p>h</text:p>'))}</table:table-header-rows>"
    rows += f"<table:table-row-group>{row(cell('<text:p>x</text:p>'))}</table:table-row-group>"
    assert read(rows).lines == [["h"], ["x"]]


@pytest.mark.parametrize(
    "attributes",
    [
        'office:value-type="string" office:string-value="" calcext:value-type="error"',
        'office:value-type="float" office:value="0"',
        'table:formula="of:=1/0" office:value-type="float" office:value="0" calcext:value-type="error"',
    ],
)
def test_read_open_document_shows_an_error_whatever_its_type(attributes: str) -> None:
    assert read(row(cell("<text:p>#DIV/0!</text:p>", attributes))).lines == [["#DIV/0!"]]


@pytest.mark.parametrize("repeated", ['table:number-columns-repeated="16384"', ""])
def test_read_open_document_refuses_cells_without_end(repeated: str) -> None:
    rows = row(cell("<text:p>x</text:p>", f"{TEXT} {repeated}"), attributes='table:number-rows-repeated="6000000"')
    with pytest.raises(UnreadableFileError, match="far out"):
        read(rows)
