"""The fictional school's recent requests for consent: two are unanswered, the others show every possible answer."""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from sqlalchemy import select, update

from app.access.people import find_person
from app.access.policy import Person
from app.demo.people import DemoSchool
from app.parents.consents import answer_consent, ask_for_consent, mark_request_sent, withdraw_consent
from app.records.registers import Consent
from app.school import School
from app.store import tables

_event = tables.consent_events.c


@dataclass(frozen=True)
class _Request:
    """A tutor's request to parents: how many days ago it was made, answered and withdrawn (None if not), and in how
    many days the session takes place."""

    kind: str
    reason: str
    asked: int
    ahead: int
    answered: int | None = None
    given: bool = True
    withdrawn: int | None = None


_REQUESTS = (
    _Request("one_to_one", "A quiet word about the exams was asked for, at a time without friends", 9, 2),
    _Request("outside_hours", "Away with the orchestra: the lesson can only be in the evening", 3, 4),
    _Request("outside_hours", "A lesson missed through illness, to be caught up in the evening", 6, 3, answered=5),
    _Request("outside_hours", "Extra help before the mock examination", 12, 5, answered=10, given=False),
    _Request("one_to_one", "A check-up after the weekend, when the house is quiet", 14, 6, answered=13, withdrawn=2),
)


def ask(school: School, made: DemoSchool) -> None:
    """Enter requests by tutors in each HOY's year group: all of _REQUESTS for every third HOY, the first two for the
    others."""
    with school.engine.connect() as connection:
        ids = dict(connection.execute(select(tables.pupils.c.email, tables.pupils.c.id)).all())
    at_home = made.not_abroad
    for place, year in enumerate(made.hoys):
        pupils = [pupil for pupil in at_home if pupil["year_group"] == year]
        requests = _REQUESTS if place % 3 == 0 else _REQUESTS[:2]
        for pupil, request in zip(pupils[1::3], requests, strict=False):
            tutor = find_person(school, pupil["tutor_email"])
            assert tutor is not None
            _ask(school, tutor, ids[pupil["email"]], replace(request, asked=request.asked + place))


def _ask(school: School, tutor: Person, pupil_id: int, request: _Request) -> None:
    """Enter a request and its answers, each dated when it happened."""

    def ago(days: int) -> datetime:
        return datetime.combine(school.today() - timedelta(days=days), time(9, 10), school.settings.zone)

    begins = datetime.combine(school.today() + timedelta(days=request.ahead), time(18), school.settings.zone)
    consent = Consent(
        pupil_id=pupil_id,
        kind=request.kind,
        covers_from=begins,
        covers_to=begins + timedelta(minutes=45),
        reason=request.reason,
    )
    consent_id = ask_for_consent(school, tutor, consent)
    mark_request_sent(school, tutor, consent_id)
    entries = update(tables.consent_events).where(_event.consent_id == consent_id)
    with school.writing() as connection:
        connection.execute(entries.values(occurred_at=ago(request.asked)))
    if request.answered:
        answer_consent(school, tutor, consent_id, given=request.given, parent="Mother", at=ago(request.answered))
    if request.withdrawn:
        withdraw_consent(school, tutor, consent_id, parent="Father", at=ago(request.withdrawn))
    with school.writing() as connection:
        connection.execute(entries.values(entered_at=_event.occurred_at))
