"""A school whose protocol is in its database, with sessions on every day of some weeks."""

from dataclasses import replace
from pathlib import Path

from app.intake.files import import_logs
from app.school import School
from app.store.protocol import store_settings
from tests import people

TIMES = ["08:20", "08:45", "10:00", "12:45", "17:10", "17:40"]
DAYS = range(2, 14)  # of November 2026


def fill_weeks(school: School, folder: Path) -> None:
    """A lesson and a pastoral call on every day, at all hours."""
    logs = []
    for day in DAYS:
        for n, clock in enumerate(TIMES):
            who, pupil = (("teacher", "aled"), ("tutor", "aled"), ("tutor", "carys"))[(day + n) % 3]
            purpose = "pastoral" if who == "tutor" else "academic"
            start = f"2026-11-{day:02}T{clock}"
            logs.append(people.log(who, pupil, start, 15, purpose=purpose, ref=f"L{day}-{n}"))
    assert not import_logs(school, people.table(folder / "logs.csv", logs)).rejected


def with_protocol(school: School) -> School:
    """The school with its settings in the database, as they are in service."""
    with school.writing() as connection:
        store_settings(connection, school.settings, school.now())
        return replace(school, state="").as_of(connection)
