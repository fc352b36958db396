"""A dry run says what an import would do, and changes nothing."""

from datetime import date
from pathlib import Path

import pytest

from app.intake.calls import import_calls
from app.intake.files import import_logs, import_table, prepare_file, prepare_roster
from app.intake.people import RosterOptions
from app.intake.preview import ChangedFact, Preview, describe_effect, list_new_rows, preview_import
from app.intake.transaction import carry_out
from app.school import School
from tests import people
from tests.intake.contents import all_rows
from tests.people import call, calls, email, log, table

pytestmark = pytest.mark.usefixtures("story_clock")


def _preview(school: School, kind: str, file: Path, options: RosterOptions | None = None) -> Preview:
    return preview_import(school, prepare_file(school, kind, file, options=options or RosterOptions()), options)


def _pupil(who: str, **facts: str) -> dict[str, str]:
    name, school, year, house, tutor = people.PUPILS[who]
    row = {"email": email(who), "name": name, "school": school, "year_group": year, "house": house}
    return row | {"tutor_email": email(tutor)} | facts


def test_preview_import_changes_nothing_and_tells_what_the_import_does(school: School, tmp_path: Path) -> None:
    rows = [_pupil("aled", house="Wye", tutor_email=email("teacher")), _pupil("bethan"), _pupil("dai", email="x")]
    new = {"email": "nia@pupils.habs.example", "name": "Nia New", "school": "SEN", "year_group": "9", "house": "Wye"}
    file = table(tmp_path / "pupils.csv", [*rows, new])
    before = all_rows(school)
    preview = _preview(school, "pupils", file)
    assert all_rows(school) == before
    aled = f"Aled Pugh ({email('aled')})"
    assert preview.changed == [
        ChangedFact("pupils", aled, "house", "Monnow", "Wye"),
        ChangedFact("pupils", aled, "tutor_email", email("tutor"), email("teacher")),
    ]
    (result,) = preview.results
    assert [number for number, _ in list_new_rows(result)] == [5]
    assert [(row.row, row.column) for row in result.rejected] == [(4, "email")]
    assert [name.split(" (")[0] for name in result.missing] == ["Carys Owen", "Dai Prosser"]
    (imported,) = carry_out(school, prepare_file(school, "pupils", file))
    assert imported == result


def test_preview_import_tells_who_leaves_and_what_is_corrected_in_the_past(school: School, tmp_path: Path) -> None:
    import_logs(school, table(tmp_path / "logs.csv", [log("teacher", "aled", "2026-11-03T10:00", ref="L1")]))
    options = RosterOptions(valid_from=date(2026, 11, 1), left_on=date(2026, 11, 20))
    rows = [_pupil("aled", year_group="10"), _pupil("bethan"), _pupil("carys")]
    preview = _preview(school, "pupils", table(tmp_path / "pupils.csv", rows), options)
    assert preview.results[0].left == [f"Dai Prosser ({email('dai')})"]
    assert [(fact.column, fact.before, fact.after) for fact in preview.changed] == [("year_group", "9", "10")]
    assert preview.sessions_changed == 0


def test_preview_import_counts_breaches_that_open_and_close(school: School, tmp_path: Path) -> None:
    bad = log("teacher", "aled", "2026-11-03T10:00", ref="L1", recorded="yes", recording_announced="no")
    preview = _preview(school, "logs", table(tmp_path / "logs.csv", [bad]))
    assert preview.opened > 0
    assert preview.closed == 0
    import_logs(school, table(tmp_path / "late.csv", [log("teacher", "aled", "2026-11-03T18:30", ref="L2")]))
    consent = {
        "pupil_email": email("aled"),
        "kind": "outside_hours",
        "covers_from": "2026-11-01T00:00",
        "covers_to": "2026-11-30T00:00",
        "obtained_at": "2026-10-30T12:00",
        "given_by": "Mrs Pugh",
        "slt_informed_at": "2026-10-30T12:00",
    }
    closing = _preview(school, "consents", table(tmp_path / "consents.csv", [consent]))
    assert (closing.opened, closing.closed, closing.sessions_changed) == (0, 1, 1)
    assert describe_effect(closing) == ["1 past session would change.", "0 breaches would open, 1 would close."]


def test_preview_import_counts_no_session_of_somebody_who_became_a_counsellor(school: School, tmp_path: Path) -> None:
    """A call that is not logged may be counselling, also from before the roster said so."""
    import_calls(
        school, calls(tmp_path / "c.json", call("c1", "2026-11-03T10:00", {"teacher": (0, 30), "aled": (0, 30)}))
    )
    file = table(tmp_path / "schools.csv", [{"code": "SEN", "name": "SEN", "senior": "no"}])
    assert _preview(school, "schools", file).sessions_changed == 1
    row = {"email": email("teacher"), "name": "Teacher", "school": "SEN", "department": "", "roles": "counsellor"}
    import_table(school, "staff", table(tmp_path / "staff.csv", [row]))
    preview = _preview(school, "schools", file)
    assert (preview.sessions_changed, preview.opened, preview.closed) == (0, 0, 0)


def test_list_new_rows_shows_nothing_of_a_pupil_in_a_log(school: School, tmp_path: Path) -> None:
    rows = [log("teacher", "aled", "2026-11-03T10:00", ref="L1", notes="a secret")]
    preview = _preview(school, "logs", table(tmp_path / "logs.csv", rows))
    assert set(list_new_rows(preview.results[0])[0][1].values()) & {"a secret", email("aled")} == set()


def test_preview_import_of_a_whole_roster(empty_school: School, tmp_path: Path) -> None:
    preview = preview_import(empty_school, prepare_roster(empty_school, people.roster(tmp_path / "roster")))
    assert [result.added for result in preview.results] == [2, len(people.STAFF), len(people.PUPILS)]
    assert preview.changed == []
    assert not all_rows(empty_school)["staff"]
