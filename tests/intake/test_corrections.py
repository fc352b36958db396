"""A correction reaches everything it touches: afterwards all is as if it had been right from the start."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.access.concern_detail import get_concern
from app.concerns import casework
from app.concerns.raising import Report, raise_concern
from app.intake.calls import import_calls
from app.intake.files import import_logs, import_table
from app.intake.people import RosterOptions
from app.intake.undo import undo_last_import
from app.judging.rejudge import EVERYTHING, Affected, rejudge
from app.school import School
from app.store import tables
from app.store.concerns import CHILD
from app.vocabulary.terms import BreachState
from tests import people
from tests.conftest import SETTINGS
from tests.intake.contents import WHO, outcomes
from tests.people import call, calls, email, entra, found, log, someone, table

pytestmark = pytest.mark.usefixtures("story_clock")

REMOTE = SETTINGS.remote_learning[0].from_
TODAY = people.NOW.date()


def read_breaches(school: School) -> dict[str, str]:
    """The state of each clause's breaches."""
    breach = tables.breaches.c
    with school.engine.connect() as connection:
        return {row.clause: row.state for row in connection.execute(select(breach.clause, breach.state))}


def import_staff(school: School, folder: Path, who: str, options: RosterOptions | None = None, **changes: str) -> None:
    """Import somebody's row of the roster of staff, with some cells changed."""
    of_school, department, roles, years, houses = people.STAFF[who]
    row = {"email": email(who), "name": who.title(), "school": of_school, "department": department, "roles": roles}
    row |= {"year_groups": years, "houses": houses, "entra_id": entra(who)} | changes
    file = table(folder / "staff.csv", [row])
    result = import_table(
        school, "staff", (file.name, file.read_bytes()), options=options or RosterOptions(whole=False)
    )
    assert not result.rejected


def judge_everything(school: School) -> dict[str, Any]:
    with school.writing() as connection:
        rejudge(connection, school, Affected(times=[EVERYTHING]))
    return {clause: outcomes(school, clause) for clause in ("staff-opens", "second-member-invited", "purpose-allowed")}


@pytest.mark.parametrize("is_logged", [True, False])
def test_a_call_that_turns_out_not_to_be_a_session_closes_its_breaches(
    school: School, tmp_path: Path, is_logged: bool
) -> None:
    late = {"aled": (0, 30), "teacher": (5, 30)}
    if is_logged:
        import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-24T10:00", staff_opened="")]))
    import_calls(school, calls(tmp_path / "1.json", call("c1", "2026-11-24T10:00", late)))
    assert read_breaches(school)["staff-opens"] == BreachState.OPEN
    import_calls(school, calls(tmp_path / "2.json", call("c1", "2026-11-24T10:00", {"aled": (0, 30)}, version=2)))
    assert read_breaches(school)["staff-opens"] == BreachState.CLOSED
    assert BreachState.OPEN not in read_breaches(school).values()


def test_a_person_who_turns_out_to_be_a_pupil_is_one_in_earlier_calls(school: School, tmp_path: Path) -> None:
    new = "efa@pupils.habs.example"
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-24T10:00", WHO | {new: (0, 30)})))
    assert outcomes(school, "staff-opens") == {("", "c1"): "met"}
    row = {"email": new, "name": "Efa Rees", "school": "SEN", "year_group": "9", "house": "Wye"}
    file = table(tmp_path / "pupils.csv", [row])
    import_table(school, "pupils", (file.name, file.read_bytes()), options=RosterOptions(whole=False))
    assert outcomes(school, "parents-told") == {("", "c1"): "no_evidence"}


@pytest.mark.parametrize("is_logged", [True, False])
def test_a_call_of_pupils_alone_is_no_session_once_the_roster_knows_them(
    school: School, tmp_path: Path, is_logged: bool
) -> None:
    new = "efa@pupils.habs.example"
    if is_logged:
        import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-24T10:00", ref="L1")]))
    import_calls(school, calls(tmp_path / "c.json", call("c1", "2026-11-24T10:00", {"aled": (0, 30), new: (0, 30)})))
    assert BreachState.OPEN in read_breaches(school).values()
    row = {"email": new, "name": "Efa Rees", "school": "SEN", "year_group": "9", "house": "Wye"}
    file = table(tmp_path / "pupils.csv", [row])
    options = RosterOptions(whole=False)
    import_table(school, "pupils", (file.name, file.read_bytes()), options=options)
    assert list(outcomes(school, "staff-opens")) == ([("L1", "")] if is_logged else [])
    assert set(outcomes(school, "staff-opens").values()) <= {"met"}
    assert BreachState.OPEN not in read_breaches(school).values()
    undo_last_import(school)
    assert len(outcomes(school, "staff-opens")) == 1
    assert BreachState.OPEN in read_breaches(school).values()


@pytest.mark.parametrize("valid_from", [REMOTE, None])
def test_a_role_corrected_for_past_days_or_today_reaches_the_sessions(
    school: School, tmp_path: Path, valid_from: Any
) -> None:
    """The HOY's year was wrong; it is corrected for past days, or on the very day of the session."""
    day = valid_from or TODAY
    import_staff(school, tmp_path, "hoy9", RosterOptions(valid_from=day, whole=False), year_groups="8")
    settings = SETTINGS.remote_learning[0].model_copy(update={"from_": day, "to": day})
    school = School(school.engine, SETTINGS.model_copy(update={"remote_learning": (settings,)}))
    one_to_one = {"purpose": "pastoral", "second_staff_emails": email("hoy9"), "ref": "L1"}
    import_logs(school, table(tmp_path / "l.csv", [log("tutor", "aled", f"{day}T12:40") | one_to_one]))
    assert outcomes(school, "second-member-invited") == {("L1", ""): "breach"}
    import_staff(school, tmp_path, "hoy9", RosterOptions(valid_from=valid_from, whole=False))
    assert outcomes(school, "second-member-invited") == {("L1", ""): "met"}
    assert judge_everything(school)["second-member-invited"] == {("L1", ""): "met"}


def test_a_category_that_the_dsp_corrects_counts(school: School, tmp_path: Path) -> None:
    said = {"purpose": "pastoral", "home_alone": "yes", "concern": "yes", "ref": "L1"}
    import_logs(school, table(tmp_path / "l.csv", [log("tutor", "aled", f"{REMOTE}T12:40") | said]))
    assert outcomes(school, "home-alone-reported") == {("L1", ""): "breach"}
    with school.engine.connect() as connection:
        session_id = connection.scalars(select(tables.sessions.c.id)).one()
    tutor, dsp = someone(school, "tutor"), someone(school, "dsp")
    report = Report(CHILD, "Nobody else was there.", ["other"], [people.find_pupil(school, "aled")], told_dsp=True)
    ref = raise_concern(school, tutor, report, session_id).ref

    def correct(*categories: str) -> None:
        view = found(get_concern(school, dsp, ref))
        given = {"field": "categories", "after": categories, "text": "as it was"}
        casework.record(school, dsp, ref, view.version, "corrected", given)

    assert outcomes(school, "home-alone-reported") == {("L1", ""): "breach"}
    correct("home_alone", "other")
    assert outcomes(school, "home-alone-reported") == {("L1", ""): "met"}
    correct("other")
    assert outcomes(school, "home-alone-reported") == {("L1", ""): "breach"}
    assert read_breaches(school)["home-alone-reported"] == BreachState.OPEN


def test_a_dsp_who_is_alerted_when_a_child_is_linked_counts(school: School, tmp_path: Path) -> None:
    """No DSP of the first child's school was on the roster; the other child's school has one."""
    import_staff(school, tmp_path, "dsp", roles="slt")
    said = {"concern": "yes", "concern_summary": "Cried.", "concern_category": "distress", "ref": "L1"}
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-11-24T10:00") | said]))
    assert outcomes(school, "concern-reported") == {("L1", ""): "breach"}
    import_staff(school, tmp_path, "dsp")
    dsp = someone(school, "dsp")
    with school.engine.connect() as connection:
        ref = connection.scalars(select(tables.concerns.c.ref)).one()
    view = found(get_concern(school, dsp, ref))
    given = {"pupil": people.find_pupil(school, "bethan"), "text": "was there too"}
    casework.record(school, dsp, ref, view.version, "linked", given)
    assert outcomes(school, "concern-reported") == {("L1", ""): "met"}
