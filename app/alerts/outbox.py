"""The outbox. Alerts are stored in the same transaction as the change that they report, and sent later."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from app.settings import get_variable
from app.store import tables
from app.store.reading import is_among
from app.store.versions import select_leavers

WAITING, SENT = "waiting", "sent"


@dataclass(frozen=True)
class Kind:
    """A kind of alert: its subject, its text, and the page that it links to; `{ref}` is the reference without its first
    word and the register's letter, such as 7KQ2MX4P. Only the recipient of a `confidential` alert may learn that it
    exists: no figure counts it, and it is not on the audit trail."""

    subject: str
    words: str
    page: str
    confidential: bool = False


# Of a child or of an adult's conduct: whoever sees only the email, or its size, cannot tell.
_CONCERN = Kind(
    "A safeguarding concern needs your attention",
    "A safeguarding concern was raised. Please read it now. Do not forward this message.",
    "concerns?ref={ref}",
)
KINDS = {
    "concern": _CONCERN,
    "conduct": replace(_CONCERN, confidential=True),
    "concern_unread": Kind(
        "A concern about a child is still unread",
        "A safeguarding concern was raised, and nobody has read it yet. Please read it now.",
        "concerns?ref={ref}",
    ),
    "concern_read": Kind("Your concern was read", "A concern that you raised was read.", "concerns"),
    "slt_informed": Kind(
        "For information: sessions outside the protocol's hours",
        "A parent has consented to sessions outside the protocol's hours. SLT must be informed before they begin. "
        "Please open the consent and confirm that you were informed.",
        "parents?consent={ref}",
    ),
    "role_given": Kind(
        "A role or account with access to confidential records was changed",
        "Somebody received such a role on the roster, or somebody who has one now signs in with a different account. "
        "The Concerns page says who, and who changed it. If you did not expect it, ask at once.",
        "concerns",
    ),
    "digest": Kind("What needs your attention today", "", "start"),
}


def has_shared_channel() -> bool:
    """Whether the school has a channel that several people read."""
    return bool(get_variable("ALERT_CHANNEL"))


_REFERENCE = re.compile(r"[a-z]+ [A-Z0-9][A-Z0-9-]*")


@dataclass(frozen=True)
class Alert:
    """An alert to be sent.

    - `recipient_id`: a staff id, or None for the school's shared channel
    - `kind`: one of KINDS; `subject`: a reference such as "concern C-7KQ2MX4P", never a name
    - `body`: further sentences by the program, without anybody's name
    - `confidential`: as in Kind, but for this alert only
    - `repeat`: 0 for the first alert about something, then 1, 2 … for each repetition
    """

    recipient_id: int | None
    kind: str
    subject: str
    queued_at: datetime
    body: str | None = None
    confidential: bool = False
    repeat: int = 0

    @property
    def key(self) -> str:
        """The key of the alert. Only one alert with a given key is ever sent."""
        again = f", {self.repeat}" if self.repeat else ""
        return f"{self.subject}, {self.kind}, to {self.recipient_id or 'all'}{again}"


def enqueue(connection: Connection, alert: Alert) -> bool:
    """Put an alert into the outbox, in the caller's transaction. Returns False if an alert with the same key was put
    there before, or if the recipient has left. Raises ValueError for an unknown kind or an invalid reference."""
    if alert.kind not in KINDS:
        raise ValueError(f"{alert.kind!r} is not a kind of alert")
    if not _REFERENCE.fullmatch(alert.subject):
        raise ValueError("What an alert is about is given as a reference, such as concern C-7KQ2MX4P")
    if connection.scalar(select(tables.alerts.c.id).where(tables.alerts.c.key == alert.key)) is not None:
        return False
    if alert.recipient_id in connection.scalars(select_leavers(tables.staff_versions)).all():
        return False
    confidential = alert.confidential or KINDS[alert.kind].confidential
    waiting = {"key": alert.key, "next_attempt_at": alert.queued_at, "attempts": 0, "state": WAITING}
    stored = {name: value for name, value in vars(alert).items() if name != "repeat"}
    connection.execute(insert(tables.alerts).values(stored | waiting | {"confidential": confidential}))
    return True


def remove_waiting(connection: Connection, recipient_ids: Collection[int]) -> None:
    """Remove the unsent alerts to some people who have left."""
    alert = tables.alerts.c
    to_them = is_among(connection, alert.recipient_id, recipient_ids)
    connection.execute(delete(tables.alerts).where(alert.state == WAITING, to_them))
