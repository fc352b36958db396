"""The page of one session: where its evidence is from, its rooms, and its recording."""

import re

from sqlalchemy import select

from app.school import open_school
from app.store import tables
from app.vocabulary.terms import CallPart, CallSource
from tests.pages.conftest import Opened, text

_call, _of_session = tables.calls.c, tables.session_calls.c


def test_show_session_names_the_source_of_each_check(opened: Opened) -> None:
    query = select(_of_session.session_id).join(tables.calls)
    with open_school().engine.connect() as connection:
        number = connection.scalars(query.where(_call.source == CallSource.ATTENDANCE, _of_session.place == 0)).first()
    at = opened("sessions", "senior_deputy_head", session=str(number))
    cells = re.findall('<td role="cell" data-heading="([^"]*)"><bdi>([^<]*)</bdi>', text(at))
    clauses, sources = ([words for heading, words in cells if heading == name] for name in ("Clause", "Source"))
    checks = dict(zip(clauses, sources, strict=True))
    assert checks["Staff open the call"] == "Attendance report"
    assert checks["Session logged"] == "Session log"
    assert checks["Parents told"] == "Register of letters"
    assert "there is no call record" in text(at)


def test_show_session_says_where_its_recording_is_and_until_when(opened: Opened) -> None:
    recording = tables.recordings.c
    query = select(_of_session.session_id, recording.content_url).join(
        tables.recordings, recording.call_id == _of_session.call_id
    )
    with open_school().engine.connect() as connection:
        number, address = connection.execute(query.join(tables.calls).where(_call.type == "peerToPeer")).one()
    at = opened("sessions", "senior_deputy_head", session=str(number))
    words = text(at)
    assert "Stored until" in words
    assert address in words
    assert [button.proto.url for button in at.get("link_button")] == [address]


def test_show_session_shows_each_room_of_it(opened: Opened) -> None:
    query = select(_of_session.session_id).where(_of_session.part == CallPart.AFTER)
    with open_school().engine.connect() as connection:
        number = connection.scalars(query).one()
    at = opened("sessions", "senior_deputy_head", session=str(number))
    rooms = [heading.value for heading in at.subheader]
    assert [room.split(" · ")[0] for room in rooms] == ["The session", "After the session, without staff"]
    assert len(at.get("vega_lite_chart")) == 2


def test_show_session_says_that_no_staff_came(opened: Opened) -> None:
    with_staff = select(tables.call_stays.c.call_id).where(tables.call_stays.c.staff_id.is_not(None))
    session = tables.sessions.c
    unlogged = select(session.id).where(session.log_id.is_(None)).order_by(session.started_at.desc())
    query = unlogged.join(tables.session_calls).where(_of_session.call_id.not_in(with_staff))
    with open_school().engine.connect() as connection:
        number = connection.scalars(query).first()
    at = opened("sessions", "senior_deputy_head", session=str(number))
    assert at.title[0].value.startswith("Room without staff")
    assert "No staff attended" in at.warning[0].value
