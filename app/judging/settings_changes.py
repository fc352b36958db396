"""Which sessions a change of the protocol affects."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select

from app.judging.fingerprint import NOT_JUDGED
from app.judging.rejudge import Affected
from app.settings import RemotePeriod, Settings
from app.store import tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary.terms import Purpose
from app.vocabulary.words import fold, read_year

_EVERYTHING = (-(2**62), 2**62)
_session = tables.sessions.c


def find_affected(connection: Connection, before: Settings, after: Settings) -> Affected:
    """What is to be judged again when `after` is in force instead of `before`: the days on which other figures hold,
    and the pastoral sessions that begin or cease to lie in remote learning."""
    if (before.timezone, before.tenant_id) != (after.timezone, after.tenant_id):
        return Affected(times=[_EVERYTHING])
    times = [_as_times(after, *days) for days in _iter_days_of_figures(before, after)]
    changed = set(before.remote_learning) ^ set(after.remote_learning)
    sessions = {number for period in changed for number in _list_sessions(connection, period)}
    return Affected(times=times, sessions=sessions)


def _iter_days_of_figures(before: Settings, after: Settings) -> Iterator[tuple[date, date]]:
    """The days, each from one up to but not including another, for which the figures differ."""
    both = (before, after)
    edges = {rules.from_ for settings in both for rules in settings.rules}
    if _names_weeks(before) or _names_weeks(after):
        terms = [term for settings in both for term in settings.terms]
        edges |= {term.from_ for term in terms} | {term.to + timedelta(days=1) for term in terms}
    for first, last in pairwise([date.min, *sorted(edges), date.max]):
        if _judged(before, first) != _judged(after, first):
            yield first, last


def _judged(settings: Settings, day: date) -> tuple[dict[str, Any], str | None]:
    """Everything dated that an outcome of a day depends on: the figures, and of weeks A and B which one it is in."""
    week = settings.week_on(day) if _names_weeks(settings) else None
    return settings.rules_on(day).model_dump(exclude=NOT_JUDGED | {"from_"}), week


def _names_weeks(settings: Settings) -> bool:
    """Whether a slot holds in weeks A or B only."""
    return any(slot.week for rules in settings.rules for slot in rules.one_to_one_slots)


def _as_times(settings: Settings, first: date, last: date) -> tuple[int, int]:
    """Days of the school as microseconds since 1970."""
    return _as_micros(settings, first), _as_micros(settings, last)


def _as_micros(settings: Settings, day: date) -> int:
    if day in (date.min, date.max):
        return _EVERYTHING[day == date.max]
    begins = datetime.combine(day, time(), settings.zone).astimezone(UTC)
    return (begins - tables.EPOCH) // timedelta(microseconds=1)


def _list_sessions(connection: Connection, period: RemotePeriod) -> list[int]:
    """The ids of the pastoral sessions with a pupil whom a period of remote learning covers."""
    query = select(_session.id).where(
        _session.purpose == Purpose.PASTORAL, _session.day.between(period.from_, period.to)
    )
    named = {"school": period.schools, "year_group": period.years, "house": period.houses}
    if any(named.values()):
        query = query.where(_has_pupil_of(connection, named))
    return list(connection.scalars(query))


def _has_pupil_of(connection: Connection, named: Mapping[str, Collection[str]]) -> ColumnElement[bool]:
    """Whether a session has a pupil who on its day was in one of the groups that are named, by the roster's column."""
    of_session, pupil = tables.session_pupils.c, valid_versions(tables.pupil_versions)
    conditions = [
        of_session.session_id == _session.id,
        of_session.pupil_id == pupil.c.pupil_id,
        valid_on(pupil, _session.day),
    ]
    for column, names in named.items():
        if names:
            wanted = {fold(read_year(name)) for name in names}
            known = connection.scalars(select(pupil.c[column]).distinct())
            conditions.append(pupil.c[column].in_([group for group in known if fold(read_year(group)) in wanted]))
    return exists().where(*conditions)
