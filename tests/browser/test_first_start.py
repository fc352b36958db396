"""The first start without any configuration: one demonstration is created, whoever reloads, leaves or comes second."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import make_url, select

from app.school import open_school
from app.settings import ROOT
from app.store import tables
from tests.browser.conftest import await_answer, free_port
from tests.running import become, fork

pytestmark = pytest.mark.browser


def serve_first_start(database: str, port: int) -> None:
    """Serve the program as if this database were the embedded one, with a smaller demonstration."""
    patch = pytest.MonkeyPatch()
    patch.setattr("app.school.get_database_url", lambda: database)
    patch.setattr("app.ui.current.SESSIONS", 100)
    become("streamlit", ["run", str(ROOT / "streamlit_app.py"), "--server.port", str(port)], ROOT)


@pytest.fixture
def file(new_database: Callable[[], str]) -> Path:
    return Path(make_url(new_database()).database or "")


@pytest.fixture
def address(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    port = free_port()
    process = fork(serve_first_start, f"sqlite:///{file}", port)
    address = f"http://localhost:{port}"
    await_answer(address, lambda: process.exitcode)
    yield address
    process.terminate()
    process.join(20)


def expect_progress(page: Page) -> None:
    expect(page.get_by_role("heading", name="Preparing the demonstration")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()


def test_first_start_fills_once_for_everybody_who_waits(window: Callable[..., Page], address: str, file: Path) -> None:
    busy = sqlite3.connect(file, isolation_level=None)
    page = window()
    busy.execute("begin immediate")  # the work can begin, and not end, before everybody has come
    page.goto(f"{address}/sessions")
    expect_progress(page)
    page.reload()
    expect_progress(page)
    second, leaving = window(), window()
    for late in (second, leaving):
        late.goto(address)
        expect_progress(late)
    leaving.close()
    busy.rollback()
    busy.close()
    expect(page.get_by_text("Nobody here is real")).to_be_visible(timeout=120_000)
    expect(page.get_by_role("heading", name="Sessions", exact=True).first).to_be_visible()
    expect(second.get_by_role("heading", name="Overview")).to_be_visible()
    school = open_school(f"sqlite:///{file}")
    with school.engine.connect() as connection:
        started = connection.scalars(select(tables.audit.c.id).where(tables.audit.c.subject.like("schools%"))).all()
    assert school.is_demonstration()
    assert len(started) == 1
    school.engine.dispose()
