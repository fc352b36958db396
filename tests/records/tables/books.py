"""Workbooks of every kind for tests, as bytes."""

import io
import zipfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from xml.sax.saxutils import quoteattr

import openpyxl
import xlrd
import xlwt
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.records.tables.binary_books import save_xlsb

Rows = Sequence[Sequence[object]]
Block = tuple[int, int, int, int]  # the first and the last row, the first and the last column, from 0


@dataclass(frozen=True)
class Error:
    """An error that a spreadsheet shows, such as #N/A."""

    text: str


class Unvalued(str):
    """A formula whose value is not stored."""

    __slots__ = ()


@dataclass(frozen=True)
class Tab:
    """A sheet: its rows, the numbers of hidden ones from 0, merged cells, and whether the sheet is hidden. A cell is
    text, a number, yes or no, a day or a time, an `Error`, an `Unvalued` formula or None."""

    rows: Rows
    hidden_rows: Collection[int] = ()
    merged: Sequence[Block] = ()
    is_hidden: bool = False


def save_xlsx(tabs: dict[str, Tab], *, counts_from_1904: bool = False) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    if counts_from_1904:
        book.epoch = CALENDAR_MAC_1904
    for title, tab in tabs.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if tab.is_hidden else "visible"
        for row, cells in enumerate(tab.rows, start=1):
            for column, value in enumerate(cells, start=1):
                if value is not None:
                    cell = sheet.cell(row, column, value.text if isinstance(value, Error) else value)
                    if type(value) is str:
                        cell.data_type = "s"  # even what looks like a formula
        for row in tab.hidden_rows:
            sheet.row_dimensions[row + 1].hidden = True
        for top, bottom, left, right in tab.merged:
            sheet.merge_cells(start_row=top + 1, end_row=bottom + 1, start_column=left + 1, end_column=right + 1)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_ERROR_CODES = {code: number for number, code in xlrd.error_text_from_code.items()}


def save_xls(tabs: dict[str, Tab], *, counts_from_1904: bool = False) -> bytes:
    book = xlwt.Workbook()
    book.dates_1904 = counts_from_1904
    styles = {kind: xlwt.easyxf(num_format_str=shown) for kind, shown in _SHOWN.items()}
    for title, tab in tabs.items():
        sheet = book.add_sheet(title, cell_overwrite_ok=True)
        sheet.visibility = int(tab.is_hidden)
        for row, cells in enumerate(tab.rows):
            for column, value in enumerate(cells):
                if isinstance(value, Error):
                    sheet.row(row).set_cell_error(column, _ERROR_CODES[value.text])
                elif isinstance(value, Unvalued):
                    sheet.write(row, column, xlwt.Formula(value[1:]))
                elif value is not None:
                    sheet.write(row, column, value, styles.get(type(value), xlwt.Style.default_style))
        for row in tab.hidden_rows:
            sheet.row(row).hidden = True
        for top, bottom, left, right in tab.merged:
            sheet.merge(top, bottom, left, right)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_SHOWN = {date: "DD/MM/YYYY", datetime: "DD/MM/YYYY hh:mm", time: "hh:mm"}
_NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text", "style")
)
_CALC = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
_HIDDEN_STYLE = '<style:style style:name="hidden"><style:table-properties table:display="false"/></style:style>'


_REPEATED = 'table:number-{}-repeated="{}"'


def save_ods(tabs: dict[str, Tab]) -> bytes:
    """As LibreOffice writes it, with a million empty rows at the end."""
    sheets = "".join(_write_table(title, tab) for title, tab in tabs.items())
    return pack_ods(
        f"<office:document-content {_NAMESPACES} {_CALC}><office:automatic-styles>{_HIDDEN_STYLE}"
        f"</office:automatic-styles><office:body><office:spreadsheet>{sheets}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )


def pack_ods(content: str, manifest: str = "<manifest/>") -> bytes:
    """A package with some content."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", content)
        packed.writestr("META-INF/manifest.xml", manifest)
    return out.getvalue()


def wrap_ods(rows: str) -> bytes:
    """A package with one sheet, the XML of whose rows is given."""
    table = f'<table:table table:name="Sheet">{rows}</table:table>'
    return pack_ods(f"<office:document-content {_NAMESPACES} {_CALC}>{table}</office:document-content>")


def _write_table(title: str, tab: Tab) -> str:
    spans = {(top, left): (bottom - top + 1, right - left + 1) for top, bottom, left, right in tab.merged}
    rows = []
    for n, cells in enumerate(tab.rows):
        shown = ' table:visibility="filter"' if n in tab.hidden_rows else ""
        written = "".join(_write_cell(value, *spans.get((n, column), (1, 1))) for column, value in enumerate(cells))
        rows.append(f"<table:table-row{shown}>{written}</table:table-row>")
    style = ' table:style-name="hidden"' if tab.is_hidden else ""
    rest = (
        f"<table:table-row {_REPEATED.format('rows', 1048000)}><table:table-cell {_REPEATED.format('columns', 16384)}/>"
    )
    return f"<table:table table:name={quoteattr(title)}{style}>{''.join(rows)}{rest}</table:table-row></table:table>"


@dataclass(frozen=True)
class _Written:
    """How a kind of value is written: its type in the file, and the attribute with the value."""

    kind: str
    attribute: str = "value"
    write: Callable[[object], object] = field(default=str)


_WRITTEN = {
    bool: _Written("boolean", "boolean-value", lambda value: str(value).lower()),
    int: _Written("float"),
    float: _Written("float"),
    date: _Written("date", "date-value"),
    datetime: _Written("date", "date-value", lambda value: str(value).replace(" ", "T")),
    time: _Written("time", "time-value", lambda value: f"PT{value:%HH%MM%SS}"),
}


def _write_cell(value: object, high: int, wide: int) -> str:
    spans = f' table:number-rows-spanned="{high}" table:number-columns-spanned="{wide}"' if high * wide > 1 else ""
    if value is None:
        return f"<table:table-cell{spans}/>"
    if isinstance(value, Error):
        attributes, text = ' office:value-type="string" office:string-value="" calcext:value-type="error"', value.text
    elif isinstance(value, Unvalued):
        return f"<table:table-cell table:formula={quoteattr('of:' + value)}{spans}/>"
    elif isinstance(value, str):
        attributes, text = f' office:value-type="string" office:string-value={_quote(value)}', ""
    else:
        written = _WRITTEN[type(value)]
        stored = f'office:{written.attribute}="{written.write(value)}"'
        attributes, text = f' office:value-type="{written.kind}" {stored}', ""
    shown = f"<text:p>{text}</text:p>" if text else ""
    return f"<table:table-cell{attributes}{spans}>{shown}</table:table-cell>"


def _quote(text: str) -> str:
    return quoteattr(text, {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


KINDS: dict[str, Callable[[dict[str, Tab]], bytes]] = {
    "xlsx": save_xlsx,
    "xls": save_xls,
    "xlsb": save_xlsb,
    "ods": save_ods,
}
