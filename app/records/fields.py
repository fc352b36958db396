"""The kinds of cell, as pydantic types, and the checking of a table's rows."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from app.records.addresses import parse_email, parse_emails, split_list
from app.records.rows import InvalidCellError, ParsedRows, R, ReadRow, RejectedRow, UnreadableFileError, reject
from app.records.tables.tabular import Table
from app.records.times import find_month_first, parse_day, parse_end, parse_start
from app.settings import Settings
from app.vocabulary.words import fold, read_year, shows_lost_letters, tidy

M = TypeVar("M", bound="Row")

_TIME_COLUMNS = {"started_at", "ended_at", "sent_on", "covers_from", "covers_to", "obtained_at", "slt_informed_at"}

YES_NO = {"yes": True, "true": True, "y": True, "1": True, "no": False, "false": False, "n": False, "0": False}
LOST_LETTERS_FIX = "write it with its letters, or save the file as “CSV UTF-8” and import it again"

# What a spreadsheet shows instead of a value.
_ERRORS = (
    "N/A NULL! DIV/0! VALUE! REF! NAME? NUM! SPILL! CALC! FIELD! BLOCKED! CONNECT! UNKNOWN! BUSY! GETTING_DATA PYTHON!"
)
_ERROR = re.compile("|".join(re.escape(f"#{error}") for error in _ERRORS.split()) + r"|Err:\d{3}")
_TOO_NARROW = re.compile(r"#{2,}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}-[A-Z][a-z]{2}(?:-\d{2,4})?|[A-Z][a-z]{2}-\d{2}")
_NEVER_DAYS = {"year_group", "year_groups", "house", "houses", "name", "department", "school", "code", "purpose"}
_LOST_DIGITS = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)


class Row(BaseModel):
    """A checked row."""

    model_config = ConfigDict(frozen=True)


def parse_required(value: Any) -> str:
    """The text of a cell that may not be blank."""
    if not tidy(str(value or "")):
        raise InvalidCellError("is blank", "fill it in")
    return str(value)


@lru_cache(maxsize=256)  # the rows of a file repeat the same few cells
def _parse_yes_no(value: Any) -> bool | None:
    word = fold(str(value or ""))
    if not word:
        return None
    if word not in YES_NO:
        raise InvalidCellError("is neither yes nor no", "write yes or no, or leave it blank if it was not stated")
    return YES_NO[word]


def _parse_name(value: Any) -> str:
    """A name that several rows share, such as a house or a school's code, always in the same form."""
    return check_letters(tidy(str(value or "")))


def check_letters(name: str) -> str:
    """The name, unchanged. InvalidCellError if some of its letters were lost when the file was saved."""
    if shows_lost_letters(name) or "?" in name:
        raise InvalidCellError("has lost letters", LOST_LETTERS_FIX)
    return name


def read_word(value: Any) -> str:
    """A word in the form that values have: "Music teacher" becomes "music_teacher"."""
    return fold(str(value or "")).replace(" ", "_").replace("-", "_")


def _parse_items(value: str | None, parse: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse(item) for item in split_list(value)))


def limit_length(length: int) -> AfterValidator:
    """Accept a cell only if it has at most `length` characters."""

    def check(value: str | None) -> str | None:
        if value and len(value) > length:
            raise InvalidCellError(f"has more than {length} characters", "shorten it")
        return value

    return AfterValidator(check)


Required = Annotated[str, BeforeValidator(parse_required)]
# A cell that holds only ";" (Forms ends its lists with one) or invisible characters counts as blank.
OptionalText = Annotated[str | None, BeforeValidator(lambda value: value if tidy(value or "") else None)]
LowerText = Annotated[str | None, BeforeValidator(lambda value: tidy(value).lower() if value else None)]
Name = Annotated[str, BeforeValidator(_parse_name)]
RequiredName = Annotated[str, BeforeValidator(lambda value: parse_required(_parse_name(value)))]
Year = Annotated[str, BeforeValidator(lambda value: read_year(value or ""))]
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: _parse_items(value, _parse_name))]
Years = Annotated[tuple[str, ...], BeforeValidator(lambda value: _parse_items(value, read_year))]
YesNoCell = Annotated[bool | None, BeforeValidator(_parse_yes_no)]
Email = Annotated[str, BeforeValidator(parse_email)]
Emails = Annotated[tuple[str, ...], BeforeValidator(parse_emails)]


# `check_cells` passes the settings as the context of the validation.
DayCell = Annotated[date, BeforeValidator(lambda value: parse_day(parse_required(value)))]
StartCell = Annotated[datetime, BeforeValidator(lambda value, info: parse_start(parse_required(value), info.context))]
EndCell = Annotated[datetime, BeforeValidator(lambda value, info: parse_end(parse_required(value), info.context))]
OptionalEndCell = Annotated[
    datetime | None, BeforeValidator(lambda value, info: parse_end(value, info.context) if value else None)
]


@contextmanager
def in_column(name: str) -> Iterator[None]:
    """Name the column in an InvalidCellError that is raised inside the block."""
    try:
        yield
    except InvalidCellError as fault:
        raise InvalidCellError(fault.reason, fault.fix, name) from None


def check_cells(model: type[M], cells: Mapping[str, Any], settings: Settings | None = None) -> M:
    """The cells as a row of the model. A model with times needs the settings. InvalidCellError, with the column, if a
    cell cannot be used."""
    if "" in cells:
        raise InvalidCellError(
            "does not match the columns: it has a cell or a quotation mark too many",
            "put a cell with a comma in it in quotation marks, and write a quotation mark inside it twice",
        )
    values = {name: (cells.get(name) or "").strip() for name in model.model_fields}
    for name, value in values.items():
        if value:
            _check_value(name, value)
    try:
        return model.model_validate(values, context=settings)
    except ValidationError as error:
        first = error.errors()[0]
        fault = first.get("ctx", {}).get("error")
        if not isinstance(fault, InvalidCellError):
            fault = InvalidCellError("cannot be used", "write what docs/columns.md lists")
        raise InvalidCellError(fault.reason, fault.fix, str(first["loc"][0])) from None


def _check_value(column: str, value: str) -> None:
    """Raise InvalidCellError if a spreadsheet has replaced or changed the value of a cell, such as "9-10" into a
    day."""
    if "\0" in value:
        raise InvalidCellError("contains an invalid character", "type the cell again", column)
    if value.startswith(("#", "Err:")) and _ERROR.fullmatch(value):
        raise InvalidCellError("holds an error of the spreadsheet", "correct its formula, or type the value", column)
    if value.startswith("##") and _TOO_NARROW.fullmatch(value):
        fix = "make the column wider in the spreadsheet, and save the file again"
        raise InvalidCellError("shows # signs instead of its value", fix, column)
    if column in _NEVER_DAYS and _DAY.fullmatch(value):
        fix = "format the column as text in the spreadsheet, and type the value again"
        raise InvalidCellError("is a day, perhaps because the spreadsheet took it for one", fix, column)
    if column in ("ref", "entra_id") and _LOST_DIGITS.fullmatch(value):
        fix = "format the column as text in the spreadsheet, and type the value again"
        raise InvalidCellError("is a number whose last digits were lost", fix, column)


def parse_rows(table: Table, columns: type[Row], parse: Callable[[dict[str, str]], R | None]) -> ParsedRows[R]:
    """The rows of a table. `parse` makes a row of its cells, or returns None for one that repeats an earlier row and is
    left out. `columns` is the model whose columns the file may have. UnreadableFileError if days are written with the
    month first."""
    _check_day_first(table, columns)
    known = columns.model_fields
    rows: list[ReadRow[R]] = []
    rejected: list[RejectedRow] = []
    notes = list(table.notes)
    for place, (number, cells) in enumerate(table.rows):
        try:
            table.check_faults(place, known)
            row = parse(cells)
        except InvalidCellError as fault:
            rejected.append(reject(number, cells, fault))
            continue
        notes += [
            f"row {number}, column {column}: shows lost letters; {LOST_LETTERS_FIX}"
            for column in known
            if (value := cells.get(column)) and (shows_lost_letters(value) or (column == "name" and "?" in value))
        ]
        if row is not None:
            rows.append(ReadRow(number, cells, row))
    return ParsedRows(rows, rejected, table.list_unknown(known), notes)


def _check_day_first(table: Table, columns: type[Row]) -> None:
    for column in _TIME_COLUMNS & set(columns.model_fields):
        place = find_month_first(cells.get(column, "") for _, cells in table.rows)
        if place is not None:
            where = f"{table.name}, row {table.rows[place][0]}, column {table.headings.get(column, column)}"
            raise UnreadableFileError(
                f"{where}: days are written with the month first. "
                "Write them as 2026-11-03 or 03/11/2026, with the day first, and import the file again."
            )
