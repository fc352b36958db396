"""Templates of the tables: they can be imported as they are, and nobody of the example is taken for real."""

from pathlib import Path

import pytest

from app.intake.files import import_table
from app.records.columns import COLUMNS, TABLES
from app.records.tables.tabular import read_table
from app.reports.table_templates import create_xlsx_template, describe_columns
from app.school import School


@pytest.mark.parametrize("kind", TABLES)
def test_create_xlsx_template_has_the_headings_and_an_example(kind: str) -> None:
    table = read_table(("a.xlsx", create_xlsx_template(kind)), TABLES[kind])
    assert table.columns == TABLES[kind].columns
    assert table.rows == [(2, {column.name: column.example for column in COLUMNS[kind].values()})]


def test_import_table_rejects_the_example_of_a_template(school: School, tmp_path: Path) -> None:
    for kind in TABLES:
        result = import_table(school, kind, (f"{kind}.xlsx", create_xlsx_template(kind)))
        assert (result.added, len(result.rejected)) == (0, 1)


def test_describe_columns_lists_the_values() -> None:
    rows = describe_columns("staff").set_index("Column")
    assert rows.loc["roles", "Values"].endswith("; several are separated by ;")
    assert rows.loc["roles", "Needed"] == "yes"
    assert describe_columns("logs").set_index("Column").loc["purpose", "Values"] == (
        "music, academic, pastoral, counselling or other words"
    )
