"""The sync for people: running it, how it stands (the last success, what is missing), and whether Graph
lets us in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, select

from app.graph.client import Client
from app.graph.errors import GraphError
from app.graph.fetching import Lease
from app.graph.quarantine import QuarantinedRecord, list_entries
from app.graph.registration import certificate, registration
from app.graph.runs import COUNTED, KEPT_BY_GRAPH, complete_until
from app.lease import is_held
from app.school import School
from app.store.tables import sync_runs

YELLOW, RED = timedelta(days=1), timedelta(days=25)
_ENDS_SOON = timedelta(days=30)

Level = Literal["none", "yellow", "red"]


@dataclass(frozen=True)
class LastRun:
    """What the last run did, in the counts of `sync.Run`; `trouble` in words, blank if there was none."""

    started_at: datetime
    ended_at: datetime | None
    ended_well: bool
    figures: dict[str, int]
    trouble: str


@dataclass(frozen=True)
class SyncState:
    """How the sync stands. `level` is that of the gap since the last success: none, yellow after a day, red
    after 25, with the day on which data starts to be lost; `words` say it. Times are in UTC."""

    configured: bool
    running: bool
    level: Level
    words: str
    last_success: datetime | None
    losing_from: date | None
    last_run: LastRun | None
    quarantined: list[QuarantinedRecord]
    lost: list[tuple[datetime, datetime]]  # times whose calls nobody fetched before Microsoft deleted them


def sync_state(school: School) -> SyncState:
    """How the sync stands now; asks the database alone."""
    now = school.now()
    try:
        configured, trouble = registration() is not None, ""
    except GraphError as error:
        configured, trouble = True, f"{error} "
    with school.engine.connect() as connection:
        until = complete_until(connection)
        last = connection.execute(select(sync_runs).order_by(sync_runs.c.id.desc()).limit(1)).first()
        first = connection.scalar(select(sync_runs.c.started_at).order_by(sync_runs.c.id).limit(1))
        running = is_held(connection, Lease.name, now)
        quarantined = list_entries(connection)
        lost = _lost(connection)
    level, words = _gap(school, now, until, first) if configured else ("none", _NOT_CONFIGURED)
    return SyncState(
        configured=configured,
        running=running,
        level=level,
        words=trouble + words,
        last_success=until,
        losing_from=_day(school, until + KEPT_BY_GRAPH) if until and configured else None,
        last_run=None
        if last is None
        else LastRun(
            last.started_at,
            last.ended_at,
            last.complete_until is not None,
            {name: getattr(last, name) for name in COUNTED},
            last.error or "",
        ),
        quarantined=quarantined,
        lost=lost,
    )


_NOT_CONFIGURED = "No sync is configured: call records come from files. docs/graph.md explains how to set it up."


def _gap(school: School, now: datetime, until: datetime | None, first: datetime | None) -> tuple[Level, str]:
    """How loud the time since the last success is, and in words."""
    if until is None:
        level: Level = "red" if first and now - first > RED else "yellow"
        return (
            level,
            "No sync has succeeded yet; Microsoft deletes call records after 30 days. Run python -m app check.",
        )
    since, losing = now - until, _day(school, until + KEPT_BY_GRAPH)
    if since <= YELLOW:
        return "none", "The sync is up to date."
    told = f"No sync has succeeded since {_words(_day(school, until))}."
    if since > KEPT_BY_GRAPH:
        return "red", f"{told} Call records have been lost since {_words(losing)}, more every day."
    loss = f"From {_words(losing)} call records will be lost, unless a sync succeeds before."
    return ("red" if since > RED else "yellow"), f"{told} {loss}"


def _lost(connection: Connection) -> list[tuple[datetime, datetime]]:
    """Each stretch that was lost, once, though several runs may have noted it before one ended well."""
    run = sync_runs.c
    rows = connection.execute(
        select(run.lost_from, run.lost_to).where(run.lost_from.is_not(None)).order_by(run.lost_from, run.lost_to)
    )
    return list({row.lost_from: (row.lost_from, row.lost_to) for row in rows}.values())


def _day(school: School, moment: datetime) -> date:
    return moment.astimezone(school.settings.zone).date()


def _words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def check_graph(school: School) -> list[tuple[bool, str, str]]:
    """Whether the sync works: for each thing looked at whether it is well, in words, and the fix. Asks
    Microsoft for a token and for the last hour's list of calls."""
    try:
        registered = registration()
        if registered is None:
            return [(True, _NOT_CONFIGURED, "")]
        found = [(True, "The app registration is configured.", "")]
        if registered.certificate:
            found.append(_ends(school, certificate(registered.certificate, registered.password).ends_at))
        with Client(registered) as client:
            now = school.now()
            next(client.call_pages(now - timedelta(hours=1), now))
    except GraphError as error:
        return [(False, error.words, error.fix)]
    found.append((True, "Microsoft Graph lists call records.", ""))
    state = sync_state(school)
    found.append((state.level == "none", state.words, "" if state.level == "none" else "Run python -m app sync."))
    if state.quarantined:
        words = f"{len(state.quarantined)} records cannot be read and are in quarantine."
        found.append((False, words, "Run python -m app sync --retry."))
    return found


def _ends(school: School, ends_at: datetime) -> tuple[bool, str, str]:
    well = ends_at - school.now() > _ENDS_SOON
    words = f"The certificate is valid until {_words(_day(school, ends_at))}."
    return well, words, "" if well else "Create a new one and upload it to the app registration (docs/graph.md)."
