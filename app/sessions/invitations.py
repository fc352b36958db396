"""The invitation to a planned session, as an iCalendar file."""

from typing import Any

import pandas as pd
from icalendar import Calendar, Event, vCalAddress, vText

from app.access.forms import list_pupils_to_choose, list_staff_to_choose
from app.access.policy import COUNSELLING, OTHER_PURPOSES, Person
from app.school import School
from app.sessions.planning import Foreseen
from app.vocabulary import Role

_FOR_PUPILS = ("adult-introduced", "public-room", "cameras-on", "background", "dress", "no-private-recording")


def create_invitation(school: School, person: Person, plan: Any, foreseen: Foreseen) -> bytes:
    """The invitation to a planned session (a row of `access.plans`) as an iCalendar file, to the pupils and the
    second member of staff. Of counselling it holds the counsellor's time and nobody else: calendars are shared."""
    event = Event()
    event.add("uid", f"{plan.ref}@{person.email.partition('@')[2]}")
    event.add("sequence", int(plan.changes))
    event.add("dtstamp", school.now())
    event.add("dtstart", plan.started_at.to_pydatetime())
    event.add("dtend", plan.ended_at.to_pydatetime())
    event.add("organizer", _address(person.email, person.name))
    calendar = Calendar()
    calendar.add("prodid", "-//videoconferencing protocol//EN")
    calendar.add("version", "2.0")
    if is_confidential(person, plan.purpose):
        calendar.add("method", "PUBLISH")
        event.add("summary", "Appointment")
        event.add("class", "PRIVATE")
    else:
        calendar.add("method", "REQUEST")
        event.add("summary", f"Session in Teams with {person.name}")
        event.add("location", "Microsoft Teams")
        clauses = foreseen.to_mind.set_index("clause")["words"]
        event.add("description", "\n".join(clauses[name] for name in _FOR_PUPILS if name in clauses))
        for address, name in _names_of(school, person, plan).items():
            guest = _address(address, name)
            guest.params.update(
                {"ROLE": vText("REQ-PARTICIPANT"), "PARTSTAT": vText("NEEDS-ACTION"), "RSVP": vText("TRUE")}
            )
            event.add("attendee", guest, encode=False)
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def is_confidential(person: Person, purpose: str) -> bool:
    """Whether a plan is of counselling, or may be."""
    word = purpose.strip().lower()
    return word == COUNSELLING or (Role.COUNSELLOR in person.roles and word not in OTHER_PURPOSES)


def _address(email: str, name: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(name)
    return address


def _names_of(school: School, person: Person, plan: Any) -> dict[str, str]:
    """Those who are invited, by address."""
    people = pd.concat([list_pupils_to_choose(school, person), list_staff_to_choose(school, person)])
    names = people.set_index("email")["name"]
    invited = [email for cell in (plan.pupil_emails, plan.second_emails) for email in cell.split(";") if email]
    return {email: str(names.get(email, email)) for email in invited}
