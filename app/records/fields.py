"""The kinds of cell, as pydantic types, and checking the rows of a table."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from app.records.rows import InvalidCellError, ParsedRows, R, ReadRow, RejectedRow, reject
from app.records.tabular import Table
from app.settings import Settings

M = TypeVar("M", bound="Row")

YES_NO = {"yes": True, "true": True, "y": True, "1": True, "no": False, "false": False, "n": False, "0": False}
_LENGTH_OF_DAY = len("2026-11-03")


class Row(BaseModel):
    """A checked row."""

    model_config = ConfigDict(frozen=True)


def _parse_required(value: Any) -> str:
    if not value:
        raise InvalidCellError("is blank", "fill it in")
    return str(value)


def _parse_yes_no(value: Any) -> bool | None:
    if not value:
        return None
    if str(value).lower() not in YES_NO:
        raise InvalidCellError("is neither yes nor no", "write yes or no, or leave it blank if it was not stated")
    return YES_NO[str(value).lower()]


def parse_email(value: Any) -> str:
    """An email address in lower case."""
    address = _parse_required(value).lower()
    name, _, domain = address.partition("@")
    is_split = "@" in domain or any(letter.isspace() or letter in ",;<>" for letter in address)
    if not name or not domain or is_split or len(address) > 320:
        raise InvalidCellError("is not an email address", "write one address, such as name@school.example")
    return address


def parse_list(value: str | None) -> tuple[str, ...]:
    """The items of a cell with a list separated by ";", each once."""
    return tuple(dict.fromkeys(item.strip() for item in (value or "").split(";") if item.strip()))


def _parse_emails(value: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_email(item) for item in parse_list(value)))


def limit_length(length: int) -> AfterValidator:
    """Accept a cell only if it has at most `length` characters."""

    def check(value: str | None) -> str | None:
        if value and len(value) > length:
            raise InvalidCellError(f"has more than {length} characters", "shorten it")
        return value

    return AfterValidator(check)


Required = Annotated[str, BeforeValidator(_parse_required)]
OptionalText = Annotated[str | None, BeforeValidator(lambda value: value or None)]
LowerText = Annotated[str | None, BeforeValidator(lambda value: value.lower() if value else None)]
YesNoCell = Annotated[bool | None, BeforeValidator(_parse_yes_no)]
Email = Annotated[str, BeforeValidator(parse_email)]
Emails = Annotated[tuple[str, ...], BeforeValidator(_parse_emails)]
TextList = Annotated[tuple[str, ...], BeforeValidator(parse_list)]


def parse_instant(value: str, settings: Settings) -> datetime:
    """An ISO 8601 time as an instant in UTC; one without an offset is the school's time. A time that the clock shows
    twice in autumn is the first of the two; one that it skips in spring is an InvalidCellError."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or len(value) <= _LENGTH_OF_DAY:
        raise InvalidCellError("is not a time", "write it as 2026-11-03T14:05, in school time or with an offset")
    if not 1900 < moment.year < 2200:
        raise InvalidCellError("is not a time of this century", "correct the year")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    utc = moment.replace(tzinfo=settings.zone).astimezone(UTC)
    if utc.astimezone(settings.zone).replace(tzinfo=None) != moment:
        raise InvalidCellError(
            "is a time that did not exist: the clocks went forward", "write the time that the clock showed"
        )
    return utc


def parse_day(value: str) -> date:
    """An ISO 8601 day, also with a time of midnight, as Excel may write it."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.time() != time.min or not 1900 < moment.year < 2200:
        raise InvalidCellError("is not a day", "write it as 2026-11-03")
    return moment.date()


def parse_start(value: str, settings: Settings) -> datetime:
    """A time, or the beginning of a day, as an instant in UTC."""
    return parse_instant(f"{value}T00:00" if len(value) == _LENGTH_OF_DAY else value, settings)


def parse_end(value: str, settings: Settings) -> datetime:
    """A time, or the end of a day, as an instant in UTC."""
    if len(value) != _LENGTH_OF_DAY:
        return parse_instant(value, settings)
    return parse_instant(f"{parse_day(value) + timedelta(days=1)}T00:00", settings) - timedelta(microseconds=1)


# The settings are the context of the validation: see `check_cells`.
DayCell = Annotated[date, BeforeValidator(lambda value: parse_day(_parse_required(value)))]
StartCell = Annotated[datetime, BeforeValidator(lambda value, info: parse_start(_parse_required(value), info.context))]
EndCell = Annotated[datetime, BeforeValidator(lambda value, info: parse_end(_parse_required(value), info.context))]
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
    """The cells as a row of that model, which needs the settings if it has times. InvalidCellError, with its column, if
    one cannot be used."""
    if "" in cells:
        raise InvalidCellError(
            "does not match the columns: it has a cell or a quotation mark too many",
            "put a cell with a comma in it in quotation marks, and write a quotation mark inside it twice",
        )
    values = {name: (cells.get(name) or "").strip() for name in model.model_fields}
    if damaged := next((name for name, value in values.items() if "\0" in value), None):
        raise InvalidCellError("contains an invalid character", "type the cell again", damaged)
    try:
        return model.model_validate(values, context=settings)
    except ValidationError as error:
        first = error.errors()[0]
        fault = first.get("ctx", {}).get("error")
        if not isinstance(fault, InvalidCellError):
            fault = InvalidCellError("cannot be used", "write what docs/columns.md lists")
        raise InvalidCellError(fault.reason, fault.fix, str(first["loc"][0])) from None


def parse_rows(table: Table, columns: type[Row], parse: Callable[[dict[str, str]], R | None]) -> ParsedRows[R]:
    """The rows of a table, each parsed from its cells; None stands for one that repeats an earlier row. `columns` is
    the model whose columns the file may have."""
    rows: list[ReadRow[R]] = []
    rejected: list[RejectedRow] = []
    for number, cells in table.rows:
        try:
            row = parse(cells)
        except InvalidCellError as fault:
            rejected.append(reject(number, cells, fault))
        else:
            if row is not None:
                rows.append(ReadRow(number, cells, row))
    return ParsedRows(rows, rejected, table.list_unknown(columns.model_fields))
