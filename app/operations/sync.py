"""The sync with Microsoft Graph, for the administrator: its state, and running it now."""

from collections.abc import Callable

from app import lease
from app.access.policy import Person, require
from app.graph.errors import GraphError
from app.graph.fetching import synchronise
from app.graph.sync import SyncState, read_sync_state
from app.school import School
from app.vocabulary import Resource


def get_sync_state(school: School, person: Person) -> SyncState:
    """How the sync with Microsoft Graph stands, for the administrator; nothing of any call."""
    require(person, Resource.SYNC)
    return read_sync_state(school)


def sync_now(school: School, person: Person, report: Callable[[str], None]) -> tuple[bool, str]:
    """Sync once, also what is in quarantine; `report` is called with the progress in words. Returns whether everything
    could be read, and what was done, in words."""
    require(person, Resource.SYNC)
    try:
        run = synchronise(school, retry=True, report=report)
    except (GraphError, lease.BusyError, lease.LostError) as error:
        return False, str(error)
    return (
        not run.quarantined,
        f"{run.fetched} fetched: {run.added} new, {run.changed} changed, {run.quarantined} in quarantine",
    )
