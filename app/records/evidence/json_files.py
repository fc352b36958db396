"""Reads the objects in JSON files."""

import gzip
import io
import itertools
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from app.records.evidence.attendance import IMPORT_REPORT
from app.records.evidence.attendance_lines import refuse_attendance_report
from app.records.evidence.graph_keys import has_next_page
from app.records.rows import UnreadableFileError

_MAX_BYTES = 300_000_000  # of a file that must be read as a whole
_MAX_LINE = 50_000_000  # bytes
_START = 4_000  # bytes that are enough to recognise a table
_MAX_MEMBERS = 10_000  # files in a .zip
_LINES = (".jsonl", ".ndjson")
_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini")  # besides those whose names begin with a dot
_NOT_JSON = "it is not JSON, or was cut off", ""
_NOT_JSON_LINE = "the line is not JSON, or was cut off"
_BLANK = re.compile(r"[\s\ufeff]*")
_BLANK_BYTES = b"\xef\xbb\xbf \t\r\n"
_UNPACK = "unpack it, and give the folder"
_TABLE = "it is a table, not JSON", "import session logs with “python -m app import logs”"
_REPORT = "it is a Teams attendance report, not a record of Microsoft Graph", IMPORT_REPORT


@dataclass(frozen=True)
class FoundObject:
    """An object in a file, or the reason why it could not be read.

    - `file`: the name of the file
    - `number`: the number of the object or of its line, from 1
    - `raw`: the text, if it is not JSON
    - `context`: the @odata.context of its page
    - `has_more`: whether its page has a next link; None if it is not on a page
    - `is_blank`: whether it stands for a page without objects
    - `fix`: what to do, "" if that is not known
    - `table`: the content of a file that does not begin like JSON
    - `original`: the object's own JSON, if it is at hand
    """

    file: str
    number: int
    content: Any
    reason: str | None = None
    raw: str = ""
    context: str = ""
    has_more: bool | None = None
    is_blank: bool = False
    fix: str = ""
    table: bytes | None = None
    original: bytes | None = field(default=None, compare=False)


@dataclass(frozen=True)
class _Page:
    """Objects that belong together, with the @odata.context of their page, and whether it has a next link (None if they
    are not on a page)."""

    entries: list[Any]
    context: str = ""
    has_more: bool | None = None


def iter_objects(path: Path) -> Iterator[FoundObject]:
    """The objects in a file, in a .gz or .zip of files, or in a folder of them. A file may hold one object, a list, a
    page of Graph (`value`), or several of these one after another. What cannot be read is yielded with the reason, and
    reading continues."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            inside = file.relative_to(path)
            if file.is_file() and not any(_is_of_the_system(part) for part in inside.parts):
                yield from _iter_file(file, inside.as_posix())
        return
    yield from _iter_file(path, path.name)


def _unreadable(name: str, reason: str, fix: str) -> FoundObject:
    return FoundObject(name, 1, None, reason, fix=fix)


def _is_of_the_system(name: str) -> bool:
    return name.startswith((".", "__MACOSX")) or name.lower() in _OF_THE_SYSTEM


def _iter_file(path: Path, name: str) -> Iterator[FoundObject]:
    try:
        with path.open("rb") as content:
            yield from iter_content(name, content)
    except OSError as error:
        yield FoundObject(name, 1, None, f"the file cannot be read ({error.strerror})")


def iter_content(name: str, file: BinaryIO) -> Iterator[FoundObject]:
    """The objects in an open file; see `iter_objects`. Archives and UTF-16 are recognised by their first bytes,
    whatever the name says."""
    start = file.read(4)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        yield from _iter_unpacked(name, lambda: gzip.GzipFile(fileobj=file))
    elif name.lower().endswith(".xlsx"):
        yield _unreadable(name, *_TABLE)
    elif start.startswith(b"PK\x03\x04"):
        yield from _iter_zip(name, file)
    elif name.lower().removesuffix(".gz").endswith(_LINES) and json.detect_encoding(start).startswith("utf-8"):
        yield from _iter_lines(name, file)
    else:
        yield from _iter_whole(name, file)


def _iter_zip(name: str, file: BinaryIO) -> Iterator[FoundObject]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > _MAX_MEMBERS:
                yield _unreadable(name, "there are too many files in it", _UNPACK)
                return
            for member in sorted(members, key=lambda member: member.filename):
                if not any(_is_of_the_system(part) for part in member.filename.split("/")):
                    yield from _iter_unpacked(f"{name}/{member.filename}", lambda member=member: archive.open(member))  # type: ignore[misc]
    except (zipfile.BadZipFile, NotImplementedError):
        yield _unreadable(name, "the archive is damaged", _UNPACK)


def _iter_unpacked(name: str, unpack: Callable[[], Any]) -> Iterator[FoundObject]:
    """The objects in a file in an archive, which is unpacked in memory."""
    try:
        with unpack() as packed:
            content = packed.read(_MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        yield _unreadable(name, "the archive is damaged or has a password", _UNPACK)
        return
    if len(content) > _MAX_BYTES:
        yield _unreadable(name, "what is in the archive is too large", _UNPACK)
    elif content.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        yield _unreadable(name, "it is an archive in an archive", _UNPACK)
    else:
        yield from iter_content(name, io.BytesIO(content))


def _iter_whole(name: str, file: BinaryIO) -> Iterator[FoundObject]:
    content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        yield _unreadable(name, "the file is too large", "save it as .jsonl, one record a line, or split it")
        return
    try:
        text = _decode(content)
        whole = json.loads(text)
    except RecursionError:
        yield _unreadable(name, *_NOT_JSON)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and _begins_as_json(text):
            yield from _iter_one_after_another(name, text)
        else:
            yield _find_other(name, content)
    except ValueError:
        yield _find_other(name, content)
    else:
        yield from _find_in(name, _list_pages(whole, content), itertools.count(1))


def _iter_one_after_another(name: str, text: str) -> Iterator[FoundObject]:
    """The objects in a text of several JSON values, each of which may span lines. A line that is not JSON is yielded
    with the reason."""
    decoder = json.JSONDecoder()
    at, number = 0, 1
    while (blank := _BLANK.match(text, at)) and blank.end() < len(text):
        number += text.count("\n", at, blank.end())
        at = blank.end()
        try:
            whole, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            newline = text.find("\n", at)
            end = newline if newline != -1 else len(text)
            yield FoundObject(name, number, None, _NOT_JSON_LINE, text[at:end])
        else:
            content = text[at:end].encode(errors="replace")
            yield from _find_in(name, _list_pages(whole, content), itertools.repeat(number))
        number += text.count("\n", at, end)
        at = end


def _iter_lines(name: str, file: BinaryIO) -> Iterator[FoundObject]:
    for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE), b""), start=1):
        if len(line) == _MAX_LINE:
            yield FoundObject(name, number, None, "the line is too long to be a record, and the rest was not read")
            return
        if not line.strip(_BLANK_BYTES):
            continue
        try:
            whole = json.loads(line.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            yield FoundObject(name, number, None, _NOT_JSON_LINE, line.decode(errors="replace"))
        else:
            pages = _list_pages(whole, line)
            if isinstance(whole, dict) and pages[0].entries and pages[0].entries[0] is whole:
                yield FoundObject(name, number, whole, original=line.strip(_BLANK_BYTES))
            else:
                yield from _find_in(name, pages, itertools.repeat(number))


def _decode(content: bytes) -> str:
    return content.decode(json.detect_encoding(content[:4])).removeprefix("\ufeff")


def _decode_text(content: bytes) -> str:
    """The text of a file that begins like JSON; "" if it does not."""
    text = content.decode(json.detect_encoding(content[:4]), errors="replace").replace("\0", "")
    return text if _begins_as_json(text) else ""


def _begins_as_json(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def _find_other(name: str, content: bytes) -> FoundObject:
    """The entry for a file that is not JSON, with the reason and the fix."""
    reason, fix = _identify_other(name, content)
    raw = _decode_text(content)
    return FoundObject(name, 1, None, reason, raw, fix=fix, table=None if raw else content)


def _identify_other(name: str, content: bytes) -> tuple[str, str]:
    """What a file that is not JSON is, and what to do about it."""
    try:
        refuse_attendance_report((name, content))
    except UnreadableFileError:
        return _REPORT
    is_table = name.lower().endswith((".csv", ".tsv")) or (b"\t" in content[:_START] and not _decode_text(content))
    return _TABLE if is_table else _NOT_JSON


def _find_in(name: str, pages: Iterable[_Page], numbers: Iterator[int]) -> Iterator[FoundObject]:
    for page in pages:
        for entry in page.entries:
            yield FoundObject(name, next(numbers), entry, context=page.context, has_more=page.has_more)
        if not page.entries:
            yield FoundObject(name, 1, None, has_more=page.has_more, is_blank=True)


def _list_pages(whole: Any, content: bytes) -> list[_Page]:
    """The objects of a file's JSON: of a page, of a list of pages, of a list of objects, or a single object. A page or
    a list of parts of a call record is left as a single object."""
    if _ESCAPED_UNSTORABLE.search(content):
        whole = _clean(whole)
    if not isinstance(whole, list):
        return [_read_page(whole) or _Page([whole])]
    if _are_parts(whole):
        return [_Page([{"value": whole}])]
    pages = [_read_page(entry) for entry in whole]
    if whole and all(pages):
        return [page for page in pages if page]
    return [_Page(whole)] if whole else []


def _read_page(whole: Any) -> _Page | None:
    """The page, if the JSON is a page of a list; else None."""
    if not isinstance(whole, dict) or whole.keys() & {"sessions", "Sessions"}:
        return None
    entries, context = whole.get("value", whole.get("Value")), str(whole.get("@odata.context") or "")
    if not isinstance(entries, list) or _are_parts(entries) or _OF_ONE_RECORD.search(context):
        return None
    return _Page(entries, context, has_next_page(whole))


def _are_parts(entries: list[Any]) -> bool:
    """Whether the objects are sessions or segments of a call record, not records themselves."""
    ends = {"caller", "callee", "Caller", "Callee"}
    return bool(entries) and all(isinstance(entry, dict) and entry.keys() & ends for entry in entries)


_OF_ONE_RECORD = re.compile(r"callRecords\('[^']*'\)/")  # the context of a page of a record's sessions or participants
_ESCAPED_UNSTORABLE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


def _clean(part: Any) -> Any:
    """Remove NULs and replace lone surrogates, which JSON can contain but no database or file accepts."""
    if isinstance(part, str):
        return part.replace("\0", "").encode(errors="replace").decode()
    if isinstance(part, dict):
        return {_clean(key): _clean(value) for key, value in part.items()}
    return [_clean(entry) for entry in part] if isinstance(part, list) else part
