"""The calls of one session: rooms, people without times, reports that differ, recordings."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from app.access.session_calls import SessionCalls
from app.access.session_detail import get_session
from app.school import School
from app.store import tables
from app.vocabulary.terms import CallPart, CallSource
from tests.access.school import ID, LAST_WEEK, NUMBER, PUPIL, at_hour, someone
from tests.people import found

Minutes = tuple[float, float]
ADDRESS = "https://habs.sharepoint.example/recordings/1.mp4"


def add_call(
    school: School, session: str, call_id: str, people: dict[str, Minutes], part: str = "session", **more: Any
) -> None:
    """Add a call to a session; `people`: a short name to the minutes after ten at which they came and left."""
    ten = at_hour(LAST_WEEK)
    start, end = (ten + timedelta(minutes=pick(n for span in people.values() for n in span)) for pick in (min, max))
    organiser = {"organiser_id": "o", "organiser_tenant": "t", "organiser_staff_id": ID["teacher"]}
    call = {"id": call_id, "version": 1, "type": "groupCall", "started_at": start, "ended_at": end}
    with school.engine.begin() as connection:
        values = call | organiser | {"channel": False, "reader": 1, "stored_at": end} | more
        connection.execute(insert(tables.calls).values(values))
        number = NUMBER[session]
        of_session = tables.session_calls.c.session_id == number
        place = connection.scalar(select(func.count()).select_from(tables.session_calls).where(of_session))
        link = {"call_id": call_id, "session_id": number, "place": place, "part": part}
        connection.execute(insert(tables.session_calls).values(link))
        for who, (joined, left) in people.items():
            stay = {"call_id": call_id, "person": who, "kind": "user", "tenant": "t", "caller": True}
            known = {"staff_id": ID.get(who), "pupil_id": PUPIL.get(who)}
            times = {"joined_at": ten + timedelta(minutes=joined), "left_at": ten + timedelta(minutes=left)}
            connection.execute(insert(tables.call_stays).values(stay | known | times))


def calls_of(school: School, who: str, session: str) -> SessionCalls:
    return found(get_session(school, someone(school, who), NUMBER[session])).calls


def test_get_session_shows_overlapping_calls_as_rooms(school: School) -> None:
    add_call(school, "aled", "main", {"teacher": (0, 40), "Aled": (1, 40), "Bethan": (1, 40)})
    add_call(school, "aled", "breakout", {"teacher": (12, 14), "Aled": (10, 20)})
    add_call(school, "aled", "later", {"teacher": (41, 50), "Aled": (42, 49)})
    add_call(school, "aled", "through the old link", {"Aled": (55, 58)}, part="after")
    calls = calls_of(school, "teacher", "aled")
    assert calls.rooms["part"].tolist() == [CallPart.SESSION, CallPart.SESSION, CallPart.AFTER]
    assert [f"{at:%H:%M}" for at in calls.rooms["began_at"].dt.tz_convert("UTC")] == [
        f"{at_hour(LAST_WEEK) + timedelta(minutes=n):%H:%M}" for n in (0, 10, 55)
    ]
    who = calls.stays.groupby("room")["name"].agg(lambda names: sorted(set(names))).tolist()
    assert who == [["Aled", "Bethan", "Teacher"], ["Aled", "Teacher"], ["Aled"]]
    assert not calls.no_staff_came
    assert calls.source == "Call record"


def test_get_session_says_that_no_staff_came(school: School) -> None:
    add_call(school, "aled", "waiting", {"Aled": (0, 8)})
    assert calls_of(school, "sdh", "aled").no_staff_came


def test_get_session_does_not_say_that_no_staff_came_if_an_outsider_may_be_they(school: School) -> None:
    add_call(school, "aled", "waiting", {"Aled": (0, 8), "somebody": (0, 8)})
    assert not calls_of(school, "sdh", "aled").no_staff_came


def test_get_session_names_people_without_times(school: School) -> None:
    add_call(school, "aled", "main", {"teacher": (0, 40)})
    with school.engine.begin() as connection:
        for person, who in (("p", {"pupil_id": PUPIL["Aled"]}), ("teacher", {"staff_id": ID["teacher"]})):
            connection.execute(insert(tables.call_listed).values({"call_id": "main", "person": person} | who))
    assert calls_of(school, "teacher", "aled").listed.to_dict("records") == [{"name": "Aled", "role": "pupil"}]


REPORT = {"part": "report", "source": CallSource.ATTENDANCE.value}


@pytest.mark.parametrize(("left", "differ"), [(38.1, False), (36, True)])
def test_get_session_compares_a_report_with_the_call_record(school: School, left: float, differ: bool) -> None:
    add_call(school, "aled", "main", {"teacher": (0, 38), "Aled": (1, 40)})
    add_call(school, "aled", "report", {"teacher": (0, left), "Aled": (1, 40)}, **REPORT)
    calls = calls_of(school, "teacher", "aled")
    assert calls.differ == differ
    assert set(calls.differences["source"]) == (set(CallSource) if differ else set())
    assert calls.source == "Call record"
    seconds = (calls.differences["to_at"] - calls.differences["from_at"]).dt.total_seconds()
    assert seconds.tolist() == ([240, 120] if differ else [])


def test_get_session_names_the_report_as_the_source_where_there_is_no_call_record(school: School) -> None:
    add_call(school, "aled", "report", {"teacher": (0, 40), "Aled": (1, 39)}, source=CallSource.ATTENDANCE.value)
    view = found(get_session(school, someone(school, "teacher"), NUMBER["aled"]))
    sources = view.clauses.set_index("clause")["source"]
    assert sources["staff-opens"] == "Attendance report"
    assert sources["logged"] == "Session log"
    assert sources["parents-told"] == ""


@pytest.mark.parametrize(
    "address", ["http://habs.sharepoint.example/1", "javascript:alert(1)", "https://a@b.example/1", "https://[", None]
)
def test_get_session_leaves_out_an_address_that_is_not_safe_to_open(school: School, address: str | None) -> None:
    add_recording(school, "aled", content_url=address)
    assert calls_of(school, "teacher", "aled").recordings["address"].tolist() == [None]


def add_recording(school: School, session: str, **more: Any) -> None:
    add_call(school, session, f"recorded {session}", {"teacher": (0, 40), "Aled": (1, 39)})
    created_at = at_hour(LAST_WEEK) + timedelta(minutes=2)
    with school.engine.begin() as connection:
        recording = {"id": f"r {session}", "call_id": f"recorded {session}", "created_at": created_at}
        connection.execute(insert(tables.recordings).values(recording | {"content_url": ADDRESS} | more))


@pytest.mark.parametrize("who", ["teacher", "sdh", "hoy9"])
def test_get_session_says_where_its_recording_is(school: School, who: str) -> None:
    ends = at_hour(LAST_WEEK) + timedelta(days=60)
    add_recording(school, "aled", expires_at=ends)
    recordings = calls_of(school, who, "aled").recordings
    assert recordings["address"].tolist() == [ADDRESS]
    assert recordings["expires_at"].tolist() == [ends]


def test_get_session_keeps_the_recording_of_counselling_from_others(school: School) -> None:
    add_recording(school, "counselling by tutor9")
    assert calls_of(school, "sdh", "counselling by tutor9").recordings.empty
    assert calls_of(school, "tutor9", "counselling by tutor9").recordings["address"].tolist() == [ADDRESS]


def test_get_session_gives_what_each_source_says_of_a_disputed_check(school: School) -> None:
    with school.engine.begin() as connection:
        connection.execute(
            tables.logs.update().where(tables.logs.c.id == NUMBER["aled"]).values(pupil_left_alone=False)
        )
    add_call(school, "aled", "main", {"teacher": (0, 38), "Aled": (1, 40)})
    view = found(get_session(school, someone(school, "sdh"), NUMBER["aled"]))
    check = view.clauses.set_index("clause").loc["never-alone"]
    assert (check["outcome"], check["disputed"], check["source"]) == ("breach", True, "Call record")
    assert "without staff" in check["reason"]
    assert check["log_says"] == "The log says that no pupil was left alone."
    assert set(view.clauses.loc[~view.clauses["disputed"], "log_says"]) == {""}
