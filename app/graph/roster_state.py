"""The state of the roster from Microsoft Entra, read only from the database and the settings."""

from dataclasses import dataclass
from datetime import datetime

from app.graph.sources import Source, describe_refusal, read_states
from app.graph.sync import read_sync_state
from app.school import School


@dataclass(frozen=True)
class RosterState:
    """Whether the settings name the groups of the roster, and a sync is set up; when it was last read; and what
    Microsoft refused, with the fix (blank: nothing)."""

    is_named: bool
    can_sync: bool
    read_at: datetime | None
    refusal: str


def read_roster_state(school: School) -> RosterState:
    """The present state."""
    with school.engine.connect() as connection:
        state = read_states(connection)[Source.ROSTER]
    can_sync = read_sync_state(school).configured and not school.is_demonstration()
    refusal = " ".join(filter(None, describe_refusal(school, state)))
    return RosterState(school.settings.entra_roster is not None, can_sync, state.answered_at, refusal)
