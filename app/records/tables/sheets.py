"""The sheets of a file, whatever kind of file it is: each cell as the text that a CSV file would hold."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.records.rows import UnreadableFileError
from app.records.tables.cells import Sheet
from app.records.tables.text_tables import MOST_BYTES, read_text, too_large
from app.records.tables.workbooks import is_workbook, read_sheets

TableFile = str | Path | tuple[str, bytes]  # a path, or a name and the content


def load_sheets(file: TableFile, count_headings: Callable[[Sequence[str]], int]) -> tuple[str, list[Sheet]]:
    """The name of a file, and its sheets that are not empty; a text file is one sheet without a name. For
    `count_headings` see `read_text`. UnreadableFileError if the file is not a table; the message says what to do."""
    name, content = get_name(file), file[1] if isinstance(file, tuple) else read_bytes(Path(file))
    if len(content) > MOST_BYTES:
        raise too_large(name)
    sheets = (
        read_sheets(name, content) if is_workbook(content) else [Sheet("", read_text(name, content, count_headings))]
    )
    filled = [sheet for sheet in sheets if sheet.lines]
    if not filled:
        raise UnreadableFileError(describe_empty(name))
    return name, filled


def describe_empty(name: str) -> str:
    """The message for an empty file."""
    return f"{name} is empty: its first row must hold the names of the columns."


def read_bytes(file: Path) -> bytes:
    """The content of a file; if it is too large, one byte more than is allowed. UnreadableFileError if it cannot be
    read."""
    try:
        with file.open("rb") as content:
            return content.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableFileError(f"{file.name} cannot be read: {error.strerror or error}.") from None


def get_name(file: TableFile) -> str:
    """The name of a file, without its folder."""
    return file[0] if isinstance(file, tuple) else Path(file).name
