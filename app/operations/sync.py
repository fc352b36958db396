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
