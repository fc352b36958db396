"""Who somebody is."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.access.overview import get_overview
from app.access.people import find_account, find_person, list_demo_people
from app.access.policy import NotAllowedError
from app.access.sessions import list_sessions
from app.school import School
from app.store import tables
from tests.access.school import EVER, ID, TODAY, add_row, someone
from tests.people import found


def test_find_person_has_the_roles_of_today(school: School) -> None:
    with school.engine.begin() as connection:
        for from_day, roles in ((TODAY, "teacher"), (TODAY + timedelta(days=1), "senior_deputy_head")):
            add_row(
                connection,
                tables.staff_versions,
                staff_id=ID["sdh"],
                from_day=from_day,
                name="Sdh",
                school="SEN",
                department="Music",
                roles=roles,
                year_groups="",
                houses="",
            )
    person = someone(school, "sdh")
    assert person.roles == {"teacher"}
    assert list_sessions(school, person, EVER).empty
    with pytest.raises(NotAllowedError):
        get_overview(school, person, EVER)


def test_find_account_goes_by_the_entra_id_before_the_address(school: School) -> None:
    with school.engine.begin() as connection:
        for name, entra_id in (("sdh", "id-sdh"), ("hoy9", "id-hoy")):
            connection.execute(update(tables.staff).where(tables.staff.c.id == ID[name]).values(entra_id=entra_id))
        add_row(connection, tables.former_emails, email="former@habs.example", staff_id=ID["sdh"], ended_on=TODAY)

    def find(name: str, entra_id: str = "") -> int | None:
        person = find_account(school, entra_id, f"{name}@habs.example")
        return person.staff_id if person else None

    assert find("teacher", "ID-SDH") == ID["sdh"]
    assert find("sdh") is None  # an account that does not say its Entra id
    assert find("sdh", "another") is None  # the address may be somebody else's by now
    assert find("teacher", "another") == ID["teacher"]  # whose Entra id is not known
    assert find("former") is None
    assert find("former", "id-sdh") == ID["sdh"]


def test_find_person_knows_nobody_who_has_left(school: School) -> None:
    with school.engine.begin() as connection:
        version = tables.staff_versions
        connection.execute(update(version).where(version.c.staff_id == ID["sdh"]).values(has_left=True))
    assert find_person(school, "sdh@habs.example") is None


def test_find_person_ignores_case_and_finds_no_stranger(school: School) -> None:
    assert found(find_person(school, " SDH@habs.example ")).staff_id == ID["sdh"]
    assert find_person(school, "stranger@habs.example") is None
    assert find_person(school, "%") is None


def test_list_demo_people_gives_one_of_each_role_in_the_demonstration_alone(school: School) -> None:
    assert list_demo_people(school) == []
    with school.engine.begin() as connection:
        add_row(connection, tables.meta, key="demo", value=str(TODAY))
    names = [person.email.split("@")[0] for person in list_demo_people(school)]
    assert names == [
        "sdh",
        "prep_hoy",
        "hm_monnow",
        "prep_tutor",
        "counsellor",
        "dsp_prep",
        "slt",
        "admin",
        "teacher",
        "musician",
    ]
