"""Reads the objects in JSON files."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_MAX_BYTES = 300_000_000  # of a file that must be read as a whole
_MAX_LINE = 50_000_000  # bytes
_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class FoundObject:
    """An object in a file, or the reason why it could not be read: `file` names the file, `number` is that of the
    object or line in it; `raw` is the content if it is not JSON."""

    file: str
    number: int
    content: Any
    reason: str | None = None
    raw: str = ""


def iter_objects(path: Path) -> Iterator[FoundObject]:
    """The objects in a file with one of them, a list or a page of Graph (`value`), in a .jsonl file, or in a folder of
    such files. An object that cannot be read is yielded with the reason, and reading continues."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and file.suffix.lower() in (".json", *_LINES):
                yield from iter_objects(file)
        return
    try:
        with path.open("rb") as content:
            yield from (_iter_lines if path.suffix.lower() in _LINES else _iter_whole)(path.name, content)
    except OSError as error:
        yield FoundObject(path.name, 1, None, f"the file cannot be read ({error.strerror})")


def _iter_whole(name: str, file: BinaryIO) -> Iterator[FoundObject]:
    content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        yield FoundObject(name, 1, None, "the file is too large: save it as .jsonl, one record a line, or split it")
        return
    try:
        whole = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        yield FoundObject(name, 1, None, "it is not JSON, or was cut off", content.decode(errors="replace"))
        return
    for number, one in enumerate(_objects_in(whole, content), start=1):
        yield FoundObject(name, number, one)


def _iter_lines(name: str, file: BinaryIO) -> Iterator[FoundObject]:
    for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE), b""), start=1):
        if len(line) == _MAX_LINE:
            yield FoundObject(name, number, None, "the line is too long to be a record, and the rest was not read")
            return
        if not line.strip(b"\xef\xbb\xbf \t\r\n"):
            continue
        try:
            whole = json.loads(line.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            yield FoundObject(name, number, None, "the line is not JSON, or was cut off", line.decode(errors="replace"))
        else:
            yield from (FoundObject(name, number, one) for one in _objects_in(whole, line))


def _objects_in(whole: Any, content: bytes) -> list[Any]:
    """The objects of a list or a page, or the single object."""
    if _ESCAPED_UNSTORABLE.search(content):
        whole = _clean(whole)
    if isinstance(whole, dict) and isinstance(whole.get("value"), list) and "sessions" not in whole:
        whole = whole["value"]
    return whole if isinstance(whole, list) else [whole]


_ESCAPED_UNSTORABLE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


def _clean(part: Any) -> Any:
    """Remove NULs and halves of characters, which JSON can contain but no database or file accepts."""
    if isinstance(part, str):
        return part.replace("\0", "").encode(errors="replace").decode()
    if isinstance(part, dict):
        return {_clean(key): _clean(value) for key, value in part.items()}
    return [_clean(one) for one in part] if isinstance(part, list) else part
