"""Which sessions a change of the protocol affects."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select

from app.judging.fingerprint import NOT_JUDGED
from app.judging.rejudge import EVERYTHING, Affected
from app.protocol.frames import Versions, days_since_1970, ids
from app.protocol.remote import find_concerned
from app.settings import RemotePeriod, Settings
from app.store import reading, tables
from app.vocabulary.terms import Purpose

_session = tables.sessions.c


def find_affected(connection: Connection, before: Settings, after: Settings) -> Affected:
    """What is to be judged again when `after` is in force instead of `before`: the days on which other figures hold,
    and the pastoral sessions that begin or cease to lie in remote learning."""
    if (before.timezone, before.tenant_id) != (after.timezone, after.tenant_id):
        return Affected(times=[EVERYTHING])
    times = [_as_times(after, *days) for days in _iter_days_of_figures(before, after)]
    changed = set(before.remote_learning) ^ set(after.remote_learning)
    sessions = {number for period in changed for number in _list_sessions(connection, period)}
    return Affected(times=times, sessions=sessions)


def _iter_days_of_figures(before: Settings, after: Settings) -> Iterator[tuple[date, date]]:
    """The days, each from one up to but not including another, for which the figures differ."""
    both = (before, after)
    edges = {rules.from_ for settings in both for rules in settings.rules}
    if before.names_weeks or after.names_weeks:
        terms = [term for settings in both for term in settings.terms]
        edges |= {term.from_ for term in terms} | {term.to + timedelta(days=1) for term in terms}
    for first, last in pairwise([date.min, *sorted(edges), date.max]):
        if _judged(before, first) != _judged(after, first):
            yield first, last


def _judged(settings: Settings, day: date) -> tuple[dict[str, Any], str | None]:
    """Everything dated that an outcome of a day depends on: the figures, and of weeks A and B which one it is in."""
    week = settings.week_on(day) if settings.names_weeks else None
    return settings.rules_on(day).model_dump(exclude=NOT_JUDGED | {"from_"}), week


def _as_times(settings: Settings, first: date, last: date) -> tuple[int, int]:
    """Days of the school as microseconds since 1970."""
    return _as_micros(settings, first), _as_micros(settings, last)


def _as_micros(settings: Settings, day: date) -> int:
    if day in (date.min, date.max):
        return EVERYTHING[day == date.max]
    begins = datetime.combine(day, time(), settings.zone).astimezone(UTC)
    return (begins - tables.EPOCH) // timedelta(microseconds=1)


def _list_sessions(connection: Connection, period: RemotePeriod) -> set[int]:
    """The ids of the pastoral sessions with a pupil whom a period of remote learning covers."""
    participant = tables.session_pupils.c
    query = (
        select(participant.session_id, participant.pupil_id, _session.day)
        .join(tables.sessions, _session.id == participant.session_id)
        .where(_session.purpose == Purpose.PASTORAL, _session.day.between(period.from_, period.to))
    )
    rows = reading.read_frame(connection, query)
    pupils = Versions(reading.read_pupils(connection, set(rows["pupil_id"].tolist())), "pupil_id")
    concerned = find_concerned(pupils, period.schools, period.years, period.houses)
    is_covered = concerned[pupils.rows(ids(rows["pupil_id"]), days_since_1970(rows["day"]))]
    return set(rows.loc[is_covered, "session_id"].tolist())
