"""Who learns that an import gave somebody a role that opens confidential records."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.access.administration import list_role_changes
from app.access.people import find_person
from app.access.policy import NotAllowedError
from app.intake.files import import_table
from app.school import School
from app.store import tables
from app.vocabulary.roles import Role
from tests.people import STAFF, email, table

pytestmark = pytest.mark.usefixtures("story_clock")


def test_a_role_given_by_an_import_alerts_the_dsps_and_the_deputy_and_none_who_gives_it_to_themselves(
    school: School, tmp_path: Path
) -> None:
    def give(roles: str) -> None:
        row = {"email": email("admin"), "name": "Admin", "school": "SEN", "department": "ICT", "roles": roles}
        assert import_table(school, "staff", table(tmp_path / "staff.csv", [row])).changed == 1

    alert, entry = tables.alerts.c, tables.audit.c
    give("admin;dsp")
    give("admin")
    with school.engine.connect() as connection:
        told = connection.scalars(select(alert.recipient_id).where(alert.kind == "role_given")).all()
        trail = connection.scalars(select(entry.subject).where(entry.subject.startswith("role ")).order_by(entry.id))
        assert trail.all()[-2:] == [f"role dsp given to {email('admin')}", f"role dsp taken from {email('admin')}"]
    asked = [person for who in STAFF if (person := find_person(school, email(who)))]
    answerable = [person for person in asked if {Role.DSP, Role.SENIOR_DEPUTY_HEAD} & person.roles]
    assert sorted(told) == sorted(person.staff_id for person in answerable)
    for person in asked:
        if person in answerable:
            changes = list_role_changes(school, person)
            assert f"role dsp given to {email('admin')}" in set(changes["subject"])
        else:
            with pytest.raises(NotAllowedError):
                list_role_changes(school, person)
