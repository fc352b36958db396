"""By when breaches are to be resolved: some school days after they were opened, as the settings say. And for how many
days something has waited."""

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, func, select

from app.school import School
from app.store import tables
from app.vocabulary.terms import BreachEventKind

_breach, _event = tables.breaches.c, tables.breach_events.c


def last_opened() -> ColumnElement[Any]:
    """When a breach was last opened, as a column of a query of breaches: while it was closed, nobody could resolve
    it."""
    reopened = select(func.max(_event.occurred_at)).where(
        _event.breach_id == _breach.id, _event.kind == BreachEventKind.REOPENED
    )
    return func.coalesce(reopened.correlate(tables.breaches).scalar_subquery(), _breach.opened_at)


def find_due_days(school: School, opened: "pd.Series[Any]", times: int = 1) -> "pd.Series[Any]":
    """The due day (`Settings.find_due_day`) of breaches that were opened at some aware times, as dates."""
    days = opened.dt.tz_convert(school.settings.timezone).dt.date
    due = {day: school.settings.find_due_day(day, times) for day in days.unique()}
    return days.map(due)


def count_days(school: School, since: "pd.Series[Any]", until: "pd.Series[Any] | None" = None) -> "pd.Series[Any]":
    """How many days passed between some aware times and others, by default until now. They are the school's days: what
    came last evening is one day old all day, so that the number does not depend on the time of day. A missing time
    gives NaN."""
    until = pd.Series(pd.Timestamp(school.now()), since.index) if until is None else until
    first, last = (
        times.dt.tz_convert(school.settings.timezone).dt.tz_localize(None).dt.normalize() for times in (since, until)
    )
    return (last - first).dt.days
