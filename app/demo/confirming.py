"""Which of the fictional staff have confirmed the protocol: all but a music teacher and seven tutors."""

from datetime import datetime, time, timedelta

from sqlalchemy import Connection

from app.access.confirmations import list_confirmations
from app.access.people import find_person
from app.demo.chance import Chance
from app.demo.people import DemoSchool
from app.school import School
from app.store import reading, tables
from app.store.writing import insert_rows


def list_confirmed(school: School, made: DemoSchool) -> list[int]:
    """The ids of the staff who have confirmed the version in force."""
    deputy = find_person(school, made.senior_deputy_head["email"])
    assert deputy is not None
    asked = list_confirmations(school, deputy)["staff_id"].tolist()
    with school.engine.connect() as connection:
        ids = reading.read_roster(connection).staff
    musician = min(person["email"] for person in made.staff if person["roles"] == "music_teacher")
    tutors = [tutor["email"] for tutors in made.tutors.values() for tutor in tutors[1:]]
    missing = {ids[email] for email in (musician, *tutors[::3][:7])}
    return [number for number in asked if number not in missing]


def confirm(connection: Connection, school: School, staff_ids: list[int], chance: Chance) -> None:
    """Store that staff confirmed the version in force, in the first weeks of the earliest term."""
    version = school.settings.version_on(school.today())
    if version is None:
        return
    first = max(version.from_, min(term.from_ for term in school.settings.terms))
    rows = []
    for number in staff_ids:
        day = first + timedelta(weeks=chance.whole(0, 1), days=chance.whole(0, 4))
        confirmed_at = datetime.combine(day, time(chance.whole(8, 15), chance.whole(0, 59)), school.settings.zone)
        rows.append({"staff_id": number, "version_from": version.from_, "confirmed_at": confirmed_at})
    insert_rows(connection, tables.confirmations, rows)
