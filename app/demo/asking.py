"""What the fictional school's tutors asked of parents lately: two wait, and every answer there can be is there."""

from datetime import datetime, time, timedelta

from sqlalchemy import select, update

from app.access.people import find_person
from app.access.policy import Person
from app.parents.consents import answer_consent, ask_for_consent, mark_request_sent, withdraw_consent
from app.records.registers import Consent
from app.school import School
from app.store import tables
from app.store.versions import list_contains, valid_on, valid_versions
from app.vocabulary import Role

# Days ago: asked, answered (blank: not yet), withdrawn; and from today the day that it is for.
_REQUESTS = (
    ("one_to_one", "A quiet word about the exams was asked for, at a time without friends", 9, None, None, 2),
    ("outside_hours", "Away with the orchestra: the lesson can only be in the evening", 3, None, None, 4),
    ("outside_hours", "A lesson missed through illness, to be caught up in the evening", 6, (5, True), None, 3),
    ("outside_hours", "Extra help before the mock examination", 12, (10, False), None, 5),
    ("one_to_one", "A check-up after the weekend, when the house is quiet", 14, (13, True), 2, 6),
)


def ask(school: School) -> None:
    """Requests by tutors, some in each HOY's year."""
    pupil, who, today = valid_versions(tables.pupil_versions), valid_versions(tables.staff_versions), school.today()
    with school.engine.connect() as connection:
        hoys = connection.execute(
            select(who.c.school, who.c.year_groups)
            .where(valid_on(who, today), list_contains(who.c.roles, Role.HOY))
            .order_by(who.c.staff_id)
        ).all()
        pupils = connection.execute(
            select(pupil.c.pupil_id, pupil.c.school, pupil.c.year_group, tables.staff.c.email)
            .join(tables.staff, tables.staff.c.id == pupil.c.tutor_id)
            .where(valid_on(pupil, today))
            .order_by(pupil.c.pupil_id)
        ).all()
    for place, hoy in enumerate(hoys):
        theirs = [p for p in pupils if p.school == hoy.school and p.year_group in hoy.year_groups.split(";")]
        # The first tutors ask for everything that there is, the others for two.
        for one, (kind, reason, asked, *more) in zip(
            theirs[1::3], _REQUESTS[: 5 if place % 3 == 0 else 2], strict=False
        ):
            person = find_person(school, one.email)
            assert person is not None
            _ask(school, person, one.pupil_id, kind, reason, asked + place, *more)


def _ask(
    school: School,
    person: Person,
    pupil_id: int,
    kind: str,
    reason: str,
    asked: int,
    answer: tuple[int, bool] | None,
    withdrawn: int | None,
    ahead: int,
) -> None:
    begins = datetime.combine(school.today() + timedelta(days=ahead), time(18), school.settings.zone)

    def ago(days: int) -> datetime:
        return datetime.combine(school.today() - timedelta(days=days), time(9, 10), school.settings.zone)

    ends = begins + timedelta(minutes=45)
    request = Consent(pupil_id=pupil_id, kind=kind, covers_from=begins, covers_to=ends, reason=reason)
    consent_id = ask_for_consent(school, person, request)
    mark_request_sent(school, person, consent_id)
    event = tables.consent_events.c
    with school.writing() as connection:
        mine = event.consent_id == consent_id
        connection.execute(update(tables.consent_events).where(mine).values(occurred_at=ago(asked)))
    if answer:
        answer_consent(school, person, consent_id, given=answer[1], parent="Mother", at=ago(answer[0]))
    if withdrawn:
        withdraw_consent(school, person, consent_id, parent="Father", at=ago(withdrawn))
    with school.writing() as connection:
        mine = event.consent_id == consent_id
        connection.execute(update(tables.consent_events).where(mine).values(entered_at=event.occurred_at))
