"""Alerts, for the administrator: their state, and sending them now."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import and_, func, not_, select

from app import lease
from app.access.policy import Person, require
from app.access.scope import in_school_time
from app.alerts.attempts import Run
from app.alerts.channels import AlertsNotConfiguredError
from app.alerts.outbox import KINDS, SENT, WAITING
from app.alerts.sending import find_obstacle, send
from app.parents.reminders import enqueue_reminders
from app.parents.templates import TemplateError
from app.school import School
from app.store import reading, tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary.roles import Resource

_alert = tables.alerts.c
_SHOWN = ("queued_at", "attempts", "next_attempt_at", "error")


@dataclass(frozen=True)
class AlertsView:
    """The state of the alerts, without confidential ones.

    - `obstacle`: why none can be sent, as text; blank: no reason known
    - `waiting`, the oldest first: `to` (name), `subject`, `queued_at`, `attempts`, `next_attempt_at`, `error` (blank:
      not tried yet)
    - `last_sent`: when the last one was sent
    """

    obstacle: str
    waiting: pd.DataFrame
    last_sent: datetime | None


def get_alerts_view(school: School, person: Person) -> AlertsView:
    """The state of the alerts, for the administrator."""
    require(person, Resource.ALERTS)
    to = valid_versions(tables.staff_versions)
    waiting = (
        select(to.c.name.label("to"), _alert.kind, *(_alert[name] for name in _SHOWN))
        .outerjoin(to, and_(to.c.staff_id == _alert.recipient_id, valid_on(to, school.today())))
        .where(_alert.state == WAITING, not_(_alert.confidential))
        .order_by(_alert.id)
    )
    last = select(func.max(_alert.sent_at)).where(_alert.state == SENT, not_(_alert.confidential))
    with school.engine.connect() as connection:
        rows = reading.read_frame(connection, waiting).fillna({"to": "the shared channel", "error": ""})
        last_sent = connection.scalar(last)
    rows.insert(1, "subject", [KINDS[kind].subject for kind in rows.pop("kind")])
    return AlertsView(
        obstacle=find_obstacle(school),
        waiting=in_school_time(school, rows),
        last_sent=last_sent and last_sent.astimezone(school.settings.zone),
    )


def send_outbox(school: School, *, at_once: bool = False) -> Run:
    """Send alerts and emails to families, with those that are due, as `app.alerts.sending.send` does. A template of the
    school that cannot be used delays the reminders alone."""
    error = ""
    try:
        enqueue_reminders(school)
    except TemplateError as fault:
        error = str(fault)
    run = send(school, at_once=at_once)
    run.error = run.error or error
    return run


def send_alerts_now(school: School, person: Person) -> tuple[bool, str]:
    """Send the outbox at once. Returns whether all of it was sent, and the result as text."""
    require(person, Resource.ALERTS)
    try:
        run = send_outbox(school, at_once=True)
    except (AlertsNotConfiguredError, lease.BusyError, lease.LostError) as error:
        return False, str(error)
    if run.error:
        return False, f"{run.sent} sent, {run.waiting + run.failed} not: {run.error}"
    return True, f"{run.sent} sent." if run.sent else "Nothing to send."
