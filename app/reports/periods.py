"""Finds a similar period with which a period can be compared."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from app.access.policy import Days
from app.formatting import on_day
from app.settings import Period, Settings

_ENOUGH = 20  # sessions needed in each of the two periods
_ALIKE = 0.8  # the share of the longer period's school days that the shorter one must have
_YEAR = timedelta(weeks=52)


_WEEK = timedelta(days=6)  # from its Monday to its Sunday
_WEEKS_OFFERED = 15


def list_report_periods(settings: Settings, today: date) -> dict[Days, str]:
    """The periods that a governors' report may cover, with their names, the newest first: terms that are over, and the
    last completed weeks. No two of a kind overlap, so that nothing can be found by comparing two reports of nearly the
    same days."""
    terms = sorted((term for term in settings.terms if term.to < today), key=lambda term: term.from_, reverse=True)
    sunday = today - timedelta(days=today.isoweekday())
    weeks = [(sunday - timedelta(weeks=n) - _WEEK, sunday - timedelta(weeks=n)) for n in range(_WEEKS_OFFERED)]
    return {(term.from_, term.to): term.name for term in terms} | {week: f"Week of {on_day(week[0])}" for week in weeks}


def require_report_period(settings: Settings, days: Days, today: date) -> None:
    """Raise ValueError, with a message to show, unless a governors' report may cover some days."""
    is_term = any(days == (term.from_, term.to) for term in settings.terms)
    is_week = days[0].isoweekday() == 1 and days[1] - days[0] == _WEEK
    if not (is_term or is_week) or days[1] >= today:
        raise ValueError(
            "A governors' report covers a whole term or a completed week (Monday to Sunday), so that small numbers "
            "cannot be worked out by comparing two reports. Choose one of these periods."
        )


def describe_missing_term(settings: Settings, today: date) -> str:
    """A sentence that says that the last term that is entered is over, since digests, deadlines and reports depend on
    terms; "" if it is not over."""
    last = max((term.to for term in settings.terms), default=None)
    if last is None:
        return "No term is entered."
    return "" if last >= today else f"No term is entered after {last.day} {last:%B %Y}."


@dataclass(frozen=True)
class Similar:
    """A similar period: its days, and its name for use in a sentence."""

    days: Days
    name: str


def list_similar_periods(settings: Settings, days: Days) -> list[Similar]:
    """The periods with which these days may be compared, the best first. For a term so far: the term before it, to the
    same school week, and the same term last year. For other days: as many days before, and the same days last year.
    Periods with far more or fewer school days, such as holidays, are left out."""
    term = settings.term_on(days[0])
    if term and days[0] == term.from_ and days[1] <= term.to:
        found = [
            Similar(_find_same_weeks(term, other, days[1]), name)
            for other in _list_terms_to_compare(settings, term)
            for name in [other.name if days[1] == term.to else f"{other.name} to the same school week"]
        ]
    else:
        length = days[1] - days[0] + timedelta(days=1)
        found = [
            Similar((days[0] - length, days[1] - length), f"the {length.days} days before"),
            Similar((days[0] - _YEAR, days[1] - _YEAR), "the same days last year"),
        ]
    return [similar for similar in found if _are_alike(settings, days, similar.days)]


def find_similar(
    settings: Settings, days: Days, rows: pd.DataFrame, sessions_of: Callable[[Days], pd.DataFrame]
) -> tuple[pd.DataFrame, str]:
    """The sessions of a period with which these days, whose sessions are `rows`, may be compared, and the name of the
    period; no rows and "" if there is none, or there are too few sessions. `sessions_of` reads the sessions of a
    period."""
    if len(rows) >= _ENOUGH:
        for similar in list_similar_periods(settings, days):
            others = sessions_of(similar.days)
            if len(others) >= _ENOUGH:
                return others, similar.name
    return rows.iloc[:0], ""


def _list_terms_to_compare(settings: Settings, term: Period) -> list[Period]:
    earlier = sorted((t for t in settings.terms if t.from_ < term.from_), key=lambda t: t.from_, reverse=True)
    last_year = [t for t in earlier if abs(term.from_ - _YEAR - t.from_) < timedelta(weeks=4)]
    return list(dict.fromkeys([*earlier[:1], *last_year]))


def _find_same_weeks(term: Period, other: Period, until: date) -> Days:
    """The days of another term, up to the same day of the same school week as `until`."""
    if until == term.to:
        return other.from_, other.to
    return other.from_, min(other.to, _find_monday(other.from_) + (until - _find_monday(term.from_)))


def _find_monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _are_alike(settings: Settings, days: Days, others: Days) -> bool:
    counts = [_count_school_days(settings, each) for each in (days, others)]
    return min(counts) > 0 and min(counts) >= _ALIKE * max(counts)


def _count_school_days(settings: Settings, days: Days) -> int:
    length = (days[1] - days[0]).days + 1
    return sum(settings.is_school_day(days[0] + timedelta(days=n)) for n in range(length))
