"""The sessions of some days judged again under other figures; nothing is saved."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Select, and_, not_, select

from app.access.policy import Days, Person, get_scopes, require
from app.access.scope import SESSION, in_school_time, is_confidential, is_during, with_staff_name
from app.judging.what_if import WhatIf, compare
from app.protocol.judge import decode, judge
from app.school import School
from app.settings import replace_figures
from app.store import reading, tables
from app.vocabulary import Resource, Scope

_AT_ONCE = 2_500  # sessions between two calls of `progress`


def run_what_if(
    school: School,
    person: Person,
    days: Days,
    figures: Mapping[str, Any],
    progress: Callable[[float], object] = lambda _: None,
) -> WhatIf:
    """How the outcomes of the days' sessions would differ under other figures of the rules (entries as in the settings
    file); confidential sessions are left out. `progress` is called with the share done.

    Only the Senior Deputy Head and SLT may ask, and SLT gets no list of sessions. Raises NotAllowedError for anybody
    else, SettingsError for wrong figures."""
    require(person, Resource.WHAT_IF)
    with_sessions = Scope.WITH_SESSIONS in get_scopes(person, Resource.WHAT_IF)
    other, now = replace_figures(school.settings, figures), school.now()
    judged = [pd.DataFrame(columns=["log_id", "call_id", "was", "would_be"])]
    with school.engine.connect() as connection:
        sessions = reading.read_frame(connection, _select_sessions(days))
        for first in range(0, len(sessions), _AT_ONCE):
            some = sessions["session_id"].iloc[first : first + _AT_ONCE].tolist()
            evidence = reading.read_evidence(connection, session_ids=some)
            # Both are judged now, so that the time that has passed since makes no difference.
            before, after = (judge(evidence, settings, now).sessions for settings in (school.settings, other))
            judged.append(before[["log_id", "call_id"]].assign(was=before["codes"], would_be=after["codes"]))
            progress(min((first + _AT_ONCE) / len(sessions), 1.0))
    whole = pd.concat(judged, ignore_index=True)
    order = _find_session_ids(sessions, whole)
    in_order = sessions.set_index("session_id").loc[order].drop(columns=["log_id", "call_id"]).reset_index()
    result = compare(decode(whole["was"]), decode(whole["would_be"]), in_school_time(school, in_order))
    changes = result.changes if with_sessions else result.changes.iloc[:0]
    return WhatIf(result.sessions, result.clauses, result.departments, changes)


def _select_sessions(days: Days) -> Select[Any]:
    """The sessions of the days that are not confidential, each with its log or first call."""
    first_call = tables.session_calls.c
    query = (
        select(
            SESSION.id.label("session_id"),
            *(SESSION[name] for name in ("started_at", "department", "purpose", "log_id")),
            first_call.call_id,
        )
        .outerjoin(tables.session_calls, and_(first_call.session_id == SESSION.id, first_call.place == 0))
        .where(is_during(days), not_(is_confidential()))
        .order_by(SESSION.started_at, SESSION.id)
    )
    return with_staff_name(query, "staff_name", SESSION.staff_id, SESSION.day)


def _find_session_ids(sessions: pd.DataFrame, judged: pd.DataFrame) -> pd.Series:
    """The id of each session that was judged, found by its log or else its call."""
    by_log = sessions.dropna(subset=["log_id"]).set_index("log_id")["session_id"]
    by_call = sessions[sessions["log_id"].isna()].set_index("call_id")["session_id"]
    return judged["log_id"].map(by_log).fillna(judged["call_id"].map(by_call)).astype("int64")
