"""The sheets of a workbook of any kind: each cell as the text that a CSV file would hold, and which hold no value.

For .xlsx and .xlsb, python-calamine gives the values; what it does not report is read from the parts of the file.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree  # nosec B405

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from app.records.rows import UnreadableFileError
from app.records.tables.binary_parts import BinaryParts
from app.records.tables.cells import FORMATS, Marks, Sheet, build_sheet
from app.records.tables.old_workbooks import read_old_sheets
from app.records.tables.open_documents import read_open_document
from app.records.tables.packages import list_parts, read_part, repack
from app.records.tables.text_tables import Lines
from app.records.tables.workbook_parts import WorkbookParts

_OLD_FORMAT = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PACKED = (b"PK\x03\x04", b"PK\x05\x06")
_LOCKED = [word.encode("utf-16-le") for word in ("EncryptedPackage", "DRMContent")]
_SAVE_AS = "open it in Excel and save it as an .xlsx file"
_OTHER_KINDS = {  # by a part that only files of this kind have
    "Index/Document.iwa": "a Numbers file",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a PowerPoint presentation",
}
_UNREADABLE = (
    CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    IndexError,
    KeyError,
    ValueError,
    RuntimeError,
    struct.error,
    NotImplementedError,
    ElementTree.ParseError,
)


def is_workbook(content: bytes) -> bool:
    """Whether a file is a workbook of any kind, or another file that is packed like one."""
    return content.startswith((_OLD_FORMAT, *_PACKED)) or zipfile.is_zipfile(io.BytesIO(content))


def read_sheets(name: str, content: bytes) -> list[Sheet]:
    """The sheets of a workbook: .xlsx, .xlsm, .xlsb, .xls or .ods. UnreadableFileError if it is another file, or is
    locked or damaged."""
    if content.startswith(_OLD_FORMAT):
        if any(word in content for word in _LOCKED):
            raise _report_locked(name)
        return read_old_sheets(name, content)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise UnreadableFileError(f"{name} is incomplete: its end is missing. Copy or download it again.")
    try:
        with _catching_panics():
            return _read_packed(name, content, list_parts(content))
    except _UNREADABLE as error:
        raise UnreadableFileError(f"{name} is not a readable workbook ({error}); {_SAVE_AS}.") from None


@contextmanager
def _catching_panics() -> Iterator[None]:
    """Raise ValueError if calamine panics inside the block, as unexpected bytes may make it do. A PanicException is not
    an Exception, only a BaseException."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError("a part of it is damaged") from None


def _report_locked(name: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"{name} is locked with a password or a sensitivity label; save a copy without it, as an .xlsx file."
    )


def _read_packed(name: str, content: bytes, present: set[str]) -> list[Sheet]:
    for part, kind in _OTHER_KINDS.items():
        if part in present:
            raise UnreadableFileError(f"{name} is {kind}; {_SAVE_AS}, or as “CSV UTF-8”.")
    if "content.xml" in present or "encrypted-package" in present:
        if b"encryption-data" in read_part(name, content, "META-INF/manifest.xml"):
            raise _report_locked(name)
        return read_open_document(name, read_part(name, content, "content.xml"))
    is_binary = "xl/workbook.bin" in present
    parts = BinaryParts(name) if is_binary else WorkbookParts(name)
    endings = (".bin", ".xml", ".rels") if is_binary else (".xml", ".rels")
    book = CalamineWorkbook.from_filelike(repack(name, content, endings, parts.take))
    marks = parts.marks()
    return [
        build_sheet(
            name,
            about.name,
            _read_lines(sheet := book.get_sheet_by_name(about.name)),
            _add_merged(marks.get(about.name, Marks()), sheet),
            is_hidden=about.visible is not SheetVisibleEnum.Visible,
        )
        for about in book.sheets_metadata
        if about.typ is SheetTypeEnum.WorkSheet
    ]


def _read_lines(sheet: CalamineSheet) -> Lines:
    return [
        [cell if type(cell) is str else FORMATS[type(cell)](cell) for cell in row]
        for row in sheet.to_python(skip_empty_area=False)
    ]


def _add_merged(marks: Marks, sheet: CalamineSheet) -> Marks:
    """The marks with the merged cells that calamine reports, which it does not for every kind of workbook."""
    marks.merged += [(top, bottom, left, right) for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()]
    return marks
