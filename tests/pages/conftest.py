"""Pages of the demonstration, opened by their addresses as the person with a role; and of a real school."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.access.people import list_demo_people
from app.access.policy import Person
from app.school import School, open_school
from app.settings import ROOT, load_secrets
from app.ui import current
from tests.apptest import AUTH, KEY, AppTest, sign_in, write_secrets, write_settings
from tests.clock import Clock

OpenAs = Callable[..., AppTest]  # given who, and a page with its query or a tab


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
def opened(database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    # The clock stands still, so that a page looks the same when it is opened again.
    monkeypatch.setenv("DATABASE_URL", database)
    current._opened.clear()
    yield Opened({role: p for p in list_demo_people(open_school(database)) for role in p.roles})
    current._opened.clear()


def text(at: AppTest) -> str:
    """Everything on the page."""
    return " ".join(str(getattr(element, "value", "")) for element in at.main) + " ".join(
        str(table.value.to_csv()) for table in at.dataframe
    )


def press(at: AppTest, label: str) -> None:
    """Press the button with a label."""
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception


@pytest.fixture
def open_page(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAs]:
    """Opens a page of a real school as somebody."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", school.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PROTOCOL_FILE", str(write_settings(tmp_path / "protocol.toml")))
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    write_secrets(AUTH)
    current._opened.clear()

    def open_as(who: str, page: str, **query: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        sign_in(at, who)
        at.switch_page(f"pages/{page}.py")
        for name, value in query.items():
            at.query_params[name] = value
        return at.run()

    yield open_as
    current._opened.clear()
    load_secrets.cache_clear()


@pytest.fixture
def open_as(open_page: OpenAs) -> OpenAs:
    """Opens a tab of the Administration page of a real school as somebody."""
    return lambda who, tab="Import": open_page(who, "administration", tab=tab)
