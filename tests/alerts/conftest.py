"""A mail server, a clock that stands still, and helpers to fill the outbox, empty it and look into it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app import lease
from app.access.forms import list_pupils_to_choose
from app.alerts.attempts import Run
from app.alerts.outbox import Alert, enqueue
from app.alerts.sending import send
from app.concerns.raising import Report, raise_concern
from app.school import School
from app.store import tables
from app.store.concerns import CHILD
from tests import people
from tests.clock import Clock
from tests.mail_server import finish_sending
from tests.people import someone

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock(clock: Clock) -> Clock:
    clock.set(NOON)
    return clock


@pytest.fixture
def school(clock: Clock, school: School) -> School:
    """The school of `tests.people`, once the clock stands."""
    return school


def put(school: School, who: str, ref: str, queued_at: datetime = NOON, **other: Any) -> bool:
    alert = Alert(someone(school, who).staff_id, "concern", f"concern {ref.upper()}", queued_at)
    with school.writing() as connection:
        return enqueue(connection, replace(alert, **other))


def states(school: School) -> list[tuple[str, str]]:
    """What each alert is about, and its state."""
    with school.engine.connect() as connection:
        rows = connection.execute(select(tables.alerts.c.subject, tables.alerts.c.state).order_by(tables.alerts.c.id))
        return [(row.subject.removeprefix("concern ").lower(), row.state) for row in rows]


def concern(school: School, by: str = "tutor", pupil: str = "aled", summary: str = "He was alone.") -> str:
    pupil_id = list_pupils_to_choose(school, someone(school, by)).set_index("email").loc[people.email(pupil)]
    report = Report(
        CHILD,
        summary=summary,
        childs_words="Nobody is here.",
        told_dsp=False,
        categories=["home_alone", "distress"],
        pupil_ids=[int(pupil_id["pupil_id"])],
    )
    return raise_concern(school, someone(school, by), report).ref


def send_now(school: School, **how: bool) -> Run:
    """Send, after whoever sends at the moment."""
    while True:
        try:
            return send(school, **how)
        except lease.BusyError:
            threading.Event().wait(0.02)


def wait_for(what: Callable[[], bool]) -> None:
    """Wait until nobody sends any more: by then it has happened."""
    finish_sending()
    assert what()
