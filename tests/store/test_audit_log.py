"""Entries are only ever added to the audit trail, and it shows any change made by hand."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.administration import get_audit_trail
from app.access.people import find_person
from app.intake.files import import_logs
from app.school import School
from app.store import audit_log
from tests import people


def fill(school: School, number: int = 5) -> None:
    for n in range(number):
        with school.writing() as connection:
            audit_log.add(
                connection, occurred_at=school.now(), actor="sdh@habs.example", action="viewed", subject=f"session {n}"
            )


def verify(school: School) -> tuple[int, str | None]:
    with school.engine.connect() as connection:
        return audit_log.verify(connection)


def change_by_hand(school: School, *statements: str) -> None:
    """Past the triggers, as somebody who owns the server can."""
    disable = {
        "sqlite": ["drop trigger audit_no_update", "drop trigger audit_no_delete"],
        "postgresql": ["alter table audit disable trigger audit_only_added"],
    }[school.engine.dialect.name]
    with school.writing() as connection:
        for statement in (*disable, *statements):
            connection.execute(text(statement))


def test_verify_accepts_a_trail_as_it_was_written(empty_school: School) -> None:
    assert verify(empty_school) == (0, None)
    fill(empty_school)
    assert verify(empty_school) == (5, None)


@pytest.mark.parametrize("statement", ["update audit set subject = 'x' where id = 2", "delete from audit where id = 5"])
def test_the_database_refuses_to_change_or_delete_an_entry(empty_school: School, statement: str) -> None:
    fill(empty_school)
    with pytest.raises(DBAPIError, match="only ever added to"), empty_school.writing() as connection:
        connection.execute(text(statement))
    assert verify(empty_school) == (5, None)


def test_the_database_refuses_to_empty_the_trail(empty_school: School) -> None:
    fill(empty_school)
    statement = {"sqlite": "delete from audit", "postgresql": "truncate audit"}[empty_school.engine.dialect.name]
    with pytest.raises(DBAPIError, match="only ever added to"), empty_school.writing() as connection:
        connection.execute(text(statement))
    assert verify(empty_school) == (5, None)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update audit set subject = 'session 9' where id = 3", 3),
        ("update audit set occurred_at = occurred_at + 1 where id = 2", 2),
        ("update audit set hash = '0' where id = 4", 4),
        ("delete from audit where id = 2", 2),
        ("delete from audit where id = 5", 4),
        ("delete from audit", 0),
    ],
)
def test_verify_finds_what_was_changed_by_hand(empty_school: School, statement: str, found: int) -> None:
    fill(empty_school)
    change_by_hand(empty_school, statement)
    number, fault = verify(empty_school)
    assert number == found
    assert fault


def test_an_import_is_on_the_trail_without_names(school: School, tmp_path: Path) -> None:
    before, _ = verify(school)
    file = people.table(tmp_path / "logs.csv", [people.log("teacher", "aled", "2026-11-03T10:00", ref="L1")])
    import_logs(school, file)
    import_logs(school, file)
    admin = find_person(school, people.email("admin"))
    assert admin
    trail = get_audit_trail(school, admin)
    assert list(trail["action"])[:2] == ["imported", "changed"]  # the first session of a term draws a seed
    assert set(trail["actor"][:2]) == {audit_log.COMMAND}
    assert not [name for name, *_ in people.PUPILS.values() if name in trail.to_csv()]
    assert verify(school) == (before + 2, None)
