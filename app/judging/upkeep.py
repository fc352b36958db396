"""Brings a school up to date with the program, the settings and the time."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from app.judging import spot_checks
from app.judging.call_rows import reread_originals
from app.judging.fingerprint import READER, rules_fingerprint
from app.judging.programs import check_in
from app.judging.rejudge import EVERYTHING, Affected, rejudge
from app.judging.settings_changes import find_affected
from app.school import School
from app.settings import Settings
from app.store import reading, tables
from app.store.outcomes import decode_outcomes
from app.store.writing import get_meta, raise_revision, set_meta
from app.vocabulary.terms import Outcome

_JUDGED_BY = "judged_by"  # the fingerprint of the settings and clauses of the last judgement
_DRAWN_BY = "drawn_by"  # the fingerprint of the settings of the last draw of spot checks
_READ_BY = "read_by"  # the reader that read all call records whose originals are stored


def refresh(school: School, announce: Callable[[], AbstractContextManager[Any]] = nullcontext) -> None:
    """Judge again the sessions whose outcomes change as time passes, since the time to log their call is over, and
    those for which it seemed to be by a clock that was ahead. If the reader of call records has improved, read their
    originals again first; if it, the settings or the rules have changed, judge everything again: within `announce()`,
    since both take a while. If the terms or the shares have changed, draw the spot checks again."""
    current = _list_current(school.settings)
    due = select(tables.sessions.c.id).where(tables.sessions.c.due_at <= school.now())
    with school.engine.connect() as connection:
        is_current = all(get_meta(connection, key) == value for key, value in current.items())
        if is_current and connection.scalar(due.limit(1)) is None and not _find_judged_too_early(connection, school):
            return
    with school.writing() as connection:
        check_in(connection)
        school = school.as_of(connection)
        current = _list_current(school.settings)
        changed = {key: value for key, value in current.items() if get_meta(connection, key) != value}
        if changed.keys() - {_DRAWN_BY}:
            with announce():
                if _READ_BY in changed:
                    reread_originals(connection, school)
                rejudge(connection, school, Affected(times=[EVERYTHING]))
        else:
            early = _find_judged_too_early(connection, school)
            rejudge(connection, school, Affected(sessions={*connection.scalars(due), *early}))
        if _DRAWN_BY in changed:
            spot_checks.draw_again(connection, school)
        for key, value in changed.items():
            set_meta(connection, key, value)
        raise_revision(connection)


def _list_current(settings: Settings) -> dict[str, str]:
    """What the database remembers of a school that is up to date."""
    return {
        _JUDGED_BY: rules_fingerprint(settings),
        _READ_BY: str(READER),
        _DRAWN_BY: spot_checks.fingerprint_settings(settings),
    }


def _find_judged_too_early(connection: Connection, school: School) -> set[int]:
    """The sessions that were judged as not logged in time although there still is time, because the clock was ahead."""
    now, session = school.now(), tables.sessions.c
    longest = max(rules.log_within_hours for rules in school.settings.rules)
    facts = (session.id, session.day, session.ended_at, session.codes, session.clause_set_id)
    query = select(*facts).where(
        session.day >= (now - timedelta(hours=longest + 24)).date(),
        session.ended_at > now - timedelta(hours=longest),
        session.log_id.is_(None),
        session.due_at.is_(None),
    )
    rows = reading.read_frame(connection, query)
    if rows.empty:
        return set()
    hours = [school.settings.rules_on(day.date()).log_within_hours for day in rows["day"]]
    is_early = rows["ended_at"] + pd.to_timedelta(hours, unit="h") > pd.Timestamp(now)
    is_late = decode_outcomes(connection, rows)["logged"] == Outcome.BREACH
    return set(rows.loc[is_early & is_late.to_numpy(), "id"].tolist())


def rejudge_changed_settings(connection: Connection, before: School, after: School) -> None:
    """Judge again what a change of the protocol affects, in its transaction."""
    rejudge(connection, after, find_affected(connection, before.settings, after.settings))
    if get_meta(connection, _JUDGED_BY) == rules_fingerprint(before.settings):
        set_meta(connection, _JUDGED_BY, rules_fingerprint(after.settings))
