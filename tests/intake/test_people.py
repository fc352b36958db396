"""The roster: versions by day, and people recognised later."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import select

from app.intake.calls import import_calls
from app.intake.files import import_logs, import_roster
from app.school import School
from app.store import tables
from tests import people
from tests.intake.contents import outcomes
from tests.people import call, calls, log, table

pytestmark = pytest.mark.usefixtures("story_clock")


def test_import_roster_leaves_earlier_sessions_as_they_were(school: School, tmp_path: Path) -> None:
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-07-01T10:00", ref="L1")]))
    roster = people.roster(tmp_path / "roster")
    staff = (roster / "staff.csv").read_text()
    (roster / "staff.csv").write_text(staff.replace("Mathematics", "Computing"))
    result = {r.kind: r for r in import_roster(school, roster)}
    assert (result["staff"].added, result["staff"].changed) == (0, 1)
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.sessions.c.department)).all() == ["Mathematics"]


def test_import_roster_recognises_people_of_earlier_calls(empty_school: School, tmp_path: Path) -> None:
    roster = people.roster(tmp_path / "roster")
    staff = (roster / "staff.csv").read_text()
    (roster / "staff.csv").write_text("\n".join(line for line in staff.splitlines() if "musician" not in line))
    import_roster(empty_school, roster)
    import_calls(
        empty_school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", {"musician": (0, 9), "aled": (0, 9)}))
    )
    assert outcomes(empty_school, "staff-opens") == {("", "c1"): "no_evidence"}
    (roster / "staff.csv").write_text(staff)
    import_roster(empty_school, roster)
    assert outcomes(empty_school, "staff-opens") == {("", "c1"): "met"}


@pytest.mark.parametrize("column", ["email", "entra_id"])
def test_import_roster_rejects_somebody_who_is_both_staff_and_pupil(
    empty_school: School, tmp_path: Path, column: str
) -> None:
    roster = people.roster(tmp_path / "roster")
    import_roster(empty_school, roster)
    pupil = next(csv.DictReader((roster / "pupils.csv").open()))
    with (roster / "staff.csv").open() as file:
        one = next(csv.DictReader(file)) | {"email": "new@habs.example", "entra_id": "new"} | {column: pupil[column]}
    (roster / "pupils.csv").unlink()
    table(roster / "staff.csv", [one])
    _, staff = import_roster(empty_school, roster)
    assert [(refused.column, staff.added) for refused in staff.rejected] == [(column, 0)]
