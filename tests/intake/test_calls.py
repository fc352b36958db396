"""Call records: sessions are stored by their highest version, and nothing of other calls."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.school import School
from app.store import reading, tables
from tests.intake.contents import WHO, all_rows, outcomes
from tests.people import call, calls, log, table

pytestmark = pytest.mark.usefixtures("story_clock")


def test_import_calls_never_replaces_a_newer_version(school: School, tmp_path: Path) -> None:
    long, short = {"teacher": (0, 30), "aled": (1, 35)}, {"teacher": (0, 30), "aled": (1, 29)}
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-03T10:00", long, version=2)))
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-03T10:00", short, version=1)))
    assert outcomes(school, "staff-ends") == {("", "c1"): "breach"}
    import_calls(school, calls(tmp_path / "3.json", call("c1", "2026-11-03T10:00", short, version=3)))
    assert outcomes(school, "staff-ends") == {("", "c1"): "met"}


@pytest.mark.parametrize(
    "who", [{"aled": (0, 9), "bethan": (0, 9)}, {"teacher": (0, 9), "tutor": (0, 9)}, {"aled": (0, 9)}]
)
def test_import_calls_stores_nothing_of_a_call_that_is_not_a_session(
    school: School, tmp_path: Path, who: dict[str, tuple[int, int]]
) -> None:
    result = import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", who)))
    assert (result.added, result.dropped) == (0, 1)
    stored = all_rows(school)
    assert not any(stored[name] for name in ("calls", "call_originals", "call_stays", "call_listed", "sessions"))


def test_import_calls_deletes_a_call_that_turns_out_not_to_be_a_session(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-03T10:00", WHO)))
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-03T10:00", {"aled": (0, 9)}, version=2)))
    assert outcomes(school, "logged") == {}


def test_import_calls_judges_a_log_without_a_call_that_is_not_a_session(school: School, tmp_path: Path) -> None:
    def stored() -> tuple[int, str]:
        with school.engine.connect() as connection:
            return reading.get_revision(connection), connection.scalars(select(tables.sessions.c.codes)).one()

    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    _, by_log = stored()
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-03T10:00", WHO)))
    before, by_call = stored()
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-03T10:00", {"aled": (0, 9)}, version=2)))
    after, now = stored()
    assert after > before
    assert by_call != now == by_log


def test_import_calls_ignores_versions_before_one_that_was_not_a_session(school: School, tmp_path: Path) -> None:
    def version(number: int, who: dict[str, tuple[int, int]]) -> Path:
        return calls(tmp_path / f"{number}.json", call("c1", "2026-11-03T10:00", who, version=number))

    import_calls(school, version(2, {"aled": (0, 9)}))
    again = import_calls(school, version(1, WHO))
    assert (again.added, again.unchanged, outcomes(school, "logged")) == (0, 1, {})
    assert import_calls(school, version(3, WHO)).added == 1


def test_import_logs_leaves_the_session_of_their_call_its_number(school: School, tmp_path: Path) -> None:
    def numbers() -> list[int]:
        with school.engine.connect() as connection:
            return list(connection.scalars(select(tables.sessions.c.id)))

    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", WHO)))
    before = numbers()
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    assert outcomes(school, "logged") == {("L1", "c1"): "met"}
    assert numbers() == before


def test_import_calls_stores_the_originals(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", WHO)))
    with school.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.call_originals)) == 1
