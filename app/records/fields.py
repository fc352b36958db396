"""The kinds of cell there are, as pydantic types, and how a row that does not fit them is refused."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from app.records import Rejected
from app.settings import Settings

M = TypeVar("M", bound="Row")

YES_NO = {"yes": True, "true": True, "y": True, "1": True, "no": False, "false": False, "n": False, "0": False}


class Unfit(ValueError):
    """A cell that does not fit: `why`, and the `mend`; `column`, where pydantic does not know it."""

    def __init__(self, why: str, mend: str, column: str | None = None) -> None:
        super().__init__(why)
        self.why, self.mend, self.column = why, mend, column


class Row(BaseModel):
    """A checked row."""

    model_config = ConfigDict(frozen=True)


def _needed(value: Any) -> str:
    if not value:
        raise Unfit("is blank", "fill it in")
    return str(value)


def _yes_no(value: Any) -> bool | None:
    if not value:
        return None
    if str(value).lower() not in YES_NO:
        raise Unfit("is neither yes nor no", "write yes or no, or leave it blank if it was not said")
    return YES_NO[str(value).lower()]


def email(value: Any) -> str:
    """An email address in lower case."""
    address = _needed(value).lower()
    name, _, domain = address.partition("@")
    if (
        not name
        or not domain
        or "@" in domain
        or any(c.isspace() or c in ",;<>" for c in address)
        or len(address) > 320
    ):
        raise Unfit("is not an email address", "write one address such as name@school.example")
    return address


def items(value: str | None) -> tuple[str, ...]:
    """The items of a cell with a list separated by ";", each once."""
    return tuple(dict.fromkeys(item.strip() for item in (value or "").split(";") if item.strip()))


def short(longest: int) -> AfterValidator:
    """For a cell that has room for so many characters only."""

    def fits(value: str | None) -> str | None:
        if value and len(value) > longest:
            raise Unfit(f"has more than {longest} characters", "shorten it")
        return value

    return AfterValidator(fits)


Needed = Annotated[str, BeforeValidator(_needed)]
Blankable = Annotated[str | None, BeforeValidator(lambda value: value or None)]
Word = Annotated[str | None, BeforeValidator(lambda value: value.lower() if value else None)]
YesNo = Annotated[bool | None, BeforeValidator(_yes_no)]
Email = Annotated[str, BeforeValidator(email)]
Items = Annotated[tuple[str, ...], BeforeValidator(items)]


def instant(value: str, settings: Settings) -> datetime:
    """An ISO 8601 time as an instant in UTC; one without an offset is the school's time. Of a time that
    the clock shows twice in autumn the first is meant; one that it skips in spring is refused."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or len(value) <= len("2026-11-03"):
        raise Unfit("is not a time", "write it as 2026-11-03T14:05, in school time or with an offset")
    if not 1900 < moment.year < 2200:
        raise Unfit("is a time of another century", "mend the year")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    utc = moment.replace(tzinfo=settings.zone).astimezone(UTC)
    if utc.astimezone(settings.zone).replace(tzinfo=None) != moment:
        raise Unfit("is a time that there was not: the clocks went forward", "write the time that the clock showed")
    return utc


def day(value: str) -> date:
    """An ISO 8601 day; with a time of midnight, as Excel may write it, too."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.time() != time.min or not 1900 < moment.year < 2200:
        raise Unfit("is not a day", "write it as 2026-11-03")
    return moment.date()


def from_day(value: str, settings: Settings) -> datetime:
    """A time, or the beginning of a day, as an instant in UTC."""
    return instant(f"{value}T00:00" if len(value) == len("2026-11-03") else value, settings)


def to_day(value: str, settings: Settings) -> datetime:
    """A time, or the end of a day, as an instant in UTC."""
    if len(value) != len("2026-11-03"):
        return instant(value, settings)
    return instant(f"{day(value) + timedelta(days=1)}T00:00", settings) - timedelta(microseconds=1)


@contextmanager
def of(column: str) -> Iterator[None]:
    """Whatever does not fit in here is the fault of that column."""
    try:
        yield
    except Unfit as fault:
        raise Unfit(fault.why, fault.mend, column) from None


def checked(model: type[M], cells: Mapping[str, Any], **more: Any) -> M:
    """The cells as a row of that model. Unfit, with its column, if one does not fit."""
    if "" in cells:
        raise Unfit(
            "is out of step with the columns: a cell or a quotation mark too many",
            "put a cell with a comma in it between quotation marks, and write a quotation mark within it twice",
        )
    wanted = {name: (cells.get(name) or "").strip() for name in model.model_fields if name not in more}
    if damaged := next((name for name, value in wanted.items() if "\0" in value), None):
        raise Unfit("holds a character that is none", "type the cell again", damaged)
    try:
        return model.model_validate(wanted | more)
    except ValidationError as error:
        first = error.errors()[0]
        fault = first.get("ctx", {}).get("error")
        why, mend = (
            (fault.why, fault.mend) if isinstance(fault, Unfit) else ("does not fit", "write what the manual lists")
        )
        raise Unfit(why, mend, str(first["loc"][0])) from None


def refusal(number: int, cells: dict[str, str], fault: Unfit) -> Rejected:
    """A row of a table refused for a fault."""
    value = cells.get(fault.column) if fault.column else None
    return Rejected(number, fault.column, value, fault.why, fault.mend, cells)
