"""Workbooks that are zip files, unpacked within limits."""

import io
import zipfile
from collections.abc import Callable
from xml.etree import ElementTree  # nosec B405 - no part with definitions gets as far as the parser

from app.records.tables.text_tables import MOST_BYTES, too_large

Take = Callable[[str, bytes], bytes]


def list_parts(content: bytes) -> set[str]:
    """The names of the parts."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return set(packed.namelist())


def read_part(name: str, content: bytes, part: str) -> bytes:
    """The content of a part; empty if there is no such part. UnreadableFileError, with the `name` of the file, if it is
    too large."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if part not in packed.namelist():
            return b""
        entry = packed.getinfo(part)
        if entry.file_size > MOST_BYTES:
            raise too_large(f"{name}, unpacked,")
        return _read(packed, entry)


def repack(name: str, content: bytes, endings: tuple[str, ...], take: Take) -> io.BytesIO:
    """Pass every part whose name has one of the endings to `take` (name and content), and return a new package of what
    it returns. Sheets come last, since their cells refer to texts and styles by number. UnreadableFileError if the
    parts are too large.

    The sizes that a file states may be wrong, and another reader may find other parts in it. With the new package, only
    what was measured here is read."""
    repacked = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(repacked, "w") as out:
        entries = [entry for entry in packed.infolist() if entry.filename.lower().endswith(endings)]
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise too_large(f"{name}, unpacked,")
        for entry in sorted(entries, key=lambda part: is_sheet(part.filename)):
            out.writestr(zipfile.ZipInfo(entry.filename), take(entry.filename, _read(packed, entry)))
    repacked.seek(0)
    return repacked


def parse_part(xml: bytes) -> ElementTree.Element:
    """The root element of a part that was read here and therefore has no document type. ParseError if it is not XML."""
    return ElementTree.fromstring(xml)  # noqa: S314 # nosec B314


def is_sheet(filename: str) -> bool:
    """Whether a part of an Excel file is a sheet."""
    return "sheets/" in filename.lower()


def _read(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """A part of a zip file, read to its end whatever size is stated. BadZipFile if the size is wrong; ValueError if the
    part may have a document type, whose definitions could grow without limit."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("it is packed in a way that Excel does not use")
    stated, entry.file_size = entry.file_size, 2**62
    with packed.open(entry) as part:
        content = part.read(stated + 1)
    if len(content) != stated:
        raise zipfile.BadZipFile("it is not as large as it says")
    if not entry.filename.endswith(".bin") and (b"<!DOCTYPE" in content or b"\0" in content):
        raise ValueError("it has definitions of its own, or is not UTF-8")
    return content
