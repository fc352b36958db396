"""Corrections that somebody makes to the rows of a dropped file, before it is imported."""

from collections.abc import Mapping
from dataclasses import replace

from app.records.rows import InvalidCellError
from app.records.tables.tabular import Rows, Table

Corrections = Mapping[int, Mapping[str, str]]  # cells by column, by row number


def correct_rows(table: Table, corrections: Corrections) -> Table:
    """The table with some cells corrected. A cell that held no value, such as an Excel error, holds one then."""
    rows: Rows = []
    faults: dict[int, list[InvalidCellError]] = {}
    for place, (number, cells) in enumerate(table.rows):
        given = corrections.get(int(number), {})
        rows.append((number, cells | {column: cell.strip() for column, cell in given.items()}))
        if left := [fault for fault in table.faults.get(place, ()) if fault.column not in given]:
            faults[place] = left
    return replace(table, rows=rows, faults=faults)
