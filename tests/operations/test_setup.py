"""What a new school still has to set up."""

import pytest
from sqlalchemy import update

from app.operations.setup import list_setup_steps
from app.school import School
from app.store import tables
from tests.people import someone

TABS = ("Status", "Import", "Roster", "Alerts", "Audit", "")


def test_list_setup_steps_names_what_is_missing(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENCRYPTION_KEYS", raising=False)
    steps = {step.label: step for step in list_setup_steps(school, someone(school, "admin"))}
    assert {label for label, step in steps.items() if step.is_done} >= {
        "Schools are on the roster",
        "Staff are on the roster",
        "Pupils are on the roster",
        "There is a DSP",
    }
    for label in ("Narratives are encrypted", "Alerts are sent by email", "Call records are fetched"):
        assert not steps[label].is_done
        assert steps[label].fix
    assert {step.tab for step in steps.values()} <= set(TABS)


def test_list_setup_steps_asks_for_people_with_the_roles_that_are_needed(school: School) -> None:
    admin = someone(school, "admin")
    with school.engine.begin() as connection:
        connection.execute(update(tables.staff_versions).values(roles="admin"))
    steps = {step.label: step.is_done for step in list_setup_steps(school, admin)}
    assert not steps["There is a DSP"]
    assert not steps["There is a Senior Deputy Head (Pastoral)"]
