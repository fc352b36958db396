"""A real server and a real browser: Playwright's own where it is there, else the system's."""

import re
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import Browser, Locator, Page, Playwright, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from app.intake.files import import_logs
from app.school import School, open_school
from app.settings import ROOT, load_settings
from app.store.encryption import generate_key
from tests import people
from tests.clock import REAL
from tests.running import Running

_TENANT = load_settings().tenant_id
_KEY = generate_key()  # the program does not start on real records without one
_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_SLOW = 60_000  # milliseconds: a busy machine is slow, not wrong
expect.set_options(timeout=_SLOW)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def _executable(playwright: Playwright) -> str | None:
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else next(filter(None, map(shutil.which, _NAMES)), None)


def find_browser(playwright: Playwright) -> Browser:
    """A browser that is installed, started; a test without one is skipped."""
    executable = _executable(playwright)
    if executable is None:
        pytest.skip("no Chromium or Chrome is installed")
    return playwright.chromium.launch(executable_path=executable, args=_FLAGS)


@pytest.fixture(autouse=True, scope="module")
def encryption_key() -> Iterator[None]:
    """The key of all servers here, for what a test itself writes into their databases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENCRYPTION_KEYS", _KEY)
        yield


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """For the tests in this folder alone: while Playwright runs, no test in its process can use `asyncio.run`."""
    with sync_playwright() as playwright:
        browser = find_browser(playwright)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what each open window shows, and whether it is connected and the server still works on it."""
    report, browser = (yield), item.funcargs.get("browser")
    if report.failed and isinstance(browser, Browser):
        for page in (page for context in browser.contexts for page in context.pages):
            with suppress(PlaywrightError):  # the window may have crashed
                state = page.get_by_test_id("stApp").evaluate("app => JSON.stringify(app.dataset)", timeout=1000)
                report.sections.append((f"{page.url} {state}", page.locator("body").aria_snapshot(timeout=5000)))
    return report


# A page knows whether the server still owes it an answer, and when one of them last said something.
_LISTEN = """(() => {
  window.talk = { owed: false, at: 0 };
  const note = owed => (window.talk = { owed, at: performance.now() });
  window.WebSocket = class extends WebSocket {
    constructor(...all) { super(...all); this.addEventListener("message", () => note(false)); }
    send(what) { note(true); super.send(what); }
  };
})()"""
# What was done last has reached the server, what came of it has arrived, and it has been quiet since.
_STILL = """since => {
  const app = document.querySelector("[data-testid=stApp]"), { owed, at } = window.talk ?? { owed: true };
  const isQuiet = !owed && performance.now() - Math.max(at, since) > 300;
  const isReady = app?.dataset.testConnectionState === "CONNECTED" && app.dataset.testScriptState === "notRunning";
  return isQuiet && isReady && !app.querySelector("[data-testid=stSkeleton]");
}"""


def open_window(browser: Browser, width: int = 1400, height: int = 1000, **more: Any) -> Page:
    """A window with cookies of its own."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **more)
    context.set_default_timeout(_SLOW)
    context.add_init_script(_LISTEN)
    return context.new_page()


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens another person's window, see `open_window`."""
    opened: list[Page] = []

    def another(**more: Any) -> Page:
        opened.append(open_window(browser, **more))
        return opened[-1]

    yield another
    for page in opened:
        page.context.close()


@pytest.fixture
def page(window: Callable[..., Page]) -> Page:
    return window()


def drawn(page: Page) -> None:
    """Wait until the page is drawn."""
    page.wait_for_function(_STILL, arg=page.evaluate("performance.now()"), timeout=_SLOW)


def click(control: Locator) -> None:
    """Click once the page is drawn: a click while it is drawn again would be lost."""
    drawn(control.page)
    control.click()


def wait_until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait until something holds that the server does after it has answered."""
    deadline = time.monotonic() + _SLOW / 1000
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        page.wait_for_timeout(50)


@dataclass
class Hand:
    """Whoever works the page; every click and every field typed into is counted."""

    page: Page
    steps: int = 0

    def press(self, control: Locator) -> None:
        self.steps += 1
        click(control)

    def click(self, role: Literal["button", "radio"], name: str) -> None:
        self.press(self.page.get_by_role(role, name=name, exact=True).first)

    def click_at(self, what: Locator, across: float, down: float) -> None:
        """Click at a place in something: pixels, or below 1 shares of its size."""
        self.steps += 1
        drawn(self.page)
        what.scroll_into_view_if_needed()
        box = what.bounding_box()
        assert box
        x, y = (n * size if n < 1 else n for n, size in ((across, box["width"]), (down, box["height"])))
        self.page.mouse.click(box["x"] + x, box["y"] + y)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, OSError):
        return False


def await_answer(address: str, ended: Callable[[], int | None]) -> None:
    """Wait until the program answers at its address; `ended` gives its exit status, None while it runs."""
    deadline = time.monotonic() + 60
    while not _answers(address):
        assert time.monotonic() < deadline, "the program did not start"
        assert ended() is None, "the program ended"


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., str]]:
    """Starts the program on a database and gives its address."""
    running: list[Running] = []

    def start(database: str, port: int | None = None, folder: Path = ROOT, **environment: str) -> str:
        port = port or free_port()
        command = ["run", str(ROOT / "streamlit_app.py"), "--server.port", str(port)]
        environment = {"DATABASE_URL": database, "PYTHONPATH": str(ROOT)} | environment
        running.append(Running("streamlit", command, environment, folder, heard=False))
        address = f"http://localhost:{port}"
        await_answer(address, lambda: running[-1].returncode)
        return address

    yield start
    for process in running:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def view_as(browser: Browser, address: str) -> Iterator[Callable[[str], Page]]:
    """Gives the window in which somebody views the program at the module's `address`."""
    windows: dict[str, Page] = {}

    def view(role: str) -> Page:
        if role not in windows:
            windows[role] = open_window(browser)
            windows[role].goto(address)
            look_through(windows[role], role)
        return windows[role]

    yield view
    for page in windows.values():
        page.context.close()


def look_through(page: Page, role: str) -> None:
    """Choose whom to view the program as."""
    side = page.get_by_test_id("stSidebar")
    others, choice = (side.get_by_text("View as…"), side.get_by_role("button", name=re.compile(role)).first)
    expect(others).to_be_visible()
    drawn(page)
    if re.search(role, viewer(page).inner_text()):
        return
    if not choice.is_visible():
        click(others)
        expect(choice).to_be_visible()
    click(choice)
    expect(viewer(page)).to_contain_text(re.compile(role))


def viewer(page: Page) -> Locator:
    """Where the demonstration shows whom one is viewing as."""
    return page.get_by_test_id("stSidebar").get_by_test_id("stAlert").locator("strong").last


# --- a real school with sign-in


def user(who: str, tenant: str = _TENANT, **claims: object) -> User:
    address = people.email(who)
    signed_in = {"tid": tenant, "preferred_username": address, "email": address}
    signed_in |= {"oid": people.entra(who)} if who in people.STAFF else {}
    return User(sub=who, claims=signed_in | claims)


@pytest.fixture(scope="module")
def in_service(
    serve: Callable[..., str], peopled_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., str]]:
    """Starts the program with a real school and sign-in, and gives its address. `prepare` fills the school further."""
    users = [
        user("sdh"),
        user("teacher", roles=["slt", "no role of ours"]),
        user("admin"),
        user("slt", roles=["slt", "no role of ours"]),
        user("stranger"),
    ]
    users.append(User(sub="namesake", claims=user("sdh", oid="11111111-0000-4000-8000-000000000099").claims))
    users.append(User(sub="elsewhere", claims=user("sdh", "00000000-dead-4000-8000-000000000000").claims))
    with run_server_in_thread(user_claims=users) as provider:

        def start(prepare: Callable[[School], None] = lambda _: None, **environment: str) -> str:
            folder = tmp_path_factory.mktemp("real")
            url = peopled_database()
            school = open_school(url)
            rows = [people.log("teacher", "aled", "2026-11-03T10:00", ref="L1")]
            import_logs(school, people.table(folder / "l.csv", rows))
            prepare(school)
            port = free_port()
            secrets = folder / ".streamlit" / "secrets.toml"
            secrets.parent.mkdir()
            secrets.write_text(
                f"""
                [auth]
                redirect_uri = "http://localhost:{port}/oauth2callback"
                cookie_secret = "a long and random word for this test alone"
                client_id = "protocol"
                client_secret = "secret"
                server_metadata_url = "http://localhost:{provider.server_port}/.well-known/openid-configuration"
                """,
                encoding="utf-8",
            )
            # The provider, the library that signs people in and the browser go by the real time.
            return serve(url, port=port, folder=folder, **REAL | environment)

        yield start


def sign_in(page: Page, address: str, sub: str, to: str = "") -> None:
    page.goto(f"{address}/{to}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=sub, exact=True).click()
    page.wait_for_url(f"{address}/**")
