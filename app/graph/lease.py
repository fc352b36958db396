"""One sync at a time."""

from app import lease
from app.graph.errors import LeaseLostError, SyncBusyError


class Lease(lease.Lease):
    """The right to sync."""

    name, what, busy, lost = "sync", "sync", SyncBusyError, LeaseLostError
