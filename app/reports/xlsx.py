"""Excel workbooks from frames: a sheet a table, typed, and no text that runs."""

import io
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
import xlsxwriter

_WIDEST = 60  # of a column, in letters
_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}


def workbook(sheets: Mapping[str, pd.DataFrame]) -> bytes:
    """An .xlsx file: each frame a sheet under its name, headings frozen and to filter by. Numbers and days are
    numbers and days, shares (columns that begin with "Share") per cent; every text is a text, whatever its first
    sign."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {**_AS_TEXT}) as book:
        look = {
            "heading": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
            "text": book.add_format({"text_wrap": True, "valign": "top"}),
            "number": book.add_format({"num_format": "#,##0", "valign": "top", "align": "right"}),
            "share": book.add_format({"num_format": "0.0%", "valign": "top", "align": "right"}),
            "day": book.add_format({"num_format": "ddd d mmm yyyy", "valign": "top", "align": "left"}),
        }
        for name, rows in sheets.items():
            _write(book.add_worksheet(name), rows, look)
    return file.getvalue()


def _write(sheet: Any, rows: pd.DataFrame, look: Mapping[str, Any]) -> None:
    for column, heading in enumerate(rows.columns):
        sheet.write_string(0, column, str(heading), look["heading"])
        values = rows[heading].tolist()
        for row, value in enumerate(values, start=1):
            _cell(sheet, row, column, value, look, share=str(heading).startswith("Share"))
        letters = max((len(str(value)) for value in values if isinstance(value, str)), default=0)
        sheet.set_column(column, column, min(max(letters, len(str(heading)), 10) + 2, _WIDEST))
    sheet.freeze_panes(1, 0)
    if len(rows):
        sheet.autofilter(0, 0, len(rows), len(rows.columns) - 1)


def _cell(sheet: Any, row: int, column: int, value: Any, look: Mapping[str, Any], *, share: bool) -> None:
    if pd.isna(value):
        sheet.write_blank(row, column, None, look["text"])
    elif isinstance(value, date | datetime):
        sheet.write_datetime(row, column, value, look["day"])
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, look["share" if share else "number"])
    else:
        sheet.write_string(row, column, str(value), look["text"])
