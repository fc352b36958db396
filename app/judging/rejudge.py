"""Judging what a write touches, and keeping the outcomes.

Which sessions there are follows from matching logs with calls, and only logs and calls whose times lie
near each other can match. So when a log or a call comes or changes, everything in the same stretch of
the day is judged again; when a register changes, only the sessions of its pupils are. Judging a part
gives what judging everything would give.
"""

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, String, delete, literal, or_, select

from app.judging import breaches
from app.judging.fingerprint import rules_fingerprint
from app.protocol.evidence import COLUMNS, Evidence, empty
from app.protocol.frames import Ints, micros
from app.protocol.judge import Judged, judge
from app.records.logs import Log
from app.school import School
from app.settings import Settings
from app.store import reading, session_days, tables
from app.store.concerns import known_category
from app.store.outcomes import current_clause_set
from app.store.writing import get_meta, insert_rows, raise_revision, set_meta
from app.vocabulary import ConcernCategory

_NEAR = timedelta(days=2)  # further apart than a log and a call can be and still touch
_AT_ONCE = 50_000  # sessions judged in one go
_JUDGED_BY = "judged_by"  # the fingerprint of the settings and clauses of the last judgement
_NUMBERS = 2**53  # of sessions: so many that none is drawn twice


@dataclass
class Touched:
    """What a write touched: times of logs and calls that came, changed or went (microseconds), and
    sessions, by number, whose registers changed."""

    times: list[tuple[int, int]] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)


def rejudge(connection: Connection, settings: Settings, touched: Touched, now: datetime) -> None:
    """Judge again what a write touched, in its transaction."""
    if touched.times:
        for logs, calls in _stretches(connection, settings, np.array(touched.times, np.int64)):
            _judge(connection, settings, now, logs, calls)
    if touched.sessions:
        _judge(connection, settings, now, *_evidence_of(connection, touched.sessions))


def rejudge_log(
    connection: Connection, settings: Settings, log_id: int, before: int | None, now: datetime
) -> pd.DataFrame:
    """Judge again what a log, which came in place of the one `before`, touched, and say why it was judged so: of its
    session `clause`, `outcome`, `evidence`, `disputed`, `reason`."""
    logs, calls = _met(connection, settings, [log_id] if before is None else [log_id, before])
    current = [log for log in logs if log != before]
    return _of_log(_judge(connection, settings, now, current, calls, reasons=True), log_id)


def _met(connection: Connection, settings: Settings, versions: Sequence[int]) -> tuple[list[int], list[str]]:
    """The current logs and the calls that the matching of some versions of a log can depend on: those with one of
    their pupils at about the same time, those with one of these pupils then, and so on. At a large school that is a
    few of the thousands of a day."""
    log, of_log, call, stay = tables.logs.c, tables.log_pupils.c, tables.calls.c, tables.call_stays.c
    of_logs = select(log.id.label("of"), of_log.pupil_id, log.started_at, log.ended_at).join(tables.log_pupils)
    of_calls = select(call.id.label("of"), stay.pupil_id, call.started_at, call.ended_at).join(tables.call_stays)
    begun = [reading.frame(connection, of_logs.where(log.id.in_(versions)))]
    times = np.column_stack([micros(begun[0]["started_at"]), micros(begun[0]["ended_at"])])
    for logs, calls in _stretches(connection, settings, times):
        begun.append(reading.frame(connection, of_logs.where(reading.is_among(connection, log.id, logs))))
        begun.append(reading.frame(connection, of_calls.where(reading.is_among(connection, call.id, calls))))
    there = pd.concat(begun, ignore_index=True).dropna(subset=["pupil_id"])
    of, pupil = there["of"].tolist(), there["pupil_id"].tolist()
    starts, ends = micros(there["started_at"]).tolist(), micros(there["ended_at"]).tolist()
    rows_of, with_pupil = there.groupby("of", sort=False).indices, there.groupby("pupil_id", sort=False).indices
    apart = _apart(settings)
    found: set[int | str] = set(versions)
    waiting = [row for version in versions for row in rows_of.get(version, ())]
    while waiting:
        one = waiting.pop()
        for other in with_pupil[pupil[one]]:
            meets = starts[other] <= ends[one] + apart and ends[other] >= starts[one] - apart
            if meets and of[other] not in found:
                found.add(of[other])
                waiting.extend(rows_of[of[other]])
    return [i for i in found if isinstance(i, int)], [i for i in found if isinstance(i, str)]


def _of_log(judged: Judged, log_id: int) -> pd.DataFrame:
    number = judged.sessions.index[judged.sessions["log_id"] == log_id][0]
    table = judged.table()
    return table[table["session"] == number].drop(columns="session").reset_index(drop=True)


def _evidence_of(connection: Connection, sessions: Collection[int]) -> tuple[list[int], list[str]]:
    """The logs and the calls of some sessions."""
    session, of_call = tables.sessions.c, tables.session_calls.c
    mine = reading.is_among(connection, session.id, sessions)
    logs = connection.scalars(select(session.log_id).where(mine, session.log_id.is_not(None)))
    calls = connection.scalars(select(of_call.call_id).join(tables.sessions).where(mine))
    return list(logs), list(calls)


def refresh(school: School, telling: Callable[[], AbstractContextManager[Any]] = nullcontext) -> None:
    """Judge again what the clock alone changed: calls whose time to be logged has passed; and everything, if the
    settings or the rules have changed, which takes a while: `telling` says so."""
    current = rules_fingerprint(school.settings)
    due = select(tables.sessions.c.id).where(tables.sessions.c.due_at <= school.now())
    with school.engine.connect() as connection:
        if get_meta(connection, _JUDGED_BY) == current and connection.scalar(due.limit(1)) is None:
            return
    with school.writing() as connection:
        now = school.now()
        if get_meta(connection, _JUDGED_BY) != current:
            everything = Touched(times=[(-(2**62), 2**62)])
            with telling():
                rejudge(connection, school.settings, everything, now)
            set_meta(connection, _JUDGED_BY, current)
        else:
            rejudge(connection, school.settings, Touched(sessions=set(connection.scalars(due))), now)
        raise_revision(connection)


def preview_log(school: School, log: Log) -> pd.DataFrame:
    """What a log would be judged, before it is kept: `clause`, `outcome`, `evidence`, `disputed`, `reason`.

    It is matched with the calls near it that no other log has. A concern told in words would be opened, so
    it counts as reported."""
    call, of_call, session, kept = tables.calls.c, tables.session_calls, tables.sessions, tables.logs
    near = timedelta(microseconds=_apart(school.settings))
    free = (
        select(call.id)
        .join(of_call, of_call.c.call_id == call.id)
        .join(session, session.c.id == of_call.c.session_id)
        .outerjoin(kept, kept.c.id == session.c.log_id)
        .where(
            or_(kept.c.id.is_(None), kept.c.ref == log.ref),
            call.started_at <= log.ended_at + near,
            call.ended_at >= log.started_at - near,
        )
    )
    with school.engine.connect() as connection:
        found = reading.evidence(connection, calls=connection.scalars(free).all(), pupils=log.pupil_ids)
    evidence = _as_logged(found, [log])
    return _of_log(judge(evidence, school.settings, school.now(), reasons=True), 0)


def preview_plans(connection: Connection, settings: Settings, plans: Sequence[Log]) -> pd.DataFrame:
    """What each plan would be judged, held and logged as it is planned, with no call record: `plan` (its place),
    `clause`, `outcome`, `evidence`, `disputed`, `reason`. What a plan leaves blank has no evidence."""
    found = reading.evidence(connection, pupils={pupil for plan in plans for pupil in plan.pupil_ids})
    held = max((plan.ended_at for plan in plans), default=tables.EPOCH)
    judged = judge(_as_logged(found, plans), settings, held, reasons=True)
    table = judged.table()
    table.insert(0, "plan", table.pop("session").map(judged.sessions["log_id"]).astype("int64"))
    return table


def _as_logged(found: Evidence, logs: Sequence[Log]) -> Evidence:
    """The evidence with these logs in it, by their places, as if they were kept."""
    kept, pupils, invited, concerns = [], [], [], []
    for place, log in enumerate(logs):
        row = log.answers | {"log_id": place, "ref": log.ref, "staff_id": log.staff_id}
        kept.append(row | {"started_at": log.started_at, "ended_at": log.ended_at})
        pupils += [{"log_id": place, "pupil_id": pupil} for pupil in log.pupil_ids]
        invited += [{"log_id": place, "staff_id": staff} for _, staff in log.invited]
        if log.answers["concern"] and log.answers["concern_summary"]:
            home_alone = known_category(log.answers["concern_category"]) == ConcernCategory.HOME_ALONE
            concerns.append({"log_id": place, "alerted": True, "home_alone": home_alone})
    return replace(
        found,
        logs=_frame("logs", kept),
        log_pupils=_frame("log_pupils", pupils),
        log_invited=_frame("log_invited", invited),
        concerns=_frame("concerns", concerns),
    )


def _frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A frame of evidence from rows."""
    if not rows:
        return empty(name)
    return pd.DataFrame(rows, columns=list(COLUMNS[name])).astype(COLUMNS[name])


def _stretches(connection: Connection, settings: Settings, times: Ints) -> Iterator[tuple[list[int], list[str]]]:
    """The current logs and the calls of each stretch of time that `times` touch. A stretch ends where
    for longer than any tolerance there is neither a log nor a call."""
    log, call = tables.logs.c, tables.calls.c
    first, last = _instants(times[:, 0].min(), times[:, 1].max())
    near = [
        reading.frame(connection, query)
        for query in (
            select(log.id, log.started_at, log.ended_at).where(log.current, log.started_at.between(first, last)),
            select(call.id, call.started_at, call.ended_at).where(call.started_at.between(first, last)),
        )
    ]
    near[0]["is_log"], near[1]["is_log"] = True, False
    both = pd.concat(near, ignore_index=True).sort_values("started_at", ignore_index=True)
    if both.empty:
        return
    tolerance = _apart(settings)
    starts, reached = micros(both["started_at"]), np.maximum.accumulate(micros(both["ended_at"]))
    stretch = np.cumsum(np.append(True, starts[1:] > reached[:-1] + tolerance)) - 1
    begins = starts[np.append(True, np.diff(stretch) > 0)]
    ends = np.maximum.reduceat(reached, np.flatnonzero(np.append(True, np.diff(stretch) > 0)))
    counts = np.zeros(len(begins) + 1, np.int64)
    # What a time touches: from the first stretch that ends after it to the last that begins before it.
    np.add.at(counts, np.searchsorted(ends + tolerance, times[:, 0]), 1)
    np.add.at(counts, np.searchsorted(begins - tolerance, times[:, 1], side="right"), -1)
    touched = np.cumsum(counts)[:-1] > 0
    wanted = both.assign(stretch=stretch)[touched[stretch]]
    chunk = wanted.groupby("stretch").size().cumsum() // _AT_ONCE
    for _, part in wanted.groupby(wanted["stretch"].map(chunk)):
        yield part.loc[part["is_log"], "id"].tolist(), part.loc[~part["is_log"], "id"].tolist()


def _apart(settings: Settings) -> int:
    """How far apart a log and a call may lie and still match, by any of the rules, in microseconds."""
    return int(max(rules.match_minutes for rules in settings.rules) * 60_000_000)


def _instants(first: int, last: int) -> tuple[datetime, datetime]:
    a, b = (tables.EPOCH + timedelta(microseconds=int(np.clip(time, -(10**15), 10**17))) for time in (first, last))
    return a - _NEAR, b + _NEAR


def _judge(
    connection: Connection, settings: Settings, now: datetime, logs: list[int], calls: list[str], reasons: bool = False
) -> Judged:
    """Judge some logs and calls, whole sessions of them, and keep the sessions in place of what was."""
    before = _sessions_of(connection, logs, calls)
    judged = judge(reading.evidence(connection, logs=logs, calls=calls), settings, now, reasons=reasons)
    number = _numbers(connection, judged, before)
    remove_sessions(connection, before["session_id"].unique().tolist())
    sessions = judged.sessions.assign(id=number, clause_set_id=current_clause_set(connection))
    kept = sessions[[c.name for c in tables.sessions.c]]
    for table, rows in (
        (tables.sessions, kept.assign(day=kept["day"].dt.date)),
        (tables.session_calls, judged.calls.assign(session_id=number[judged.calls["session"]])),
        (tables.session_pupils, judged.pupils.assign(session_id=number[judged.pupils["session"]])),
    ):
        insert_rows(connection, table, rows)
    gone = set(before["session_id"]) - set(number.tolist())
    breaches.update_breaches(connection, sessions[["id", "confidential", "codes"]], gone, now)
    session_days.pack(connection)
    return judged


def _sessions_of(connection: Connection, logs: list[int], calls: list[str]) -> pd.DataFrame:
    """The sessions that hold some logs (any version of theirs) or calls: `session_id`, and the `ref` or
    `call_id` by which each is known, its log's first."""
    log, session, of_call = tables.logs, tables.sessions.c, tables.session_calls.c
    refs = select(log.c.ref).where(reading.is_among(connection, log.c.id, logs))
    blank = literal(None, String)
    by_log = select(session.id.label("session_id"), log.c.ref, blank.label("call_id")).join(
        log, log.c.id == session.log_id
    )
    by_call = select(of_call.session_id, blank.label("ref"), of_call.call_id)
    return pd.concat(
        [
            reading.frame(connection, by_log.where(log.c.ref.in_(refs))),
            reading.frame(
                connection, by_call.where(reading.is_among(connection, of_call.call_id, calls)).order_by(of_call.place)
            ),
        ],
        ignore_index=True,
    )


def _numbers(connection: Connection, judged: Judged, before: pd.DataFrame) -> Ints:
    """A number for each judged session: the one it had, by its log or else by its call, so that a link to
    a session goes on leading there; a new one where it had none."""
    log = tables.logs.c
    refs = reading.frame(
        connection,
        select(log.id, log.ref).where(
            reading.is_among(connection, log.id, judged.sessions["log_id"].dropna().tolist())
        ),
    )
    ref = judged.sessions["log_id"].map(refs.set_index("id")["ref"])
    by_log = ref.map(before.dropna(subset=["ref"]).drop_duplicates("ref").set_index("ref")["session_id"])
    by_call = judged.sessions["call_id"].map(before.dropna(subset=["call_id"]).set_index("call_id")["session_id"])
    by_call = by_call.mask(by_call.isin(by_log.dropna()))
    number = by_log.fillna(by_call)
    number = number.mask(number.duplicated())
    new = number.isna().to_numpy(bool)
    numbers = number.fillna(0).to_numpy(np.int64, copy=True)
    # Drawn, not counted up: gaps in a sequence would tell how many sessions of counselling there are.
    numbers[new] = [secrets.randbelow(_NUMBERS) + 1 for _ in range(int(new.sum()))]
    return np.asarray(numbers)


def remove_sessions(connection: Connection, sessions: Collection[int]) -> None:
    """Remove sessions; the caller packs their days again (`app.store.session_days`)."""
    for table, key in (
        (tables.session_pupils, tables.session_pupils.c.session_id),
        (tables.session_calls, tables.session_calls.c.session_id),
        (tables.sessions, tables.sessions.c.id),
    ):
        connection.execute(delete(table).where(reading.is_among(connection, key, sessions)))
