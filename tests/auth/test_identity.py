"""The Entra id decides whose account it is. Accounts that are nobody's are refused, and roles that the roster lacks."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.access.people import find_account
from app.auth.configuration import check_start
from app.auth.entra_roles import describe_missing_roles, describe_outdated_roles
from app.auth.sign_in import Refusal
from app.operations.health import check_school
from app.school import School, open_school
from app.store import audit_log, tables
from tests import people
from tests.apptest import AUTH, write_secrets
from tests.auth.conftest import Opening, sees_something, words
from tests.clock import Clock

pytestmark = pytest.mark.usefixtures("story_clock")

OTHER = "11111111-0000-4000-8000-000000000099"
ELSEWHERE = "00000000-dead-4000-8000-000000000000"


def list_refused(school: School, actor: str = audit_log.UNKNOWN) -> list[str]:
    entry = tables.audit.c
    query = select(entry.subject).where(entry.actor == actor, entry.action == "refused").order_by(entry.id)
    with school.engine.connect() as connection:
        return list(connection.scalars(query))


def forget_entra_id(who: str) -> None:
    school = open_school()
    with school.writing() as connection:
        connection.execute(update(tables.staff).where(tables.staff.c.email == people.email(who)).values(entra_id=None))


@pytest.mark.parametrize(
    ("claims", "refusal", "recorded"),
    [
        (
            {"oid": OTHER},
            Refusal.ANOTHER_ACCOUNT,
            f"sign-in of another account with the address of {people.email('counsellor')}, Entra id {OTHER}",
        ),
        (
            {"oid": None},  # of an account whose Entra id is not said, too
            Refusal.ANOTHER_ACCOUNT,
            f"sign-in of another account with the address of {people.email('counsellor')}, Entra id None",
        ),
        ({"tid": ELSEWHERE}, Refusal.ANOTHER_TENANT, "sign-in from another tenant, Entra id {own}"),
        ({"tid": ELSEWHERE, "oid": OTHER}, Refusal.ANOTHER_TENANT, f"sign-in from another tenant, Entra id {OTHER}"),
        (
            {"oid": OTHER, "preferred_username": "stranger@habs.example"},
            Refusal.NOT_ON_ROSTER,
            f"sign-in of an account that is not on the roster, Entra id {OTHER}",
        ),
        (
            {"oid": people.entra("aled"), "preferred_username": people.email("aled")},
            Refusal.NOT_ON_ROSTER,
            f"sign-in of an account that is not on the roster, Entra id {people.entra('aled')}",
        ),
        (
            {"oid": OTHER, "preferred_username": None, "email": people.email("counsellor")},
            Refusal.NOT_ON_ROSTER,
            f"sign-in of an account that is not on the roster, Entra id {OTHER}",
        ),
    ],
)
def test_an_account_that_is_not_hers_is_shown_nothing_and_recorded_once(
    opened: Opening, claims: dict[str, object], refusal: Refusal, recorded: str
) -> None:
    at = opened("sessions", "counsellor", **claims)
    assert not sees_something(at)
    assert refusal.sentences in words(at)
    assert [button.label for button in at.button] == ["Sign out"]
    at.run()
    assert not sees_something(opened("log", "counsellor", **claims))
    assert list_refused(open_school()) == [recorded.format(own=people.entra("counsellor"))]


def test_the_entra_id_finds_its_owner_whatever_the_address(opened: Opening) -> None:
    for address in (people.email("teacher"), "stranger@habs.example", None):
        assert sees_something(opened("log", "counsellor", preferred_username=address))
    entry = tables.audit.c
    with open_school().engine.connect() as connection:
        actors = connection.scalars(select(entry.actor).where(entry.action == "signed in")).all()
    assert set(actors) == {people.email("counsellor")}
    assert list_refused(open_school()) == []


@pytest.mark.parametrize("name", ["preferred_username", "upn"])
def test_an_address_counts_for_somebody_without_an_entra_id_on_the_roster(opened: Opening, name: str) -> None:
    names = {"preferred_username": None, "upn": None, "email": people.email("admin")}
    opened("log", "counsellor")
    forget_entra_id("counsellor")
    assert sees_something(opened("log", "counsellor", oid=OTHER, **names | {name: people.email("counsellor")}))
    assert not sees_something(opened("log", "counsellor", oid=OTHER, **names))


def test_find_account_gives_no_address_to_an_account_of_somebody_else(school: School) -> None:
    with school.writing() as connection:
        email = tables.staff.c.email
        connection.execute(update(tables.staff).where(email == people.email("counsellor")).values(entra_id=None))
    assert people.found(find_account(school, "", people.email("counsellor"))).email == people.email("counsellor")
    for other in ("aled", "teacher"):
        found = find_account(school, people.entra(other), people.email("counsellor"))
        assert found == (people.someone(school, "teacher") if other == "teacher" else None)


@pytest.mark.parametrize(("minutes", "is_there"), [(-1, True), (0, False)])
def test_leavers_have_access_up_to_the_end_of_their_last_day(
    opened: Opening, story_clock: Clock, minutes: int, is_there: bool
) -> None:
    """Somebody whose first day without access is tomorrow, at a minute to midnight and at midnight in the school."""
    school = open_school()
    tomorrow = school.today() + timedelta(days=1)
    midnight = people.NOW.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    with school.writing() as connection:
        version = connection.execute(
            select(tables.staff_versions).where(tables.staff_versions.c.staff_id == people.staff_id(school, "hoy9"))
        ).one()
        gone = version._asdict() | {"from_day": tomorrow, "has_left": True, "roles": ""}
        connection.execute(tables.staff_versions.insert().values({k: v for k, v in gone.items() if k != "id"}))
    story_clock.set(midnight + timedelta(minutes=minutes))
    assert sees_something(opened("sessions", "hoy9")) is is_there


# --- roles from Entra -----------------------------------------------------------------------------------------


@pytest.fixture
def of_entra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLES_FROM", "entra")


def test_roles_come_from_the_roster_alone_by_default(opened: Opening) -> None:
    assert "You do not have access" in words(opened("administration", "teacher", roles=["admin"]))


@pytest.mark.usefixtures("of_entra")
def test_a_role_counts_where_the_sign_in_and_the_roster_have_it(opened: Opening) -> None:
    assert "Roster" in words(opened("administration", "admin", roles=["admin", "Global Administrator"]))
    assert "You do not have access" in words(opened("administration", "admin"))
    assert list_refused(open_school()) == []


@pytest.mark.usefixtures("of_entra")
@pytest.mark.parametrize("role", ["counsellor", "dsp", "senior_deputy_head", "admin", "hoy"])
def test_a_role_that_the_roster_lacks_is_refused_and_the_program_does_not_start_again(
    opened: Opening, role: str, story_clock: Clock
) -> None:
    check_start()
    at = opened("log", "teacher", roles=["teacher", role])
    assert Refusal.ROLE_NOT_STORED.sentences in words(at)
    assert not sees_something(at)
    school, address = open_school(), people.email("teacher")
    at.run()
    assert list_refused(school, address) == [
        f"sign-in with a role that is not on the roster, by {address}, Entra id {people.entra('teacher')}"
    ]
    assert list_refused(school) == []
    with pytest.raises(SystemExit, match=r"gave roles at sign-in that the roster does not have: .* \(1 person\)"):
        check_start()
    finding = next(
        words for name, good, words in check_school(school, thorough=False) if name == "sign-in" and not good
    )
    assert "the roster does not have" in finding
    assert address not in finding
    with school.writing() as connection:  # what a sync or an import does
        version = tables.staff_versions
        theirs = version.c.staff_id == people.staff_id(school, "teacher")
        connection.execute(update(version).where(theirs).values(roles=f"teacher;{role}"))
    check_start()
    assert sees_something(opened("log", "teacher", roles=["teacher", role]))


@pytest.mark.usefixtures("of_entra")
def test_what_a_sign_in_showed_counts_for_a_day(opened: Opening, story_clock: Clock) -> None:
    opened("log", "teacher", roles=["dsp"])
    opened("log", "dsp", roles=[])
    school = open_school()
    assert "DSP (1 person)" in people.found(describe_missing_roles(school))
    assert "DSP (1 person)" in people.found(describe_outdated_roles(school))
    story_clock.later(hours=25)
    assert describe_missing_roles(school) is None
    assert describe_outdated_roles(school) is None


@pytest.mark.usefixtures("of_entra")
def test_a_note_goes_once_the_sign_in_agrees(opened: Opening) -> None:
    opened("log", "teacher", roles=["dsp"])
    opened("log", "teacher", roles=["teacher"])
    assert describe_missing_roles(open_school()) is None


@pytest.mark.parametrize("roles_from", [None, "entra"])
def test_the_program_starts_with_roles_from_entra_only_if_the_roster_has_them(
    opened: Opening, monkeypatch: pytest.MonkeyPatch, roles_from: str | None
) -> None:
    write_secrets(AUTH)
    school = open_school()
    with school.writing() as connection:
        connection.execute(update(tables.staff_versions).values(roles=""))
    if roles_from is None:
        check_start()
        return
    monkeypatch.setenv("ROLES_FROM", roles_from)
    with pytest.raises(SystemExit, match=r"nobody on the roster is Senior Deputy Head \(Pastoral\) or DSP\."):
        check_start()


def test_check_start_refuses_a_word_that_is_no_source_of_roles(
    opened: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secrets(AUTH)
    monkeypatch.setenv("ROLES_FROM", "x")
    with pytest.raises(SystemExit, match="ROLES_FROM is 'x'"):
        check_start()


@pytest.mark.usefixtures("of_entra")
def test_check_start_asks_an_empty_database_for_no_roles(empty_school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_school.engine.url.render_as_string(hide_password=False))
    write_secrets(AUTH)
    check_start()
