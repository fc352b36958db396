"""The page of one session: where its evidence is from, its rooms, and its recording."""

from sqlalchemy import select

from app.school import open_school
from app.store import tables
from app.vocabulary import CallSource
from tests.pages.conftest import Opened, text

_call, _of_session = tables.calls.c, tables.session_calls.c


def test_show_session_names_the_source_of_each_check(opened: Opened) -> None:
    query = select(_of_session.session_id).join(tables.calls)
    with open_school().engine.connect() as connection:
        number = connection.scalars(query.where(_call.source == CallSource.ATTENDANCE, _of_session.place == 0)).first()
    at = opened("sessions", "senior_deputy_head", session=str(number))
    checks = at.dataframe[0].value.set_index("Clause")["Source"]
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
