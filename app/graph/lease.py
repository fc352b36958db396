"""One sync at a time."""

from app import lease
from app.graph.errors import Busy, LostLease


class Lease(lease.Lease):
    """The right to sync."""

    name, what, busy, lost = "sync", "sync", Busy, LostLease
