"""The outbox: alerts that are stored in the transaction of what they tell about, and sent later."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from app.settings import variable
from app.store import tables

WAITING, SENT = "waiting", "sent"


@dataclass(frozen=True)
class Kind:
    """What an alert says: its subject, its sentence, and the page it leads to; `{ref}` is the reference's last
    word. Of a `confidential` one nobody but the person told may learn that it exists: no figure counts it, and
    it is not on the audit trail."""

    subject: str
    words: str
    page: str
    confidential: bool = False


KINDS = {
    "concern": Kind(
        "A concern about a child needs your attention",
        "A safeguarding concern about a child was raised. Please read it now.",
        "concerns?ref={ref}",
    ),
    "concern_unread": Kind(
        "A concern about a child is still unread",
        "A safeguarding concern was raised, and nobody has read it yet. Please read it now.",
        "concerns?ref={ref}",
    ),
    "concern_read": Kind("Your concern was read", "The concern that you raised, {ref}, was read.", "concerns"),
    "conduct": Kind(
        "Something needs your attention",
        "Please read it on the Concerns page. Do not forward this message.",
        "concerns?ref={ref}",
        confidential=True,
    ),
    "slt_informed": Kind(
        "For information: sessions outside the protocol's hours",
        "A parent has consented to sessions outside the protocol's hours. SLT must be informed before they begin.",
        "parents",
    ),
    "digest": Kind("What needs your attention today", "", "start"),
}


def shared_channel() -> bool:
    """Whether the school has a channel that several read, to which `to=None` goes."""
    return bool(variable("ALERT_CHANNEL"))


_REFERENCE = re.compile(r"[a-z]+ [A-Z0-9][A-Z0-9-]*")


def enqueue(
    connection: Connection,
    *,
    to: int | None,
    kind: str,
    about: str,
    key: str,
    at: datetime,
    words: str = "",
    confidential: bool = False,
) -> bool:
    """Put an alert into the outbox, in the caller's transaction; false if one with this key is or was in it.

    `to`: a staff id; None: the school's shared channel. `kind`: one of KINDS. `about`: a reference such as
    "concern C-7KQ2MX4P", never a name. `words`: sentences of the program's own to add, without anybody's name.
    `confidential`: as of Kind, for this one alone. ValueError where kind or reference is none.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of alert")
    if not _REFERENCE.fullmatch(about):
        raise ValueError("What an alert is about is said by a reference, such as concern C-7KQ2MX4P")
    kept = tables.alerts.c
    if connection.scalar(select(kept.id).where(kept.key == key)) is not None:
        return False
    connection.execute(
        insert(tables.alerts).values(
            key=key,
            recipient_id=to,
            kind=kind,
            subject=about,
            body=words or None,
            queued_at=at,
            next_attempt_at=at,
            attempts=0,
            state=WAITING,
            confidential=confidential or KINDS[kind].confidential,
        )
    )
    return True
