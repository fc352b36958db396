"""How the authority ends with which a page was drawn for the DSP of the tests."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.sql.dml import UpdateBase

from app.intake.files import import_table
from app.school import School
from app.store import tables
from tests import people
from tests.clock import Clock

OTHER = "11111111-0000-4000-8000-000000000099"  # an Entra id that is nobody's
ELSEWHERE = "00000000-dead-4000-8000-000000000000"  # another tenant


def change(school: School, statement: UpdateBase) -> None:
    with school.writing() as connection:
        connection.execute(statement)


def remove_role(school: School, folder: Path, clock: Clock) -> None:
    row = {"email": people.email("dsp"), "name": "Dsp", "school": "SEN", "department": "English", "roles": "teacher"}
    import_table(school, "staff", people.table(folder / "staff.csv", [row]))


def sign_out(school: School, folder: Path, clock: Clock) -> None:
    """In another window."""
    clock.later(seconds=10)
    change(school, update(tables.sign_ins).values(ended_at=school.now()))


def be_idle(school: School, folder: Path, clock: Clock) -> None:
    clock.later(minutes=31)


def expire(school: School, folder: Path, clock: Clock) -> None:
    """Although active."""
    clock.later(hours=12, minutes=1)
    change(school, update(tables.sign_ins).values(seen_at=school.now()))


def become_another_account(school: School, folder: Path, clock: Clock) -> None:
    """The roster's address belongs to another Entra id."""
    is_theirs = tables.staff.c.email == people.email("dsp")
    change(school, update(tables.staff).where(is_theirs).values(entra_id="another"))


Ending = Callable[[School, Path, Clock], None]
ENDINGS = [remove_role, sign_out, be_idle, expire, become_another_account]
