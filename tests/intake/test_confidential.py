"""No count of an import tells of counselling: the same words with it and without it."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.__main__ import cli
from app.access.administration import get_audit_trail, list_imports
from app.access.forms import list_logs_to_confirm
from app.access.sessions import list_sessions
from app.intake.calls import import_calls, prepare_records
from app.intake.files import import_logs, prepare_file
from app.intake.logs import Entered, confirm_log, enter_log
from app.intake.preview import describe_effect, list_new_rows, preview_import
from app.records.rows import RejectedRow
from app.school import School, open_school
from tests import people
from tests.people import call, calls, log, someone, table

pytestmark = pytest.mark.usefixtures("story_clock")

EVER = (date.min, date.max)
OPEN_LOGS = [
    log("teacher", "aled", "2026-11-03T09:30", 45, ref="L1"),
    log("teacher", "bethan", "2026-11-03T10:45", 45, ref="L2"),
]
SECRET_LOG = log("counsellor", "aled", "2026-11-03T10:00", 60, ref="L3", purpose="counselling")
OPEN_CALL = call("c1", "2026-11-04T10:00", {"teacher": (0, 20), "aled": (1, 20)})
SECRET_CALL = call("c2", "2026-11-04T11:00", {"counsellor": (0, 20), "aled": (1, 20)})


@pytest.fixture
def both(peopled_database: Callable[[], str]) -> list[str]:
    """The addresses of two equal schools."""
    return [peopled_database(), peopled_database()]


def _invoke(url: str, *words: Any) -> str:
    return CliRunner(env={"DATABASE_URL": url}).invoke(cli, [*map(str, words)]).output


def _shown(url: str) -> list[str]:
    school = open_school(url)
    admin = someone(school, "admin")
    shown = [list_imports(school, admin).to_csv(), get_audit_trail(school, admin).to_csv()]
    school.engine.dispose()
    return [re.sub(r"(?<=SHA-256 is )\w+", "drawn by chance", words) for words in shown]


def test_import_says_the_same_of_a_file_with_counselling_and_without(both: list[str], tmp_path: Path) -> None:
    told = []
    for url, rows, records in ((both[0], OPEN_LOGS, []), (both[1], [*OPEN_LOGS, SECRET_LOG], [SECRET_CALL])):
        logs, found = table(tmp_path / "l.csv", rows), calls(tmp_path / "c.json", OPEN_CALL, *records)
        said = [
            _invoke(url, "import", kind, file, *options)
            for options in (("--dry-run",), (), ())
            for kind, file in (("logs", logs), ("calls", found))
        ]
        told.append([*said, *_shown(url)])
    assert "2 new" in told[0][0]
    assert told[0] == told[1]


@pytest.mark.parametrize("other", [{"notes": "another account"}, {"purpose": "music"}, {"ref": "L0", "notes": "x"}])
def test_import_says_the_same_whether_or_not_other_counselling_is_stored(
    both: list[str], tmp_path: Path, other: dict[str, str]
) -> None:
    """Nobody can find out from a file who was in counselling, by trying pupils and times."""
    school = open_school(both[1])
    assert import_logs(school, table(tmp_path / "stored.csv", [SECRET_LOG])).added == 1
    school.engine.dispose()
    tried = table(tmp_path / "l.csv", [*OPEN_LOGS, SECRET_LOG | {"purpose": "counselling", "ref": "L4"} | other])
    said = [[_invoke(url, "import", "logs", tried, *how), *_shown(url)] for url in both for how in (["--dry-run"], [])]
    if other.get("purpose") != "music":  # a lesson of hers is stored, and counted, where there is no other
        assert said[:2] == said[2:]
    assert "rejected" not in said[2][0].replace("0 rejected", "")


def test_import_of_nothing_but_counselling_leaves_no_trace(both: list[str], tmp_path: Path) -> None:
    school = open_school(both[1])
    admin = someone(school, "admin").staff_id
    assert import_logs(school, table(tmp_path / "l.csv", [SECRET_LOG]), admin).added == 1
    assert import_calls(school, calls(tmp_path / "c.json", SECRET_CALL), admin).added == 1
    school.engine.dispose()
    assert _shown(both[0]) == _shown(both[1])


def test_preview_says_the_same_beside_counselling_and_without(both: list[str], tmp_path: Path) -> None:
    told = []
    more = table(tmp_path / "more.csv", [OPEN_LOGS[0] | {"ref": "L9", "pupil_emails": people.email("carys")}])
    for url, rows in ((both[0], OPEN_LOGS), (both[1], [*OPEN_LOGS, SECRET_LOG])):
        school = open_school(url)
        assert not import_logs(school, table(tmp_path / "l.csv", rows)).rejected
        of_calls = prepare_records(school, "calls", calls(tmp_path / "c.json", OPEN_CALL, SECRET_CALL))
        for run in (prepare_file(school, "logs", more), of_calls):
            preview = preview_import(school, run)
            told.append((url == both[1], describe_effect(preview), preview.results[0].count()))
            told[-1] += tuple(list_new_rows(result) for result in preview.results)  # type: ignore[assignment]
        school.engine.dispose()
    assert [words[1:] for words in told[:2]] == [words[1:] for words in told[2:]]
    assert told[0][2]["added"] == told[1][2]["added"] == 1


def test_a_log_from_a_file_leaves_its_call_confidential_until_it_is_confirmed(school: School, tmp_path: Path) -> None:
    lesson = log("counsellor", "aled bethan", "2026-11-04T11:00", 20, ref="L3")
    import_calls(school, calls(tmp_path / "c.json", SECRET_CALL))
    assert import_logs(school, table(tmp_path / "l.csv", [lesson])).added == 1
    sdh, counsellor = someone(school, "sdh"), someone(school, "counsellor")
    assert list_sessions(school, sdh, EVER).empty
    (waiting,) = list_logs_to_confirm(school, counsellor).itertuples()
    assert (waiting.ref, waiting.pupils) == ("L3", "Aled Pugh, Bethan Rees")
    for who in ("teacher", "sdh"):
        assert list_logs_to_confirm(school, someone(school, who)).empty
        with pytest.raises(ValueError, match="not yours"):
            confirm_log(school, someone(school, who), "L3")
    confirm_log(school, counsellor, "L3")
    assert list_sessions(school, sdh, EVER)["pupils"].tolist() == ["Aled Pugh, Bethan Rees"]
    assert list_logs_to_confirm(school, counsellor).empty


def test_a_log_from_the_form_shows_somebody_elses_lesson_with_a_counsellor_in_it(
    school: School, tmp_path: Path
) -> None:
    present = {"teacher": (0, 20), "counsellor": (0, 20), "aled": (0, 20)}
    import_calls(school, calls(tmp_path / "c.json", call("c3", "2026-11-04T12:00", present)))
    assert list_sessions(school, someone(school, "sdh"), EVER).empty
    entered = enter_log(
        school, log("teacher", "aled", "2026-11-04T12:00", 20, ref="L4"), someone(school, "teacher").staff_id
    )
    assert isinstance(entered, Entered)
    assert len(list_sessions(school, someone(school, "sdh"), EVER)) == 1


def test_saving_a_log_from_a_file_in_the_form_confirms_it(school: School, tmp_path: Path) -> None:
    lesson = log("counsellor", "aled", "2026-11-04T11:00", 20, ref="L3")
    import_calls(school, calls(tmp_path / "c.json", SECRET_CALL))
    import_logs(school, table(tmp_path / "l.csv", [lesson]))
    entered = enter_log(school, lesson, someone(school, "counsellor").staff_id)
    assert isinstance(entered, Entered)
    assert not entered.new
    assert len(list_sessions(school, someone(school, "sdh"), EVER)) == 1


def test_a_log_with_more_pupils_than_a_session_may_have_is_refused(school: School, tmp_path: Path) -> None:
    strict = replace(school, settings=school.settings.model_copy(update={"pupils_in_log": 1}))
    both = log("teacher", "aled bethan", "2026-11-04T11:00", ref="L1")
    in_form = enter_log(strict, both, someone(school, "teacher").staff_id)
    (in_file,) = import_logs(strict, table(tmp_path / "l.csv", [both])).rejected
    for rejected in (in_form, in_file):
        assert isinstance(rejected, RejectedRow)
        assert (rejected.column, rejected.reason) == (
            "pupil_emails",
            "names 2 pupils, more than the 1 that a session may have",
        )
    assert not import_logs(school, table(tmp_path / "l.csv", [both])).rejected
