"""Whose sign-in holds, and that nothing real is shown without one; the way through a browser is in tests/browser."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.clock import now
from app.demo.filling import fill
from app.graph.errors import NotConfiguredError
from app.graph.fetching import synchronise
from app.intake.files import import_roster, import_table
from app.operations.health import check_school
from app.school import School, open_school
from app.settings import ROOT
from app.store import tables
from app.store.database import DatabaseError
from app.ui import current
from app.vocabulary.roles import Page
from tests import people
from tests.apptest import AUTH, AppTest, write_secrets
from tests.auth.conftest import Opening, sees_something, words
from tests.clock import Clock

pytestmark = pytest.mark.usefixtures("story_clock")

HOURS = 60 * 60
GRAPH = dict.fromkeys(("GRAPH_TENANT_ID", "GRAPH_CLIENT_ID", "GRAPH_CLIENT_SECRET"), people.TENANT)


def test_a_signed_in_person_sees_their_first_page(opened: Opening) -> None:
    assert sees_something(opened("sessions", "sdh"))
    assert "Sdh" not in words(opened("sessions", None))


@pytest.mark.parametrize(
    ("ago", "claims", "holds"),
    [
        (20 * 60, {}, True),
        (31 * 60, {}, False),  # idle
        (0, {"tid": people.TENANT.upper()}, True),
        (0, {"tid": "00000000-dead-4000-8000-000000000000"}, False),
        (0, {"tid": None}, False),
        (0, {"is_logged_in": False}, False),
        (0, {"iat": None}, False),
    ],
)
def test_a_sign_in_is_valid_for_staff_of_the_school_and_expires(
    opened: Opening, ago: float, claims: dict[str, object], holds: bool
) -> None:
    assert sees_something(opened("sessions", "teacher", ago, **claims)) is holds


@pytest.mark.parametrize(
    ("ago", "active_ago", "holds"),
    [(11 * HOURS, 20 * 60, True), (11 * HOURS, 31 * 60, False), (12 * HOURS + 60, 60, False)],
)
def test_an_active_person_stays_signed_in_up_to_the_limit(
    opened: Opening, ago: float, active_ago: float, holds: bool
) -> None:
    assert sees_something(opened("sessions", "teacher"))
    school = open_school()
    with school.writing() as connection:
        connection.execute(update(tables.sign_ins).values(seen_at=school.now() - timedelta(seconds=active_ago)))
    assert sees_something(opened("sessions", "teacher", ago)) is holds


def store_times(**times: datetime) -> School:
    school = open_school()
    with school.writing() as connection:
        connection.execute(update(tables.sign_ins).values(times))
    return school


@pytest.mark.parametrize(("ago", "holds"), [(29 * 60, True), (31 * 60, False)])
def test_activity_while_the_clock_was_ahead_does_not_prolong_a_sign_in(
    opened: Opening, ago: float, holds: bool
) -> None:
    assert sees_something(opened("sessions", "teacher"))
    store_times(seen_at=now() + timedelta(days=200))
    assert sees_something(opened("sessions", "teacher", ago)) is holds


def test_a_sign_out_while_the_clock_was_ahead_does_not_lock_anybody_out(opened: Opening, story_clock: Clock) -> None:
    assert sees_something(opened("sessions", "teacher"))
    store_times(ended_at=now() + timedelta(days=200))
    assert not sees_something(opened("sessions", "teacher", 60))  # signed in before
    story_clock.later(minutes=1)
    assert sees_something(opened("sessions", "teacher"))
    story_clock.set(people.NOW)


def test_a_removed_role_ends_at_the_next_click(opened: Opening, tmp_path: Path) -> None:
    at = opened("administration", "admin")
    assert "Roster" in words(at)
    rows = [{"email": people.email("admin"), "name": "Admin", "school": "SEN", "department": "ICT", "roles": "teacher"}]
    import_table(open_school(), "staff", people.table(tmp_path / "staff.csv", rows))
    told = words(at.run())
    assert "You do not have access to this page" in told
    assert "Roster" not in told


@pytest.mark.parametrize(("name", "value"), [("IDLE_MINUTES", "soon"), ("IDLE_MINUTES", "0"), ("ROLES_FROM", "x")])
def test_a_wrong_sign_in_setting_shows_an_error_and_no_data(
    opened: Opening, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    told = words(opened("sessions", "sdh"))
    assert name in told.replace("\\", "")
    assert "Aled" not in told


def test_the_administrator_sees_the_state_of_the_sync(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GRAPH.items():
        monkeypatch.setenv(name, value)
    at = opened("administration", "admin")
    assert "No sync has succeeded yet" in words(at)
    assert "Sync now" in [button.label for button in at.button]
    assert people.TENANT not in words(at)


# --- without sign-in -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", Page)
def test_a_real_school_without_sign_in_shows_only_what_is_missing(opened: Opening, page: str) -> None:
    some = {name: value for name, value in AUTH.items() if name != "client_secret"}
    for auth, missing in ((None, list(AUTH)), (some, ["client_secret"])):
        at = opened(page, None, auth=auth)
        told = words(at)
        assert all(entry in told for entry in missing)
        assert len(at.main) == 2
        assert not at.button


def test_a_real_school_without_keys_or_with_a_short_cookie_secret_shows_only_that(
    opened: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "cookie_secret in .streamlit/secrets.toml has 5" in words(
        opened("sessions", "sdh", auth=AUTH | {"cookie_secret": "short"})
    )
    monkeypatch.delenv("ENCRYPTION_KEYS")
    at = opened("sessions", "sdh")
    assert "ENCRYPTION_KEYS is not set" in words(at)
    assert len(at.main) == 2


@pytest.fixture
def filled(new_database: Callable[..., str], demonstration: str, monkeypatch: pytest.MonkeyPatch) -> str:
    url = new_database(copy_of=demonstration)
    monkeypatch.setenv("DATABASE_URL", url)
    current._opened.clear()
    return url


@pytest.mark.parametrize("real", ["graph", "sign-in"])
def test_view_as_is_never_offered_with_settings_of_a_real_school(
    filled: str, monkeypatch: pytest.MonkeyPatch, real: str
) -> None:
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    assert "Viewing as" in at.run().sidebar.info[0].value
    if real == "graph":
        monkeypatch.setenv("GRAPH_CLIENT_ID", people.TENANT)
    else:
        write_secrets(AUTH)
    at.run()
    assert not at.sidebar.info
    assert not at.dataframe
    assert "Set DATABASE_URL to a database of the school's own" in words(at)


def test_check_names_what_is_missing_with_the_fix(
    filled: str, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def finding() -> tuple[bool, str]:
        return next(
            (good, words) for name, good, words in check_school(open_school(), thorough=False) if name == "sign-in"
        )

    assert finding() == (True, "the demonstration needs none")
    monkeypatch.setenv("GRAPH_CLIENT_ID", people.TENANT)
    good, words = finding()
    assert not good
    assert "Set DATABASE_URL" in words
    monkeypatch.setenv("DATABASE_URL", new_database())
    good, words = finding()
    assert not good
    assert "redirect_uri, cookie_secret, client_id, client_secret, server_metadata_url" in words


def test_imports_into_the_demonstration_are_refused(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = open_school(filled)
    folder = people.roster(tmp_path / "roster")
    with pytest.raises(DatabaseError, match="no real people"):
        import_roster(school, folder)
    with pytest.raises(DatabaseError, match="no real people"):
        import_table(school, "staff", folder / "staff.csv")
    for name, value in GRAPH.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotConfiguredError, match="no real call"):
        synchronise(school)
    email = tables.staff.c.email
    with school.engine.connect() as connection:
        assert not connection.scalars(select(email).where(email.endswith("habs.example"))).all()


def test_imports_into_an_unfinished_demonstration_are_refused(empty_school: School, tmp_path: Path) -> None:
    """It is begun again by itself, and all that is there goes."""

    def cut_off(step: str, share: float) -> None:
        if share > 0.16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(empty_school, sessions=100, progress=cut_off)
    with pytest.raises(DatabaseError, match="no real people"):
        import_roster(empty_school, people.roster(tmp_path / "roster"))
