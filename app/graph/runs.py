"""The record of each sync run: what it did, up to when all calls have been fetched, and what was lost."""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from app import lease
from app.graph.errors import NotConfiguredError
from app.graph.registration import Registration, read_registration
from app.intake.result import ImportResult
from app.school import School
from app.store.tables import sync_runs

KEPT_BY_GRAPH = timedelta(days=30)
LISTED = KEPT_BY_GRAPH - timedelta(minutes=5)  # asking for older ones may be refused, and clocks differ
READ_AGAIN = timedelta(days=3)  # before the last success, because later versions of a record arrive at any time


class Lease(lease.Lease):
    """The right to sync."""

    name, what = "sync", "sync"


def require_registration(school: School) -> Registration:
    """The app registration. NotConfiguredError if there is none, or the database holds the demonstration."""
    registered = read_registration()
    if registered is None:
        raise NotConfiguredError(
            "No sync is configured.", "Set GRAPH_TENANT_ID, GRAPH_CLIENT_ID and GRAPH_CERTIFICATE_FILE."
        )
    if school.is_demonstration():
        raise NotConfiguredError(
            "This database holds the demonstration: no real call comes into it.",
            "Set DATABASE_URL to a database of the school's own.",
        )
    return registered


@dataclass
class Run:
    """What a run did: calls listed and fetched; those new, changed, and dropped because they are not sessions; records
    put into quarantine, and records that no longer exist at Graph; recordings new or changed; people for whom an
    optional source was refused; the results of importing the roster."""

    listed: int = 0
    fetched: int = 0
    added: int = 0
    changed: int = 0
    dropped: int = 0
    quarantined: int = 0
    gone: int = 0
    recordings: int = 0
    rejected: int = 0
    errors: list[str] = field(default_factory=list)
    roster: list[ImportResult] = field(default_factory=list)


COUNTED = tuple(entry.name for entry in fields(Run) if entry.type is int)


class RunLog:
    """The row of one run in the database, kept up to date while it works. `chain` is the number of the first run since
    the last success."""

    def __init__(self, school: School, run: Run) -> None:
        self._school, self._run = school, run
        self._id = 0
        self.chain = 0

    def begin(self, days: int | None) -> tuple[datetime, datetime]:
        """Start the row. Returns the period of calls to ask for: the last `days`, or since the last success."""
        now, run = self._school.now(), sync_runs.c
        with self._school.writing() as connection:
            until = complete_until(connection)
            from_at = now - min(timedelta(days=days) if days else LISTED, LISTED)
            if not days and until is not None:
                from_at = max(from_at, until - READ_AGAIN)
            lost_from, lost_to = None, None
            if until is not None and until < now - LISTED:
                lost_from, lost_to = until, now - LISTED
                self._run.errors.append(describe_lost(self._school, lost_from, lost_to))
            last_good = select(func.max(run.id)).where(run.complete_until.is_not(None)).scalar_subquery()
            first_since = select(func.min(run.id)).where(or_(last_good.is_(None), run.id > last_good))
            chain = connection.scalar(first_since)
            row = {"started_at": now, "from_at": from_at, "to_at": now, "lost_from": lost_from, "lost_to": lost_to}
            new = insert(sync_runs).returning(run.id).values(row | dict.fromkeys(COUNTED, 0))
            self._id = connection.execute(new).scalar_one()
        self.chain = chain or self._id
        return from_at, now

    def save(self, connection: Connection, **values: Any) -> None:
        """Store the counts so far, and other columns of the row."""
        counts = {name: getattr(self._run, name) for name in COUNTED}
        connection.execute(update(sync_runs).where(sync_runs.c.id == self._id).values(counts | values))

    def end(self, until: datetime | None = None, error: str | None = None) -> None:
        """Finish the row: all calls up to `until` have been fetched, or the run failed with `error`."""
        errors = "\n".join(filter(None, [*self._run.errors, error])) or None
        with self._school.writing() as connection:
            self.save(connection, ended_at=self._school.now(), complete_until=until, error=errors)


def complete_until(connection: Connection) -> datetime | None:
    """The time up to which every call that Graph listed has been fetched; None if no run has succeeded yet."""
    until: datetime | None = connection.scalar(select(func.max(sync_runs.c.complete_until)))
    return until


def describe_lost(school: School, from_at: datetime, to_at: datetime) -> str:
    """Say that calls were lost, since Graph had deleted their records before they were fetched."""
    first, last = (moment.astimezone(school.settings.zone) for moment in (from_at, to_at))
    return (
        f"Calls from {first:%d %B %Y} to {last:%d %B %Y} are lost: no sync succeeded in that time, and Microsoft "
        f"keeps call records for {KEPT_BY_GRAPH.days} days."
    )
