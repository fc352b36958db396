"""Reads what the school configures in `data/protocol.toml` and in the environment.

`load_settings()` returns a `Settings`. If anything is wrong or missing, it raises `SettingsError`, whose message names
each entry with its fix; nothing is guessed. `get_variable(NAME)` returns a value from the environment, else from
`.streamlit/secrets.toml`.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

ROOT = Path(__file__).resolve().parent.parent
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class SettingsError(ValueError):
    """The settings cannot be used; the message names the entries and how to fix them."""


def _read_clock(value: Any) -> Any:
    """A time of day, written as the text "08:30" or as a TOML time, 08:30:00."""
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f'{value!r} is not a time of day such as "08:30"') from None


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'{name!r} is not a time zone such as "Europe/London"') from None
    return name


Clock = Annotated[time, BeforeValidator(_read_clock)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _names(value: Any) -> Any:
    """One name, or a list of names."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name.strip() for name in names):
        raise ValueError('write one name, "Pupils", or a list of names, ["Year 7", "Year 8"]')
    return tuple(name.strip() for name in names)


def _years(value: Any) -> Any:
    """Year groups as the roster has them: "9" for 9 and "Year 9"."""
    years = value if isinstance(value, list | tuple) else [value]
    return tuple(re.sub(r"^year\s+", "", name, flags=re.IGNORECASE) for name in _names([str(year) for year in years]))


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
Years = Annotated[tuple[str, ...], BeforeValidator(_years)]
Week = Literal["A", "B"]


class Version(_Entry):
    """A version of the protocol's text, in force from a day, with the day of its next review. `text` has the words of
    clauses, by the clause's name; a clause that it leaves out has the program's own words."""

    name: str = Field(min_length=1)
    from_: date = Field(alias="from")
    next_review: date | None = None
    text: dict[str, str] = {}


class Period(_Entry):
    """A period of days, from the first to the last, both included."""

    name: str
    from_: date = Field(alias="from")
    to: date

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self.to < self.from_:
            raise ValueError(f"{self.name}: the end is before the start; exchange `from` and `to`")
        return self


class Term(Period):
    """A term. If the school has weeks A and B, they alternate; the week of the term's first day is `first_week`."""

    first_week: Week = "A"


class RemotePeriod(Period):
    """A period of remote learning. It is for all pupils, or only for those who are in one of the named `schools`
    (codes), one of the named `years` and one of the named `houses`; a list that is empty does not restrict it."""

    schools: Names = ()
    years: Years = ()
    houses: Names = ()


class Slot(_Entry):
    """A time of the school day, on certain weekdays, in which one-to-ones may take place: for all pupils, or for those
    of certain years and schools (codes); in all weeks, or only in weeks A or only in weeks B."""

    name: str
    days: tuple[Weekday, ...] = Field(min_length=1)
    from_: Clock = Field(alias="from")
    to: Clock
    years: Years = ()
    schools: Names = ()
    week: Week | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Slot":
        if self.to <= self.from_:
            raise ValueError(f"{self.name}: the end is not after the start; correct `from` or `to`")
        return self


class Rules(_Entry):
    """The times and limits in force from a day until the next entry's day."""

    from_: date = Field(alias="from")
    academic_hours: tuple[Clock, Clock]
    grace_seconds: float = Field(ge=0, le=600)
    camera_share: float = Field(gt=0, le=1)
    match_minutes: float = Field(ge=0, le=240)
    log_within_hours: float = Field(gt=0, le=24 * 366)
    one_to_one_slots: tuple[Slot, ...]
    breach_days: int = Field(default=5, ge=1, le=60)  # school days within which a breach must be resolved
    spot_check_share: float = Field(default=0.05, ge=0, le=1)

    @model_validator(mode="after")
    def _hours_in_order(self) -> "Rules":
        start, end = self.academic_hours
        if end <= start:
            raise ValueError("academic_hours: the end is before the start; exchange the two times")
        return self


class Training(_Entry):
    """Training in videoconferencing that staff had, with its reference in the school's own records."""

    name: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    on: date


class Retention(_Entry):
    """For how many years each kind of record is kept; docs/settings.md says from when, and why."""

    sessions: int = Field(default=7, ge=1, le=100)
    call_originals: int = Field(default=1, ge=1, le=100)
    concerns: int = Field(default=25, ge=1, le=100)
    unfinished: int = Field(default=1, ge=1, le=100)
    audit: int = Field(default=7, ge=1, le=100)


class Alerts(_Entry):
    """After how many minutes people are reminded of a concern that nobody has read, and when the digest is sent on
    school days."""

    unread_minutes: int = Field(default=60, ge=5, le=7 * 24 * 60)
    digest_at: Clock = time(7, 30)


class Repeats(_Entry):
    """When one-to-ones of the same adult and pupil are listed as repeated: after `sessions` of them, or `out_of_hours`
    outside the usual hours, within `days`."""

    sessions: int = Field(default=6, ge=2, le=1000)
    out_of_hours: int = Field(default=2, ge=1, le=1000)
    days: int = Field(default=28, ge=1, le=366)


class PupilPolicies(_Entry):
    """The names of the Teams policies that pupils should have, for each kind that is to be checked."""

    meeting: Names = Field(default=(), alias="TeamsMeetingPolicy")
    calling: Names = Field(default=(), alias="TeamsCallingPolicy")

    @model_validator(mode="after")
    def _not_empty(self) -> "PupilPolicies":
        if not self.by_kind:
            raise ValueError("name the pupils' policy of TeamsMeetingPolicy or TeamsCallingPolicy, or remove the table")
        return self

    @property
    def by_kind(self) -> dict[str, tuple[str, ...]]:
        """The names of the policies, by Graph's name of the kind, for each kind that is to be checked."""
        return {kind: names for kind, names in self.model_dump(by_alias=True).items() if names}


class EntraRoster(_Entry):
    """The groups of Microsoft Entra from which the roster is read. Each is given by its name or its object id; an entry
    that begins with @ stands for everybody with an address in that domain. `table` is the path, relative to the
    settings file, of a table with columns of the roster by email address; its cells take precedence."""

    staff: Names = ()
    pupils: Names = ()
    schools: dict[str, Names] = {}  # by code
    roles: dict[str, Names] = {}
    year_groups: dict[str, Names] = {}
    houses: dict[str, Names] = {}
    tutor_groups: Names = ()
    table: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _not_empty(self) -> "EntraRoster":
        if not (self.staff or self.pupils):
            raise ValueError("name the groups or the domain of `staff`, of `pupils` or of both, or remove the table")
        if self.tutor_groups and not self.staff:
            raise ValueError("name the groups or the domain of `staff` as well: tutors are found among them")
        return self

    def list_groups(self) -> tuple[str, ...]:
        """The groups that the settings name, without repeats. Domains are left out."""
        maps = (self.schools, self.roles, self.year_groups, self.houses)
        of_maps = (name for groups in maps for names in groups.values() for name in names)
        everything = (*self.staff, *self.pupils, *of_maps, *self.tutor_groups)
        return tuple(dict.fromkeys(name for name in everything if not name.startswith("@")))


class Settings(_Entry):
    """The school's settings. `rules` is sorted by day. The first entry also covers the days before it, so that older
    sessions are judged by the oldest figures there are."""

    name: str = Field(min_length=1)
    timezone: Annotated[str, AfterValidator(_check_zone)]
    tenant_id: str = Field(min_length=1)
    versions: tuple[Version, ...] = Field(min_length=1)
    terms: tuple[Term, ...]
    remote_learning: tuple[RemotePeriod, ...]
    rules: tuple[Rules, ...] = Field(min_length=1)
    retention: Retention = Retention()
    training: tuple[Training, ...] = ()
    alerts: Alerts = Alerts()
    repeats: Repeats = Repeats()
    pupils_in_log: int = Field(default=40, ge=1, le=1000)  # a log with more is refused
    pupil_policies: PupilPolicies | None = None
    entra_roster: EntraRoster | None = None
    dsp_telephones: dict[str, str] = {}  # by the school's code

    @model_validator(mode="after")
    def _dated(self) -> "Settings":
        for entry in ("rules", "versions"):
            days = [item.from_ for item in getattr(self, entry)]
            if days != sorted(set(days)):
                raise ValueError(f"{entry}: each entry's `from` must be a later day than the one before")
        terms = sorted(self.terms, key=lambda term: term.from_)
        for before, after in pairwise(terms):
            if after.from_ <= before.to:
                raise ValueError(f"terms: {before.name} and {after.name} overlap; correct `from` or `to`")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def rules_on(self, day: date) -> Rules:
        """The times and limits in force on a day."""
        return next((rules for rules in reversed(self.rules) if rules.from_ <= day), self.rules[0])

    def version_on(self, day: date) -> Version | None:
        """The version of the protocol in force on a day; None before the first."""
        return next((version for version in reversed(self.versions) if version.from_ <= day), None)

    def is_school_day(self, day: date) -> bool:
        """Whether a day is in a term, and from Monday to Friday."""
        return day.weekday() < 5 and any(term.from_ <= day <= term.to for term in self.terms)

    def find_next_school_day(self, day: date) -> date | None:
        """The first school day after a day; None if the terms have none."""
        last = max((term.to for term in self.terms), default=day)
        later = (day + timedelta(days=n) for n in range(1, (last - day).days + 1))
        return next((each for each in later if self.is_school_day(each)), None)

    def find_due_day(self, opened: date, times: int = 1) -> date:
        """The last day for resolving a breach in time: as many school days after the day on which it was opened as
        `breach_days` says on that day, multiplied by `times`. After the last term that is entered, every weekday
        counts; otherwise, a breach from its last days would not be due until somebody enters the next term."""
        day, left = opened, self.rules_on(opened).breach_days * times
        ended = max((term.to for term in self.terms), default=date.min)
        while left:
            day += timedelta(days=1)
            left -= self.is_school_day(day) or (day > ended and day.weekday() < 5)
        return day

    @property
    def names_weeks(self) -> bool:
        """Whether any slot is only for weeks A or only for weeks B."""
        return any(slot.week for rules in self.rules for slot in rules.one_to_one_slots)

    def week_on(self, day: date) -> Week | None:
        """Whether a day is in week A or week B of its term; None outside terms. Weeks begin on Monday."""
        term = next((term for term in self.terms if term.from_ <= day <= term.to), None)
        if term is None:
            return None
        first = term.from_ - timedelta(days=term.from_.weekday())
        is_first_kind = (day - first).days // 7 % 2 == 0
        other: Week = "B" if term.first_week == "A" else "A"
        return term.first_week if is_first_kind else other

    def term_on(self, day: date) -> Term | None:
        """The term that a day is in, else the last one that began before it; None if there is none."""
        return max((term for term in self.terms if term.from_ <= day), key=lambda term: term.from_, default=None)


def get_settings_file() -> Path:
    """The file that PROTOCOL_FILE names, else data/protocol.toml."""
    return Path(get_variable("PROTOCOL_FILE") or ROOT / "data" / "protocol.toml")


def load_settings(path: str | Path | None = None) -> Settings:
    """Read and check the settings file, by default `get_settings_file()`. SettingsError if it cannot be used."""
    file = Path(path or get_settings_file())
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        words = f"The settings file {file} cannot be read: {error}. Set PROTOCOL_FILE to one that can."
        raise SettingsError(words) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {file} is not valid TOML: {error}.") from None
    return check_settings(entries, f"The settings file {file}")


def check_settings(entries: Mapping[str, Any], source: str) -> Settings:
    """Make settings of `entries`, which are as in the settings file. SettingsError, which names the source, if one is
    wrong."""
    try:
        return Settings.model_validate(entries)
    except ValidationError as error:
        raise SettingsError(f"{source} cannot be used:\n{_describe_errors(error)}") from None


def replace_figures(settings: Settings, figures: Mapping[str, Any]) -> Settings:
    """The settings with some figures replaced in every entry of `rules`. SettingsError if one is wrong."""
    try:
        rules = [Rules.model_validate({**entry.model_dump(by_alias=True), **figures}) for entry in settings.rules]
    except ValidationError as error:
        raise SettingsError(_describe_errors(error)) from None
    return settings.model_copy(update={"rules": tuple(rules)})


def describe_fault(fault: Mapping[str, Any]) -> str:
    """Describe one of pydantic's errors: what is wrong with an entry."""
    return _ERRORS.get(fault["type"], str(fault["msg"]).removeprefix("Value error, "))


def _describe_errors(error: ValidationError) -> str:
    """One line for each wrong entry: its name and what is wrong, with the fix."""
    lines = []
    for fault in error.errors():
        name = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
        words = describe_fault(fault)
        lines.append(f"  {name}: {words}" if name else f"  {words}")
    return "\n".join(lines)


_ERRORS = {
    "missing": "missing; add the entry",
    "extra_forbidden": "not an entry of the settings; remove it or correct its spelling",
}


def get_variable(name: str) -> str | None:
    """An environment variable, else the entry with its name in `.streamlit/secrets.toml`; None if empty or not set."""
    value = os.environ.get(name) or load_secrets().get(name)
    return str(value) if value not in (None, "") else None


@cache
def load_secrets() -> dict[str, Any]:
    """The entries of `.streamlit/secrets.toml` in the working directory, as for Streamlit, else in the program's
    folder. Read once per process, since every encrypted value needs the keys. SettingsError if it is not valid TOML."""
    places = (folder / ".streamlit" / "secrets.toml" for folder in (Path.cwd(), ROOT))
    secrets = next(filter(Path.is_file, places), None)
    if secrets is None:
        return {}
    try:
        return tomllib.loads(secrets.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{secrets} is not valid TOML: {error}.") from None


def get_database_url() -> str:
    """The URL in DATABASE_URL, else the embedded SQLite file under data/."""
    return get_variable("DATABASE_URL") or f"sqlite:///{ROOT / 'data' / 'protocol.sqlite'}"
