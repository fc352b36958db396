"""Lists of sessions: exactly those that are theirs to open."""

import pytest

from app.access.forms import list_calls_to_log
from app.access.policy import Person
from app.access.sessions import list_sessions, list_unlogged_calls
from app.school import School
from app.store import tables
from app.vocabulary.roles import Resource, Role
from tests.access.school import (
    COUNSELLOR_S,
    EVER,
    ID,
    LAST_WEEK,
    MAY_OPEN,
    NUMBER,
    OWN,
    PUPIL,
    SESSIONS,
    TODAY,
    UNLOGGED,
    add_row,
    someone,
)


@pytest.mark.parametrize("name", ID)
def test_list_sessions_gives_exactly_those_that_are_theirs_to_open(school: School, name: str) -> None:
    found = list_sessions(school, someone(school, name), EVER)
    assert set(found["session_id"]) == {NUMBER[n] for n in MAY_OPEN[name]}
    assert not found["session_id"].duplicated().any()


@pytest.mark.parametrize("name", ID)
def test_list_unlogged_calls_gives_those_of_others_and_list_calls_to_log_their_own(school: School, name: str) -> None:
    person = someone(school, name)
    others = list_unlogged_calls(school, person, EVER)
    assert set(others["session_id"]) == {NUMBER[n] for n in UNLOGGED & MAY_OPEN[name] - OWN[name]}
    own = list_calls_to_log(school, person)
    assert set(own["session_id"]) == {NUMBER[n] for n in OWN[name] if SESSIONS[n][2] is None}


def test_list_sessions_filters_by_day_and_names_every_pupil(school: School) -> None:
    with school.engine.begin() as connection:
        add_row(connection, tables.session_pupils, session_id=NUMBER["aled"], pupil_id=PUPIL["Dai"])
    found = list_sessions(school, someone(school, "hoy9"), (LAST_WEEK, LAST_WEEK)).set_index("session_id")
    assert set(found.index) == {NUMBER["aled"], NUMBER["bethan by tutor9"]}
    assert found.loc[NUMBER["aled"], "pupils"] == "Aled, Dai"
    assert found.loc[NUMBER["aled"], "started_at"].hour == 10


def test_list_sessions_keeps_a_former_counsellors_sessions_to_themselves(school: School) -> None:
    with school.engine.begin() as connection:
        add_row(
            connection,
            tables.staff_versions,
            staff_id=ID["counsellor"],
            from_day=TODAY,
            name="Counsellor",
            school="SEN",
            department="Music",
            roles="teacher",
            year_groups="",
            houses="",
        )
    assert set(list_sessions(school, someone(school, "sdh"), EVER)["session_id"]) == {
        NUMBER[n] for n in MAY_OPEN["sdh"]
    }
    assert len(list_sessions(school, someone(school, "counsellor"), EVER)) == len(COUNSELLOR_S)


@pytest.mark.parametrize("role", Role)
def test_list_sessions_gives_others_sessions_to_the_roles_with_a_grant(school: School, role: Role) -> None:
    person = Person(99, "x@habs.example", "X", "SEN", "Music", frozenset({role}), frozenset({"9"}), frozenset({"Wye"}))
    assert bool(len(list_sessions(school, person, EVER))) == (Resource.SESSIONS in role.grants)
