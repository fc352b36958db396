"""Reports the state of the sync (the last success, and what is missing), and checks access to Microsoft Graph."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select

from app.graph.client import Client
from app.graph.errors import GraphError
from app.graph.registration import read_certificate, read_registration
from app.graph.roster import check_roster
from app.graph.runs import (
    CLOCK_TOLERANCE,
    COUNTED,
    KEPT_BY_GRAPH,
    Lease,
    complete_until,
    describe_clock_ahead,
    describe_lost,
    describe_wrong_clock,
    find_run_ahead,
)
from app.graph.source_checks import check_sources
from app.graph.sources import Source, describe_refusal, read_states
from app.intake.quarantine import count_fetched
from app.lease import is_held
from app.school import School
from app.store.tables import sync_runs

YELLOW, RED = timedelta(days=1), timedelta(days=25)
_ENDS_SOON = timedelta(days=30)

Level = Literal["none", "yellow", "red"]


@dataclass(frozen=True)
class LastRun:
    """What the last run did: the counts of its `Run`, and its errors as text, blank if there were none."""

    started_at: datetime
    completed: bool
    counts: dict[str, int]
    error: str


@dataclass(frozen=True)
class SyncState:
    """The state of the sync. `level` grades the time since the last success: none, yellow after a day, red after 25
    days. `words` describe it: from which day call records will be lost, and what was lost before."""

    configured: bool
    running: bool
    level: Level
    words: str
    last_run: LastRun | None
    quarantined: int  # records that could not be read


def read_sync_state(school: School) -> SyncState:
    """The present state of the sync, read only from the database."""
    now, run = school.now(), sync_runs.c
    try:
        configured, failure = read_registration() is not None, ""
    except GraphError as error:
        configured, failure = True, f"{error} "
    with school.engine.connect() as connection:
        last = connection.execute(select(sync_runs).order_by(run.id.desc()).limit(1)).first()
        first_started_at = connection.scalar(select(run.started_at).order_by(run.id).limit(1))
        # Several runs may have noted the same time before one of them was completed.
        is_right = run.started_at <= now + CLOCK_TOLERANCE
        lost_times = select(run.lost_from, func.max(run.lost_to)).where(run.lost_from.is_not(None), is_right)
        lost = connection.execute(lost_times.group_by(run.lost_from).order_by(run.lost_from))
        level, words = _describe_gap(school, complete_until(connection, now), first_started_at)
        if wrong := find_run_ahead(connection, now):
            level, words = ("yellow" if level == "none" else level), f"{describe_clock_ahead(school, wrong)} {words}"
        words = " ".join([words, *(describe_lost(school, *times) for times in lost)])
        return SyncState(
            configured=configured,
            running=is_held(connection, Lease.name, now),
            level=level if configured else "none",
            words=failure + words if configured else _NOT_CONFIGURED,
            last_run=LastRun(
                last.started_at,
                last.complete_until is not None,
                {name: getattr(last, name) for name in COUNTED},
                last.error or "",
            )
            if last
            else None,
            quarantined=count_fetched(connection),
        )


_NOT_CONFIGURED = "No sync is configured: call records come from files. docs/graph.md explains how to set it up."


def _describe_gap(school: School, until: datetime | None, first_started_at: datetime | None) -> tuple[Level, str]:
    """The level of the time since the last success, and its description."""
    if until is None:
        is_late = first_started_at is not None and school.now() - first_started_at > RED
        words = "No sync has succeeded yet; Microsoft deletes call records after 30 days. Run python -m app check."
        return "red" if is_late else "yellow", words
    gap, losing = school.now() - until, _format_day(school, until + KEPT_BY_GRAPH)
    if gap <= YELLOW:
        return "none", "The sync is up to date."
    words = f"No sync has succeeded since {_format_day(school, until)}."
    if gap > KEPT_BY_GRAPH:
        return "red", f"{words} Call records have been lost since {losing}, more every day."
    loss = f"From {losing} call records will be lost, unless a sync succeeds before."
    return "red" if gap > RED else "yellow", f"{words} {loss}"


def _format_day(school: School, moment: datetime) -> str:
    day = moment.astimezone(school.settings.zone)
    return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True)
class RosterState:
    """Whether the settings name the groups of the roster; whether a sync is set up; when the roster was last read; and
    what Microsoft refused, with the fix, or blank."""

    is_named: bool
    can_sync: bool
    read_at: datetime | None
    refusal: str


def read_roster_state(school: School) -> RosterState:
    """The present state of reading the roster."""
    with school.engine.connect() as connection:
        state = read_states(connection)[Source.ROSTER]
    can_sync = read_sync_state(school).configured and not school.is_demonstration()
    refusal = " ".join(filter(None, describe_refusal(school, state)))
    return RosterState(school.settings.entra_roster is not None, can_sync, state.answered_at, refusal)


def check_graph(school: School) -> list[tuple[bool, str, str]]:
    """Check that the sync works: ask Microsoft for a token and for the list of the last hour's calls. Returns whether
    each check passed, its text and the fix."""
    try:
        registered = read_registration()
        if registered is None:
            return [(True, _NOT_CONFIGURED, "")]
        checks = [(True, "The app registration is configured.", "")]
        if registered.certificate:
            checks.append(
                _check_certificate(school, read_certificate(registered.certificate, registered.password).ends_at)
            )
        with Client(registered) as client:
            now = school.now()
            next(client.iter_call_pages(now - timedelta(hours=1), now))
            checks.append((True, "Microsoft Graph lists call records.", ""))
            checks.append(_check_clock(client.clock_ahead))
            checks += check_roster(school, client)
            # A refused source is not a failure: each is optional.
            checks += [(True, words, fix) for words, fix in check_sources(school, client)]
    except GraphError as error:
        return [(False, error.words, error.fix)]
    state = read_sync_state(school)
    checks.append((state.level == "none", state.words, "" if state.level == "none" else "Run python -m app sync."))
    if state.quarantined:
        words = f"{state.quarantined} records cannot be read and are in quarantine."
        checks.append((False, words, "Run python -m app sync --retry."))
    return checks


def _check_clock(ahead: timedelta) -> tuple[bool, str, str]:
    if abs(ahead) <= CLOCK_TOLERANCE:
        return True, "This machine's clock agrees with Microsoft's.", ""
    return False, describe_wrong_clock(ahead), "Set it, and have a time server keep it right."


def _check_certificate(school: School, ends_at: datetime) -> tuple[bool, str, str]:
    is_valid = ends_at - school.now() > _ENDS_SOON
    words = f"The certificate is valid until {_format_day(school, ends_at)}."
    return (
        is_valid,
        words,
        "" if is_valid else "Create a new one and upload it to the app registration (docs/graph.md).",
    )
