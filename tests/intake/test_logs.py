"""Logs, from a file and from the form: good rows are stored, others rejected, and corrections are new versions."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.access.concern_detail import get_concern
from app.access.concern_history import LinkedSession
from app.concerns import casework
from app.concerns.raising import Report, raise_concern
from app.intake.calls import import_calls
from app.intake.files import import_logs
from app.intake.logs import CORRECTION_REASON, Entered, enter_log
from app.intake.undo import undo_last_import
from app.records.rows import RejectedRow
from app.school import School
from app.store import tables
from app.store.concerns import CHILD
from app.store.encryption import generate_key
from tests.intake.contents import WHO, outcomes
from tests.people import call, calls, email, find_pupil, found, log, someone, staff_id, table

pytestmark = pytest.mark.usefixtures("story_clock")


def test_import_logs_stores_good_rows_and_lists_the_rejected(school: School, tmp_path: Path) -> None:
    rows = [
        log("teacher", "aled", "2026-11-03T10:00", ref="good"),
        log("teacher", "aled", "2026-11-03T10:00", ref="late") | {"ended_at": "2026-11-03T09:00"},
        log("nobody", "aled", "2026-11-03T11:00", ref="who"),
        log("teacher", "aled", "2026-11-03T12:00", ref="maybe", dress_ok="perhaps"),
        log("teacher", "aled", "2199-01-01T12:00", ref="future"),
    ]
    result = import_logs(school, table(tmp_path / "logs.csv", rows))
    assert result.added == 1
    assert [(r.row, r.column) for r in result.rejected] == [
        (3, "ended_at"),
        (4, "staff_email"),
        (5, "dress_ok"),
        (6, "started_at"),
    ]
    with school.engine.connect() as connection:
        kept = connection.execute(select(tables.quarantine.c.row, tables.quarantine.c.value)).all()
    assert [row.row for row in kept] == [3, 4, 5, 6]
    assert "perhaps" in [row.value for row in kept]


def test_import_logs_takes_two_references_of_one_session_for_one(school: School, tmp_path: Path) -> None:
    first, same, other = (log("teacher", "aled", "2026-11-03T10:00", ref=ref) for ref in ("L1", "L2", "L3"))
    rows = [other | {"notes": "another account of it"}, same, first]
    result = import_logs(school, table(tmp_path / "logs.csv", rows))
    assert (result.added, result.unchanged) == (1, 1)
    assert result.notes == ["row 3 is the session of the log L1, and was not stored again"]
    assert [(rejected.row, rejected.column) for rejected in result.rejected] == [(2, "ref")]
    again = import_logs(school, table(tmp_path / "again.csv", [same]))
    assert (again.added, again.unchanged, len(again.notes)) == (0, 1, 1)


def test_import_logs_keeps_the_lower_reference_whichever_came_first(school: School, tmp_path: Path) -> None:
    low, high = (log("teacher", "aled", "2026-11-03T10:00", ref=ref, concern="yes") for ref in ("L1", "L2"))
    summary = {"concern_summary": "Aled was upset", "concern_category": "emotional"}
    files = [table(tmp_path / f"{name}.csv", [row | summary]) for name, row in (("high", high), ("low", low))]
    import_logs(school, files[0])
    reported = outcomes(school, "concern-reported")["L2", ""]
    assert reported != "no_evidence"
    result = import_logs(school, files[1])
    assert (result.added, result.changed, result.rejected) == (0, 1, [])
    assert result.notes == ["row 2 is the session of the log L2, which now has this reference"]
    for file in files:
        again = import_logs(school, file)
        assert (again.added, again.changed, again.unchanged) == (0, 0, 1)
    assert outcomes(school, "concern-reported") == {("L1", ""): reported}


def test_import_logs_changes_nothing_of_a_known_file_after_a_new_key(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reference that was derived depends on the key."""
    rows = [log("teacher", "aled", f"2026-11-{n:02}T10:00") for n in range(2, 10)]
    file = table(tmp_path / "l.csv", rows)
    assert import_logs(school, file).added == 8
    monkeypatch.setenv("ENCRYPTION_KEYS", generate_key())
    again = import_logs(school, file)
    assert (again.added, again.changed, again.unchanged, again.notes) == (0, 0, 8, [])
    assert len(import_logs(school, table(tmp_path / "o.csv", [rows[0] | {"notes": "otherwise"}])).rejected) == 1


def test_a_log_with_a_new_reference_stays_in_the_chronology_of_a_concern(school: School, tmp_path: Path) -> None:
    low, high = (log("teacher", "aled", "2026-11-03T10:00", ref=ref) for ref in ("L1", "L2"))
    import_logs(school, table(tmp_path / "high.csv", [high]))
    dsp, pupil = someone(school, "dsp"), find_pupil(school, "aled")
    report = Report(CHILD, "Cried.", ["distress"], [pupil], told_dsp=True)
    ref = raise_concern(school, someone(school, "teacher"), report).ref
    session = {"session": LinkedSession("L2", None), "text": "It began there."}
    casework.record(school, dsp, ref, found(get_concern(school, dsp, ref)).version, "session_linked", session)
    before = found(get_concern(school, dsp, ref)).entries
    assert "It began there." in str(before)
    assert import_logs(school, table(tmp_path / "low.csv", [low])).changed == 1
    assert found(get_concern(school, dsp, ref)).entries == before


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_import_logs_judges_the_lower_reference_of_logs_that_differ(
    school: School, tmp_path: Path, order: tuple[int, ...]
) -> None:
    answers = {"L1": "yes", "L2": "no", "L3": ""}
    rows = [log("teacher", "aled", "2026-11-03T10:00", ref=ref, dress_ok=answer) for ref, answer in answers.items()]
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", WHO)))
    files = [table(tmp_path / f"{number}.csv", [row]) for number, row in enumerate(rows)]
    for number in order:
        import_logs(school, files[number])
    assert outcomes(school, "dress") == {("L1", "c1"): "met"}
    import_logs(school, files[0])
    assert outcomes(school, "dress") == {("L1", "c1"): "met"}


def test_import_logs_supersedes_nothing_that_its_author_has_corrected(school: School, tmp_path: Path) -> None:
    low, high = (log("teacher", "aled", "2026-11-03T10:00", ref=ref, dress_ok="yes") for ref in ("L1", "L2"))
    import_logs(school, table(tmp_path / "high.csv", [high]))
    by = staff_id(school, "teacher")
    assert isinstance(enter_log(school, high | {"dress_ok": "no"}, by, "I was wrong"), Entered)
    assert len(import_logs(school, table(tmp_path / "low.csv", [low | {"dress_ok": ""}])).rejected) == 1
    assert outcomes(school, "dress") == {("L2", ""): "breach"}
    assert import_logs(school, table(tmp_path / "equal.csv", [low])).changed == 1  # it is what he has corrected
    assert outcomes(school, "dress") == {("L1", ""): "breach"}


def test_import_logs_supersedes_nothing_that_an_earlier_version_stored(school: School, tmp_path: Path) -> None:
    """It did not store which logs came from files: any may have been entered by its author."""
    low, high = (log("teacher", "aled", "2026-11-03T10:00", ref=ref, dress_ok="yes") for ref in ("L1", "L2"))
    import_logs(school, table(tmp_path / "high.csv", [high]))
    with school.writing() as connection:
        connection.execute(update(tables.logs).values(unconfirmed=None))
    assert len(import_logs(school, table(tmp_path / "low.csv", [low | {"dress_ok": ""}])).rejected) == 1
    assert outcomes(school, "dress") == {("L2", ""): "met"}


@pytest.mark.parametrize("by_form_first", [True, False])
def test_enter_log_and_a_file_store_equal_logs_once(school: School, tmp_path: Path, by_form_first: bool) -> None:
    low, high = (log("teacher", "aled", "2026-11-03T10:00", ref=ref) for ref in ("L1", "L2"))
    for by_form in (by_form_first, not by_form_first):
        if by_form:
            assert isinstance(enter_log(school, low, staff_id(school, "teacher")), Entered)
        else:
            assert not import_logs(school, table(tmp_path / "high.csv", [high])).rejected
    assert list(outcomes(school, "dress")) == [("L1", "")]


def test_undo_last_import_gives_a_log_its_reference_back(school: School, tmp_path: Path) -> None:
    low, high = (log("teacher", "aled", "2026-11-03T10:00", ref=ref, concern="yes") for ref in ("L1", "L2"))
    summary = {"concern_summary": "Aled was upset", "concern_category": "emotional"}
    import_logs(school, table(tmp_path / "high.csv", [high | summary]))
    before = outcomes(school, "concern-reported")
    import_logs(school, table(tmp_path / "low.csv", [low | summary]))
    undo_last_import(school)
    assert outcomes(school, "concern-reported") == before


def test_import_logs_takes_a_log_for_stored_whose_words_were_read_otherwise(school: School, tmp_path: Path) -> None:
    rows = [log("teacher", "aled", "2026-11-03T10:00", ref="L1", second_staff_emails=email("tutor"))]
    import_logs(school, table(tmp_path / "a.csv", rows))
    with school.engine.begin() as connection:  # as a version left it that read other words
        connection.execute(update(tables.logs).values(fingerprint="0" * 64))
    again = import_logs(school, table(tmp_path / "b.csv", rows))
    assert (again.unchanged, again.rejected) == (1, [])
    changed = import_logs(school, table(tmp_path / "c.csv", [rows[0] | {"second_staff_emails": ""}]))
    assert [(rejected.row, rejected.column) for rejected in changed.rejected] == [(2, "ref")]


def test_import_logs_rejects_a_known_reference_with_other_content(school: School, tmp_path: Path) -> None:
    import_logs(school, table(tmp_path / "a.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    rows = [log("teacher", "aled", "2026-11-03T11:00", ref="L1"), log("nobody", "aled", "2026-11-03T11:00", ref="L2")]
    other = import_logs(school, table(tmp_path / "b.csv", rows))
    assert [(refused.row, refused.column) for refused in other.rejected] == [(2, "ref"), (3, "staff_email")]
    assert list(outcomes(school, "logged")) == [("L1", "")]


def test_import_logs_opens_a_concern_that_is_in_words(school: School, tmp_path: Path) -> None:
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
    result = import_logs(school, table(tmp_path / "l.csv", rows))
    assert [(rejected.row, rejected.column) for rejected in result.rejected] == [(5, "concern")]
    assert outcomes(school, "concern-reported") == {("L1", ""): "met", ("L2", ""): "breach", ("L3", ""): "met"}
    with school.engine.connect() as connection:
        assert connection.scalars(select(tables.concerns.c.categories)).all()[0] == "distress"
        assert set(connection.scalars(select(tables.concern_sessions.c.log_ref))) == {"L1", "L3"}


def test_enter_log_twice_is_one_log(school: School) -> None:
    me = staff_id(school, "teacher")
    values = log("teacher", "aled", "2026-11-03T10:00", ref="F1")
    first, second = enter_log(school, values, me), enter_log(school, values, me)
    assert isinstance(first, Entered)
    assert isinstance(second, Entered)
    assert (first.new, second.new) == (True, False)
    assert first.session_id == second.session_id
    assert list(outcomes(school, "logged")) == [("F1", "")]


def test_enter_log_stores_the_earlier_version_and_requires_a_reason(school: School) -> None:
    me, other = staff_id(school, "teacher"), staff_id(school, "tutor")
    values = log("teacher", "aled", "2026-11-03T10:00", ref="F1")
    entered = enter_log(school, values, me)
    corrected = values | {"dress_ok": "no"}
    unexplained = enter_log(school, corrected, me)
    assert isinstance(unexplained, RejectedRow)
    assert unexplained.column == CORRECTION_REASON
    others = enter_log(school, values | {"staff_email": email("tutor")}, other, "mine")
    assert isinstance(others, RejectedRow)
    assert others.column == "ref"
    again = enter_log(school, corrected, me, "I had forgotten")
    assert isinstance(again, Entered)
    assert isinstance(entered, Entered)
    assert again.session_id == entered.session_id
    assert outcomes(school, "dress") == {("F1", ""): "breach"}
    with school.engine.connect() as connection:
        versions = connection.execute(
            select(tables.logs.c.version, tables.logs.c.dress_ok, tables.logs.c.correction_reason)
        ).all()
    assert [tuple(v) for v in sorted(versions)] == [(1, True, None), (2, False, "I had forgotten")]


def test_enter_log_takes_a_session_under_another_reference_for_logged(school: School, tmp_path: Path) -> None:
    me = staff_id(school, "teacher")
    values = log("teacher", "aled", "2026-11-03T10:00", ref="L1")
    import_logs(school, table(tmp_path / "logs.csv", [values]))
    same = enter_log(school, values | {"ref": "M1"}, me)
    assert isinstance(same, Entered)
    assert (same.ref, same.new) == ("L1", False)
    other = enter_log(school, values | {"ref": "M1", "dress_ok": "no"}, me)
    assert isinstance(other, RejectedRow)
    assert other.column == "started_at"
    assert list(outcomes(school, "logged")) == [("L1", "")]


def test_enter_log_corrects_no_log_into_the_session_of_another(school: School) -> None:
    me = staff_id(school, "teacher")
    first = log("teacher", "aled", "2026-11-03T10:00", ref="F1")
    enter_log(school, first, me)
    enter_log(school, log("teacher", "aled", "2026-11-03T12:00", ref="F2"), me)
    moved = enter_log(school, first | {"ref": "F2"}, me, "it was earlier")
    assert isinstance(moved, RejectedRow)
    assert moved.column == "started_at"


def test_enter_log_takes_the_call_of_a_log_with_another_pupil(school: School, tmp_path: Path) -> None:
    both = {"teacher": (0, 30), "aled": (0, 30), "bethan": (0, 30)}
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", both)))
    me = staff_id(school, "teacher")
    enter_log(school, log("teacher", "bethan", "2026-11-03T10:00", 20, ref="F1"), me)
    assert list(outcomes(school, "logged")) == [("F1", "c1")]
    enter_log(school, log("teacher", "aled", "2026-11-03T10:00", 30, ref="F2"), me)
    assert sorted(outcomes(school, "logged")) == [("F1", ""), ("F2", "c1")]


def test_enter_log_releases_the_call_of_a_log_that_is_corrected(school: School, tmp_path: Path) -> None:
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", WHO)))
    me = staff_id(school, "teacher")
    enter_log(school, log("teacher", "aled", "2026-11-03T10:00", ref="F1"), me)
    assert list(outcomes(school, "logged")) == [("F1", "c1")]
    enter_log(school, log("teacher", "carys", "2026-11-03T15:00", ref="F1"), me, "it was another")
    assert sorted(outcomes(school, "logged")) == [("", "c1"), ("F1", "")]
