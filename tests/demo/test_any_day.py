"""The fictional school has something for everybody to do on every day of the year, holidays included."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.access.administration import list_rejected_rows
from app.access.breaches import list_breaches_to_explain, list_breaches_to_resolve
from app.access.concerns import list_actions_to_do, list_concerns
from app.access.forms import list_calls_to_log
from app.access.overview import get_overview
from app.access.parents import list_consents
from app.access.people import list_demo_people
from app.access.policy import Person
from app.access.repeats import list_repeats
from app.demo.calendar import create_demo_settings
from app.demo.filling import fill, generate
from app.demo.people import DemoSchool
from app.school import School, open_school
from app.settings import load_settings
from app.store.concerns import CONDUCT
from app.vocabulary.roles import Role
from tests.clock import Clock, moment

SETTINGS = load_settings()
FEWEST = 100  # sessions: as few as the command allows
YEAR = [date(2028, 1, 1) + timedelta(days=n) for n in range(366)]


# --- every day, as it is planned


def wrong_terms(day: date) -> str:
    settings = create_demo_settings(SETTINGS, day)
    last, this = settings.terms
    remote, ahead = settings.remote_learning
    in_order = last.to < this.from_ <= remote.from_ < remote.to < day < ahead.from_ < ahead.to
    return "" if in_order and day <= this.to and last.name != this.name else "the terms"


def to_log(made: DemoSchool, day: date, email: str) -> list[dict[str, Any]]:
    """The calls of a member of staff that they have not logged, of the week before the day."""
    own = next(person["entra_id"] for person in made.staff if person["email"] == email)
    logged = {(log["started_at"][:10], log["pupil_emails"]) for log in made.logs if log["staff_email"] == email}
    return [
        call
        for call in made.calls
        if call["organizer_v2"]["id"] == own
        and str(day - timedelta(days=7)) <= call["endDateTime"][:10] < str(day)
        and (call["endDateTime"][:10], ";".join(pupils_in(call))) not in logged
    ]


def pupils_in(call: dict[str, Any]) -> list[str]:
    ends = (leg["caller"]["associatedIdentity"] or {} for leg in call["sessions"])
    names = dict.fromkeys(end.get("userPrincipalName") or "" for end in ends)
    return [name for name in names if "@pupils." in name]


def has_camera_off(call: dict[str, Any]) -> bool:
    videos = (
        media for leg in call["sessions"] for media in leg["segments"][0]["media"] if media["label"] == "main-video"
    )
    return any("callerToCallee" not in {stream["streamDirection"] for stream in video["streams"]} for video in videos)


def concerns_of_seniors(made: DemoSchool) -> list[bool]:
    """Of each concern that a log tells, in the order of their sessions, whether it is about the Senior School."""
    schools = {pupil["email"]: pupil["school"] for pupil in made.pupils}
    told = sorted((log["ended_at"], log["pupil_emails"]) for log in made.logs if log.get("concern_summary"))
    return [schools[pupil] == "SEN" for _, pupil in told]


def further_evidence(made: DemoSchool) -> dict[str, bool]:
    """What call records and attendance reports show beside plain calls, and whether it is there."""
    calls = {call["id"]: call for call in made.calls}.values()
    links = Counter(call["joinWebUrl"] for call in calls)
    spans = sorted((call["organizer_v2"]["id"], call["startDateTime"], call["endDateTime"]) for call in calls)
    reports = [meeting["joinWebUrl"] for meeting in made.attendance]
    legs = [leg for call in made.calls for leg in call["sessions"]]
    ends = [[(leg["caller"]["associatedIdentity"] or {}).get("id") for leg in call["sessions"]] for call in made.calls]
    pupils = {pupil["entra_id"] for pupil in made.pupils}
    scheduled = [recording["meetingId"] is not None for recording in made.recordings]
    return {
        "a breakout room": any(a[0] == b[0] and b[1] < a[2] for a, b in pairwise(spans)),
        "a room used again through the old link": any(link and n > 1 for link, n in links.items()),
        "a pupil who waits in vain": any(len(people) == 1 and set(people) <= pupils for people in ends),
        "a stay without details": any(leg["segments"] and not leg["segments"][0]["media"] for leg in legs),
        "a person without times": any(
            len(call["participants_v2"]) > len(set(people)) for call, people in zip(made.calls, ends, strict=True)
        ),
        "a report beside a call record, and one alone": sorted(link in links for link in reports) == [False, True],
        "a recording of an unscheduled call": not all(scheduled),
        "addresses of recordings": all(recording["recordingContentUrl"] for recording in made.recordings),
    }


def missing(made: DemoSchool, day: date) -> list[str]:
    """What somebody would not find on that day, at any time of it."""
    tutor, _, _, counsellor, _ = made.shown
    calls, about_seniors = to_log(made, day, tutor), concerns_of_seniors(made)
    half = len(about_seniors) // 2
    emails = {person["email"] for person in made.pupils}
    slips = [
        log["started_at"] < str(day)
        for log in made.logs
        if not log["ended_at"] or log["cameras_on"] == "mostly" or not set(log["pupil_emails"].split(";")) <= emails
    ]
    found = {
        "the tutor's calls to log": len(calls) >= 3,
        "a breach in a call": any(map(has_camera_off, calls)),
        "a breach in a log": any(
            log["pupil_left_alone"] == "yes" and str(day - timedelta(days=7)) <= log["started_at"] < str(day)
            for log in made.logs
            if log["staff_email"] == tutor
        ),
        "the counsellor's calls to log": bool(to_log(made, day, counsellor)),
        "a new concern": about_seniors[-1],
        "an open concern": any(about_seniors[half:-2]),
        "closed concerns": half > 2,
        "rejected rows": slips == [True] * 3,
    }
    found |= further_evidence(made)
    return [what for what, there in found.items() if not there]


@pytest.mark.parametrize(
    "days",
    [
        pytest.param(YEAR[::6], id="every sixth day, on each day of the week"),
        pytest.param(YEAR, id="every day", marks=pytest.mark.slow),
    ],
)
def test_generate_gives_everybody_something_to_do(days: list[date]) -> None:
    faults = {
        str(day): [*filter(None, [wrong_terms(day)]), *missing(generate(1, day, FEWEST, SETTINGS), day)] for day in days
    }
    assert {day: what for day, what in faults.items() if what} == {}


# --- some days, as everybody finds them


def to_do(school: School, person: Person, role: Role) -> dict[str, int]:
    """How much of each kind somebody finds in the role."""
    match role:
        case Role.SENIOR_DEPUTY_HEAD:
            conduct, children = list_concerns(school, person, CONDUCT), list_concerns(school, person)
            found = {"sessions": sessions(school, person), "repeats": repeats(school, person)}
            return found | {"conduct": len(conduct), "children": len(children)}
        case Role.SLT:
            return {"sessions": sessions(school, person)}
        case Role.HOY:
            breaches = list_breaches_to_resolve(school, person)
            return {"breaches": len(breaches), "consents": waiting(school, person)}
        case Role.HM:
            return {"breaches": len(list_breaches_to_resolve(school, person))}
        case Role.TUTOR:
            calls, breaches = list_calls_to_log(school, person), list_breaches_to_explain(school, person)
            return {"calls": len(calls), "breaches": len(breaches), "consents": waiting(school, person)}
        case Role.COUNSELLOR:
            return {"calls": len(list_calls_to_log(school, person))}
        case Role.DSP:
            own = list_actions_to_do(school, person)["mine"]
            unread = int((~list_concerns(school, person)["read"]).sum())
            return {"unread": unread, "actions": int(own.sum()), "repeats": repeats(school, person)}
        case Role.ADMIN:
            return {"rejected": len(list_rejected_rows(school, person))}
    return {}


def sessions(school: School, person: Person) -> int:
    """How many sessions the overview of this term has."""
    return len(get_overview(school, person, this_term(school)))


def repeats(school: School, person: Person) -> int:
    """How many pairs of an adult and a pupil met repeatedly this term."""
    return len(list_repeats(school, person, this_term(school)).pairs)


def this_term(school: School) -> tuple[date, date]:
    term = school.settings.term_on(school.today())
    assert term
    return term.from_, school.today()


def waiting(school: School, person: Person) -> int:
    return int((list_consents(school, person)["status"] == "waiting").sum())


@pytest.mark.parametrize(
    "at",
    [
        pytest.param("2027-08-15", id="a Sunday in August", marks=pytest.mark.slow),
        pytest.param("2027-03-28T00:55", id="the night in which summer time begins", marks=pytest.mark.slow),
        pytest.param("2026-10-25T00:55", id="the night in which summer time ends"),
        pytest.param("2028-02-29T09:00", id="29 February"),
        pytest.param("2027-09-01T07:00", id="1 September", marks=pytest.mark.slow),
        pytest.param("2026-12-31T23:50", id="31 December"),
    ],
)
def test_fill_gives_everybody_something_to_do(new_database: Callable[[], str], clock: Clock, at: str) -> None:
    clock.set(moment(at))
    url = new_database()
    fill(open_school(url), sessions=FEWEST)
    school = open_school(url)
    found = {role: to_do(school, person, role) for role, person in zip(Role, list_demo_people(school), strict=True)}
    assert {role: what for role, what in found.items() if not all(what.values())} == {}
