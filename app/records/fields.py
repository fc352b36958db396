"""The kinds of cell there are, as pydantic types, and how a row that does not fit them is refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from app.records import Refused
from app.settings import Settings

R = TypeVar("R", bound="Row")

_YES_NO = {"yes": True, "true": True, "y": True, "1": True, "no": False, "false": False, "n": False, "0": False}
_MEND: dict[str, str] = {}


class Unfit(ValueError):
    """A cell that does not fit: `why`, and the `mend`."""

    def __init__(self, why: str, mend: str) -> None:
        super().__init__(why)
        self.why, self.mend = why, mend


class Row(BaseModel):
    """A checked row; `number` is its number in the file."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    number: int


def _needed(value: Any) -> str:
    if not value:
        raise Unfit("is blank", "fill it in")
    return str(value)


def _yes_no(value: Any) -> bool | None:
    if not value:
        return None
    if str(value).lower() not in _YES_NO:
        raise Unfit("is neither yes nor no", "write yes or no, or leave it blank if it was not said")
    return _YES_NO[str(value).lower()]


def _email(value: Any) -> str:
    email = _needed(value).lower()
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@") or any(c.isspace() for c in email):
        raise Unfit("is not an email address", "write one address such as name@school.example")
    return email


def items(value: str | None) -> tuple[str, ...]:
    """The items of a cell with a list separated by ";", each once."""
    return tuple(dict.fromkeys(item.strip() for item in (value or "").split(";") if item.strip()))


Needed = Annotated[str, BeforeValidator(_needed)]
Blankable = Annotated[str | None, BeforeValidator(lambda value: value or None)]
Lower = Annotated[str | None, BeforeValidator(lambda value: value.lower() or None if value else None)]
YesNo = Annotated[bool | None, BeforeValidator(_yes_no)]
Email = Annotated[str, BeforeValidator(_email)]
Items = Annotated[tuple[str, ...], BeforeValidator(items)]

_INSTANT = TypeAdapter(datetime)
_DAY = TypeAdapter(date)


def instant(value: str, settings: Settings) -> datetime:
    """An ISO 8601 time as an instant in UTC; one without an offset is the school's time. Of a time that
    the clock shows twice in autumn the first is meant; one that it skips in spring is refused."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or len(value) <= 10:
        raise Unfit("is not a time", "write it as 2026-11-03T14:05, in school time or with an offset")
    if moment.tzinfo is None:
        local = moment.replace(tzinfo=settings.zone)
        if local.astimezone(UTC).astimezone(settings.zone).replace(tzinfo=None) != moment:
            raise Unfit("is a time that there was not: the clocks went forward", "write the time that the clock showed")
        moment = local
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Unfit("is not a time", "write it as 2026-11-03T14:05") from None


def day(value: str) -> date:
    """An ISO 8601 day; a time of midnight, as Excel may write it, is as good."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.time() != moment.min.time():
        raise Unfit("is not a day", "write it as 2026-11-03")
    return moment.date()


def day_or_instant(value: str, settings: Settings, end: bool) -> datetime:
    """An instant; of a day alone its beginning or, where `end`, its end, both in school time."""
    if len(value) > 10:
        return instant(value, settings)
    midnight = datetime.combine(day(value) + timedelta(days=end), datetime.min.time(), settings.zone)
    return midnight.astimezone(UTC) - timedelta(microseconds=int(end))


def checked(
    number: int, cells: dict[str, str], original: dict[str, str], make: Callable[[dict[str, Any]], R]
) -> R | Refused:
    """The row that `make` gives of the cells, or why there is none."""
    if "" in cells:
        return Refused(
            number,
            None,
            None,
            "has more cells than there are columns",
            "put quotation marks around a cell with a comma in it",
            original,
        )
    try:
        return make({**cells, "number": number})
    except ValidationError as error:
        first = error.errors()[0]
        column = str(first["loc"][0]) if first["loc"] else None
        fault = first.get("ctx", {}).get("error")
        why, mend = (
            (fault.why, fault.mend) if isinstance(fault, Unfit) else ("does not fit", "see the manual for its values")
        )
        if column is not None and column not in cells and fault is None:
            why, mend = "is missing", "add the column"
        return Refused(number, column, cells.get(column or ""), why, mend, original)


def refuse(number: int, column: str | None, cells: dict[str, str], why: str, mend: str) -> Refused:
    """A row refused for what it says in a column."""
    return Refused(number, column, cells.get(column or ""), why, mend, cells)
