"""A process that logs, raises concerns and imports until it is killed, and lists what was acknowledged to it."""

import os
import random
from datetime import datetime, timedelta

from app.access.forms import list_pupils_to_choose
from app.access.people import find_person
from app.concerns.raising import Report, raise_concern
from app.intake.files import import_logs
from app.intake.logs import Entered, enter_log
from app.school import School
from app.store.concerns import CHILD
from app.store.database import open_database
from tests import people
from tests.conftest import SETTINGS


def write(url: str, name: str, acknowledged: str, most: int = 10_000) -> None:
    """Write a line into the file `acknowledged` for each thing that was: its kind and reference."""
    school = School(open_database(url), SETTINGS)
    teacher = find_person(school, people.email("teacher"))
    assert teacher is not None
    aled = int(list_pupils_to_choose(school, teacher)["pupil_id"].iloc[0])
    out = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    random.seed(name)
    for n in range(most):
        kind = "log" if most < 10_000 else random.choice(["log", "log", "concern", "import"])
        ref = f"{name}-{n}"
        if kind == "log":
            entered = enter_log(school, _log(ref), teacher.staff_id)
            assert isinstance(entered, Entered), entered
        elif kind == "concern":
            words = f"told by {name}, {n}"
            report = Report(CHILD, summary=words, categories=["distress"], pupil_ids=[aled], told_dsp=True)
            ref = raise_concern(school, teacher, report).ref
        else:
            rows = [_log(f"{ref}-{row}") for row in range(5)]
            columns = list(rows[0])
            text = "\n".join(",".join(line) for line in [columns, *([row[c] for c in columns] for row in rows)])
            assert import_logs(school, (f"{ref}.csv", text.encode())).added == len(rows)
        os.write(out, f"{kind} {ref}\n".encode())  # in one go: a killed process leaves no half of a line


def _log(ref: str) -> dict[str, str]:
    begun = datetime.fromisoformat("2026-09-01T09:00") + timedelta(minutes=random.randrange(40_000))
    return people.log("teacher", "aled", begun.isoformat(), 10, ref=ref)
