"""Reminders of unanswered requests for consent, before the session."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, select

from app.access.parents import list_unanswered_requests
from app.access.people import find_person
from app.alerts.family_outbox import Letter, enqueue_letters, find_obstacle_to_families
from app.parents.emails import compose_about_request, read_contacts
from app.school import School
from app.store import tables
from app.vocabulary.terms import FamilyEmailKind

_AFTER_THE_REQUEST = timedelta(hours=12)  # so that nobody is reminded of a request that has just arrived


def enqueue_reminders(school: School) -> None:
    """Put reminders of unanswered requests into the outbox, once for each request: on the last weekday before the
    session, from the time of day at which digests are sent, to each contact of the pupil. Replies go to whoever sent
    the request. Raises TemplateError."""
    if find_obstacle_to_families(school):
        return
    requests = list_unanswered_requests(school).dropna(subset=["sent_at", "sent_by"])
    due = [row for row in requests.itertuples() if _is_due(school, row)]
    letters = [letter for row in due if (letter := _compose(school, row))]
    if letters:
        with school.writing() as connection:
            enqueue_letters(connection, letters, school.now())


def _is_due(school: School, row: Any) -> bool:
    zone, hour = school.settings.zone, school.settings.alerts.digest_at
    earliest = (row.sent_at + _AFTER_THE_REQUEST).astimezone(zone)
    after_request = earliest.date() if earliest.time() <= hour else earliest.date() + timedelta(days=1)
    day = max(_find_weekday_before(row.covers_from.date()), after_request)
    return bool(datetime.combine(day, hour, zone) <= school.now() < row.covers_from)


def _find_weekday_before(day: date) -> date:
    return day - timedelta(days={0: 3, 6: 2}.get(day.weekday(), 1))


def _compose(school: School, row: Any) -> Letter | None:
    """The reminder of a request; None if there was one already, or there is nobody to send it to or to reply to."""
    email, kind = tables.family_emails.c, FamilyEmailKind.REMINDER
    with school.engine.connect() as connection:
        reminded = exists().where(email.consent_id == row.consent_id, email.kind == kind)
        sender = connection.scalar(select(tables.staff.c.email).where(tables.staff.c.id == row.sent_by))
        family = read_contacts(connection, [row.pupil_id]).get(row.pupil_id)
        if connection.scalar(select(reminded)) or family is None:
            return None
    person = find_person(school, sender or "")
    return compose_about_request(school, person, row, kind, family) if person else None
