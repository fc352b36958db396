"""The roster: who somebody is, versions by day, leavers, and people recognised later."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.access.administration import get_roster
from app.access.breaches import find_open_breaches, find_owners
from app.access.forms import list_pupils_to_choose, list_staff_to_choose
from app.access.people import find_account, find_person
from app.alerts.outbox import Alert, enqueue
from app.intake.calls import import_calls
from app.intake.files import import_letters, import_logs, import_roster, import_table
from app.intake.people import RosterOptions
from app.intake.result import ImportResult
from app.records.rows import UnreadableFileError
from app.school import School
from app.store import audit_log, reading, tables
from app.vocabulary.roles import Role
from tests import people
from tests.clock import Clock
from tests.intake.contents import outcomes
from tests.people import call, calls, email, entra, log, someone, table

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


def test_import_roster_compares_codes_of_schools_without_regard_to_case(school: School, tmp_path: Path) -> None:
    roster = people.roster(tmp_path / "roster")
    schools = (roster / "schools.csv").read_text()
    (roster / "schools.csv").write_text(schools.replace("\nSEN,", "\nsen,"))
    (roster / "pupils.csv").write_text((roster / "pupils.csv").read_text().replace(",SEN,", ",Sen,"))
    assert [(result.added, result.changed, result.rejected) for result in import_roster(school, roster)] == [
        (0, 0, [])
    ] * 3


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
        one = next(csv.DictReader(file)) | {"email": "new@habs.example", "entra_id": "new-1"} | {column: pupil[column]}
    (roster / "pupils.csv").unlink()
    table(roster / "staff.csv", [one])
    _, staff = import_roster(empty_school, roster)
    assert [(refused.column, staff.added) for refused in staff.rejected] == [(column, 0)]


def rows_of(folder: Path, kind: str) -> dict[str, dict[str, str]]:
    """The rows of a file of the roster, by short name."""
    with (people.roster(folder) / f"{kind}.csv").open(encoding="utf-8") as file:
        return {row["email"].partition("@")[0]: row for row in csv.DictReader(file)}


def import_rows(school: School, folder: Path, kind: str, rows: list[dict[str, str]], **options: Any) -> ImportResult:
    return import_table(school, kind, table(folder / f"{kind}.csv", rows), options=RosterOptions(**options))


def leave(school: School, folder: Path, kind: str, who: str, on: date) -> ImportResult:
    """Import the roster without somebody, who has left."""
    rows = rows_of(folder, kind)
    del rows[who]
    return import_rows(school, folder, kind, list(rows.values()), left_on=on)


def pupil_ids(school: School) -> dict[str, int]:
    with school.engine.connect() as connection:
        return reading.read_roster(connection).pupils


def sessions_of(school: School) -> dict[int, int]:
    """The number of sessions by pupil."""
    with school.engine.connect() as connection:
        pupils = connection.scalars(select(tables.session_pupils.c.pupil_id)).all()
    return {pupil: pupils.count(pupil) for pupil in set(pupils)}


def test_import_roster_moves_somebody_to_a_new_address_and_knows_the_old_one(school: School, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "r", "staff")
    married = rows["tutor"] | {"email": "wed@habs.example", "name": "Tutor Lloyd", "entra_id": entra("tutor").upper()}
    before = someone(school, "tutor").staff_id
    assert import_rows(school, tmp_path, "staff", [married]).changed == 1
    pupils = rows_of(tmp_path / "r", "pupils")
    tutees = [pupils["aled"] | {"tutor_email": "wed@habs.example"}, pupils["bethan"]]
    assert not import_rows(school, tmp_path, "pupils", tutees).rejected
    logs = [log(by, "aled", f"2026-11-0{day}T10:00", ref=by) for by, day in (("wed@habs.example", 3), ("tutor", 4))]
    assert import_logs(school, table(tmp_path / "l.csv", logs)).added == 2
    assert people.found(find_person(school, "wed@habs.example")).staff_id == before
    assert find_person(school, email("tutor")) is None  # nobody signs in with a former address
    back = import_rows(school, tmp_path, "staff", [rows["tutor"]])
    assert (back.changed, back.rejected) == (1, [])
    assert someone(school, "tutor").staff_id == before


def test_import_roster_gives_nobody_the_address_of_a_leaver(school: School, tmp_path: Path) -> None:
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-07-01T10:00", ref="L1")]))
    before = sessions_of(school)
    leave(school, tmp_path / "r", "pupils", "aled", date(2026, 9, 1))
    aled = rows_of(tmp_path / "r", "pupils")["aled"]
    with_id = import_rows(school, tmp_path, "pupils", [aled | {"name": "Alys Pugh", "entra_id": "another-1"}])
    without = import_rows(school, tmp_path, "pupils", [aled | {"name": "Aled Price", "entra_id": ""}])
    for result in (with_id, without):
        (rejected,) = result.rejected
        assert (rejected.column, result.added, result.changed) == ("email", 0, 0)
        assert "Aled Pugh" in rejected.reason
    assert "Alys Pugh" in with_id.rejected[0].reason
    assert sessions_of(school) == before
    record = call("c1", "2026-11-03T10:00", {"teacher": (0, 9), "aled": (0, 9)})
    record["sessions"][1]["caller"]["associatedIdentity"]["id"] = "another"
    import_calls(school, calls(tmp_path / "c.json", record))
    assert sessions_of(school) == before  # a call of the new account is not the leaver's


def test_import_roster_takes_a_new_name_of_an_address_once_the_office_says_who_it_is(
    school: School, tmp_path: Path
) -> None:
    aled, ids = rows_of(tmp_path / "r", "pupils")["aled"], pupil_ids(school)
    renamed = aled | {"name": "Alys Pugh", "entra_id": "new-account-1"}
    assert import_rows(school, tmp_path, "pupils", [renamed]).rejected
    said = import_rows(school, tmp_path, "pupils", [renamed], same_person=frozenset({"ALED@pupils.habs.example"}))
    assert (said.changed, said.added, said.rejected) == (1, 0, [])
    assert pupil_ids(school) == ids


def test_import_roster_refuses_addresses_swapped_between_two_people(school: School, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "r", "pupils")
    aled, bethan = rows["aled"], rows["bethan"]
    swapped = [aled | {"email": bethan["email"]}, bethan | {"email": aled["email"]}]
    result = import_rows(school, tmp_path, "pupils", swapped, left_on=date(2026, 11, 1))
    assert [(r.row, r.column) for r in result.rejected] == [(2, "email"), (3, "email")]
    assert all(name in r.reason for r in result.rejected for name in ("Aled Pugh", "Bethan Rees"))
    assert {name.partition(" (")[0] for name in result.left} == {"Carys Owen", "Dai Prosser"}


def test_import_roster_accepts_an_entra_id_that_comes_later(empty_school: School, tmp_path: Path) -> None:
    roster = people.roster(tmp_path / "r")
    import_roster(empty_school, roster)
    with empty_school.writing() as connection:
        connection.execute(tables.pupils.update().values(entra_id=None))
    before = pupil_ids(empty_school)
    pupils = {r.kind: r for r in import_roster(empty_school, roster)}["pupils"]
    assert (pupils.added, pupils.changed, pupils.rejected) == (0, len(people.PUPILS), [])
    assert pupil_ids(empty_school) == before


def test_import_roster_keeps_what_a_missing_column_would_give(school: School, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "r", "staff")
    short = [{n: v for n, v in row.items() if n not in ("year_groups", "houses", "entra_id")} for row in rows.values()]
    assert import_rows(school, tmp_path, "staff", short).changed == 0
    assert someone(school, "hoy9").year_groups == {"9"}
    assert import_rows(school, tmp_path, "staff", [rows["hoy9"] | {"year_groups": ""}]).changed == 1
    assert someone(school, "hoy9").year_groups == frozenset()
    contacts = {"contact_emails": "mam@cartref.example", "language": "cy"}
    pupils = list(rows_of(tmp_path / "r", "pupils").values())
    import_rows(school, tmp_path, "pupils", [row | contacts for row in pupils])
    without_tutor = [{n: v for n, v in row.items() if n != "tutor_email"} for row in pupils]
    assert import_rows(school, tmp_path, "pupils", without_tutor).changed == 0
    with school.engine.connect() as connection:
        stored = connection.execute(select(tables.pupils.c.contact_emails, tables.pupils.c.language)).all()
        tutors = connection.scalars(select(tables.pupil_versions.c.tutor_id)).all()
    assert set(map(tuple, stored)) == {("mam@cartref.example", "cy")}
    assert all(tutors)


def test_import_roster_lists_who_is_missing_and_lets_them_stay(school: School, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "r", "staff")
    del rows["dsp"]
    result = import_rows(school, tmp_path, "staff", list(rows.values()))
    assert result.missing == ["Dsp (dsp@habs.example)"]
    assert someone(school, "dsp").roles == {Role.DSP}
    bad = [*rows.values(), rows["slt"] | {"email": "nobody", "entra_id": ""}]
    result = import_rows(school, tmp_path, "staff", bad, left_on=date(2026, 11, 1))
    assert (result.left, len(result.missing)) == ([], 1)  # the bad row may be the DSP's
    with pytest.raises(UnreadableFileError, match="has not come yet"):
        import_rows(school, tmp_path, "staff", list(rows.values()), left_on=date(2099, 1, 1))


def test_import_roster_names_pupils_whose_tutor_has_left(school: School, tmp_path: Path) -> None:
    leave(school, tmp_path / "r", "staff", "preptutor", date(2026, 11, 20))
    result = import_rows(school, tmp_path, "pupils", list(rows_of(tmp_path / "p", "pupils").values()))
    assert "1 pupil has a tutor who has left: correct tutor_email" in result.notes


def test_import_roster_takes_every_right_from_staff_who_left(school: School, tmp_path: Path) -> None:
    late = log("tutor", "aled", "2026-11-03T19:00", ref="L1")
    import_logs(school, table(tmp_path / "l.csv", [late]))
    hoy = someone(school, "hoy9")
    with school.writing() as connection:
        enqueue(connection, Alert(hoy.staff_id, "digest", "digest 2026-11-20", school.now()))
    assert hoy.staff_id in owners(school)
    result = leave(school, tmp_path / "r", "staff", "hoy9", date(2026, 11, 20))
    assert result.left == ["Hoy9 (hoy9@habs.example)"]
    assert find_account(school, entra("hoy9"), email("hoy9")) is None
    assert hoy.staff_id not in owners(school)
    admin = someone(school, "admin")
    assert email("hoy9") not in set(list_staff_to_choose(school, admin)["email"])
    with school.writing() as connection:
        assert not enqueue(connection, Alert(hoy.staff_id, "digest", "digest 2026-11-21", school.now()))
        assert connection.scalars(select(tables.alerts.c.recipient_id)).all() == []
    leavers = get_roster(school, admin)["leavers"]
    assert [(row.email, str(row.last_day.date())) for row in leavers.itertuples()] == [(email("hoy9"), "2026-11-19")]
    back = import_rows(school, tmp_path, "staff", [rows_of(tmp_path / "r", "staff")["hoy9"]])
    assert (back.added, back.changed) == (0, 1)
    assert someone(school, "hoy9") == hoy


def test_import_roster_takes_single_leave_days_where_others_stay(school: School, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "r", "staff")
    del rows["dsp"], rows["hoy9"], rows["slt"]
    days = {entra("hoy9"): date(2026, 11, 20), entra("slt"): date(2026, 11, 23), entra("tutor"): date(2026, 11, 1)}
    bad = [*rows.values(), rows["hm"] | {"email": "nobody", "entra_id": ""}]
    result = import_rows(school, tmp_path, "staff", bad, leave_days=days)
    assert result.left == ["Hoy9 (hoy9@habs.example)", "Slt (slt@habs.example)"]
    assert result.missing == ["Dsp (dsp@habs.example)"]
    leavers = get_roster(school, someone(school, "admin"))["leavers"]
    assert {(row.email.partition("@")[0], str(row.last_day.date())) for row in leavers.itertuples()} == {
        ("hoy9", "2026-11-19"),
        ("slt", "2026-11-22"),
    }
    assert someone(school, "tutor").roles == {Role.TEACHER, Role.TUTOR}


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"name": "Small Child", "email": ""}, ["Aled Pugh (aled@pupils.habs.example)"]),  # too young for an account
        ({"name": "PUGH, Aled", "email": ""}, []),  # whose address was lost
        ({"name": "", "email": ""}, []),
        ({"name": "Small Child", "email": "aled,pugh@pupils"}, []),
    ],
)
def test_import_roster_lets_people_leave_unless_a_rejected_row_may_be_about_them(
    school: School, tmp_path: Path, given: dict[str, str], left: list[str]
) -> None:
    rows = rows_of(tmp_path / "r", "pupils")
    row = rows.pop("aled") | {"entra_id": ""} | given
    result = import_rows(school, tmp_path, "pupils", [*rows.values(), row], left_on=date(2026, 11, 20))
    assert len(result.rejected) == 1
    assert result.left == left


def owners(school: School) -> set[int]:
    with school.engine.connect() as connection:
        return set(find_owners(school, connection, find_open_breaches(school, connection))["owner_id"])


def test_import_roster_keeps_the_history_of_a_pupil_who_left(school: School, tmp_path: Path) -> None:
    import_logs(school, table(tmp_path / "l.csv", [log("teacher", "aled", "2026-07-01T10:00", ref="L1")]))
    before = sessions_of(school)
    leave(school, tmp_path / "r", "pupils", "aled", date(2026, 9, 1))
    assert sessions_of(school) == before
    assert email("aled") not in set(list_pupils_to_choose(school, someone(school, "teacher"))["email"])
    letter = {"pupil_email": email("aled"), "kind": "one_to_one", "sent_on": "2026-06-01"}
    assert import_letters(school, table(tmp_path / "t.csv", [letter])).added == 1


def test_import_roster_applies_a_correction_to_the_past_and_judges_again(
    school: School, tmp_path: Path, story_clock: Clock
) -> None:
    sessions = [
        log("musician", "aled", f"2026-{month}-03T10:00", ref=month, purpose="pastoral") for month in ("09", "11")
    ]
    import_logs(school, table(tmp_path / "l.csv", sessions))
    assert set(outcomes(school, "purpose-allowed").values()) == {"breach"}
    musician = rows_of(tmp_path / "r", "staff")["musician"]
    corrected = musician | {"roles": "music_teacher;tutor"}
    assert import_rows(school, tmp_path, "staff", [corrected]).changed == 1
    assert set(outcomes(school, "purpose-allowed").values()) == {"breach"}  # valid from today
    import_rows(school, tmp_path, "staff", [corrected], valid_from=date(2026, 10, 1))
    assert outcomes(school, "purpose-allowed") == {("09", ""): "breach", ("11", ""): "met"}
    with school.engine.connect() as connection:
        breach, event = tables.breaches.c, tables.breach_events.c
        states = connection.scalars(select(breach.state).where(breach.clause == "purpose-allowed")).all()
        closed = connection.scalars(select(event.kind)).all()
    assert (sorted(states), closed.count("closed")) == (["closed", "open"], 1)
    again = import_rows(school, tmp_path, "staff", [corrected], valid_from=date(2026, 10, 1))
    assert (again.changed, again.unchanged) == (0, 1)


def test_import_roster_records_who_was_given_a_role_that_opens_confidential_records(
    school: School, tmp_path: Path
) -> None:
    teacher = rows_of(tmp_path / "r", "staff")["teacher"]
    with school.engine.connect() as connection:
        known = len(audit_log.list_entries(connection))
    import_rows(school, tmp_path, "staff", [teacher | {"roles": "teacher;hoy;admin;dsp"}])
    with school.engine.connect() as connection:
        entries = audit_log.list_entries(connection)
    new = entries.head(len(entries) - known)
    given = [subject for subject in new["subject"] if subject.startswith("role ")]
    assert sorted(given) == [f"role {role} given to {email('teacher')}" for role in ("admin", "dsp", "hoy")]


def test_import_logs_rejects_a_session_after_somebody_left(school: School, tmp_path: Path) -> None:
    leave(school, tmp_path / "r", "pupils", "aled", date(2026, 10, 1))
    leave(school, tmp_path / "r", "staff", "musician", date(2026, 10, 1))
    pupils = rows_of(tmp_path / "r", "pupils")
    import_rows(school, tmp_path, "pupils", list(pupils.values()), valid_from=date(2026, 11, 1))  # Aled comes back
    logs = [
        log("teacher", "aled", "2026-09-30T10:00", ref="before"),
        log("teacher", "bethan aled", "2026-10-01T10:00", ref="away"),
        log("musician", "bethan", "2026-10-02T10:00", ref="staff"),
        log("teacher", "aled", "2026-11-01T10:00", ref="back"),
    ]
    result = import_logs(school, table(tmp_path / "l.csv", logs))
    assert (result.added, [(row.row, row.column) for row in result.rejected]) == (
        2,
        [(3, "pupil_emails"), (4, "staff_email")],
    )
    assert result.rejected[0].reason == "names a pupil who had left by then"
    assert "Aled" not in result.rejected[0].reason + result.rejected[0].fix
