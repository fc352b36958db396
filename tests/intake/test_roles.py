"""Who learns that an import gave somebody a role that opens confidential records. Nobody gives it to themselves."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app import clock
from app.access.administration import list_role_changes
from app.access.people import find_account, find_person
from app.access.policy import NotAllowedError
from app.intake.files import AS_OF_TODAY, import_roster, import_table
from app.intake.people import RosterOptions
from app.intake.result import ImportResult
from app.intake.undo import NotUndoneError, undo_last_import
from app.operations.rejected_rows import fix_row
from app.school import School
from app.store import audit_log, tables
from app.vocabulary.roles import Role
from tests.clock import Clock
from tests.people import NOW, STAFF, email, entra, found, someone, staff_id, table

pytestmark = pytest.mark.usefixtures("story_clock")

CONFIDENTIAL = ["senior_deputy_head", "counsellor", "dsp", "admin"]


def give(
    school: School,
    folder: Path,
    who: str,
    roles: str,
    actor: str | None = None,
    options: RosterOptions = AS_OF_TODAY,
    **cells: str,
) -> ImportResult:
    row = {"email": email(who), "name": who.title(), "school": "SEN", "department": "ICT", "roles": roles} | cells
    actor_id = staff_id(school, actor) if actor else None
    return import_table(school, "staff", table(folder / "staff.csv", [row]), actor_id, options)


def list_changes(school: School) -> list[tuple[str, str]]:
    """Who changed which role, as the audit trail has it, in order."""
    entry = tables.audit.c
    query = select(entry.actor, entry.subject).where(entry.subject.startswith("role ")).order_by(entry.id)
    with school.engine.connect() as connection:
        return [(row.actor, row.subject) for row in connection.execute(query)]


def list_alerted(school: School) -> list[int]:
    alert = tables.alerts.c
    with school.engine.connect() as connection:
        query = select(alert.recipient_id).where(alert.kind == "role_given").order_by(alert.recipient_id)
        return [number for number in connection.scalars(query) if number]


def answerable(school: School) -> list[int]:
    people = [person for who in STAFF if (person := find_person(school, email(who)))]
    return sorted(person.staff_id for person in people if {Role.DSP, Role.SENIOR_DEPUTY_HEAD} & person.roles)


def test_a_role_given_by_an_import_alerts_the_dsps_and_the_deputy_and_none_who_gives_it_to_themselves(
    school: School, tmp_path: Path
) -> None:
    told = answerable(school)
    assert give(school, tmp_path, "admin", "admin;dsp").changed == 1
    assert give(school, tmp_path, "admin", "admin").changed == 1
    assert [subject for _, subject in list_changes(school)][-2:] == [
        f"role dsp given to {email('admin')}",
        f"role dsp taken from {email('admin')}",
    ]
    assert list_alerted(school) == told
    for person in (someone(school, who) for who in STAFF):
        if person.staff_id in told:
            changes = list_role_changes(school, person)
            assert f"DSP given to {email('admin')}" in set(changes["subject"])
        else:
            with pytest.raises(NotAllowedError):
                list_role_changes(school, person)


@pytest.mark.parametrize("role", CONFIDENTIAL)
@pytest.mark.parametrize("by", ["a person", "a command", "a folder"])
def test_each_such_role_is_recorded_by_person_and_role_whoever_imports(
    school: School, tmp_path: Path, role: str, by: str
) -> None:
    told, before = answerable(school), list_changes(school)
    if by == "a folder":
        give(school, tmp_path / "..", "teacher", "teacher")  # the file alone
        row = {"email": email("teacher"), "name": "Teacher", "school": "SEN", "department": "", "roles": role}
        table(tmp_path / "staff.csv", [row])
        import_roster(school, tmp_path)
    else:
        assert give(school, tmp_path, "teacher", role, "admin" if by == "a person" else None).changed == 1
    actor = email("admin") if by == "a person" else audit_log.COMMAND
    assert list_changes(school)[len(before) :] == [(actor, f"role {role} given to {email('teacher')}")]
    assert list_alerted(school) == told


@pytest.mark.parametrize("role", CONFIDENTIAL)
def test_nobody_gives_themselves_such_a_role(school: School, tmp_path: Path, role: str) -> None:
    who = "teacher" if role == "admin" else "admin"  # of whom only the second can import; the rule is for everybody
    has = STAFF[who][2]
    before, told = list_changes(school), list_alerted(school)
    result = give(school, tmp_path, who, f"{has};{role}", who)
    (rejected,) = result.rejected
    assert (rejected.row, rejected.column) == (2, "roles")
    assert "nobody can give themselves one" in rejected.reason
    assert "another administrator" in rejected.fix
    assert someone(school, who).roles == set(has.split(";"))
    assert (list_changes(school), list_alerted(school)) == (before, told)
    # Others of the file are imported, and what the person has already stays.
    assert not give(school, tmp_path, who, has, who, department="Welsh").rejected
    assert someone(school, who).department == "Welsh"
    # Another person, or whoever looks after the server, can give it.
    assert give(school, tmp_path, who, f"{has};{role}").changed == 1
    assert list_changes(school)[len(before) :] == [(audit_log.COMMAND, f"role {role} given to {email(who)}")]


def test_nobody_gives_themselves_a_role_for_days_in_the_past_or_by_a_new_address(
    school: School, tmp_path: Path
) -> None:
    earlier = RosterOptions(valid_from=school.today() - timedelta(days=30))
    assert give(school, tmp_path, "admin", "admin;dsp", "admin", earlier).rejected
    moved = give(school, tmp_path, "admin", "admin;dsp", "admin", email="new@habs.example", entra_id=entra("admin"))
    assert moved.rejected
    assert Role.DSP not in someone(school, "admin").roles


def test_nobody_gives_themselves_a_role_by_fixing_the_row(school: School, tmp_path: Path) -> None:
    give(school, tmp_path, "admin", "admin;dsp", "admin")
    with school.engine.connect() as connection:
        (number,) = connection.scalars(select(tables.quarantine.c.id)).all()
    rejected = fix_row(school, someone(school, "admin"), number, {"roles": "dsp;admin"})
    assert rejected is not None
    assert "nobody can give themselves one" in rejected.reason
    assert fix_row(school, someone(school, "admin"), number, {"roles": "admin"}) is None


def _forget_entra_ids(school: School) -> None:
    with school.writing() as connection:
        connection.execute(update(tables.staff).values(entra_id=None))


@pytest.mark.parametrize("who", ["dsp", "sdh", "counsellor", "new@habs.example"])
def test_nobody_takes_the_account_of_somebody_with_such_a_role(school: School, tmp_path: Path, who: str) -> None:
    roles, own = STAFF.get(who, ["", "", "dsp"])[2], entra("admin")
    _forget_entra_ids(school)
    before = list_changes(school)
    (rejected,) = give(school, tmp_path, who, roles, "admin", entra_id=own).rejected
    assert (rejected.column, "your own Entra id" in rejected.reason) == ("entra_id", True)
    assert "import your own row with your Entra id" in rejected.fix
    # Nor with an Entra id that is nobody's in their own row of the file.
    facts = {"school": "SEN", "department": "ICT"}
    rows = [
        facts | {"email": email("admin"), "name": "Admin", "roles": "admin", "entra_id": own.replace("0000", "9999")},
        facts | {"email": email(who), "name": who.title(), "roles": roles, "entra_id": own},
        facts | {"email": email("teacher"), "name": "Teacher", "roles": "teacher", "entra_id": entra("teacher")},
    ]
    result = import_table(school, "staff", table(tmp_path / "staff.csv", rows), staff_id(school, "admin"))
    assert (result.changed, [row.row for row in result.rejected]) == (2, [3])
    assert find_account(school, own, "") is None
    assert [subject for _, subject in list_changes(school)[len(before) :]] == [
        f"role holder {email('admin')}: Entra id or address changed"
    ]


def test_an_administrator_imports_all_entra_ids_once_the_roster_has_their_own(school: School, tmp_path: Path) -> None:
    _forget_entra_ids(school)
    row = {"school": "SEN", "department": "ICT"}
    rows = [
        row | {"email": email(who), "name": who.title(), "roles": STAFF[who][2], "entra_id": entra(who)}
        for who in ("dsp", "admin", "teacher")
    ]
    file, admin = table(tmp_path / "staff.csv", rows), staff_id(school, "admin")
    assert [rejected.row for rejected in import_table(school, "staff", file, admin).rejected] == [2]
    again = import_table(school, "staff", file, admin)
    assert (again.changed, again.rejected, again.resolved) == (1, [], 1)
    assert found(find_account(school, entra("dsp"), "")).email == email("dsp")


def test_undoing_an_import_takes_its_roles_with_a_trace(school: School, tmp_path: Path, story_clock: Clock) -> None:
    told = answerable(school)
    before = list_changes(school)
    give(school, tmp_path, "teacher", "teacher;counsellor", "admin")
    story_clock.later(minutes=1)
    undo_last_import(school, staff_id(school, "admin"))
    assert [subject for _, subject in list_changes(school)[len(before) :]] == [
        f"role counsellor given to {email('teacher')}",
        f"role counsellor taken from {email('teacher')}",
    ]
    assert list_alerted(school) == told  # still to be sent, although the role is gone


def test_undoing_an_import_of_somebody_new_says_whose_role_ended(school: School, tmp_path: Path) -> None:
    before = list_changes(school)
    give(school, tmp_path, "new@habs.example", "dsp", name="New")
    undo_last_import(school)
    assert [subject for _, subject in list_changes(school)[len(before) :]] == [
        "role dsp given to new@habs.example",
        "role dsp taken from new@habs.example",
    ]
    assert find_person(school, "new@habs.example") is None


def test_nobody_gets_a_role_back_by_undoing_the_import_that_took_it(school: School, tmp_path: Path) -> None:
    give(school, tmp_path, "admin", "admin;dsp")
    give(school, tmp_path, "admin", "admin")
    with pytest.raises(NotUndoneError, match="nobody can give themselves"):
        undo_last_import(school, staff_id(school, "admin"))
    assert Role.DSP not in someone(school, "admin").roles
    undo_last_import(school)
    assert Role.DSP in someone(school, "admin").roles


def test_every_version_of_roles_within_a_day_is_on_the_trail(school: School, tmp_path: Path) -> None:
    """Also of roles that open others' records without being alerted, and of the groups that somebody looks after."""
    before = list_changes(school)
    steps: Sequence[tuple[str, str]] = [("teacher", ""), ("hoy", "9"), ("hoy", "9;10"), ("hoy;slt", "10"), ("hoy", "9")]
    for roles, years in steps:
        give(school, tmp_path, "hoy9", roles, year_groups=years)
    assert [subject.removesuffix(f" {email('hoy9')}") for _, subject in list_changes(school)[len(before) :]] == [
        "role hoy of 9 taken from",
        "role hoy of 9 given to",
        "role hoy of 10 given to",
        "role slt given to",
        "role hoy of 9 taken from",
        "role hoy of 9 given to",
        "role hoy of 10 taken from",
        "role slt taken from",
    ]
    assert list_alerted(school) == []
    assert list_role_changes(school, someone(school, "dsp"))["subject"][:5].tolist() == [
        f"{role} {email('hoy9')}"
        for role in (
            "SLT taken from",
            "Head of Year (10) taken from",
            "Head of Year (9) given to",
            "Head of Year (9) taken from",
            "SLT given to",
        )
    ]


def test_a_leaver_loses_their_roles_with_a_trace(school: School, tmp_path: Path) -> None:
    before = list_changes(school)
    options = RosterOptions(leave_days={email("counsellor"): school.today()})
    give(school, tmp_path, "teacher", "teacher", options=options)
    assert list_changes(school)[len(before) :] == [
        (audit_log.COMMAND, f"role counsellor taken from {email('counsellor')}")
    ]
    assert find_person(school, email("counsellor")) is None


def test_another_account_of_somebody_with_such_a_role_is_recorded_and_alerted(school: School, tmp_path: Path) -> None:
    """Whoever may import could otherwise put an account of their own in the DSP's place."""
    told, before = answerable(school), list_changes(school)
    other = {"entra_id": "11111111-0000-4000-8000-000000000099"}
    again = RosterOptions(same_person=frozenset({email("dsp")}))
    assert give(school, tmp_path, "dsp", "dsp", "admin", again, **other).changed == 1
    assert list_changes(school)[len(before) :] == [
        (email("admin"), f"role holder {email('dsp')}: Entra id or address changed")
    ]
    assert list_role_changes(school, someone(school, "sdh"))["subject"].iloc[0].startswith("Role holder dsp@")
    assert list_alerted(school) == told  # also the DSP, who may know nothing of it
    give(school, tmp_path, "teacher", "teacher", entra_id="id-of-the-teacher", options=again)
    assert len(list_changes(school)) == len(before) + 1


def test_undoing_an_import_gives_an_account_back_with_a_trace(
    school: School, tmp_path: Path, story_clock: Clock
) -> None:
    told, before = answerable(school), list_changes(school)
    give(school, tmp_path, "dsp", "dsp", email="other@habs.example", entra_id=entra("dsp"))
    story_clock.later(minutes=1)
    undo_last_import(school, staff_id(school, "admin"))
    assert list_changes(school)[len(before) :] == [
        (audit_log.COMMAND, "role holder other@habs.example: Entra id or address changed"),
        (email("admin"), f"role holder {email('dsp')}: Entra id or address changed"),
    ]
    assert list_alerted(school) == sorted([*told, *told])  # once about each


def test_everybody_gets_one_alert_about_an_import(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, ticks = answerable(school), count()
    monkeypatch.setattr(clock, "source", lambda: NOW + timedelta(microseconds=next(ticks)))
    _forget_entra_ids(school)
    facts = {"school": "SEN", "department": "", "roles": "dsp"}
    rows = [
        facts | {"email": email(who), "name": who.title(), "entra_id": entra(who)}
        for who in ("dsp", "admin", "counsellor", "teacher")
    ]
    assert import_table(school, "staff", table(tmp_path / "staff.csv", rows)).changed == 4
    assert list_alerted(school) == told


def test_the_first_entra_id_of_somebody_with_such_a_role_is_recorded(school: School, tmp_path: Path) -> None:
    before = list_changes(school)
    _forget_entra_ids(school)
    give(school, tmp_path, "dsp", "dsp", entra_id=entra("dsp"))
    give(school, tmp_path, "tutor", "teacher;tutor", entra_id=entra("tutor"))
    assert len(list_changes(school)) == len(before) + 1
