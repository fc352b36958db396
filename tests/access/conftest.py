"""The small school of `tests.access.school`, made once; each test has a copy of its own."""

from collections.abc import Callable, Iterator

import pytest

from app.school import School
from app.store.database import open_database
from tests.access.school import NOW, SETTINGS, fill
from tests.clock import stopped_at


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    """Two answers do not differ by the time between them."""
    with stopped_at(NOW):
        yield


@pytest.fixture(scope="session")
def filled_database(new_database: Callable[..., str]) -> str:
    """The address of a database with the small school; nobody writes into it."""
    address = new_database()
    engine = open_database(address)
    fill(engine)
    engine.dispose()
    return address


@pytest.fixture
def school(filled_database: str, new_database: Callable[..., str]) -> Iterator[School]:
    """The small school, in a database of the test's own."""
    engine = open_database(new_database(copy_of=filled_database))
    yield School(engine, SETTINGS)
    engine.dispose()
