"""Reading an Excel workbook of 100,000 rows, compared with python-calamine alone in the same run."""

import io
import time
import zipfile
from collections.abc import Iterator

import openpyxl
from openpyxl.utils import get_column_letter
from python_calamine import CalamineWorkbook

from app.records.tables.tabular import Expected, read_table

_ROWS = 100_000
_NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_SHEET, _TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
_ANSWERS = ("yes", "no", "school", "public")
_ADDRESSES = [f"pupil{number}@school.example" for number in range(700)]


def create(columns: int) -> bytes:
    """A workbook with this many columns: texts as in a log, addresses, numbers, times and empty cells, written as Excel
    writes them."""
    names = [f"column_{column}" for column in range(columns)]
    book, template, out = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    book.active["A1"] = "text"
    book.active["B1"].number_format = "dd/mm/yyyy hh:mm"
    book.save(template)
    texts = "".join(f"<si><t>{text}</t></si>" for text in (*_ANSWERS, *_ADDRESSES, *names))
    with zipfile.ZipFile(template) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in before.namelist():
            if name not in (_SHEET, _TEXTS):
                packed.writestr(name, before.read(name))
        packed.writestr(_TEXTS, f"<sst {_NAMESPACE}>{texts}</sst>")
        rows = "".join(_iter_rows(columns))
        packed.writestr(_SHEET, f"<worksheet {_NAMESPACE}><sheetData>{rows}</sheetData></worksheet>")
    return out.getvalue()


def _iter_rows(columns: int) -> Iterator[str]:
    letters = [get_column_letter(column + 1) for column in range(columns)]
    first = len(_ANSWERS) + len(_ADDRESSES)
    yield '<row r="1">'
    yield "".join(f'<c r="{letter}1" t="s"><v>{first + n}</v></c>' for n, letter in enumerate(letters))
    yield "</row>"
    for row in range(2, _ROWS + 2):
        yield f'<row r="{row}">'
        for column, letter in enumerate(letters):
            yield _write_cell(f"{letter}{row}", row, column % 8)
        yield "</row>"


def _write_cell(place: str, row: int, kind: int) -> str:
    if kind == 0:
        return f'<c r="{place}" t="s"><v>{len(_ANSWERS) + row % len(_ADDRESSES)}</v></c>'
    if kind == 1:
        return f'<c r="{place}" s="1"><v>{46_000 + row % 400 + row % 96 / 96:.10f}</v></c>'
    if kind == 2:
        return f'<c r="{place}"><v>{row % 13}</v></c>'
    return f'<c r="{place}" t="s"><v>{(row + kind) % len(_ANSWERS)}</v></c>' if kind < 7 else ""


def measure(columns: int) -> list[float]:
    """The time that the program takes to read the rows, divided by that of python-calamine alone: five ratios."""
    content = create(columns)
    names = tuple(f"column_{column}" for column in range(columns))
    ratios = []
    for _ in range(5):
        begun = time.perf_counter()
        alone = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        between = time.perf_counter()
        table = read_table(("a.xlsx", content), Expected(names, names))
        ended = time.perf_counter()
        assert len(table.rows) == len(alone) - 1
        ratios.append((ended - between) / (between - begun))
    return ratios
