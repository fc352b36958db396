"""The roster from Microsoft Entra: who is on it, who has left, and what a table beside the groups says."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from app.access.people import find_person
from app.graph.errors import NotConfiguredError
from app.graph.roster import sync_roster
from app.intake.files import import_table
from app.intake.people import RosterOptions
from app.records.rows import UnreadableFileError
from app.school import School
from app.settings import SettingsError
from app.store import tables
from app.vocabulary.roles import Role
from tests import people
from tests.graph.conftest import asking, sync_entra
from tests.graph.entra import Entra, account, facts, roster
from tests.graph.standin import StandIn
from tests.people import email, find_pupil, someone

pytestmark = pytest.mark.usefixtures("story_clock")


def test_sync_roster_of_the_same_people_changes_nothing(school: School, entra: Entra) -> None:
    before = roster(school.engine)
    synced = sync_entra(school, entra)
    for result, number in zip(synced.results, (len(people.STAFF), len(people.PUPILS)), strict=True):
        assert (result.read, result.unchanged, result.missing, result.rejected) == (number, number, [], [])
    assert (synced.unknown, synced.notes) == ([], [])
    assert roster(school.engine) == before


def test_sync_roster_fills_a_roster_as_files_do(
    school: School, empty_school: School, entra: Entra, tmp_path: Path
) -> None:
    import_table(empty_school, "schools", people.roster(tmp_path / "roster") / "schools.csv")
    entra.users.reverse()
    synced = sync_entra(empty_school, entra)
    assert [(result.kind, result.added) for result in synced.results] == [("staff", 12), ("pupils", 4)]
    for who in (*people.STAFF, *people.PUPILS):
        stored, expected = facts(empty_school.engine, who), facts(school.engine, who)
        assert all(stored[name] == expected[name] for name in expected if not name.endswith("id")), who


def test_sync_roster_knows_a_person_by_id_when_the_address_changes(school: School, entra: Entra) -> None:
    staff_id = people.staff_id(school, "teacher")
    entra.user("teacher").update(mail="t.new@habs.example", userPrincipalName="t.new@habs.example")
    assert sync_entra(school, entra).results[0].changed == 1
    assert people.found(find_person(school, "t.new@habs.example")).staff_id == staff_id
    assert facts(school.engine, "teacher")["email"] == "t.new@habs.example"


def test_sync_roster_gives_nobody_the_address_of_somebody_else(school: School, entra: Entra) -> None:
    """A new account with a leaver's address is refused, and the leaver does not leave by it."""
    entra.remove("aled")
    entra.users.append(account("aled", id=people.entra("teacher").replace("0000", "9999", 1)))
    entra.groups["All pupils"].members.append(entra.users[-1]["id"])
    entra.groups["Year 9"].members.append(entra.users[-1]["id"])
    entra.groups["SEN"].members.append(entra.users[-1]["id"])
    entra.deleted = [{"id": people.entra("aled"), "deletedDateTime": "2026-11-20T09:00:00Z"}]
    pupils = sync_entra(school, entra, RosterOptions(left_on=date(2026, 11, 20))).results[1]
    assert [(row.column, pupils.left) for row in pupils.rejected] == [("email", [])]
    assert "another Entra id" in pupils.rejected[0].reason
    assert not facts(school.engine, "aled")["has_left"]


def test_sync_roster_marks_those_whom_entra_reports_as_left(school: School, entra: Entra) -> None:
    entra.remove("hoy9")
    entra.deleted = [{"id": people.entra("hoy9").upper(), "deletedDateTime": "2026-11-19T23:30:00Z"}]
    entra.user("slt")["employeeLeaveDateTime"] = "2026-10-31T00:00:00Z"
    entra.user("dsp")["employeeLeaveDateTime"] = "2026-11-27T23:00:00Z"  # stays until the end of today
    entra.user("tutor")["accountEnabled"] = False
    synced = sync_entra(school, entra)
    staff = synced.results[0]
    assert staff.left == ["Hoy9 (hoy9@habs.example)", "Slt (slt@habs.example)"]
    assert staff.missing == ["Tutor (tutor@habs.example)"]
    assert synced.notes == ["1 disabled account left out"]
    days = {who: str(facts(school.engine, who)["from_day"]) for who in ("hoy9", "slt")}
    assert days == {"hoy9": "2026-11-20", "slt": "2026-11-01"}
    assert find_person(school, email("hoy9")) is None
    assert someone(school, "dsp").roles == {Role.DSP}
    assert someone(school, "tutor").roles == {Role.TEACHER, Role.TUTOR}
    again = sync_entra(school, entra).results[0]
    assert (again.left, again.changed) == ([], 0)


def test_sync_roster_marks_the_others_from_the_day_that_the_office_gives(school: School, entra: Entra) -> None:
    entra.user("slt")["accountEnabled"] = False
    staff = sync_entra(school, entra, RosterOptions(left_on=date(2026, 11, 2))).results[0]
    assert staff.left == ["Slt (slt@habs.example)"]
    assert str(facts(school.engine, "slt")["from_day"]) == "2026-11-02"
    entra.user("slt")["accountEnabled"] = True
    assert sync_entra(school, entra).results[0].changed == 1
    assert someone(school, "slt").roles == {Role.SLT}


def test_sync_roster_takes_addresses_and_departments_only_where_they_are_the_schools(
    school: School, entra: Entra
) -> None:
    entra.user("musician").update(mail="music@private.example", department=None)
    entra.user("teacher").update(mail=None, department="Computing")
    assert sync_entra(school, entra).results[0].changed == 1
    musician, teacher = facts(school.engine, "musician"), facts(school.engine, "teacher")
    assert (musician["email"], musician["department"]) == (email("musician"), "Music")
    assert (teacher["email"], teacher["department"]) == (email("teacher"), "Computing")


def test_sync_roster_lists_accounts_of_neither_and_passes_over_guests(school: School, entra: Entra) -> None:
    entra.users += [
        account("sdh", id="1", displayName="Caretaker", mail=None, userPrincipalName="care@habs.example"),
        account("sdh", id="2", userType="Guest", userPrincipalName="a_b.example#EXT#@habs.example"),
        account("sdh", id="3", userType=None, userPrincipalName="c_d.example#EXT#@habs.example"),
        account("sdh", id="4", accountEnabled=False, userPrincipalName="room@habs.example"),
    ]
    assert sync_entra(school, entra).unknown == ["Caretaker (care@habs.example)"]
    synced = sync_entra(school, entra, staff="@habs.example", pupils=["@Pupils.habs.example"])
    rejected = synced.results[0].rejected
    assert [(row.column, row.original["name"]) for row in rejected] == [("school", "Caretaker")]
    assert (synced.unknown, synced.results[1].unchanged) == ([], len(people.PUPILS))


def test_sync_roster_takes_what_the_table_says_before_groups(school: School, entra: Entra, tmp_path: Path) -> None:
    rows = [
        {"email": email("teacher"), "roles": "Music teacher; tutor", "colour": "red"},
        {"email": email("aled"), "house": "Wye", "contact_emails": "p.pugh@home.example", "language": "cy"},
        {"email": "nobody@habs.example"},
    ]
    file = people.table(tmp_path / "roster.csv", rows)
    synced = sync_entra(school, entra, table=str(file))
    assert [result.rejected for result in synced.results] == [[], []]
    assert someone(school, "teacher").roles == {Role.MUSIC_TEACHER, Role.TUTOR}
    assert facts(school.engine, "aled")["house"] == "Wye"
    with school.engine.connect() as connection:
        query = select(tables.pupils.c.contact_emails).where(tables.pupils.c.id == find_pupil(school, "aled"))
        assert connection.scalar(query) == "p.pugh@home.example"
    assert synced.notes == [
        "roster.csv: unknown columns passed over: colour",
        "roster.csv: no staff or pupil in Entra has the address of row 4",
    ]


def test_sync_roster_names_every_wrong_row_of_the_table(school: School, entra: Entra, tmp_path: Path) -> None:
    rows = [{"email": "x"}, {"email": email("aled")}, {"email": email("aled").upper()}]
    file = people.table(tmp_path / "roster.csv", rows)
    with pytest.raises(UnreadableFileError) as refused:
        sync_entra(school, entra, table=str(file))
    first, second = str(refused.value).splitlines()
    assert first.startswith("roster.csv, row 2, column email: is not an email address")
    assert second == "roster.csv, row 4, column email: is also in row 3; keep one of the two."


def test_sync_roster_names_what_is_wrong_with_the_settings(school: School, graph: StandIn, entra: Entra) -> None:
    with pytest.raises(SettingsError, match="nothing says the year_group of pupils"):
        sync_entra(school, entra, year_groups={})
    with pytest.raises(SettingsError, match="roles: head: write roles from"):
        sync_entra(school, entra, roles={"head": "Role slt"})
    with pytest.raises(NotConfiguredError, match="entra_roster"):
        sync_roster(school, client=asking())
    assert not graph.asked_for("transitiveMembers.*head")
