"""Judging, compared with the same interval rules in DuckDB SQL on the same frames in the same run.

The interval rules are those about who was in the call and when: how long pupils waited for staff and stayed after them,
when they were alone for longer than the grace, and for what share of their time their cameras were on.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from app.protocol.evidence import Evidence
from app.protocol.facts import SessionFacts
from app.protocol.judge import judge
from app.settings import Settings, load_settings
from benchmarks.frames import school

NOW = datetime(2026, 9, 1, tzinfo=UTC)

_SPANS = """
    select call_id,
        min(joined_at) filter (staff_id is not null) as staff_came,
        max(left_at) filter (staff_id is not null) as staff_went,
        min(joined_at) filter (pupil_id is not null) as pupil_came,
        max(left_at) filter (pupil_id is not null) as pupil_went
    from stays group by call_id
"""

# Adds up joining and leaving over time, then joins consecutive stretches with a pupil and without staff.
_ALONE = f"""
    with spans as ({_SPANS}),
    steps as (
        select call_id, joined_at as moment, (pupil_id is not null)::int as p, (staff_id is not null)::int as s
        from stays
        union all
        select call_id, left_at, -(pupil_id is not null)::int, -(staff_id is not null)::int from stays
    ),
    instants as (select call_id, moment, sum(p) as p, sum(s) as s from steps group by call_id, moment),
    counted as (
        select call_id, moment, lead(moment) over w as until, sum(p) over w as pupils, sum(s) over w as staff
        from instants window w as (partition by call_id order by moment)
    ),
    flagged as (
        select call_id, moment, until, pupils > 0 and staff = 0 and moment >= staff_came as alone
        from counted join spans using (call_id) where until is not null
    ),
    grouped as (
        select *, sum((not alone)::int) over (partition by call_id order by moment) as stretch from flagged
    )
    select call_id, min(moment) as from_at, max(until) as to_at from grouped where alone
    group by call_id, stretch having epoch_us(max(until)) - epoch_us(min(moment)) > 10000000
"""

_CAMERA = """
    with pieces as (
        select call_id, person, joined_at as a, left_at as b, 1 as s, 0 as v from stays where pupil_id is not null
        union all
        select v.call_id, v.person, v.started_at, v.ended_at, 0, 1 from videos v
        semi join (select call_id, person from stays where pupil_id is not null) p using (call_id, person)
        where v.started_at is not null
    ),
    steps as (
        select call_id, person, a as moment, s, v from pieces
        union all
        select call_id, person, b, -s, -v from pieces
    ),
    instants as (select call_id, person, moment, sum(s) as s, sum(v) as v from steps group by all),
    counted as (
        select call_id, person, epoch_us(lead(moment) over w) - epoch_us(moment) as lasted,
            sum(s) over w > 0 as present, sum(v) over w > 0 as filmed
        from instants window w as (partition by call_id, person order by moment)
    )
    select call_id, person, sum(lasted) filter (present and filmed) / sum(lasted) filter (present) as share
    from counted group by call_id, person having sum(filmed::int) > 0
"""


def by_sql(evidence: Evidence) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Spans of presence, stretches in which pupils were alone, and camera shares, computed by DuckDB."""
    connection = duckdb.connect()
    connection.register("stays", evidence.stays[["call_id", "person", "staff_id", "pupil_id", "joined_at", "left_at"]])
    connection.register("videos", evidence.videos)
    return tuple(connection.execute(sql).df() for sql in (_SPANS, _ALONE, _CAMERA))


def by_rules(evidence: Evidence, settings: Settings) -> SessionFacts:
    """The same, computed by the program's rules."""
    facts = SessionFacts(evidence, settings, NOW)
    _ = facts.staff_span, facts.pupil_span, facts.alone, facts.cameras
    return facts


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Do the work, and return the seconds that it took, and its result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def agree(facts: SessionFacts, sql: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> None:
    """Assert that both found the same: otherwise, the comparison means nothing."""
    spans, alone, camera = sql
    waited = facts.pupil_span[0] < facts.staff_span[0]
    assert int(waited.sum()) == int((spans["pupil_came"] < spans["staff_came"]).sum())
    assert len(facts.alone) == len(alone)
    share = facts.cameras["least"].dropna()
    assert len(share) == len(camera)
    assert np.isclose(share.sum(), camera["share"].sum())


def measure(sessions: int) -> dict[str, float]:
    """The seconds for this many sessions: `rules` and `sql` (the interval rules), and `judging` (matching and all
    clauses)."""
    settings = load_settings().model_copy(update={"tenant_id": "school"})
    evidence = school(sessions)
    calls_only = Evidence(
        calls=evidence.calls, stays=evidence.stays, videos=evidence.videos, staff=evidence.staff, pupils=evidence.pupils
    )
    sql, found = timed(lambda: by_sql(evidence))
    rules, facts = timed(lambda: by_rules(calls_only, settings))
    agree(facts, found)
    judging, _ = timed(lambda: judge(evidence, settings, NOW))
    return {"rules": rules, "sql": sql, "judging": judging}


def judged_once(sessions: int) -> None:
    """Judge this many sessions, in a process of its own whose memory is measured."""
    judge(school(sessions), load_settings().model_copy(update={"tenant_id": "school"}), NOW)
