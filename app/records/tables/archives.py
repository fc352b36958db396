"""Archives (.zip) of tables, as systems export a roster."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from app.records.rows import UnreadableFileError
from app.records.tables.sheets import TableFile, get_name, read_bytes
from app.records.tables.text_tables import MOST_BYTES, too_large

_MOST_FILES = 1_000
# RuntimeError: locked with a password.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def read_archive(file: TableFile) -> dict[str, bytes]:
    """The contents of the files in an archive, by file name without folders. UnreadableFileError if it is damaged,
    locked or too large, or has two files with the same name."""
    title, packed = get_name(file), file[1] if isinstance(file, tuple) else read_bytes(Path(file))
    files: dict[str, bytes] = {}
    try:
        for name, content in _iter_files(title, packed):
            if name in files:
                raise UnreadableFileError(
                    f"{title} has several files of the name {name}; unpack it, and give the folder that is meant."
                )
            files[name] = content
    except _UNREADABLE:
        raise UnreadableFileError(
            f"{title} is no archive, or is damaged or locked with a password; copy or download it again, or unpack "
            "it and give the folder."
        ) from None
    return files


def _iter_files(title: str, archive_content: bytes) -> Iterator[tuple[str, bytes]]:
    left = MOST_BYTES
    with zipfile.ZipFile(io.BytesIO(archive_content)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > _MOST_FILES:
            raise too_large(title)
        for entry in entries:
            place = PurePosixPath(entry.filename)
            if place.parts[0] == "__MACOSX":
                continue
            with archive.open(entry) as packed:
                content = packed.read(left + 1)  # the size that the archive states may be wrong
            left -= len(content)
            if left < 0:
                raise too_large(f"{title}, unpacked,")
            yield place.name, content
