"""Alerts: how they stand, for the administrator; and what the program itself asks in order to tell people."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import and_, func, not_, select

from app.access.policy import Person, require
from app.access.scope import in_school_time
from app.alerts.outbox import KINDS, SENT, WAITING
from app.alerts.sending import hindrance, send_in_words
from app.school import School
from app.store import reading, tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary import Resource

_alert = tables.alerts.c
_TO_ALL = "the shared channel"


@dataclass
class AlertsView:
    """How alerts stand, confidential ones left out: `waiting`, the oldest first (`to` (name), `subject`,
    `queued_at`, `attempts`, `next_attempt_at`, `error` (blank: not tried yet)); when one was
    `last_sent`; what hinders all of them, in words (`hindrance`; blank: nothing known)."""

    hindrance: str

    waiting: pd.DataFrame
    last_sent: datetime | None


def get_alerts_view(school: School, person: Person) -> AlertsView:
    """How alerts stand, for the administrator."""
    require(person, Resource.ALERTS)
    to = valid_versions(tables.staff_versions)
    query = (
        select(
            to.c.name.label("to"), _alert.kind, _alert.queued_at, _alert.attempts, _alert.next_attempt_at, _alert.error
        )
        .outerjoin(to, and_(to.c.staff_id == _alert.recipient_id, valid_on(to, school.today())))
        .where(_alert.state == WAITING, not_(_alert.confidential))
        .order_by(_alert.id)
    )
    last = select(func.max(_alert.sent_at)).where(_alert.state == SENT, not_(_alert.confidential))
    with school.engine.connect() as connection:
        found = reading.frame(connection, query)
        last_sent = connection.scalar(last)
    found = in_school_time(school, found.assign(to=found["to"].fillna(_TO_ALL), error=found["error"].fillna("")))
    found.insert(1, "subject", found.pop("kind").map({name: kind.subject for name, kind in KINDS.items()}))
    return AlertsView(
        hindrance=hindrance(school), waiting=found, last_sent=last_sent and last_sent.astimezone(school.settings.zone)
    )


def send_alerts_now(school: School, person: Person) -> tuple[bool, str]:
    """Send the outbox at once. Returns whether all of it was sent, and the result in words."""
    require(person, Resource.ALERTS)
    return send_in_words(school)
