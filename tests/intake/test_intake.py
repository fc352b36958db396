"""What comes in: good rows land, refused ones are kept, and the same file twice changes nothing."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import func, select

from app.intake.calls import import_calls, import_recordings
from app.intake.files import import_consents, import_letters, import_logs, import_roster
from app.intake.logs import Entered, enter_log
from app.judging.rejudge import refresh
from app.records import UnreadableFile
from app.reports.outcomes_csv import list_outcomes
from app.school import School
from app.store import reading, tables
from tests import people
from tests.people import call, calls, email, log, staff_id, table

pytestmark = pytest.mark.usefixtures("story_clock")

EVER = (pd.Timestamp("2000-01-01").date(), pd.Timestamp("2100-01-01").date())
WHO = {"teacher": (0, 30), "aled": (1, 29)}


def told(school: School, clause: str) -> dict[tuple[str, str], str]:
    """The outcome of a clause by log and call."""
    return {(r["log_ref"], r["call_id"]): r["outcome"] for r in list_outcomes(school, EVER) if r["clause"] == clause}


def everything(school: School) -> dict[str, list[tuple]]:
    """Every row of every table."""
    with school.engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table)))) for name, table in tables.metadata.tables.items()
        }


def test_the_same_files_twice_change_nothing(school: School, tmp_path: Path) -> None:
    files = [
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
    first = [take_in(school, file) for take_in, file in files]
    assert [result.added for result in first] == [1, 1, 1, 1]
    assert [len(result.refused) for result in first] == [1, 1, 0, 0]
    before = everything(school)
    import_roster(school, tmp_path / "roster")
    import_letters(school, tmp_path / "letters.csv")
    again = [take_in(school, file) for take_in, file in files]
    assert [(result.added, result.changed) for result in again] == [(0, 0)] * 4
    assert [len(result.refused) for result in again] == [1, 1, 0, 0]
    assert everything(school) == before


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_order_in_which_files_come_does_not_matter(empty_school: School, tmp_path: Path, order: tuple) -> None:
    import_roster(empty_school, people.roster(tmp_path / "roster"))
    files = [
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
        take_in, file = files[number]
        take_in(empty_school, file)
    assert told(empty_school, "parents-told") == {("L1", "c1"): "met"}


def test_a_refused_row_is_named_and_kept_and_the_good_one_lands(school: School, tmp_path: Path) -> None:
    rows = [
        log("teacher", "aled", "2026-11-03T10:00", ref="good"),
        log("teacher", "aled", "2026-11-03T10:00", ref="late") | {"ended_at": "2026-11-03T09:00"},
        log("nobody", "aled", "2026-11-03T11:00", ref="who"),
        log("teacher", "aled", "2026-11-03T12:00", ref="maybe", dress_ok="perhaps"),
        log("teacher", "aled", "2199-01-01T12:00", ref="future"),
    ]
    result = import_logs(school, table(tmp_path / "logs.csv", rows))
    assert result.added == 1
    assert [(r.row, r.column) for r in result.refused] == [
        (3, "ended_at"),
        (4, "staff_email"),
        (5, "dress_ok"),
        (6, "started_at"),
    ]
    with school.engine.connect() as connection:
        kept = connection.execute(select(tables.rejected_rows.c.row, tables.rejected_rows.c.value)).all()
    assert [row.row for row in kept] == [3, 4, 5, 6]
    assert "perhaps" in [row.value for row in kept]


def test_a_reference_with_other_content_is_refused(school: School, tmp_path: Path) -> None:
    import_logs(school, table(tmp_path / "a.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    rows = [log("teacher", "aled", "2026-11-03T11:00", ref="L1"), log("nobody", "aled", "2026-11-03T11:00", ref="L2")]
    other = import_logs(school, table(tmp_path / "b.csv", rows))
    assert [(refused.row, refused.column) for refused in other.refused] == [(2, "ref"), (3, "staff_email")]
    assert list(told(school, "logged")) == [("L1", "")]


def test_an_older_version_never_replaces_a_newer(school: School, tmp_path: Path) -> None:
    long, short = {"teacher": (0, 30), "aled": (1, 35)}, {"teacher": (0, 30), "aled": (1, 29)}
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-03T10:00", long, version=2)))
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-03T10:00", short, version=1)))
    assert told(school, "staff-ends") == {("", "c1"): "breach"}
    import_calls(school, calls(tmp_path / "3.json", call("c1", "2026-11-03T10:00", short, version=3)))
    assert told(school, "staff-ends") == {("", "c1"): "met"}


@pytest.mark.parametrize(
    "who", [{"aled": (0, 9), "bethan": (0, 9)}, {"teacher": (0, 9), "tutor": (0, 9)}, {"aled": (0, 9)}]
)
def test_a_call_that_is_no_session_is_not_stored(school: School, tmp_path: Path, who: dict) -> None:
    result = import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", who)))
    assert (result.added, result.dropped) == (0, 1)
    stored = everything(school)
    assert not any(stored[name] for name in ("calls", "call_originals", "call_stays", "call_listed", "sessions"))


def test_a_call_that_turns_out_to_be_no_session_goes(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-03T10:00", WHO)))
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-03T10:00", {"aled": (0, 9)}, version=2)))
    assert told(school, "logged") == {}


def test_a_log_whose_call_turns_out_to_be_no_session_is_judged_without_it(school: School, tmp_path: Path) -> None:
    def kept() -> tuple[int, str]:
        with school.engine.connect() as connection:
            return reading.revision(connection), connection.scalars(select(tables.sessions.c.codes)).one()

    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    _, by_log = kept()
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-03T10:00", WHO)))
    before, by_call = kept()
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-03T10:00", {"aled": (0, 9)}, version=2)))
    after, now = kept()
    assert after > before
    assert by_call != now == by_log


def test_no_older_version_comes_back_after_one_that_was_no_session(school: School, tmp_path: Path) -> None:
    def version(number: int, who: dict) -> Path:
        return calls(tmp_path / f"{number}.json", call("c1", "2026-11-03T10:00", who, version=number))

    import_calls(school, version(2, {"aled": (0, 9)}))
    again = import_calls(school, version(1, WHO))
    assert (again.added, again.unchanged, told(school, "logged")) == (0, 1, {})
    assert import_calls(school, version(3, WHO)).added == 1


def test_a_session_keeps_its_number_when_its_log_and_its_call_come_together(school: School, tmp_path: Path) -> None:
    def numbers() -> list[int]:
        with school.engine.connect() as connection:
            return list(connection.scalars(select(tables.sessions.c.id)))

    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", WHO)))
    before = numbers()
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    assert told(school, "logged") == {("L1", "c1"): "met"}
    assert numbers() == before


def test_july_is_not_rewritten_by_a_new_roster(school: School, tmp_path: Path) -> None:
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-07-01T10:00", ref="L1")]))
    staff = (tmp_path / "roster" / "staff.csv").read_text()
    (tmp_path / "roster" / "staff.csv").write_text(staff.replace("Mathematics", "Computing"))
    result = {r.kind: r for r in import_roster(school, tmp_path / "roster")}
    assert (result["staff"].added, result["staff"].changed) == (0, 1)
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.sessions.c.department)).all() == ["Mathematics"]


def test_people_recognised_later_count_from_then_on(empty_school: School, tmp_path: Path) -> None:
    roster = people.roster(tmp_path / "roster")
    staff = (roster / "staff.csv").read_text()
    (roster / "staff.csv").write_text("\n".join(line for line in staff.splitlines() if "musician" not in line))
    import_roster(empty_school, roster)
    import_calls(
        empty_school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", {"musician": (0, 9), "aled": (0, 9)}))
    )
    assert told(empty_school, "staff-opens") == {("", "c1"): "no_evidence"}
    (roster / "staff.csv").write_text(staff)
    import_roster(empty_school, roster)
    assert told(empty_school, "staff-opens") == {("", "c1"): "met"}


def test_a_roster_comes_in_whole_or_not_at_all(empty_school: School, tmp_path: Path) -> None:
    roster = people.roster(tmp_path / "roster")
    (roster / "pupils.csv").write_text("name,school\nAled,SEN\n")
    with pytest.raises(UnreadableFile, match="email"):
        import_roster(empty_school, roster)
    stored = everything(empty_school)
    assert not any(stored[name] for name in ("schools", "staff", "imports"))


@pytest.mark.parametrize("column", ["email", "entra_id"])
def test_nobody_is_both_staff_and_pupil(empty_school: School, tmp_path: Path, column: str) -> None:
    roster = people.roster(tmp_path / "roster")
    import_roster(empty_school, roster)
    pupil = next(csv.DictReader((roster / "pupils.csv").open()))
    with (roster / "staff.csv").open() as file:
        one = next(csv.DictReader(file)) | {"email": "new@habs.example", "entra_id": "new"} | {column: pupil[column]}
    (roster / "pupils.csv").unlink()
    table(roster / "staff.csv", [one])
    _, staff = import_roster(empty_school, roster)
    assert [(refused.column, staff.added) for refused in staff.refused] == [(column, 0)]


def test_a_log_with_a_concern_in_words_reaches_the_dsp(school: School, tmp_path: Path) -> None:
    rows = [
        log(
            "teacher",
            "aled",
            "2026-11-03T10:00",
            ref="L1",
            concern="yes",
            concern_summary="Words.",
            concern_category="Distress",
        ),
        log("teacher", "bethan", "2026-11-04T10:00", ref="L2", concern="yes"),
        log("teacher", "carys", "2026-11-05T10:00", ref="L3", concern="", concern_summary="Words."),
        log("teacher", "dai", "2026-11-06T10:00", ref="L4", concern="no", concern_summary="None."),
    ]
    import_logs(school, table(tmp_path / "l.csv", rows))
    assert told(school, "concern-reported") == {
        ("L1", ""): "met",
        ("L2", ""): "breach",
        ("L3", ""): "met",
        ("L4", ""): "not_applicable",
    }
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.concerns.c.categories)).all()[0] == "distress"
        assert set(connection.scalars(select(tables.concern_sessions.c.log_ref))) == {"L1", "L3"}


def test_the_form_sent_twice_is_one_log(school: School) -> None:
    me = staff_id(school, "teacher")
    values = log("teacher", "aled", "2026-11-03T10:00", ref="F1")
    first, second = enter_log(school, values, me), enter_log(school, values, me)
    assert isinstance(first, Entered)
    assert isinstance(second, Entered)
    assert (first.new, second.new) == (True, False)
    assert first.session_id == second.session_id
    assert list(told(school, "logged")) == [("F1", "")]


def test_a_correction_keeps_what_was_written_and_asks_why(school: School) -> None:
    me, other = staff_id(school, "teacher"), staff_id(school, "tutor")
    values = log("teacher", "aled", "2026-11-03T10:00", ref="F1")
    entered = enter_log(school, values, me)
    corrected = values | {"dress_ok": "no"}
    assert [r.column for r in enter_log(school, corrected, me)] == ["why"]
    assert [r.column for r in enter_log(school, values | {"staff_email": email("tutor")}, other, why="mine")] == ["ref"]
    again = enter_log(school, corrected, me, why="I had forgotten")
    assert again.session_id == entered.session_id
    assert told(school, "dress") == {("F1", ""): "breach"}
    with school.engine.connect() as connection:
        versions = connection.execute(
            select(tables.logs.c.version, tables.logs.c.dress_ok, tables.logs.c.correction_reason)
        ).all()
    assert [tuple(v) for v in sorted(versions)] == [(1, True, None), (2, False, "I had forgotten")]


def test_a_log_from_the_form_takes_a_call_from_its_rival_whose_pupil_is_another(school: School, tmp_path: Path) -> None:
    both = {"teacher": (0, 30), "aled": (0, 30), "bethan": (0, 30)}
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", both)))
    me = staff_id(school, "teacher")
    enter_log(school, log("teacher", "bethan", "2026-11-03T10:00", 20, ref="F1"), me)
    assert list(told(school, "logged")) == [("F1", "c1")]
    enter_log(school, log("teacher", "aled", "2026-11-03T10:00", 30, ref="F2"), me)
    assert sorted(told(school, "logged")) == [("F1", ""), ("F2", "c1")]


def test_a_corrected_log_lets_go_of_the_call_it_had(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", WHO)))
    me = staff_id(school, "teacher")
    enter_log(school, log("teacher", "aled", "2026-11-03T10:00", ref="F1"), me)
    assert list(told(school, "logged")) == [("F1", "c1")]
    enter_log(school, log("teacher", "carys", "2026-11-03T15:00", ref="F1"), me, why="it was another")
    assert sorted(told(school, "logged")) == [("", "c1"), ("F1", "")]


def test_somebody_is_told_when_everything_is_judged_again_and_not_otherwise(school: School) -> None:
    told = []

    @contextmanager
    def telling() -> Iterator[None]:
        told.append("begun")
        yield
        told.append("done")

    refresh(school)
    refresh(school, telling)
    assert told == []
    elsewhere = school.settings.model_copy(update={"timezone": "Europe/Paris"})
    for _ in range(2):
        refresh(replace(school, settings=elsewhere), telling)
    assert told == ["begun", "done"]


def test_every_write_raises_the_revision(school: School, tmp_path: Path) -> None:
    def revision() -> int:
        with school.engine.connect() as connection:
            return reading.revision(connection)

    before = revision()
    file = table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")])
    import_logs(school, file)
    after = revision()
    assert after > before
    import_logs(school, file)
    assert revision() == after


def test_originals_are_kept_beside_what_was_read(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", WHO)))
    with school.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.call_originals)) == 1
