"""Tables in text files: CSV as Excel and other programs save it, with any delimiter."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count, islice

from app.records.rows import UnreadableFileError

# A whole file is held in memory; a larger one was not made by hand, or should be split.
MOST_BYTES = 200_000_000  # in a file, and in a workbook when unpacked
MOST_CELLS = 5_000_000  # in a table; in a sheet, all from the first cell to the last filled row and column
_LONGEST_LINE = 5_000_000  # characters
TITLE_ROWS = 20  # the headings must be within this many first lines

Lines = list[list[str] | str]  # a line that cannot be split into cells is left whole

_DELIMITERS = ",;\t|"  # in this order if several fit
_NAMES_DELIMITER = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_OTHERS = (  # how files that are not tables begin, and what they are
    (re.compile(r"<(?:!|(?:html|head|body|table|meta|div|style|script)\b)|mime-version:"), "a web page"),
    (re.compile(r"<\?xml"), "an XML file"),
    (re.compile(r"%pdf"), "a PDF file"),
    (re.compile(r"\{\\rtf"), "a Word document"),
)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SAVE_AS = "save it as “CSV UTF-8”, or as an .xlsx file"


def too_large(name: str) -> UnreadableFileError:
    """The error for a file that would take too much memory."""
    return UnreadableFileError(f"{name} is too large; split it into several files.")


def check_extent(name: str, rows: int, columns: int) -> None:
    """Raise UnreadableFileError if the cells of a sheet reach too far to be held in memory."""
    if rows * columns > MOST_CELLS:
        raise UnreadableFileError(
            f"{name} has a cell far out, in row {rows} or column {columns}; delete what does not belong there."
        )


def read_text(name: str, content: bytes, count_headings: Callable[[Sequence[str]], int]) -> Lines:
    """The lines of a text file as cells. `count_headings` returns how many of the given cells are expected headings,
    which shows which delimiter the file has. UnreadableFileError if the file is not a table."""
    _refuse_others(name, content)
    try:
        typed = list(_iter_lines(name, content))
    except UnicodeDecodeError:
        raise UnreadableFileError(
            f"{name} is not UTF-8 text: letters such as ŵ are lost in it or cannot be told apart; {_SAVE_AS}."
        ) from None
    named = _NAMES_DELIMITER.fullmatch(typed[0]) if typed else None
    if named:
        del typed[0]  # Excel does not count it as a row either
    first = next((n for n, line in enumerate(typed) if line.strip()), 0)
    header = typed[first] if typed else ""
    if "\0" in header:
        raise UnreadableFileError(f"{name} is not a CSV file; {_SAVE_AS}.")
    if name.lower().endswith((".xls", ".xlsx", ".xlsm", ".xlsb", ".ods")):
        raise UnreadableFileError(f"{name} is text, whatever its name; open it in Excel and {_SAVE_AS}.")
    delimiter, width = _find_delimiter(typed[first:], named[1] if named else _DELIMITERS, count_headings)
    return _split_lines(name, typed, delimiter, width)


def _refuse_others(name: str, content: bytes) -> None:
    """Raise UnreadableFileError for a web page or another file that is not a table, whatever its name. It may be in an
    encoding in which tables are not read."""
    begins = content[:1000].decode("utf-16" if content.startswith(_UTF_16) else "latin-1", "ignore")
    begins = begins.removeprefix("\u00ef\u00bb\u00bf").lstrip("\ufeff \r\n\t").lower()
    for pattern, what in _OTHERS:
        if pattern.match(begins):
            raise UnreadableFileError(f"{name} is {what}, whatever its name; open it in Excel and {_SAVE_AS}.")


def _iter_lines(name: str, content: bytes) -> Iterator[str]:
    """The lines of a text, each with its line break. UnreadableFileError if one is too long, or there are too many."""
    encoding = "utf-16" if content.startswith(_UTF_16) else "utf-8-sig"
    text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    for number in count(1):
        line = text.readline(_LONGEST_LINE)
        if not line:
            return
        if len(line) >= _LONGEST_LINE:
            raise UnreadableFileError(
                f"{name} is not a table: line {number} has more than {_LONGEST_LINE:,} characters."
            )
        if number > MOST_CELLS:
            raise too_large(name)
        yield line


def _find_delimiter(
    typed: Sequence[str], delimiters: str, count_headings: Callable[[Sequence[str]], int]
) -> tuple[str, int]:
    """The delimiter, and how many cells a record has with it. It is the delimiter with which one of the first records
    has the most expected headings; if none has any, the one with which most of these records have the same length."""

    def fit(delimiter: str) -> tuple[int, int, int]:
        records = list(_iter_records(typed, delimiter))
        found, width = max(((count_headings(cells), len(cells)) for cells in records), default=(0, 0))
        if found:
            return found, len(records), width
        lengths = Counter(len(cells) for cells in records if len(cells) > 1)
        return 0, *max(((times, length) for length, times in lengths.items()), default=(0, 1))

    best = max(delimiters, key=fit)
    return best, fit(best)[2]


def _iter_records(typed: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    """The cells of the first records, up to one with unmatched quotation marks."""
    with suppress(csv.Error):
        yield from islice(csv.reader(typed, delimiter=delimiter, strict=True), TITLE_ROWS)


def _split_lines(name: str, typed: Sequence[str], delimiter: str, width: int) -> Lines:
    """The cells of each line. A stray quotation mark must spoil only its own line, not those after it, even if another
    one closes the cell some lines later. `width` is the number of headings."""
    lines: Lines = []
    done = number = 0
    while done < len(typed):
        reader = csv.reader((typed[n] for n in range(done, len(typed))), delimiter=delimiter, strict=True)
        begins = done
        try:
            for cells in reader:
                ends = done + reader.line_num
                if ends - begins > 1 and _has_swallowed(cells, typed[begins:ends], delimiter, width):
                    lines += _split_swallowed(typed[begins:ends], delimiter, width)
                else:
                    lines.append(cells)
                begins = ends
                number += max(1, len(cells))
                if number > MOST_CELLS:
                    raise too_large(name)
            break
        except csv.Error:
            lines.append(typed[begins].rstrip())
            done = begins + 1
    return lines


def _has_swallowed(cells: Sequence[str], typed: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether a stray quotation mark has merged several rows into one record: a cell holds whole rows, or the end of
    one row and the beginning of the next."""
    if width < 2:
        return False
    if len(cells) != width:
        return any(len(_split_line(line, delimiter)) >= width for line in typed[1:])
    for place, cell in enumerate(cells):
        begins, *whole = _LINE_BREAK.split(cell)
        ends = whole.pop() if whole else ""
        if any(len(_split_line(line, delimiter)) >= width for line in whole):
            return True
        if ends and begins.count(delimiter) >= width - 1 - place and ends.count(delimiter) >= place:
            return True
    return False


def _split_swallowed(typed: Sequence[str], delimiter: str, width: int) -> Lines:
    """The lines of such a record. Those in between that are rows are split into cells; the first and the last, which
    the quotation marks spoil, and any that is not a row are left whole."""
    lines: Lines = []
    for n, line in enumerate(typed):
        cells = _split_line(line, delimiter)
        is_row = 0 < n < len(typed) - 1 and len(cells) == width and '"' not in line
        lines.append(cells if is_row or not line.strip() else line.rstrip())
    return lines


def _split_line(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
