"""The record of each sync run: what it did, up to when all calls have been fetched, and which calls were lost."""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from app import lease
from app.formatting import how_many, on_day_at
from app.graph.errors import NotConfiguredError
from app.graph.registration import Registration, read_registration
from app.intake.result import ImportResult
from app.school import School
from app.store.tables import EPOCH, graph_sources, meeting_links, pupil_policies, sync_runs, sync_seen

KEPT_BY_GRAPH = timedelta(days=30)
LISTED = KEPT_BY_GRAPH - timedelta(minutes=5)  # a request for older ones may be refused, and clocks differ
CLOCK_TOLERANCE = timedelta(minutes=2)  # between two correct clocks
_HOURS, _DAYS = 3, 3  # from this many hours or days, a difference is given in that unit
READ_AGAIN = timedelta(days=3)  # before the last success, because a new version of a record may arrive at any time


class Lease(lease.Lease):
    """The right to sync."""

    name, what = "sync", "sync"


def require_registration(school: School) -> Registration:
    """The app registration. Raises NotConfiguredError if there is none, or the database holds the demonstration."""
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
    optional source was refused; the results of importing the roster. Calls with a counsellor are not counted."""

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

    def count(self, result: ImportResult) -> None:
        """Add the calls that were stored, less those that may be counselling."""
        counts = result.count()
        self.added += counts["added"]
        self.changed += counts["changed"]
        self.dropped += counts["dropped"]


COUNTED = tuple(entry.name for entry in fields(Run) if entry.type is int)


class RunLog:
    """The row of one run in the database, updated while the run works. `first_run` is the number of the first run
    since the last success."""

    def __init__(self, school: School, run: Run) -> None:
        self._school, self._run = school, run
        self._id = 0
        self._lost = ""  # the message that calls are lost
        self.first_run = 0

    def begin(self, days: int | None) -> tuple[datetime, datetime]:
        """Insert the row. Returns the period of calls to request: the last `days`, or since the last success."""
        now, run = self._school.now(), sync_runs.c
        with self._school.writing() as connection:
            if wrong := _correct_runs_ahead(connection, now):
                self._run.errors.append(describe_clock_ahead(self._school, wrong))
            until = complete_until(connection, now)
            from_at = now - min(timedelta(days=days) if days else LISTED, LISTED)
            if not days and until is not None:
                from_at = max(from_at, until - READ_AGAIN)
            lost_from, lost_to = None, None
            if until is not None and until < now - LISTED:
                lost_from, lost_to = until, now - LISTED
                self._lost = describe_lost(self._school, lost_from, lost_to)
                self._run.errors.append(self._lost)
            last_good = select(func.max(run.id)).where(run.complete_until.is_not(None)).scalar_subquery()
            first_since = select(func.min(run.id)).where(or_(last_good.is_(None), run.id > last_good))
            first_run = connection.scalar(first_since)
            row = {"started_at": now, "from_at": from_at, "to_at": now, "lost_from": lost_from, "lost_to": lost_to}
            new = insert(sync_runs).returning(run.id).values(row | dict.fromkeys(COUNTED, 0))
            self._id = connection.execute(new).scalar_one()
        self.first_run = first_run or self._id
        return from_at, now

    def save(self, connection: Connection, **values: Any) -> None:
        """Store the counts so far, and the given columns of the row."""
        counts = {name: getattr(self._run, name) for name in COUNTED}
        connection.execute(update(sync_runs).where(sync_runs.c.id == self._id).values(counts | values))

    def end(self, until: datetime | None = None, error: str | None = None) -> None:
        """Complete the row: all calls up to `until` have been fetched, or the run failed with `error`."""
        errors = "\n".join(filter(None, [*self._run.errors, error])) or None
        with self._school.writing() as connection:
            self.save(connection, ended_at=self._school.now(), complete_until=until, error=errors)

    def note_clock_ahead(self, ahead: timedelta) -> None:
        """Note that this machine's clock is ahead of Microsoft's. Calls that seemed lost are not lost then."""
        self._run.errors = [words for words in self._run.errors if words != self._lost]
        self._run.errors.append(describe_wrong_clock(ahead))
        with self._school.writing() as connection:
            self.save(connection, lost_from=None, lost_to=None)


def complete_until(connection: Connection, now: datetime) -> datetime | None:
    """The time up to which every call that Graph listed has been fetched, never later than `now`; None if no run has
    succeeded yet. Times after `now` are ignored, because they come from a clock that was ahead."""
    until, latest = sync_runs.c.complete_until, now + CLOCK_TOLERANCE
    found: datetime | None = connection.scalar(select(func.max(until)).where(until <= latest))
    return min(found, now) if found else None


def find_run_ahead(connection: Connection, now: datetime) -> datetime | None:
    """When the latest run began that was completed, or found calls lost, while the clock was ahead of `now`; None if
    there is none."""
    began: datetime | None = connection.scalar(select(func.max(sync_runs.c.started_at)).where(_is_ahead(now)))
    return began


def _is_ahead(now: datetime) -> ColumnElement[bool]:
    run, latest = sync_runs.c, now + CLOCK_TOLERANCE
    return or_(run.complete_until > latest, and_(run.started_at > latest, run.lost_from.is_not(None)))


def _correct_runs_ahead(connection: Connection, now: datetime) -> datetime | None:
    """Undo what was noted while the clock was ahead of `now`, so that it is requested again. Returns when the latest
    such run began, or None."""
    began, latest = find_run_ahead(connection, now), now + CLOCK_TOLERANCE
    connection.execute(
        update(sync_runs).where(_is_ahead(now)).values(complete_until=None, lost_from=None, lost_to=None)
    )
    for table, column, value in (
        (graph_sources, graph_sources.c.answered_at, None),
        (graph_sources, graph_sources.c.refused_at, None),
        (meeting_links, meeting_links.c.reports_read_at, None),
        (pupil_policies, pupil_policies.c.read_at, EPOCH),
        (sync_seen, sync_seen.c.seen_at, now),
        (meeting_links, meeting_links.c.seen_at, now),
    ):
        connection.execute(update(table).where(column > latest).values({column.name: value}))
    return began


def describe_clock_ahead(school: School, began: datetime) -> str:
    """The message that a run began while the clock was ahead."""
    day = began.astimezone(school.settings.zone)
    return (
        f"The clock was ahead: it showed {on_day_at(day)}, when a sync ran. What that run covered is asked for again."
    )


def describe_wrong_clock(ahead: timedelta) -> str:
    """The message how far this machine's clock is ahead of Microsoft's, or behind it."""
    minutes = round(abs(ahead) / timedelta(minutes=1))
    much = how_many(minutes, "minute") if minutes < _HOURS * 60 else how_many(round(minutes / 60), "hour")
    much = much if minutes < _DAYS * 24 * 60 else how_many(round(minutes / 60 / 24), "day")
    return f"This machine's clock is {much} {'ahead of' if ahead > timedelta() else 'behind'} Microsoft's."


def describe_lost(school: School, from_at: datetime, to_at: datetime) -> str:
    """The message that calls were lost, because Graph had deleted their records before they were fetched."""
    first, last = (moment.astimezone(school.settings.zone) for moment in (from_at, to_at))
    return (
        f"Calls from {first:%d %B %Y} to {last:%d %B %Y} are lost: no sync succeeded in that time, and Microsoft "
        f"keeps call records for {KEPT_BY_GRAPH.days} days."
    )
