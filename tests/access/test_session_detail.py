"""One session in full."""

import pandas as pd
import pytest
from sqlalchemy import update

from app.access.overview import get_overview
from app.access.session_detail import get_session
from app.access.sessions import list_sessions
from app.protocol.clauses import CLAUSES
from app.school import School
from app.store import tables
from tests.access.questions import as_text
from tests.access.school import (
    EVER,
    ID,
    LAST_WEEK,
    MAY_OPEN,
    NARRATIVE,
    NOTE,
    NUMBER,
    SESSIONS,
    add_row,
    at_hour,
    someone,
)
from tests.people import found


@pytest.mark.parametrize("name", ID)
def test_get_session_opens_only_what_the_list_gives(school: School, name: str) -> None:
    person = someone(school, name)
    assert {n for n in SESSIONS if get_session(school, person, NUMBER[n])} == MAY_OPEN[name]
    assert get_session(school, person, 10_000) is None


def test_get_session_shows_only_that_counselling_by_others_took_place(school: School) -> None:
    sdh, number = someone(school, "sdh"), NUMBER["counselling by tutor9"]
    row = list_sessions(school, sdh, EVER).set_index("session_id").loc[number]
    assert (row["staff_name"], row["pupils"], row["withheld"]) == ("Tutor9", "", True)
    view = found(get_session(school, sdh, number))
    assert view.withheld
    assert view.log is None
    frames = [frame for frame in vars(view.calls).values() if isinstance(frame, pd.DataFrame)]
    for frame in (view.pupils, *frames, view.versions, view.concerns):
        assert frame.empty
    reasons = view.clauses.set_index("clause")["reason"].to_dict()
    assert reasons == {"purpose-allowed": "Logged as counselling, by somebody who is not a school counsellor."}
    assert (view.status, view.disputed, row["n_breach"], row["n_gaps"]) == ("breach", False, 0, 0)
    assert number not in set(get_overview(school, sdh, EVER)["session_id"])
    mine = found(get_session(school, someone(school, "tutor9"), number))
    assert (found(mine.log)["notes"], list(mine.pupils["name"])) == (NOTE, ["Fflur"])


def test_get_session_gives_the_counsellor_their_own_in_full(school: School) -> None:
    view = found(get_session(school, someone(school, "counsellor"), NUMBER["counselling"]))
    assert (found(view.log)["notes"], list(view.pupils["name"]), view.withheld) == (NOTE, ["Fflur"], False)
    assert len(view.clauses) == len(CLAUSES)


@pytest.mark.parametrize("purpose", ["counselling", "a private talk"])
def test_get_session_hides_an_earlier_version_about_counselling(school: School, purpose: str) -> None:
    """Or what may be: the teacher was a counsellor once, and typed the purpose."""
    number = NUMBER["aled"]
    with school.engine.begin() as connection:
        version = tables.staff_versions.c
        if purpose != "counselling":
            theirs = update(tables.staff_versions).where(version.staff_id == ID["teacher"])
            connection.execute(theirs.values(roles="teacher;counsellor"))
        log = tables.logs.c
        connection.execute(
            update(tables.logs).where(log.id == number).values(version=2, correction_reason="was about his father")
        )
        add_row(
            connection,
            tables.logs,
            id=500,
            ref=f"L-{number}",
            version=1,
            current=False,
            staff_id=ID["teacher"],
            started_at=at_hour(LAST_WEEK),
            ended_at=at_hour(LAST_WEEK, 11),
            purpose=purpose,
            notes="his father",
            fingerprint="x",
            entered_at=at_hour(LAST_WEEK, 11),
            entered_by=ID["teacher"],
        )
    seen = found(get_session(school, someone(school, "sdh"), number))
    assert list(seen.versions["version"]) == [1], "a gap would tell of a version that is left out"
    assert "father" not in as_text(seen)
    own = found(get_session(school, someone(school, "teacher"), number))
    assert list(own.versions["version"]) == [2, 1]
    assert found(own.log)["purpose"] == "academic"


def test_get_session_hides_a_concerns_narrative_from_a_hoy(school: School) -> None:
    number = NUMBER["aled"]
    hoy = found(get_session(school, someone(school, "hoy9"), number))
    assert NARRATIVE not in as_text(hoy)
    assert found(hoy.log)["notes"] == NOTE
    teacher = found(get_session(school, someone(school, "teacher"), number))
    assert found(teacher.log)["concern_summary"] == NARRATIVE


def test_get_session_shows_linked_concerns_to_the_dsp_and_the_senior_deputy_head(school: School) -> None:
    def linked(name: str, session: str) -> int:
        return len(found(get_session(school, someone(school, name), NUMBER[session])).concerns)

    assert linked("dsp_prep", "dai with concern") == linked("sdh", "dai with concern") == 1
    assert linked("prep_hoy", "dai with concern") == linked("prep_tutor", "dai with concern") == 0


def test_get_session_timeline_names_only_people_on_the_roster(school: School) -> None:
    view = found(get_session(school, someone(school, "hm_monnow"), NUMBER["carys unlogged"]))
    assert sorted(zip(view.calls.stays["name"], view.calls.stays["role"], strict=True)) == [
        ("Carys", "pupil"),
        ("Not on the roster (user)", "other"),
        ("Tutor10", "staff"),
    ]
    assert "mum@home.example" not in as_text(view)
    assert len(view.clauses) == len(CLAUSES)
    assert view.log is None
