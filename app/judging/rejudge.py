"""Judges again what a change affects, and stores the outcomes.

Sessions result from matching logs with calls, and only logs and calls whose times lie near each other can match. So
when a log or a call is added or changed, everything in the same range of time is judged again; when a register changes,
only the sessions of its pupils are. Calls with one join link on one school day are judged together. Judging a part
gives what judging everything would give.
"""

import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, or_, select, text

from app.judging import breaches, spot_checks
from app.judging.programs import check_in
from app.judging.storing import remove_sessions, replace_sessions
from app.judging.ties import add_tied_sessions, tie_ends
from app.protocol.evidence import COLUMNS, Evidence, empty
from app.protocol.frames import Ints, micros
from app.protocol.judge import Judged, judge
from app.records.logs import Log
from app.school import School
from app.settings import Settings
from app.store import reading, session_days, tables
from app.store.concerns import known_category
from app.store.outcomes import current_clause_set
from app.vocabulary.terms import CallPart, ConcernCategory

_NEAR = timedelta(days=2)  # wider than any gap across which a log and a call can match
_DAY = timedelta(days=1)
_AT_ONCE = 50_000  # sessions judged in one go
EVERYTHING = (-(2**62), 2**62)  # as times of `Affected`
_MAX_SESSION_ID = 2**53  # so large that no random id is drawn twice


@dataclass
class Affected:
    """What a change affects: `times` of logs and calls that were added, changed or removed (microseconds, from and to),
    and `sessions` whose registers changed, by id."""

    times: list[tuple[int, int]] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)


def rejudge(connection: Connection, school: School, affected: Affected) -> None:
    """Judge again what a change affects, in its transaction."""
    check_in(connection)
    school = school.as_of(connection)
    if affected.times:
        for logs, calls in _iter_time_ranges(connection, school.settings, np.array(affected.times, np.int64)):
            _judge(connection, school, logs, calls)
    if affected.sessions:
        sessions = add_tied_sessions(connection, school.settings, affected.sessions)
        _judge(connection, school, *reading.logs_and_calls(connection, sessions))


def rejudge_pupils(
    connection: Connection, school: School, pupil_ids: Collection[int], days: tuple[date, date] | None = None
) -> None:
    """Judge again all sessions of some pupils, or those of some days (from, to), in the transaction that changed what
    is on record about them."""
    participant, session = tables.session_pupils.c, tables.sessions.c
    query = select(participant.session_id).where(reading.is_among(connection, participant.pupil_id, pupil_ids))
    if days:
        query = query.join(tables.sessions, session.id == participant.session_id).where(session.day.between(*days))
    rejudge(connection, school, Affected(sessions=set(connection.scalars(query))))


def rejudge_log(connection: Connection, school: School, log_id: int, before: int | None) -> pd.DataFrame:
    """Judge again what a log affects that replaced the log `before`. Returns its session's `clause`, `outcome`,
    `evidence`, `disputed`, `reason`."""
    check_in(connection)
    school = school.as_of(connection)
    logs, calls = _list_matchable(connection, school.settings, [log_id] if before is None else [log_id, before])
    current = [log for log in logs if log != before]
    return _select_log(_judge(connection, school, current, calls, reasons=True), log_id)


def _list_matchable(connection: Connection, settings: Settings, versions: Sequence[int]) -> tuple[list[int], list[str]]:
    """The current logs and the calls on which the matching of some versions of a log can depend: those that share a
    pupil with them at about the same time, those that share a pupil with these or are tied to them by a join link, and
    so on; and what else is of their sessions. At a large school these are a few of the day's thousands."""
    log, of_log = tables.logs.c, tables.log_pupils.c
    of_logs = select(log.id.label("of"), of_log.pupil_id, log.started_at, log.ended_at).join(tables.log_pupils)
    own = reading.read_frame(connection, of_logs.where(log.id.in_(versions)))
    near = [own.assign(join_key=None)]
    times = np.column_stack([micros(own["started_at"]), micros(own["ended_at"])])
    for logs, calls in _iter_time_ranges(connection, settings, times):
        of_near = reading.read_frame(connection, of_logs.where(reading.is_among(connection, log.id, logs)))
        near += [of_near.assign(join_key=None), *_read_pupils_of_calls(connection, calls)]
    rows = pd.concat(near, ignore_index=True).dropna(subset=["pupil_id"]).drop_duplicates()
    apart = pd.Timedelta(microseconds=_find_tolerance(settings))
    reached: set[int | str] = set(versions)
    new = reached
    while new:
        of_new = rows[rows["of"].isin(new)]
        pairs = of_new.merge(rows, on="pupil_id", suffixes=("", "_other"))
        meets = (pairs["started_at_other"] <= pairs["ended_at"] + apart) & (
            pairs["ended_at_other"] >= pairs["started_at"] - apart
        )
        tied = rows["join_key"].isin(of_new["join_key"].dropna())
        new = {*pairs.loc[meets, "of_other"], *rows.loc[tied, "of"]} - reached
        new = new or _list_of_same_sessions(connection, reached) - reached
        reached |= new
    return [i for i in reached if isinstance(i, int)], [i for i in reached if isinstance(i, str)]


def _read_pupils_of_calls(connection: Connection, calls: Collection[str]) -> list[pd.DataFrame]:
    """The pupils of calls, with known and with unknown times: `of` (a call), `pupil_id`, `started_at`, `ended_at`,
    `join_key`."""
    call, frames = tables.calls.c, []
    for people in (tables.call_stays, tables.call_listed):
        query = select(call.id.label("of"), people.c.pupil_id, call.started_at, call.ended_at, call.join_key)
        query = query.join(people, people.c.call_id == call.id).where(reading.is_among(connection, call.id, calls))
        frames.append(reading.read_frame(connection, query))
    return frames


def _list_of_same_sessions(connection: Connection, some: Collection[int | str]) -> set[int | str]:
    """The current logs and the calls of the stored sessions that some logs and calls are in."""
    log, session, of_call = tables.logs.c, tables.sessions.c, tables.session_calls.c
    numbers, call_ids = [i for i in some if isinstance(i, int)], [i for i in some if isinstance(i, str)]
    is_theirs = reading.is_among(connection, session.log_id, numbers)
    sessions = {
        *connection.scalars(select(session.id).where(is_theirs)),
        *connection.scalars(select(of_call.session_id).where(reading.is_among(connection, of_call.call_id, call_ids))),
    }
    logs, calls = reading.logs_and_calls(connection, sessions)
    return {*connection.scalars(select(log.id).where(log.current, reading.is_among(connection, log.id, logs))), *calls}


def _select_log(judged: Judged, log_id: int) -> pd.DataFrame:
    number = judged.sessions.index[judged.sessions["log_id"] == log_id][0]
    table = judged.table()
    return table[table["session"] == number].drop(columns="session").reset_index(drop=True)


def preview_log(school: School, log: Log) -> pd.DataFrame:
    """How a log would be judged, before it is stored: `clause`, `outcome`, `evidence`, `disputed`, `reason`. It is
    matched with the calls of sessions near it that no other log has. A concern described in it would be opened, so it
    counts as reported."""
    call, link, session, logged = tables.calls.c, tables.session_calls.c, tables.sessions.c, tables.logs.c
    near = timedelta(microseconds=_find_tolerance(school.settings))
    free = (
        select(link.session_id)
        .join(tables.calls, call.id == link.call_id)
        .join(tables.sessions, session.id == link.session_id)
        .outerjoin(tables.logs, logged.id == session.log_id)
        .where(
            or_(logged.id.is_(None), logged.ref == log.ref),
            call.started_at <= log.ended_at + near,
            call.ended_at >= log.started_at - near,
        )
    )
    with school.engine.connect() as connection:
        near_it = add_tied_sessions(connection, school.settings, connection.scalars(free).all())
        stored = reading.read_evidence(connection, session_ids=near_it, pupils=log.pupil_ids)
    evidence = _as_logged(stored, [log])
    return _select_log(judge(evidence, school.settings, school.now(), reasons=True), 0)


def preview_plans(connection: Connection, settings: Settings, plans: Sequence[Log]) -> pd.DataFrame:
    """How each plan would be judged if it took place and was logged as planned, with no call record: `plan` (its
    position), `clause`, `outcome`, `evidence`, `disputed`, `reason`. What a plan leaves blank has no evidence."""
    stored = reading.read_evidence(connection, pupils={pupil for plan in plans for pupil in plan.pupil_ids})
    last = max((plan.ended_at for plan in plans), default=tables.EPOCH)
    judged = judge(_as_logged(stored, plans), settings, last, reasons=True)
    table = judged.table()
    table.insert(0, "plan", table.pop("session").map(judged.sessions["log_id"]).astype("int64"))
    return table


def _as_logged(stored: Evidence, logs: Sequence[Log]) -> Evidence:
    """The evidence with these logs instead of stored ones with the same reference, as if they were stored. Their ids
    are their positions; no stored log has the id 0."""
    rows, pupils, invited, concerns = [], [], [], []
    for place, log in enumerate(logs):
        row = log.answers | {"log_id": place, "ref": log.ref, "staff_id": log.staff_id}
        rows.append(row | {"started_at": log.started_at, "ended_at": log.ended_at})
        pupils += [{"log_id": place, "pupil_id": pupil} for pupil in log.pupil_ids]
        invited += [{"log_id": place, "staff_id": staff} for _, staff in log.invited]
        if log.answers["concern"] and log.answers["concern_summary"]:
            home_alone = known_category(log.answers["concern_category"]) == ConcernCategory.HOME_ALONE
            concerns.append({"log_id": place, "alerted": True, "home_alone": home_alone})
    others = stored.logs[~stored.logs["ref"].isin([log.ref for log in logs])]
    return replace(
        stored,
        logs=pd.concat([others, _create_frame("logs", rows)], ignore_index=True),
        log_pupils=pd.concat([stored.log_pupils, _create_frame("log_pupils", pupils)], ignore_index=True),
        log_invited=pd.concat([stored.log_invited, _create_frame("log_invited", invited)], ignore_index=True),
        concerns=pd.concat([stored.concerns, _create_frame("concerns", concerns)], ignore_index=True),
    )


def _create_frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A frame of evidence from rows."""
    return pd.DataFrame(rows, columns=list(COLUMNS[name])).astype(COLUMNS[name]) if rows else empty(name)


def _iter_time_ranges(connection: Connection, settings: Settings, times: Ints) -> Iterator[tuple[list[int], list[str]]]:
    """Yield the current logs and the calls of each range of time that `times` touch or that holds a call without a
    session, many ranges together. A range ends where there is neither a log nor a call for longer than any tolerance,
    and none is tied to one before it."""
    # Clip to what the database can store: the times that mean "everything" lie outside it.
    edges = [int(np.clip(edge, -(10**15), 10**17)) for edge in (times[:, 0].min(), times[:, 1].max())]
    first, last = (tables.EPOCH + timedelta(microseconds=edge) for edge in edges)
    tolerance = _find_tolerance(settings)
    near = _NEAR
    while True:
        window = _find_midnight(settings, first - near), _find_midnight(settings, last + near)
        rows = _select_ranges(_read_times(connection, settings, window), times, tolerance)
        if rows.empty or _is_whole(rows, window, tolerance):
            break
        near *= 2
    chunk = rows.groupby("time_range").size().cumsum() // _AT_ONCE
    for _, part in rows.groupby(rows["time_range"].map(chunk)):
        yield part.loc[part["is_log"], "id"].tolist(), part.loc[~part["is_log"], "id"].tolist()


def _find_midnight(settings: Settings, moment: datetime) -> datetime:
    """The beginning of the school day of a moment: calls are tied by a join link within one day only."""
    day = moment.astimezone(settings.zone).date()
    return datetime.combine(day, time(), settings.zone).astimezone(UTC)


def _select_ranges(both: pd.DataFrame, times: Ints, tolerance: int) -> pd.DataFrame:
    """Those rows of `_read_times` that lie in a range which `times` touch or which holds a call without a session, with
    the number of their `time_range`."""
    if both.empty:
        return both.assign(time_range=0)
    starts, reached = micros(both["started_at"]), np.maximum.accumulate(both["reaches"].to_numpy("int64"))
    begins = np.append(True, starts[1:] > reached[:-1] + tolerance)
    time_range = np.cumsum(begins) - 1
    ends = np.maximum.reduceat(reached, np.flatnonzero(begins))
    # A time affects the ranges from the first that ends after it to the last that begins before it.
    entered = np.searchsorted(ends + tolerance, times[:, 0])
    left = np.searchsorted(starts[begins] - tolerance, times[:, 1], side="right")
    counts = [np.bincount(edge, minlength=len(ends) + 1) for edge in (entered, left)]
    affected = np.cumsum(counts[0] - counts[1])[:-1] > 0
    affected[time_range[both["is_new"]]] = True
    return both.assign(time_range=time_range)[affected[time_range]]


def _is_whole(rows: pd.DataFrame, window: tuple[datetime, datetime], tolerance: int) -> bool:
    """Whether nothing outside a window of time can belong to the ranges of some rows in it. Calls that last longer than
    a day are among the rows wherever they began."""
    widest = pd.Timedelta(microseconds=tolerance)
    last = pd.Timestamp(rows["reaches"].max(), unit="us", tz="UTC")
    return bool(rows["started_at"].min() > window[0] + _DAY + widest and last + widest < window[1])


def _read_times(connection: Connection, settings: Settings, window: tuple[datetime, datetime]) -> pd.DataFrame:
    """The current logs and the calls that began in a window of time, and the calls that last longer than a day and
    reach into it, in order of their start: `id`, `is_log`, `started_at`, `reaches` (microseconds: the end, or that of
    the last one tied to it), `is_new` (a call without a session)."""
    log, call, link, session = tables.logs.c, tables.calls.c, tables.session_calls.c, tables.sessions.c
    of_logs = select(log.id, log.started_at, log.ended_at, session.id.label("session_id"))
    of_logs = of_logs.outerjoin(tables.sessions, session.log_id == log.id)
    of_calls = select(call.id, call.started_at, call.ended_at, call.join_key, link.session_id)
    of_calls = of_calls.outerjoin(tables.session_calls, link.call_id == call.id)
    is_long = text(tables.LONG_CALL), call.started_at < window[0], call.ended_at > window[0] - _DAY
    logs = reading.read_frame(connection, of_logs.where(log.current, log.started_at.between(*window)))
    calls = [reading.read_frame(connection, of_calls.where(call.started_at.between(*window)))]
    calls.append(reading.read_frame(connection, of_calls.where(*is_long)))
    frames = [logs.assign(is_log=True, join_key=None), *(frame.assign(is_log=False) for frame in calls)]
    both = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True).astype({"is_log": bool})
    both = both.assign(reaches=tie_ends(both, settings), is_new=~both["is_log"] & both["session_id"].isna())
    return both.drop(columns="join_key").sort_values("started_at", ignore_index=True)


def _find_tolerance(settings: Settings) -> int:
    """The widest gap across which any of the rules matches a log with a call, in microseconds."""
    return int(max(rules.match_minutes for rules in settings.rules) * 60_000_000)


def _judge(
    connection: Connection, school: School, logs: Sequence[int], calls: Sequence[str], *, reasons: bool = False
) -> Judged:
    """Judge some logs and calls, which make up whole sessions, and replace the stored sessions by the new ones."""
    by_ref, by_call = _find_stored(connection, logs, calls)
    before = {*by_ref, *by_call}
    now = school.now()
    judged = judge(reading.read_evidence(connection, logs=logs, calls=calls), school.settings, now, reasons=reasons)
    ids = _number_sessions(connection, judged, by_ref, by_call)
    touched = spot_checks.find_touched(connection, before)
    sessions = judged.sessions.assign(id=ids, clause_set_id=current_clause_set(connection))
    calls, pupils = (rows.assign(session_id=ids[rows["session"]]) for rows in (judged.calls, judged.pupils))
    replace_sessions(connection, before, sessions, calls, pupils)
    removed = before - set(ids.tolist())
    breaches.update_breaches(connection, sessions[["id", "confidential", "codes"]], removed, now)
    spot_checks.draw(connection, school, touched | spot_checks.find_touched(connection, ids.tolist()))
    session_days.pack(connection)
    return judged


def _find_stored(connection: Connection, logs: Sequence[int], calls: Sequence[str]) -> tuple[pd.Series, pd.Series]:
    """The ids of the sessions that have some logs (any version of theirs), by the log's reference, and of those that
    have some calls, by the call's id."""
    log, session, of_call = tables.logs.c, tables.sessions.c, tables.session_calls.c
    refs = select(log.ref).where(reading.is_among(connection, log.id, logs))
    of_refs = select(log.ref, session.id).join(tables.sessions, session.log_id == log.id).where(log.ref.in_(refs))
    of_calls = select(of_call.call_id, of_call.session_id).where(reading.is_among(connection, of_call.call_id, calls))
    by_ref = reading.read_frame(connection, of_refs).set_index("ref")["id"]
    return by_ref, reading.read_frame(connection, of_calls).set_index("call_id")["session_id"]


def _number_sessions(connection: Connection, judged: Judged, by_ref: pd.Series, by_call: pd.Series) -> Ints:
    """An id for each judged session: the one it had, by its log or else by its first call that had one, so that a link
    to it still leads there; a new one where it had none. An attendance report has it where the call record is new."""
    log, log_ids = tables.logs.c, judged.sessions["log_id"]
    known = reading.is_among(connection, log.id, log_ids.dropna().tolist())
    refs = reading.read_frame(connection, select(log.id, log.ref).where(known)).set_index("id")["ref"]
    from_log = log_ids.map(refs).map(by_ref[~by_ref.index.duplicated()])
    calls = judged.calls[judged.calls["part"] != CallPart.AFTER].sort_values("place")
    from_call = calls["call_id"].map(by_call).groupby(calls["session"]).first().reindex(judged.sessions.index)
    ids = from_log.fillna(from_call.mask(from_call.isin(from_log.dropna())))
    ids = ids.mask(ids.duplicated())
    new = ids.isna().to_numpy(bool)
    numbers = ids.fillna(0).to_numpy(np.int64, copy=True)
    # Random rather than sequential: gaps in a sequence would reveal how many sessions of counselling there are.
    numbers[new] = [secrets.randbelow(_MAX_SESSION_ID) + 1 for _ in range(int(new.sum()))]
    return np.asarray(numbers)


def discard_sessions(connection: Connection, school: School, sessions: Collection[int]) -> None:
    """Remove sessions that turned out to be none, and close their breaches."""
    school = school.as_of(connection)
    touched = spot_checks.find_touched(connection, sessions)
    remove_sessions(connection, sessions)
    breaches.close_breaches(connection, sessions, school.now())
    spot_checks.draw(connection, school, touched)
    session_days.pack(connection)
