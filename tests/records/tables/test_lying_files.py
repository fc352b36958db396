"""Files that are larger than they say, or made to fill the memory: refused in words, with little memory."""

import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pytest

from app.records.evidence.calls import read_call
from app.records.evidence.graph_objects import UnreadableObjectError
from app.records.evidence.json_files import iter_objects
from app.settings import ROOT
from tests.records.tables.books import wrap_ods

_MEMORY = 400  # MB that reading any file may take at most
_READ = """
import sys
from pathlib import Path
from app.records.rows import UnreadableFileError
from app.records.tables.tabular import read_table
try:
    print(len(read_table(sys.argv[1]).rows), "rows")
except UnreadableFileError as error:
    print(error)
told = Path("/proc/self/status").read_text()  # ru_maxrss would be that of the process it began as
print(int(told.split("VmHWM:")[1].split()[0]) // 1000)
"""
_OF = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REPEATED = (
    '<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16384" '
    'office:value-type="float" office:value="1"/></table:table-row>'
)
_COLUMN = '<c r="A{n}" t="s"><v>0</v></c>'


def _read(file: Path) -> tuple[str, int]:
    """What reading a file in a process of its own says, and the memory it took at most, in MB."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(file)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert not done.stderr, done.stderr[-500:]
    said, memory = done.stdout.strip().rsplit("\n", 1)
    return said, int(memory)


def _workbook(file: Path, sheet: bytes, texts: bytes = b"<sst/>", kind: int = zipfile.ZIP_DEFLATED) -> Path:
    """A workbook with one sheet, its XML as given."""
    book, made = openpyxl.Workbook(), io.BytesIO()
    book.active["A1"] = "name"
    book.save(made)
    ours = {"xl/sharedStrings.xml": texts, "xl/worksheets/sheet1.xml": sheet}
    with zipfile.ZipFile(made) as before, zipfile.ZipFile(file, "w", kind) as packed:
        for name in before.namelist():
            if name not in ours:
                packed.writestr(name, before.read(name))
        for name, content in ours.items():
            packed.writestr(name, content)
    return file


def _rows(number: int, cell: str) -> bytes:
    rows = "".join(f'<row r="{n}">{cell.format(n=n)}</row>' for n in range(1, number + 1))
    return f"<worksheet {_OF}><sheetData>{rows}</sheetData></worksheet>".encode()


def _lying(file: Path, says: int) -> Path:
    """The workbook with another size of its last part, the sheet, in its list of parts; the sum that proves
    its first bytes is right."""
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as packed:
        entry = packed.infolist()[-1]
        first = packed.read(entry)[:says]
    place = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, place + 16, zlib.crc32(first))
    struct.pack_into("<I", content, place + 24, says)
    file.write_bytes(content)
    return file


def _bomb(file: Path, megabytes: int = 220) -> Path:
    filler = b"<!--" + b" " * 1_000_000 + b"-->"
    return _workbook(file, b"<worksheet><sheetData>" + filler * megabytes + b"</sheetData></worksheet>")


def test_read_table_reads_a_workbook_written_by_hand(tmp_path: Path) -> None:
    texts = f"<sst {_OF}><si><t>name</t></si></sst>".encode()
    assert _read(_workbook(tmp_path / "a.xlsx", _rows(3, _COLUMN), texts))[0] == "2 rows"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bomb", "unpacked, is too large"),
        ("lying", "not as large as it says"),
        ("a little lying", "not a readable workbook"),
        ("one text in many cells", "too large"),
        ("texts twice", "texts twice"),
        ("another packing", "packed in a way"),
        ("entities", "not a readable workbook"),
        ("workbook in a workbook", "not a readable workbook"),
        ("one cell a million times", "far out"),
        ("one cell", "line 2 has more than"),
        ("columns", "1,000,000 columns"),
        ("empty lines", "too large"),
        ("commas", "too large"),
        ("huge", "too large"),
    ],
)
def test_read_table_refuses_an_oversized_file_with_little_memory(tmp_path: Path, name: str, words: str) -> None:
    file = tmp_path / ("a.xlsx" if name in _BOOKS else "a.csv")
    (_BOOKS | _TEXTS)[name](file)
    said, memory = _read(file)
    assert words in said
    assert memory < _MEMORY


_BOOKS = {
    "bomb": _bomb,
    "lying": lambda file: _lying(_bomb(file, 20), says=100_000),
    "a little lying": lambda file: _lying(_workbook(file, _rows(100, _COLUMN), b"<sst><si/></sst>"), says=1_000),
    "one text in many cells": lambda file: _workbook(
        file, _rows(10_000, _COLUMN), b"<sst><si><t>" + b"x" * 1_000_000 + b"</t></si></sst>"
    ),
    "texts twice": lambda file: _workbook(file, b"<sst><si/></sst>", b"<sst><si/></sst>"),
    "another packing": lambda file: _workbook(file, _rows(3, _COLUMN), kind=zipfile.ZIP_BZIP2),
    "entities": lambda file: _workbook(file, _laughing()),
    "workbook in a workbook": lambda file: _nested(file),
    "one cell a million times": lambda file: _repeated(file),
}
_TEXTS = {
    "one cell": lambda file: file.write_bytes(b"a,b\n" + b"x" * 100_000_000),
    "columns": lambda file: file.write_text(",".join("a" * 1_000_000) + "\n"),
    "empty lines": lambda file: file.write_bytes(b"a,b\n" + b"\n" * 50_000_000),
    "commas": lambda file: file.write_bytes(b"a,b\n" + (b"," * 999 + b"\n") * 50_000),
    "huge": lambda file: _sparse(file, 5_000_000_000),
}


def _laughing() -> bytes:
    """A text that names itself again and again."""
    names = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE w [<!ENTITY l0 "ha">{names}]><worksheet>&l11;</worksheet>'.encode()


def _nested(file: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("b.xlsx", b"0" * 100_000_000)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.xlsx", inner.getvalue())


def _repeated(file: Path) -> None:
    file.write_bytes(wrap_ods(_REPEATED))


def _sparse(file: Path, size: int) -> None:
    with file.open("wb") as out:
        out.write(b"a,b\n1,2\n")
        out.truncate(size)


def test_read_table_reads_a_large_file(tmp_path: Path) -> None:
    """Some 100,000 logs of a school of 34 columns would be a third of it."""
    file = tmp_path / "a.csv"
    file.write_text("a,b,c,d,e,f,g,h,i,j\n" + "yes,no,,,2026-11-03T10:00,yes,no,no,,public\n" * 100_000)
    said, memory = _read(file)
    assert said == "100000 rows"
    assert memory < _MEMORY


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_iter_objects_refuses_an_endless_file(tmp_path: Path, name: str) -> None:
    _sparse(tmp_path / name, 20_000_000_000)
    reading = "from pathlib import Path; from app.records.evidence.json_files import iter_objects"
    count = f"print([(one.number, one.reason) for one in iter_objects(Path({str(tmp_path / name)!r}))])"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9, 2 * 10**9))"
    done = subprocess.run(
        [sys.executable, "-c", f"{limit}; {reading}; {count}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "too l" in done.stdout, done.stderr[-300:]


def test_iter_objects_refuses_an_endlessly_nested_record(tmp_path: Path) -> None:
    deep = "[" * 5_000_000 + "]" * 5_000_000
    for content in (deep, json.dumps({"id": "c", "sessions": []})[:-1] + f', "x": {deep}}}'):
        (tmp_path / "a.json").write_text(content)
        (tmp_path / "a.jsonl").write_text(content + "\n" + '{"id": "c2"}\n')
        (found,) = iter_objects(tmp_path / "a.json")
        assert found.reason is not None
        first, second = iter_objects(tmp_path / "a.jsonl")
        assert first.reason is not None
        with pytest.raises(UnreadableObjectError):
            read_call(second.content)
