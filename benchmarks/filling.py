"""A database with any number of sessions, on which the pages run as on a real school's: the fictional school with its
people and its own sessions, and more sessions over three years, judged by the real rules."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, select

from app.demo.filling import fill
from app.judging import breaches
from app.judging.upkeep import refresh
from app.protocol.evidence import Evidence
from app.protocol.judge import judge
from app.school import School, open_school
from app.store import reading, session_days, tables
from app.store.outcomes import current_clause_set
from app.store.writing import insert_rows, raise_revision
from benchmarks.frames import school as frames

_OWN = 600  # the fictional school's own sessions, with its concerns, breaches and registers
_AT_ONCE = 50_000
_UNRESOLVED_FOR = timedelta(days=28)  # older breaches have been resolved


def filled(url: str, sessions: int) -> School:
    """Fill the empty database at `url` with the fictional school and this many further sessions."""
    fill(open_school(url), sessions=_OWN)
    school = open_school(url)
    refresh(school)  # while it is small: all that is added below is judged by the same program
    evidence = _moved(frames(sessions), school)
    with school.writing() as connection:
        known = reading.read_evidence(connection, pupils=range(1, 10_000))
        first = int(connection.scalar(select(func.max(tables.logs.c.id))) or 0) + 1
        people = replace(known, **{name: getattr(evidence, name) for name in _COMING})
        for start in range(0, sessions, _AT_ONCE):
            part = _part(people, start, start + _AT_ONCE)
            _keep(connection, school, part, first, np.random.default_rng(start))
        session_days.pack(connection)
        raise_revision(connection)
        connection.exec_driver_sql("analyze")
    return school


_COMING = ("logs", "log_pupils", "calls", "stays", "videos")


def _moved(evidence: Evidence, school: School) -> Evidence:
    """The evidence with its times moved so that it ends yesterday, and with the school's tenant."""
    shift = pd.Timestamp(school.today(), tz="UTC") - evidence.logs["started_at"].max().normalize() - timedelta(days=1)
    moved = {}
    for name in _COMING:
        frame = getattr(evidence, name)
        times = {column: frame[column] + shift for column in frame.select_dtypes("datetimetz")}
        words = {column: school.settings.tenant_id for column in ("tenant", "organiser_tenant") if column in frame}
        moved[name] = frame.assign(**times, **words)
    return replace(evidence, **moved)


def _part(evidence: Evidence, first: int, last: int) -> Evidence:
    """The evidence of the sessions numbered from `first` to before `last`. Their logs and calls have the same numbers,
    in order of time."""
    low, high = f"call-{first:08d}", f"call-{last:08d}"

    def within(frame: pd.DataFrame) -> pd.DataFrame:
        if "log_id" in frame:
            return frame[(frame["log_id"] >= first) & (frame["log_id"] < last)]
        return frame[(frame["call_id"] >= low) & (frame["call_id"] < high)]

    return replace(evidence, **{name: within(getattr(evidence, name)) for name in _COMING})


def _keep(connection: Connection, school: School, part: Evidence, first: int, chance: np.random.Generator) -> None:
    judged = judge(part, school.settings, school.now())
    number = chance.integers(1, 2**53, len(judged.sessions))
    sessions = judged.sessions.assign(id=number, log_id=judged.sessions["log_id"] + first)
    now = pd.Timestamp(school.now())
    logs = part.logs.assign(
        id=part.logs["log_id"] + first, version=1, current=True, fingerprint="", entered_at=part.logs["ended_at"]
    )
    calls = part.calls.assign(id=part.calls["call_id"], version=1, reader=1, stored_at=now)
    for table, rows in (
        (tables.logs, logs),
        (tables.log_pupils, part.log_pupils.assign(log_id=part.log_pupils["log_id"] + first)),
        (tables.calls, calls),
        (tables.call_stays, part.stays),
        (tables.call_videos, part.videos),
        (tables.sessions, sessions.assign(day=sessions["day"].dt.date, clause_set_id=current_clause_set(connection))),
        (tables.session_calls, judged.calls.assign(session_id=number[judged.calls["session"]])),
        (tables.session_pupils, judged.pupils.assign(session_id=number[judged.pupils["session"]])),
    ):
        insert_rows(connection, table, rows)
    recent = sessions[sessions["started_at"] > now - _UNRESOLVED_FOR]
    if len(recent):
        breaches.update_breaches(connection, recent[["id", "confidential", "codes"]], set(), school.now())
