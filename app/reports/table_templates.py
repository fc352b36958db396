"""Templates for the tables that can be imported.

Each has an example row with fictional people. If it is left in, it is rejected, since they are not on the roster.
"""

import pandas as pd

from app.records.columns import COLUMNS, Column
from app.reports.xlsx import create_workbook


def create_xlsx_template(kind: str) -> bytes:
    """The template for a kind of table as an Excel workbook, with a second sheet that explains the columns."""
    columns = COLUMNS[kind].values()
    example = pd.DataFrame([[column.example for column in columns]], columns=list(COLUMNS[kind]))
    return create_workbook({kind: example, "Columns": describe_columns(kind)})


def describe_columns(kind: str) -> pd.DataFrame:
    """What each column of a kind of table holds: `Column`, `Meaning`, `Values`, `Needed` (yes or no)."""
    rows = [
        (column.name, column.meaning, _describe_values(column), "yes" if column.is_required else "no")
        for column in COLUMNS[kind].values()
    ]
    return pd.DataFrame(rows, columns=["Column", "Meaning", "Values", "Needed"])


def _describe_values(column: Column) -> str:
    values = ", ".join(value for value, _ in column.values)
    words = f"{values} or other words" if values and column.other_words else values
    if column.is_list:
        return f"{words}; several are separated by ;".lstrip("; ")
    return words
