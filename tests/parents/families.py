"""Families with and without addresses, and what was sent to them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.parents.consents import ask_for_consent
from app.parents.emails import email_letters
from app.records.registers import Consent
from app.school import School
from app.store import tables
from tests import people
from tests.alerts.conftest import wait_for
from tests.clock import Clock
from tests.mail_server import MailServer
from tests.people import someone

THURSDAY = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
MAM, DAD, NAIN = "mam@cartref.example", "dad@adref.example", "nain@gartref.example"


@pytest.fixture
def clock(clock: Clock) -> Clock:
    clock.set(THURSDAY)
    return clock


@pytest.fixture
def school(clock: Clock, school: School) -> School:
    """The school of `tests.people` on a Thursday, with families and without letters: Aled's two parents read Welsh,
    Bethan's grandmother has no language on the roster, the others have no address."""
    with school.engine.begin() as connection:
        connection.execute(tables.letters.delete())
    set_family(school, "aled", f"{MAM};{DAD}", "cy")
    set_family(school, "bethan", NAIN)
    return school


def set_family(school: School, who: str, contacts: str | None, language: str | None = None) -> None:
    pupil = tables.pupils
    with school.engine.begin() as connection:
        values = {"contact_emails": contacts, "language": language}
        connection.execute(update(pupil).where(pupil.c.id == people.find_pupil(school, who)).values(values))


def number(school: School, who: str) -> int:
    return people.find_pupil(school, who)


def is_idle(school: School) -> bool:
    """Whether nobody is sending, so that the test can."""
    with school.engine.connect() as connection:
        return connection.scalar(select(tables.leases.c.name)) is None


def states(school: School) -> dict[str, str]:
    """The state of the email to each address."""
    email = tables.family_emails.c
    with school.engine.connect() as connection:
        return {row.recipient: row.state for row in connection.execute(select(email.recipient, email.state))}


def settle(school: School) -> dict[str, str]:
    """The states once the sending in the background is over."""
    wait_for(lambda: "waiting" not in states(school).values() and is_idle(school))
    return states(school)


def email(school: School, *who: str, kind: str = "introduction", by: str = "hoy9") -> int:
    return email_letters(school, someone(school, by), kind, [number(school, name) for name in who])


def sent_on(school: School, who: str) -> list[str]:
    letter = tables.letters.c
    with school.engine.connect() as connection:
        return [
            str(day) for day in connection.scalars(select(letter.sent_on).where(letter.pupil_id == number(school, who)))
        ]


def ask(school: School, begins: datetime, kind: str = "outside_hours", by: str = "teacher", who: str = "aled") -> int:
    request = Consent(
        pupil_id=number(school, who),
        kind=kind,
        covers_from=begins,
        covers_to=begins + timedelta(hours=1),
        reason="A concert & a flight",
    )
    return ask_for_consent(school, someone(school, by), request)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> MailServer:
    """A mail server that is configured and does not run yet."""
    server = MailServer()
    monkeypatch.setenv("ALERT_URL", server.url)
    monkeypatch.setenv("APP_URL", "https://protocol.school.example")
    return server


def enqueued(school: School) -> None:
    """Wait until the sending in the background has found that the mail server does not run."""
    email_table = tables.family_emails.c

    def is_tried() -> bool:
        with school.engine.connect() as connection:
            return bool(connection.scalar(select(email_table.id).where(email_table.attempts > 0)))

    wait_for(lambda: is_tried() and is_idle(school))
