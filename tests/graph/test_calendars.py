"""Calendars of pastoral staff: whom their meetings invite is known beforehand, and nothing else is kept."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from app.graph.sources import Source, read_states
from app.records.evidence.calls import digest_join_link
from app.school import School
from app.store import tables
from tests import people
from tests.clock import Clock
from tests.graph.conftest import ago, run
from tests.graph.standin import BUSY, DROPPED, THROTTLED, Fault, StandIn

REFUSED = Fault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
PASTORAL = ("sdh", "hoy9", "hm", "tutor", "preptutor")


def link(name: str) -> str:
    return f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{name}%40thread.v2/0"


def meeting(
    name: str, start: datetime, /, *invited: str, changed: datetime | None = None, by: str = "tutor", **more: Any
) -> dict[str, Any]:
    """An event of half an hour in a calendar, as Graph shows it."""

    def zoned(moment: datetime) -> dict[str, str]:
        return {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}

    return {
        "@odata.etag": 'W/"x"',
        "id": f"{by}-{name}",
        "iCalUId": f"uid-{name}",
        "subject": "Secret subject",
        "body": {"contentType": "html", "content": "Secret body"},
        "lastModifiedDateTime": (changed or start - timedelta(days=1)).isoformat() + "Z",
        "isOrganizer": True,
        "isOnlineMeeting": True,
        "onlineMeeting": {"joinUrl": link(name)},
        "start": zoned(start),
        "end": zoned(start + timedelta(minutes=30)),
        "organizer": {"emailAddress": {"name": by, "address": people.email(by)}},
        "attendees": [
            {"type": "required", "status": {"response": "none"}, "emailAddress": {"address": people.email(who)}}
            for who in invited
        ],
    } | more


def invitations(school: School) -> list[tuple[str, set[str]]]:
    """For each stored version, in the order of its changes, its join key and the staff whom it invites."""
    event, invited = tables.calendar_events.c, tables.calendar_invited.c
    with school.engine.connect() as connection:
        staff = dict(connection.execute(select(tables.staff.c.id, tables.staff.c.email)).all())
        return [
            (
                row.join_key,
                {
                    staff[number].split("@")[0]
                    for number in connection.scalars(select(invited.staff_id).where(invited.event_id == row.id))
                },
            )
            for row in connection.execute(select(event.id, event.join_key).order_by(event.changed_at, event.id))
        ]


def one(name: str, *invited: str) -> tuple[str, set[str]]:
    return digest_join_link(link(name)), {"tutor", *invited}


def in_hours(hours: float) -> datetime:
    return ago(hours=-hours)


def test_fetch_calendars_stores_whom_meetings_invite_and_nothing_else(school: School, graph: StandIn) -> None:
    outsiders = ("mother@elsewhere.example", "aled", "teacher")
    graph.calendars[people.entra("tutor")] = [
        *(meeting(f"m{number}", in_hours(number), "hoy9", *outsiders) for number in range(1, 26)),
        meeting("far", in_hours(60), "hoy9"),
        meeting("dentist", in_hours(3), "hoy9", onlineMeeting=None),
    ]
    run(school)
    assert sorted(invitations(school)) == sorted(one(f"m{number}", "hoy9", "teacher") for number in range(1, 26))
    with school.engine.connect() as connection:
        stored = "\n".join(
            repr(connection.execute(text(f"select * from {name}")).all())
            for name in ("calendar_events", "calendar_invited", "quarantine", "sync_runs", "graph_sources")
        )
    assert not any(word in stored for word in ("Secret", "elsewhere", "@", "teams.microsoft"))
    run(school)
    assert len(invitations(school)) == 25


def test_fetch_calendars_asks_pastoral_staff_and_no_counsellor(school: School, graph: StandIn) -> None:
    with school.writing() as connection:
        number = people.staff_id(school, "hm")
        before = connection.execute(select(tables.staff_versions).where(tables.staff_versions.c.staff_id == number))
        row = before.one()._asdict() | {"from_day": school.today() + timedelta(days=9), "roles": "hm;counsellor"}
        connection.execute(insert(tables.staff_versions).values({k: v for k, v in row.items() if k != "id"}))
    run(school)
    asked = {people.entra(who) for who in PASTORAL if who != "hm"}
    assert {address.split("/")[3] for address in graph.asked_for("calendarView")} == asked


def test_fetch_calendars_stores_each_version_and_the_last_before_the_session(
    school: School, graph: StandIn, clock: Clock
) -> None:
    start = in_hours(2)
    calendar = graph.calendars[people.entra("tutor")] = [meeting("m", start)]
    run(school)
    clock.later(hours=3)  # changed a minute before it began, and again after it
    calendar[0] = meeting("m", start, "hoy9", changed=start - timedelta(minutes=1))
    run(school)
    calendar[0] = meeting("m", start, "hoy9", "sdh", changed=start + timedelta(minutes=50))
    run(school)
    assert invitations(school) == [one("m"), one("m", "hoy9"), one("m", "hoy9", "sdh")]
    with school.engine.connect() as connection:
        assert len(set(connection.scalars(select(tables.calendar_events.c.event_key)))) == 1


@pytest.mark.parametrize(
    "later", [[], [{"isCancelled": True}], [{"isDraft": True}], [{"start": {"dateTime": "x", "timeZone": "GMT"}}]]
)
def test_fetch_calendars_forgets_a_meeting_that_is_gone_before_it_begins(
    school: School, graph: StandIn, clock: Clock, later: list[dict[str, Any]]
) -> None:
    start = in_hours(2)
    calendar = graph.calendars[people.entra("tutor")] = [meeting("m", start, "hoy9"), meeting("n", start, "hoy9")]
    run(school)
    clock.later(hours=1)
    calendar[:] = [meeting("m", start, "hoy9", **values) for values in later] + [calendar[1]]
    run(school)
    assert invitations(school) == [one("n", "hoy9")]
    clock.later(hours=2)
    run(school)  # the other was there after it had begun: what becomes of it then does not count
    calendar.clear()
    run(school)
    assert invitations(school) == [one("n", "hoy9")]


def test_fetch_calendars_trusts_only_the_organisers_calendar(school: School, graph: StandIn) -> None:
    start = in_hours(2)
    graph.calendars[people.entra("hoy9")] = [meeting("m", start, "hoy9", isOrganizer=False)]
    graph.calendars[people.entra("sdh")] = [meeting("m", start, "sdh", isOrganizer=None)]
    graph.calendars[people.entra("tutor")] = [meeting("m", start, "hm", isOrganizer=None)]
    run(school)
    assert invitations(school) == [one("m", "hm")]


@pytest.mark.parametrize("fault", [THROTTLED, BUSY, DROPPED])
def test_fetch_calendars_tries_again_what_failed_once(school: School, graph: StandIn, fault: Fault) -> None:
    graph.calendars[people.entra("tutor")] = [meeting("m", in_hours(2), "hoy9")]
    graph.faults = [("calendarView", fault)]
    assert run(school).errors == []
    assert invitations(school) == [one("m", "hoy9")]


def test_fetch_calendars_follows_no_link_elsewhere(
    school: School, graph: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.calendars[people.entra("tutor")] = [meeting(f"m{number}", in_hours(2)) for number in range(11)]
    monkeypatch.setattr(graph, "_link", lambda address, start: "https://elsewhere.example/v1.0/users")
    (error,) = run(school).errors
    assert "not at the configured Graph host" in error
    assert invitations(school) == []


def test_fetch_calendars_that_are_refused_end_no_run(school: School, graph: StandIn) -> None:
    graph.always = {"calendarView": REFUSED}
    (error,) = run(school).errors
    assert "Calendars of pastoral staff were refused" in error
    run(school)
    assert len(graph.asked_for("calendarView")) == 3
    with school.engine.connect() as connection:
        assert read_states(connection)[Source.CALENDARS].refused_at is not None


def test_fetch_calendars_names_what_cannot_be_read_without_its_content(school: School, graph: StandIn) -> None:
    zone = {"dateTime": "2026-11-03T12:45:00", "timeZone": "GMT Standard Time"}
    graph.calendars[people.entra("tutor")] = [meeting("m", in_hours(2), start=zone), "nonsense"]
    (error,) = run(school).errors
    assert "2 meetings in calendars could not be read (its start" in error
    assert "GMT Standard Time" in error
    assert "Secret" not in error
