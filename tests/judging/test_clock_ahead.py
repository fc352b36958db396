"""Sessions that were judged while the clock was ahead are judged again once it is right."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from app.intake.calls import import_calls
from app.judging.upkeep import refresh
from app.school import School
from app.store import tables
from app.store.outcomes import decode_outcomes
from app.store.reading import read_frame
from tests.clock import Clock
from tests.people import call, calls


def read_logged(school: School) -> list[str]:
    """The outcome of the clause `logged` of each session, in the order of their starts."""
    session = tables.sessions.c
    query = select(session.id, session.codes, session.clause_set_id).order_by(session.started_at)
    with school.engine.connect() as connection:
        return list(decode_outcomes(connection, read_frame(connection, query))["logged"].astype(str))


def read_states(school: School) -> list[str]:
    breach = tables.breaches.c
    with school.engine.connect() as connection:
        return list(connection.scalars(select(breach.state).where(breach.clause == "logged").order_by(breach.id)))


def read_revision(school: School) -> str | None:
    with school.engine.connect() as connection:
        return connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "revision"))


def test_refresh_takes_back_that_the_time_to_log_is_over(school: School, clock: Clock, tmp_path: Path) -> None:
    began, hours = clock(), school.settings.rules[-1].log_within_hours
    lessons = [
        call("old", f"{began - timedelta(hours=hours + 2):%Y-%m-%dT%H:%M:%S}", {"teacher": (0, 20), "aled": (1, 19)}),
        call("new", f"{began - timedelta(hours=2):%Y-%m-%dT%H:%M:%S}", {"teacher": (0, 20), "aled": (1, 19)}),
        call("empty", f"{began - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}", {"aled": (0, 20), "bethan": (1, 19)}),
    ]
    assert not import_calls(school, calls(tmp_path / "c.json", *lessons)).rejected
    refresh(school)
    right, states = read_logged(school), read_states(school)
    assert right[:2] == ["breach", "no_evidence"]
    clock.later(days=30)
    refresh(school)
    assert read_logged(school)[:2] == ["breach", "breach"]
    clock.set(began)
    refresh(school)
    assert read_logged(school) == right
    assert read_states(school) == [*states, "closed"]
    revision = read_revision(school)
    refresh(school)
    assert read_revision(school) == revision  # nothing is judged again and again
    clock.later(hours=hours)
    refresh(school)
    assert read_logged(school)[:2] == ["breach", "breach"]
    assert read_states(school) == [*states, "open"]
