"""Excel workbooks from data frames: a sheet for each, with typed cells and no text that runs as a formula."""

import io
from collections.abc import Mapping

import pandas as pd

_WIDEST = 60  # characters in the widest column
_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_DAY = "ddd d mmm yyyy"


def create_workbook(sheets: Mapping[str, pd.DataFrame]) -> bytes:
    """An .xlsx file with a sheet for each frame, with frozen headings and filters. Numbers and days keep their types;
    shares (columns whose names begin with "Share") are shown as percentages; text stays text, whatever its first
    character."""
    file = io.BytesIO()
    options = {"options": {**_AS_TEXT, "in_memory": True}}
    with pd.ExcelWriter(
        file, engine="xlsxwriter", date_format=_DAY, datetime_format=_DAY, engine_kwargs=options
    ) as writer:
        heading_format = writer.book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        for name, rows in sheets.items():
            rows.to_excel(writer, sheet_name=name, index=False, freeze_panes=(1, 0))
            sheet = writer.sheets[name]
            sheet.write_row(0, 0, rows.columns, heading_format)
            for place, heading in enumerate(rows.columns):
                letters = max((len(value) for value in rows[heading] if isinstance(value, str)), default=0)
                numbers = "0.0%" if heading.startswith("Share") else "#,##0"
                look = writer.book.add_format({"num_format": numbers, "text_wrap": True, "valign": "top"})
                sheet.set_column(place, place, min(max(letters, len(heading), 10) + 2, _WIDEST), look)
            if len(rows):
                sheet.autofilter(0, 0, len(rows), len(rows.columns) - 1)
    return file.getvalue()
