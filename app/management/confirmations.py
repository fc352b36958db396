"""Confirming that the protocol has been read and understood."""

from datetime import date

from sqlalchemy import insert, select

from app.access.policy import Person
from app.school import School
from app.store import tables
from app.store.writing import raise_revision


def confirm_version(school: School, person: Person, version_from: date) -> None:
    """Store that the person has read and understood the version in force, which is identified by its first day. Stored
    once, however often this is called. Raises ValueError if another version is in force by now."""
    confirmation = tables.confirmations.c
    own = confirmation.staff_id == person.staff_id, confirmation.version_from == version_from
    with school.writing() as connection:
        version = school.as_of(connection).settings.version_on(school.today())
        if version is None or version.from_ != version_from:
            raise ValueError("Another version of the protocol has come into force. Read that one.")
        if connection.scalar(select(confirmation.id).where(*own)) is not None:
            return
        row = {"staff_id": person.staff_id, "version_from": version_from, "confirmed_at": school.now()}
        connection.execute(insert(tables.confirmations).values(row))
        subject = f"protocol in force from {version_from}: read and understood"
        school.add_to_trail(connection, person.email, "changed", subject)
        raise_revision(connection)
