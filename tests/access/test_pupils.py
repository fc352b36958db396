"""The pupils whom somebody looks after, and what is counted about them."""

import pytest

from app.access.pupils import count_unlogged_by_person, get_pupil, list_pupils, list_pupils_with_counts, list_tutors
from app.access.sessions import list_session_pupils, list_sessions, list_sessions_of_pupil
from app.school import School
from tests.access.school import EVER, PUPILS, someone


@pytest.mark.parametrize("name", ["slt", "dsp_sen", "admin", "counsellor"])
def test_list_pupils_is_empty_for_those_who_look_after_nobody(school: School, name: str) -> None:
    person = someone(school, name)
    assert list_pupils(school, person).empty
    assert [get_pupil(school, person, number) for number in PUPILS] == [None] * len(PUPILS)


def test_list_pupils_gives_a_hoy_their_year_and_a_tutor_their_tutees(school: School) -> None:
    hoy, tutor = someone(school, "hoy9"), someone(school, "tutor9")
    assert set(list_pupils(school, hoy)["year_group"]) == {"9"}
    tutees = list_pupils(school, tutor)
    assert set(tutees["tutor_id"]) == {tutor.staff_id}
    assert len(list_pupils(school, someone(school, "sdh"))) > len(tutees)


def test_get_pupil_opens_exactly_the_pupils_of_the_list(school: School) -> None:
    hoy = someone(school, "hoy9")
    listed = set(list_pupils(school, hoy)["pupil_id"])
    assert {number for number in PUPILS if get_pupil(school, hoy, number)} == listed & set(PUPILS)


@pytest.mark.parametrize("name", ["sdh", "hoy9", "tutor9"])
def test_counts_of_pupils_are_those_of_the_sessions_that_are_open(school: School, name: str) -> None:
    person = someone(school, name)
    sessions = list_sessions(school, person, EVER)
    shown = sessions[~sessions["withheld"].astype(bool)]
    assert set(list_session_pupils(school, person, EVER)["session_id"]) <= set(shown["session_id"])
    for row in list_pupils_with_counts(school, person, EVER).itertuples():
        of_pupil = list_sessions_of_pupil(school, person, int(row.pupil_id))
        assert not of_pupil["withheld"].any()
        assert row.sessions == len(of_pupil)
        assert row.breaches == (of_pupil["status"] == "breach").sum()


def test_list_tutors_leaves_the_person_out(school: School) -> None:
    tutor = someone(school, "tutor9")
    assert tutor.staff_id not in set(list_tutors(school, tutor, EVER)["staff_id"])
    assert tutor.staff_id in set(list_tutors(school, someone(school, "hoy9"), EVER)["staff_id"])


def test_count_unlogged_by_person_counts_each_call_once(school: School) -> None:
    leader = someone(school, "sdh")
    sessions = list_sessions(school, leader, EVER)
    others = sessions[sessions["unlogged"] & ~sessions["own"].astype(bool) & ~sessions["withheld"].astype(bool)]
    assert count_unlogged_by_person(school, leader, EVER)["unlogged"].sum() == len(others)
