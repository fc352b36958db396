"""The sessions of some days judged again under other settings; nothing is saved."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from sqlalchemy import Select, not_, select

from app.access.policy import Days, Person, get_scopes, require
from app.access.scope import SESSION, in_school_time, is_confidential, is_during, with_staff_name
from app.judging.parts import find_sessions, read_part
from app.judging.what_if import WhatIf, compare
from app.protocol.judge import decode, judge
from app.school import School
from app.settings import Settings
from app.store import reading
from app.vocabulary.roles import Resource, Scope

_AT_ONCE = 2_500  # sessions between two calls of `progress`


def run_what_if(
    school: School, person: Person, days: Days, other: Settings, progress: Callable[[float], object] = lambda _: None
) -> WhatIf:
    """How the outcomes of the days' sessions would differ under other settings; confidential sessions are left out.
    `progress` is called with the share done.

    Only the Senior Deputy Head and SLT may ask, and SLT gets no list of sessions. Raises NotAllowedError for anybody
    else."""
    require(person, Resource.WHAT_IF)
    with_sessions = Scope.WITH_SESSIONS in get_scopes(person, Resource.WHAT_IF)
    now = school.now()
    codes = [pd.DataFrame(columns=["was", "would_be"])]
    with school.engine.connect() as connection:
        sessions = reading.read_frame(connection, _select_sessions(days))
        for first in range(0, len(sessions), _AT_ONCE):
            some = sessions["session_id"].iloc[first : first + _AT_ONCE].tolist()
            evidence = read_part(connection, school.settings, some)
            # Both are judged now, so that the time that has passed since makes no difference.
            before, after = (judge(evidence, settings, now) for settings in (school.settings, other))
            number = find_sessions(connection, before, some)
            columns = {"was": before.sessions["codes"], "would_be": after.sessions["codes"]}
            codes.append(pd.DataFrame(columns).loc[number])
            progress(min((first + _AT_ONCE) / len(sessions), 1.0))
    whole = pd.concat(codes, ignore_index=True)
    result = compare(decode(whole["was"]), decode(whole["would_be"]), in_school_time(school, sessions))
    changes = result.changes if with_sessions else result.changes.iloc[:0]
    return WhatIf(result.sessions, result.clauses, result.departments, changes)


def _select_sessions(days: Days) -> Select[Any]:
    """The sessions of the days that are not confidential."""
    query = (
        select(SESSION.id.label("session_id"), *(SESSION[name] for name in ("started_at", "department", "purpose")))
        .where(is_during(days), not_(is_confidential()))
        .order_by(SESSION.started_at, SESSION.id)
    )
    return with_staff_name(query, "staff_name", SESSION.staff_id, SESSION.day)
