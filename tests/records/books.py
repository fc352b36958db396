"""Workbooks for tests, as bytes."""

import io
from collections.abc import Mapping, Sequence

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

Rows = Sequence[Sequence[object]]


def fill(sheet: Worksheet, rows: Rows) -> Worksheet:
    """The sheet with the rows added below those that it has."""
    for row in rows:
        sheet.append(row)
    return sheet


def save(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xlsx(sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> bytes:
    """An .xlsx workbook with those sheets, some of them hidden."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        fill(book.create_sheet(title), rows).sheet_state = "hidden" if title in hidden else "visible"
    return save(book)
