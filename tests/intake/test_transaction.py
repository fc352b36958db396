"""Imports: the same file twice changes nothing, and every write raises the revision."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.intake.calls import import_calls, import_recordings
from app.intake.files import import_consents, import_letters, import_logs, import_roster
from app.intake.result import ImportResult
from app.school import School
from app.store import reading
from tests import people
from tests.intake.contents import WHO, all_rows
from tests.people import call, calls, email, log, table

pytestmark = pytest.mark.usefixtures("story_clock")


def test_run_import_of_the_same_files_twice_changes_nothing(school: School, tmp_path: Path) -> None:
    files: list[tuple[Callable[..., ImportResult], Path]] = [
        (
            import_logs,
            table(tmp_path / "logs.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1"), {"ref": "x"}]),
        ),
        (import_calls, calls(tmp_path / "calls.json", call("c1", "2026-11-03T10:00", WHO), {"id": "broken"})),
        (
            import_consents,
            table(
                tmp_path / "consents.csv",
                [
                    {
                        "pupil_email": email("aled"),
                        "kind": "outside_hours",
                        "covers_from": "2026-11-01",
                        "covers_to": "2026-12-01",
                    }
                ],
            ),
        ),
        (
            import_recordings,
            people.calls(
                tmp_path / "recordings.json", {"id": "r1", "callId": "c1", "createdDateTime": "2026-11-03T10:05:00Z"}
            ),
        ),
    ]
    first = [run(school, file) for run, file in files]
    assert [result.added for result in first] == [1, 1, 1, 1]
    assert [len(result.rejected) for result in first] == [1, 1, 0, 0]
    before = all_rows(school)
    import_roster(school, people.roster(tmp_path / "roster"))
    import_letters(school, people.letters(tmp_path))
    again = [run(school, file) for run, file in files]
    assert [(result.added, result.changed) for result in again] == [(0, 0)] * 4
    assert [len(result.rejected) for result in again] == [1, 1, 0, 0]
    assert all_rows(school) == before


def test_run_import_raises_the_revision_if_it_writes(school: School, tmp_path: Path) -> None:
    def revision() -> int:
        with school.engine.connect() as connection:
            return reading.get_revision(connection)

    before = revision()
    file = table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")])
    import_logs(school, file)
    after = revision()
    assert after > before
    import_logs(school, file)
    assert revision() == after
