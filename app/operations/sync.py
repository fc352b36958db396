"""The sync with Microsoft Graph, for the administrator: its state, and running it now; likewise the roster alone."""

from collections.abc import Callable

from app import lease
from app.access.policy import Person, require
from app.graph.errors import GraphError
from app.graph.fetching import synchronise
from app.graph.roster import RosterSync, sync_roster
from app.graph.sync import RosterState, SyncState, read_roster_state, read_sync_state
from app.intake.people import RosterOptions
from app.records.rows import UnreadableFileError
from app.school import School
from app.settings import SettingsError
from app.store.database import DatabaseError
from app.vocabulary.roles import Resource


def get_sync_state(school: School, person: Person) -> SyncState:
    """The state of the sync with Microsoft Graph, for the administrator; nothing about any call."""
    require(person, Resource.SYNC)
    return read_sync_state(school)


def sync_now(school: School, person: Person, report: Callable[[str], None]) -> tuple[bool, str]:
    """Sync once, and try records in quarantine again; `report` is called with messages about the progress. Returns
    whether everything could be read, and what was done, as text."""
    require(person, Resource.SYNC)
    try:
        run = synchronise(school, retry=True, report=report)
    except (GraphError, lease.BusyError, lease.LostError) as error:
        return False, str(error)
    rejected = sum(len(result.rejected) for result in run.roster)
    words = f"{run.fetched} fetched: {run.added} new, {run.changed} changed, {run.quarantined} in quarantine"
    if run.roster:
        new, changed = (sum(getattr(result, name) for result in run.roster) for name in ("added", "changed"))
        left = sum(len(result.left) for result in run.roster)
        words += f". Roster: {new} new, {changed} changed, {left} left, {rejected} rejected"
    return not (run.quarantined or rejected), words


def get_roster_state(school: School, person: Person) -> RosterState:
    """The state of the roster from Entra, for the administrator."""
    require(person, Resource.SYNC)
    return read_roster_state(school)


def sync_roster_now(
    school: School, person: Person, options: RosterOptions, report: Callable[[str], None], *, dry_run: bool
) -> RosterSync:
    """Read the roster from Entra and import it, or in a dry run find out what that would change; `report` as for
    `sync_now`. Raises ValueError, with a message to show, if that cannot be done; then nothing was changed."""
    require(person, Resource.SYNC)
    require(person, Resource.ROSTER)
    try:
        return sync_roster(school, options, dry_run=dry_run, actor_id=person.staff_id, report=report)
    except (GraphError, SettingsError, UnreadableFileError, DatabaseError, lease.BusyError, lease.LostError) as error:
        raise ValueError(f"{error} Nothing was changed.") from None
