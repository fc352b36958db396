"""A page of a real school, opened as whoever signed in."""

from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest

from app.intake.files import import_logs
from app.judging.upkeep import refresh
from app.school import School
from app.settings import ROOT, load_secrets
from app.ui import current
from tests import people
from tests.apptest import AUTH, KEY, AppTest, sign_in, write_secrets, write_settings
from tests.conftest import SchoolWith

Opening = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _own_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working directory without secrets, as long as none are written."""
    monkeypatch.chdir(tmp_path)
    load_secrets.cache_clear()
    yield
    load_secrets.cache_clear()


def log_a_session(school: School, folder: Path) -> None:
    """Of Aled."""
    rows = [people.log("teacher", "aled", "2026-11-03T10:00", ref="L1")]
    assert import_logs(school, people.table(folder / "logs.csv", rows)).added == 1
    refresh(school)


@pytest.fixture
def opened(school_with: SchoolWith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opening]:
    """Opens a page of a real school, in which Aled had a session, as somebody who signed in some seconds ago."""
    school = school_with(log_a_session)
    monkeypatch.setenv("DATABASE_URL", school.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PROTOCOL_FILE", str(write_settings(tmp_path / "protocol.toml")))
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    current._opened.clear()

    def open_page(
        page: str, who: str | None, ago: float = 0, auth: dict[str, str] | None = AUTH, **claims: object
    ) -> AppTest:
        write_secrets(auth or {})
        at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        at.user = {"is_logged_in": False}
        if who:
            sign_in(at, who, ago, **claims)
        at.switch_page(f"pages/{page}.py")
        return at.run()

    yield open_page
    current._opened.clear()


def words(at: AppTest) -> str:
    assert not at.exception
    told = [str(getattr(e, "value", e.proto)) for e in at.main] + [t.value.to_csv() for t in at.dataframe]
    return unescape(" ".join(told))


def sees_something(at: AppTest) -> bool:
    told = words(at)
    return "Sign in" not in told and "Not in service" not in told
