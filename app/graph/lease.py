"""One sync at a time, on whatever machine: a lease in the database, which its holder renews.

A lease that is not renewed ends by itself. Where its holder can be seen to be dead, a process of this
machine that is no more, nobody waits for that.
"""

import os
import socket
import threading
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from app.graph.errors import Busy, LostLease
from app.school import School
from app.store.tables import leases

_SYNC = "sync"
_HELD = timedelta(minutes=3)
_RENEWED = 30.0  # seconds


class Lease:
    """The right to sync, held as long as the `with` lasts. Busy if another holds it."""

    def __init__(self, school: School) -> None:
        self._school = school
        self._holder = f"{_place()}|{os.getpid()}|{_began(os.getpid())}|{uuid.uuid4().hex}"
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Self:
        now = self._school.now()
        with self._school.writing() as connection:
            held = connection.execute(select(leases).where(leases.c.name == _SYNC)).first()
            if held is not None and _is_held(held.holder, held.expires_at, now):
                host = held.holder.split("|")[0]
                until = held.expires_at.astimezone(self._school.settings.zone)
                raise Busy(
                    f"Another sync is running on {host}.",
                    f"Wait for it; if it died, its place is free at {until:%H:%M:%S} at the latest.",
                )
            connection.execute(delete(leases).where(leases.c.name == _SYNC))
            connection.execute(insert(leases).values(name=_SYNC, holder=self._holder, expires_at=now + _HELD))
        self._renewing.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._renewing.join()
        with self._school.writing() as connection:
            connection.execute(delete(leases).where(leases.c.name == _SYNC, leases.c.holder == self._holder))

    def hold(self, connection: Connection) -> None:
        """Renew the lease in the transaction that writes; LostLease if another took it meanwhile."""
        mine = update(leases).where(leases.c.name == _SYNC, leases.c.holder == self._holder)
        if not connection.execute(mine.values(expires_at=self._school.now() + _HELD)).rowcount:
            raise LostLease("Another sync took this one's place, since it had not been heard of for too long.")

    def _renew(self) -> None:
        while not self._over.wait(_RENEWED):
            try:
                with self._school.writing() as connection:
                    self.hold(connection)
            except (DBAPIError, LostLease):  # said by the next transaction that writes
                continue


def is_held(connection: Connection, now: datetime) -> bool:
    """Whether a sync is running."""
    held = connection.execute(select(leases).where(leases.c.name == _SYNC)).first()
    return held is not None and _is_held(held.holder, held.expires_at, now)


def _is_held(holder: str, expires_at: datetime, now: datetime) -> bool:
    return expires_at > now and not _dead(holder)


def _place() -> str:
    """This machine: its name, and on Linux its run and the room its process numbers hold in."""
    parts = [socket.gethostname().replace("|", "-")]
    try:
        parts += [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), os.readlink("/proc/self/ns/pid")]
    except OSError:
        parts += ["", ""]
    return "|".join(parts)


def _began(process: int) -> str:
    """When a living process of this machine began, as Linux counts it; blank if it is dead or unknown."""
    try:
        after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    return "" if after_name[0] in "ZX" else after_name[19]


def _dead(holder: str) -> bool:
    """Whether a holder is known to be dead: it ran here, in this run of the machine, and runs no more."""
    *place, process, began, _ = holder.split("|")
    return bool(began) and "|".join(place) == _place() and _began(int(process)) != began
