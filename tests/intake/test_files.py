"""Files of every kind: in any order, and a roster whole or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from app.intake.calls import import_calls
from app.intake.files import import_letters, import_logs, import_roster, import_table
from app.intake.result import ImportResult
from app.records.rows import UnreadableFileError
from app.school import School
from app.store import tables
from tests import people
from tests.intake.contents import WHO, all_rows, outcomes
from tests.people import call, calls, email, log, table

pytestmark = pytest.mark.usefixtures("story_clock")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_import_of_files_in_any_order_gives_the_same_outcome(
    empty_school: School, tmp_path: Path, order: tuple[int, ...]
) -> None:
    import_roster(empty_school, people.roster(tmp_path / "roster"))
    files: list[tuple[Callable[..., ImportResult], Path]] = [
        (import_logs, table(tmp_path / "logs.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")])),
        (import_calls, calls(tmp_path / "calls.json", call("c1", "2026-11-03T10:00", WHO))),
        (
            import_letters,
            table(
                tmp_path / "l.csv", [{"pupil_email": email("aled"), "kind": "introduction", "sent_on": "2026-09-01"}]
            ),
        ),
    ]
    for number in order:
        run, file = files[number]
        run(empty_school, file)
    assert outcomes(empty_school, "parents-told") == {("L1", "c1"): "met"}


def test_import_roster_stores_all_files_or_none(empty_school: School, tmp_path: Path) -> None:
    roster = people.roster(tmp_path / "roster")
    (roster / "pupils.csv").write_text("name,school\nAled,SEN\n")
    with pytest.raises(UnreadableFileError, match="email"):
        import_roster(empty_school, roster)
    stored = all_rows(empty_school)
    assert not any(stored[name] for name in ("schools", "staff", "imports"))


def test_import_table_keeps_the_domain_of_a_school_without_the_column(school: School) -> None:
    def domains() -> set[str]:
        with school.engine.connect() as connection:
            return set(connection.scalars(select(tables.schools.c.email_domain)))

    before = domains()
    assert any(before)
    with school.engine.connect() as connection:
        codes = connection.scalars(select(tables.schools.c.code)).all()
    rows = "".join(f"{code},School {code},yes\n" for code in codes)
    assert import_table(school, "schools", ("schools.csv", f"code,name,senior\n{rows}".encode())).changed
    assert domains() == before
