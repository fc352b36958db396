"""The invitation to a planned session, as an iCalendar file."""

from typing import Any

import pandas as pd
from icalendar import Calendar, Event, vCalAddress

from app.access.forms import list_pupils_to_choose, list_staff_to_choose
from app.access.policy import COUNSELLING, OTHER_PURPOSES, Person
from app.school import School
from app.sessions.planning import PlanChecks
from app.vocabulary.roles import Role

_FOR_PUPILS = ("adult-introduced", "public-room", "cameras-on", "background", "dress", "no-private-recording")


def create_invitation(school: School, person: Person, plan: Any, checks: PlanChecks) -> bytes:
    """The invitation to a planned session (a row of `list_plans`) as an iCalendar file, addressed to the pupils and the
    second member of staff. For counselling it contains only the time and the counsellor, because calendars are
    shared."""
    confidential = is_confidential(person, plan.purpose)
    if confidential:
        details: dict[str, Any] = {"summary": "Appointment", "classification": "PRIVATE"}
    else:
        clauses = checks.in_session.set_index("clause")["words"]
        details = {
            "summary": f"Session in Teams with {person.name}",
            "location": "Microsoft Teams",
            "description": "\n".join(clauses[name] for name in _FOR_PUPILS if name in clauses),
            "attendees": [
                vCalAddress.new(email, cn=name, role="REQ-PARTICIPANT", partstat="NEEDS-ACTION", rsvp=True)
                for email, name in _names_of(school, person, plan).items()
            ],
        }
    event = Event.new(
        uid=f"{plan.ref}@{person.email.partition('@')[2]}",
        sequence=int(plan.changes),
        stamp=school.now(),
        start=plan.started_at.to_pydatetime(),
        end=plan.ended_at.to_pydatetime(),
        organizer=vCalAddress.new(person.email, cn=person.name),
        **details,
    )
    calendar = Calendar()
    calendar.add("prodid", "-//videoconferencing protocol//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH" if confidential else "REQUEST")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def is_confidential(person: Person, purpose: str) -> bool:
    """Whether a plan is or may be for counselling."""
    word = purpose.strip().lower()
    return word == COUNSELLING or (Role.COUNSELLOR in person.roles and word not in OTHER_PURPOSES)


def _names_of(school: School, person: Person, plan: Any) -> dict[str, str]:
    """The names of the people invited, by email."""
    people = pd.concat([list_pupils_to_choose(school, person), list_staff_to_choose(school, person)])
    names = people.set_index("email")["name"]
    invited = [email for cell in (plan.pupil_emails, plan.second_emails) for email in cell.split(";") if email]
    return {email: str(names.get(email, email)) for email in invited}
