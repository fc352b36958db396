"""Letters and requests for consent by email: to each contact of a pupil on the roster, in the family's language.

They are stored in the outbox in one transaction and sent in the background; the register shows the status of each.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from app.access.policy import Person
from app.alerts.family_outbox import Letter, enqueue_letters, find_obstacle_to_families
from app.alerts.sending import send_in_background
from app.parents.email_templates import EmailText, render_email
from app.parents.fields import create_letter_fields, create_request_fields
from app.parents.letters import describe_pupils, list_pupils_led, list_requests
from app.records.registers import LETTERS
from app.school import School
from app.store import tables
from app.store.reading import is_among
from app.store.writing import raise_revision
from app.vocabulary.terms import FamilyEmailKind

LANGUAGE = "en"  # used if a family's language is not on the roster


class Contacts(NamedTuple):
    """The addresses of a pupil's family on the roster, and the language of emails to them."""

    emails: tuple[str, ...]
    language: str


def email_letters(school: School, person: Person, kind: str, pupil_ids: Collection[int]) -> int:
    """Email a letter to the contacts of pupils whom the person leads, and return the number of emails. Contacts who
    were sent it before, and pupils without contacts, are skipped. Raises ValueError (with a message to show),
    TemplateError or NotAllowedError."""
    if kind not in LETTERS:
        raise ValueError(f"{kind!r} is not a kind of letter")
    rows = {int(row.pupil_id): row for row in list_pupils_led(school, person, pupil_ids)}
    _check_can_send(school)
    with school.engine.connect() as connection:
        contacts = read_contacts(connection, rows)
    letters = []
    for pupil_id, (emails, language) in contacts.items():
        text = render_email(
            FamilyEmailKind(kind), language, create_letter_fields(school, person, rows[pupil_id], language)
        )
        letters.append(Letter(pupil_id, FamilyEmailKind(kind), emails, language, *text, sender_id=person.staff_id))
    about = f"letters {kind}, to {describe_pupils(list(contacts))}"
    return _enqueue(school, person, letters, about)


def email_request(school: School, person: Person, consent_id: int) -> int:
    """Email a request for consent to the pupil's contacts, and return the number of emails. Raises ValueError (with a
    message to show), TemplateError, or NotAllowedError if the person may not answer it."""
    row = list_requests(school, person, [consent_id])[0]
    _check_can_send(school)
    if row.state != "asked":
        raise ValueError("The parents have answered this request.")
    if row.covers_from <= school.now():
        raise ValueError("The session has begun, so that consent can no longer be given for it.")
    with school.engine.connect() as connection:
        contacts = read_contacts(connection, [row.pupil_id])
    letters = [
        compose_about_request(school, person, row, FamilyEmailKind.REQUEST, family) for family in contacts.values()
    ]
    return _enqueue(school, person, letters, f"consent {consent_id}, request")


def preview_letter(school: School, person: Person, kind: str, pupil_id: int) -> EmailText:
    """The email that `email_letters` would send about a pupil. Raises TemplateError or NotAllowedError."""
    row = list_pupils_led(school, person, [pupil_id])[0]
    with school.engine.connect() as connection:
        language = _read_language(connection, pupil_id)
    return render_email(FamilyEmailKind(kind), language, create_letter_fields(school, person, row, language))


def preview_request(school: School, person: Person, consent_id: int) -> EmailText:
    """The email that `email_request` would send. Raises TemplateError or NotAllowedError."""
    row = list_requests(school, person, [consent_id])[0]
    with school.engine.connect() as connection:
        language = _read_language(connection, row.pupil_id)
    return render_email(FamilyEmailKind.REQUEST, language, create_request_fields(school, person, row, language))


def compose_about_request(school: School, person: Person, row: Any, kind: FamilyEmailKind, family: Contacts) -> Letter:
    """An email about a request for consent. `row` is a row of `list_consents`. Raises TemplateError."""
    text = render_email(kind, family.language, create_request_fields(school, person, row, family.language))
    return Letter(
        int(row.pupil_id),
        kind,
        family.emails,
        family.language,
        *text,
        sender_id=person.staff_id,
        consent_id=int(row.consent_id),
    )


def read_contacts(connection: Connection, pupil_ids: Collection[int]) -> dict[int, Contacts]:
    """The contacts of the pupils, by id. Pupils without contacts are left out."""
    pupil = tables.pupils.c
    query = select(pupil.id, pupil.contact_emails, pupil.language).where(
        is_among(connection, pupil.id, list(pupil_ids)), pupil.contact_emails.is_not(None)
    )
    return {
        row.id: Contacts(tuple(row.contact_emails.split(";")), row.language or LANGUAGE)
        for row in connection.execute(query.order_by(pupil.id))
    }


def _read_language(connection: Connection, pupil_id: int) -> str:
    pupil = tables.pupils.c
    return connection.scalar(select(pupil.language).where(pupil.id == pupil_id)) or LANGUAGE


def _check_can_send(school: School) -> None:
    if obstacle := find_obstacle_to_families(school):
        raise ValueError(obstacle)


def _enqueue(school: School, person: Person, letters: Collection[Letter], about: str) -> int:
    if not letters:
        raise ValueError("The roster has no address of the family. Send the Word letter, or have the address added.")
    with school.writing() as connection:
        queued = enqueue_letters(connection, letters, school.now())
        if queued:
            school.add_to_trail(connection, person.email, "emailed", about)
            raise_revision(connection)
    send_in_background(school)
    return queued
