"""Brings a school up to date with the program, the settings and the time."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import Connection, select

from app.judging.call_rows import reread_originals
from app.judging.fingerprint import rules_fingerprint
from app.judging.rejudge import Affected, rejudge
from app.judging.settings_changes import find_affected
from app.records.evidence.calls import READER
from app.school import School
from app.store import tables
from app.store.writing import get_meta, raise_revision, set_meta

_JUDGED_BY = "judged_by"  # the fingerprint of the settings and clauses of the last judgement
_READ_BY = "read_by"  # the reader that read all call records whose originals are stored


def refresh(school: School, announce: Callable[[], AbstractContextManager[Any]] = nullcontext) -> None:
    """Judge again the sessions whose outcomes change as time passes, since the time to log their call is over. If the
    reader of call records has improved, read their originals again first; if it, the settings or the rules have
    changed, judge everything again: within `announce()`, since both take a while."""
    current = {_JUDGED_BY: rules_fingerprint(school.settings), _READ_BY: str(READER)}
    due = select(tables.sessions.c.id).where(tables.sessions.c.due_at <= school.now())
    with school.engine.connect() as connection:
        is_current = all(get_meta(connection, key) == value for key, value in current.items())
        if is_current and connection.scalar(due.limit(1)) is None:
            return
    with school.writing() as connection:
        school = school.as_of(connection)
        current[_JUDGED_BY] = rules_fingerprint(school.settings)
        changed = {key: value for key, value in current.items() if get_meta(connection, key) != value}
        if changed:
            with announce():
                if _READ_BY in changed:
                    reread_originals(connection, school)
                rejudge(connection, school, Affected(times=[(-(2**62), 2**62)]))
            for key, value in changed.items():
                set_meta(connection, key, value)
        else:
            rejudge(connection, school, Affected(sessions=set(connection.scalars(due))))
        raise_revision(connection)


def rejudge_changed_settings(connection: Connection, before: School, after: School) -> None:
    """Judge again what a change of the protocol affects, in its transaction."""
    rejudge(connection, after, find_affected(connection, before.settings, after.settings))
    if get_meta(connection, _JUDGED_BY) == rules_fingerprint(before.settings):
        set_meta(connection, _JUDGED_BY, rules_fingerprint(after.settings))
