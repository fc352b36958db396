"""Lets only one process at a time do something, even on several machines. It holds a lease in the database, which
expires unless renewed."""

import socket
import threading
import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Self

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from app.school import School
from app.store.tables import leases

DURATION = timedelta(minutes=2)
_RENEWED = 30.0  # seconds
_CLOCKS_DIFFER = timedelta(minutes=2)  # at most, between machines whose clocks are right


class BusyError(Exception):
    """Another process holds the lease. The message says on which machine, and how long to wait at most."""


class LostError(Exception):
    """Another process took the lease."""


class Lease:
    """A lease that one process at a time can hold, for the duration of a `with` block. A subclass gives its `name`, and
    `what` it is for. BusyError if another process holds it."""

    name: ClassVar[str]
    what: ClassVar[str]  # "sync"

    def __init__(self, school: School) -> None:
        self._school = school
        self._holder = f"{socket.gethostname()}|{uuid.uuid4().hex}"
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Self:
        now = self._school.now()
        with self._school.writing() as connection:
            held = connection.execute(select(leases).where(leases.c.name == self.name)).first()
            if held is not None and _is_valid(held.expires_at, now):
                until = held.expires_at.astimezone(self._school.settings.zone)
                raise BusyError(
                    f"Another {self.what} is running on {held.holder.split('|')[0]}. Wait for it; if it died, another "
                    f"can start after {until:%H:%M:%S}."
                )
            connection.execute(delete(leases).where(leases.c.name == self.name))
            connection.execute(insert(leases).values(name=self.name, holder=self._holder, expires_at=now + DURATION))
        self._renewing.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._renewing.join()
        with self._school.writing() as connection:
            connection.execute(delete(leases).where(leases.c.name == self.name, leases.c.holder == self._holder))

    def hold(self, connection: Connection) -> None:
        """Renew the lease in the transaction that writes the data. LostError if another process has taken it."""
        own = update(leases).where(leases.c.name == self.name, leases.c.holder == self._holder)
        if not connection.execute(own.values(expires_at=self._school.now() + DURATION)).rowcount:
            raise LostError(
                f"Another {self.what} took this one's place, because this one had not renewed its lease in time."
            )

    def _renew(self) -> None:
        while not self._over.wait(_RENEWED):
            try:
                with self._school.writing() as connection:
                    self.hold(connection)
            except (DBAPIError, LostError):  # the next call of `hold` raises it again
                continue


def is_held(connection: Connection, name: str, now: datetime) -> bool:
    """Whether any process holds the lease with this name."""
    expires_at = connection.scalar(select(leases.c.expires_at).where(leases.c.name == name))
    return expires_at is not None and _is_valid(expires_at, now)


def _is_valid(expires_at: datetime, now: datetime) -> bool:
    """Whether a lease has not expired. One that seems to last longer than a lease can does not count: it was taken
    while a clock was wrong, by a process that has ended or will notice the loss when it next writes."""
    return now < expires_at <= now + DURATION + _CLOCKS_DIFFER
