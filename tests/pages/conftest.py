"""Pages of the demonstration, opened by their addresses as the person with a role."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from app.access.people import list_demo_people
from app.access.policy import Person
from app.school import open_school
from app.settings import ROOT
from app.ui import current
from tests.apptest import AppTest


@pytest.fixture(scope="module")
def database(new_database: Callable[..., str], demonstration: str) -> str:
    """The address of a demonstration."""
    return new_database(copy_of=demonstration)


@dataclass(frozen=True)
class Opened:
    """Opens a page by its address as the person with a role."""

    people: dict[str, Person]

    def __call__(self, page: str, role: str, **query: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        at.session_state["view_as"] = self.people[role].email
        at.switch_page(f"pages/{page}.py")
        for name, value in query.items():
            at.query_params[name] = value
        return at.run()


@pytest.fixture
def opened(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setenv("DATABASE_URL", database)
    current._opened.clear()
    yield Opened({role: p for p in list_demo_people(open_school(database)) for role in p.roles})
    current._opened.clear()


def text(at: AppTest) -> str:
    """Everything on the page."""
    return " ".join(str(getattr(element, "value", "")) for element in at.main) + " ".join(
        str(table.value.to_csv()) for table in at.dataframe
    )
