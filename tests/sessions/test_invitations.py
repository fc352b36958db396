"""The invitation to a planned session, as a calendar reads it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from app.school import School
from app.sessions import planning
from app.sessions.invitations import create_invitation
from tests import people
from tests.people import someone
from tests.sessions.plans import AtTime, form, kept, plan


def invitation(school: School, name: str, **more: Any) -> Calendar:
    row, planner = kept(school, name, **more), someone(school, name)
    checks = planning.check_plan(school, planner, plan(school, name, form(**more)))
    return Calendar.from_ical(create_invitation(school, planner, row, checks))


def only(calendar: Calendar, kind: str) -> Any:
    """The one component of a kind."""
    (component,) = calendar.walk(kind)
    return component


@pytest.mark.parametrize(
    ("day", "utc"), [("2027-03-26", 19), ("2027-03-29", 18), ("2027-10-29", 18), ("2027-11-01", 19)]
)
def test_an_invitation_has_school_time_before_and_after_the_clock_change(winter: AtTime, day: str, utc: int) -> None:
    calendar = invitation(winter, "tutor", day=day)
    meeting = only(calendar, "VEVENT")
    assert meeting["DTSTART"].params["TZID"] == "Europe/London"
    assert meeting.start.astimezone(UTC) == datetime.fromisoformat(f"{day}T{utc}:00+00:00")
    assert meeting.end - meeting.start == timedelta(minutes=40)
    zone = only(calendar, "VTIMEZONE")
    assert zone.to_tz(lookup_tzid=False).utcoffset(datetime.fromisoformat(f"{day}T19:00")) == timedelta(hours=19 - utc)


def test_an_invitation_names_everybody_and_a_change_replaces_it(winter: AtTime) -> None:
    more = {"purpose": "pastoral", "reason": "safeguarding", "second": [people.email("hm")]}
    calendar = invitation(winter, "tutor", **more)
    meeting = only(calendar, "VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert {str(one).removeprefix("mailto:") for one in meeting["ATTENDEE"]} == {
        people.email("aled"),
        people.email("hm"),
    }
    assert str(meeting["ORGANIZER"]) == f"mailto:{people.email('tutor')}"
    assert "An adult in the house" in meeting["DESCRIPTION"]
    assert not [word for word in ("safeguarding", "pastoral") if word in calendar.to_ical().decode().lower()]
    again = only(invitation(winter, "tutor", **more, to="19:30"), "VEVENT")
    assert (again["UID"], again["SEQUENCE"]) == (meeting["UID"], meeting["SEQUENCE"] + 1)


@pytest.mark.parametrize(
    ("by", "purpose"), [("counsellor", "counselling"), ("counsellor", "a talk"), ("tutor", "counselling")]
)
def test_an_invitation_to_counselling_contains_only_the_time(winter: AtTime, by: str, purpose: str) -> None:
    text = invitation(winter, by, pupils="aled bethan", purpose=purpose).to_ical().decode()
    (meeting,) = Calendar.from_ical(text).walk("VEVENT")
    assert (meeting["SUMMARY"], meeting["CLASS"], "ATTENDEE" in meeting) == ("Appointment", "PRIVATE", False)
    told = text.lower().replace(people.email(by), "")
    assert not [word for word in ("aled", "bethan", "counselling", "teams", "pupil") if word in told]
