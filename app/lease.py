"""One at a time, on whatever machine: a lease in the database, which its holder renews.

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
from typing import ClassVar, Self

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from app.school import School
from app.store.tables import leases

_HELD = timedelta(minutes=3)
_RENEWED = 30.0  # seconds


class Busy(Exception):
    """Another holds the lease: the words say where, and how long one waits at most."""

    def __init__(self, words: str, mend: str) -> None:
        super().__init__(f"{words} {mend}")


class Lost(Exception):
    """Another took the lease."""


class Lease:
    """A right that one has at a time, held as long as the `with` lasts; which one, a subclass says. `busy` is
    raised, with words and mend, if another holds it."""

    name: ClassVar[str]
    what: ClassVar[str]  # "sync"
    busy: ClassVar[type[Exception]] = Busy
    lost: ClassVar[type[Exception]] = Lost

    def __init__(self, school: School) -> None:
        self._school = school
        self._holder = f"{_place()}|{os.getpid()}|{_began(os.getpid())}|{uuid.uuid4().hex}"
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Self:
        now = self._school.now()
        with self._school.writing() as connection:
            held = connection.execute(select(leases).where(leases.c.name == self.name)).first()
            if held is not None and _is_held(held.holder, held.expires_at, now):
                host = held.holder.split("|")[0]
                until = held.expires_at.astimezone(self._school.settings.zone)
                raise self.busy(
                    f"Another {self.what} is running on {host}.",
                    f"Wait for it; if it died, its place is free at {until:%H:%M:%S} at the latest.",
                )
            connection.execute(delete(leases).where(leases.c.name == self.name))
            connection.execute(insert(leases).values(name=self.name, holder=self._holder, expires_at=now + _HELD))
        self._renewing.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._renewing.join()
        with self._school.writing() as connection:
            connection.execute(delete(leases).where(leases.c.name == self.name, leases.c.holder == self._holder))

    def hold(self, connection: Connection) -> None:
        """Renew the lease in the transaction that writes; `lost` if another took it meanwhile."""
        mine = update(leases).where(leases.c.name == self.name, leases.c.holder == self._holder)
        if not connection.execute(mine.values(expires_at=self._school.now() + _HELD)).rowcount:
            raise self.lost(f"Another {self.what} took this one's place, since it had not been heard of for too long.")

    def _renew(self) -> None:
        while not self._over.wait(_RENEWED):
            try:
                with self._school.writing() as connection:
                    self.hold(connection)
            except (DBAPIError, self.lost):  # said by the next transaction that writes
                continue


def is_held(connection: Connection, name: str, now: datetime) -> bool:
    """Whether somebody holds a lease."""
    held = connection.execute(select(leases).where(leases.c.name == name)).first()
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
