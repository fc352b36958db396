"""Lets one process at a time do something, on any machine, by a lease in the database that expires unless renewed."""

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
_CLOCKS_DIFFER = timedelta(minutes=2)  # by so much at most on machines whose clocks are right


class BusyError(Exception):
    """Another process holds the lease: the message says where, and how long to wait at most."""


class LostError(Exception):
    """Another process took the lease."""


class Lease:
    """A right that one process has at a time, for as long as the `with` lasts; a subclass names it. BusyError if
    another process holds it."""

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
        """Renew the lease in the transaction that writes. LostError if another process took it meanwhile."""
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
            except (DBAPIError, LostError):  # the next transaction that writes raises it again
                continue


def is_held(connection: Connection, name: str, now: datetime) -> bool:
    """Whether a process holds a lease."""
    expires_at = connection.scalar(select(leases.c.expires_at).where(leases.c.name == name))
    return expires_at is not None and _is_valid(expires_at, now)


def _is_valid(expires_at: datetime, now: datetime) -> bool:
    """Whether a lease has not expired. One that seems to last longer than any does was taken while the clock was ahead,
    by a process that has ended or will notice the loss when it next writes."""
    return now < expires_at <= now + DURATION + _CLOCKS_DIFFER
