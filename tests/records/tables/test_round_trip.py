"""Random tables, written as people's programs write them: read back equal, or rejected by row and column."""

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.rows import UnreadableFileError
from app.records.tables.tabular import Expected, Table, read_table
from tests.records.tables.binary_books import save_xlsb
from tests.records.tables.books import KINDS, Error, Tab, Unvalued, save_xls, save_xlsx

COLUMNS = ("email", "name", "notes")
EXPECTED = Expected(COLUMNS, COLUMNS)

Quoting = Literal[0, 1, 2]
QUOTING: tuple[Quoting, ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)

letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from("\",;\t|'=#")
line = st.text(letters, max_size=8)
# Lines of a cell that are rows of their own cannot be told from rows that a stray quotation mark swallowed.
lines = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "P", "S"]), max_size=5), max_size=4)
cell = line | st.tuples(lines, st.sampled_from(["\n", "\r\n"])).map(lambda drawn: drawn[1].join(drawn[0]))
texts = st.lists(st.lists(cell, min_size=3, max_size=3), max_size=6)


def check_read(table: Table, written: Sequence[Sequence[str]], faults: dict[int, str]) -> None:
    """Every row that was written, by its number, is read as it is or has a fault in the column that is named."""
    assert table.columns == COLUMNS
    left = {n: row for n, row in enumerate(written, start=2) if any(map(str.strip, row))}
    assert [number for number, _ in table.rows] == list(left)
    for place, (number, cells) in enumerate(table.rows):
        if number in faults:
            assert [fault.column for fault in table.faults[place]] == [faults[number]]
        else:
            assert place not in table.faults
            assert tuple(cells.get(column, "") for column in COLUMNS) == tuple(text.strip() for text in left[number])


@given(
    texts,
    st.sampled_from(csv.list_dialects()),
    st.sampled_from([None, ",", ";", "\t", "|"]),
    st.sampled_from(QUOTING),
    st.sampled_from([None, "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_read_table_reads_text_of_every_dialect_and_encoding(
    rows: list[list[str]], dialect: str, delimiter: str | None, quoting: Quoting, ending: str | None, encoding: str
) -> None:
    chosen = csv.get_dialect(dialect)
    if ending == "\r":
        quoting = csv.QUOTE_ALL  # otherwise csv leaves a cell with a line break unquoted
    out = io.StringIO()
    writer = csv.writer(
        out, delimiter=delimiter or chosen.delimiter, quoting=quoting, lineterminator=ending or chosen.lineterminator
    )
    writer.writerows([COLUMNS, *rows])
    check_read(read_table(("a.csv", out.getvalue().encode(encoding)), EXPECTED), rows, {})


@given(
    st.lists(st.booleans(), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), min_size=1, max_size=3),
)
def test_read_table_reads_or_names_every_row_around_stray_quotation_marks(
    quoted: list[bool], marks: list[tuple[int, int]]
) -> None:
    rows = [[f"{column} of {n}" for column in COLUMNS] for n in range(len(quoted))]
    lines = [",".join(f'"{text}"' if mark else text for text in row) for row, mark in zip(rows, quoted, strict=True)]
    spoilt = set()
    for n, place in marks:
        if n < len(lines):
            lines[n] = f'{lines[n][:place]}"{lines[n][place:]}'
            spoilt.add(n + 2)
    table = read_table(("a.csv", "\n".join([",".join(COLUMNS), *lines]).encode()), EXPECTED)
    assert [number for number, _ in table.rows] == list(range(2, len(rows) + 2))
    for number, cells in table.rows:
        if "" not in cells and number not in spoilt:
            assert list(cells.values()) == rows[number - 2]


@given(st.text(st.characters(codec="cp1252", exclude_categories=["C"]), min_size=1, max_size=8))
def test_read_table_refuses_text_of_an_encoding_that_does_not_say_which_it_is(name: str) -> None:
    content = f"email,name,notes\na@school.example,{name},\n".encode("cp1252")
    try:
        content.decode()
    except UnicodeDecodeError:
        with pytest.raises(UnreadableFileError, match="CSV UTF-8"):
            read_table(("a.csv", content), EXPECTED)


moments = st.datetimes(datetime.fromisoformat("1904-01-02"), datetime.fromisoformat("2150-12-31")).map(
    lambda moment: moment.replace(microsecond=0)
)
value = st.one_of(
    st.none(),
    line,
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.integers(-(10**8), 10**8).map(lambda number: number / 10_000),
    moments.map(datetime.date),
    moments,
    moments.map(lambda moment: moment.replace(hour=0, minute=0, second=0)),
    moments.map(datetime.time),
    st.sampled_from(["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"]).map(Error),
)
values = st.lists(st.lists(value, min_size=3, max_size=3), max_size=6)


def as_text(value: object) -> str:
    """What a CSV file would hold for a cell."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, date | time):
        return value.isoformat()
    return value.text if isinstance(value, Error) else str(value or "") if value != 0 else "0"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(values)
def test_read_table_reads_workbooks_of_every_kind(kind: str, rows: list[list[object]]) -> None:
    table = read_table((f"a.{kind}", KINDS[kind]({"Sheet": Tab([COLUMNS, *rows])})), EXPECTED)
    check_read(table, [[as_text(value) for value in row] for row in rows], {})


@pytest.mark.parametrize("save", [save_xlsx, save_xls, save_xlsb])
@settings(max_examples=60)
@given(values)
def test_read_table_reads_days_counted_from_1904(save: type, rows: list[list[object]]) -> None:
    content = save({"Sheet": Tab([COLUMNS, *rows])}, counts_from_1904=True)
    table = read_table(("a", content), EXPECTED)
    check_read(table, [[as_text(value) for value in row] for row in rows], {})


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
@settings(max_examples=60)
@given(values, st.dictionaries(st.integers(0, 5), st.integers(0, 2)))
def test_read_table_rejects_formulas_without_a_value_by_row_and_column(
    kind: str, rows: list[list[object]], formulas: dict[int, int]
) -> None:
    for n, column in formulas.items():
        if n < len(rows):
            rows[n][column] = Unvalued("=1+1")
    faults = {n + 2: COLUMNS[column] for n, column in formulas.items()}
    table = read_table((f"a.{kind}", KINDS[kind]({"Sheet": Tab([COLUMNS, *rows])})), EXPECTED)
    check_read(table, [[as_text(value) for value in row] for row in rows], faults)
