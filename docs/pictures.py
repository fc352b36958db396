"""Takes the pictures in `docs/images/` of a fictional school that is made for it: `python -m docs.pictures`."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

from app.demo.filling import fill
from app.school import open_school
from app.settings import ROOT
from tests.browser.conftest import click, drawn, find_browser, free_port, look_through, open_window

_IMAGES = ROOT / "docs" / "images"
_PICTURES = {  # file: whom it is viewed as, and the address
    "overview-light": ("Senior Deputy Head", "overview"),
    "protocol": ("Senior Deputy Head", "protocol"),
    "sessions": ("Head of Year", "sessions"),
    "log": ("Tutor", "log"),
    "plan": ("Tutor", "plan"),
    "concerns": ("DSP", "concerns"),
    "administration": ("ICT administrator", "administration"),
}


@contextmanager
def _serve(database: str) -> Iterator[str]:
    """The program on a database, by its address."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": database})  # noqa: S603 - our own words
    try:
        while server.poll() is None and not _answers(f"http://localhost:{port}"):
            pass
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/health", timeout=1) as answer:  # noqa: S310 - our own server
            return bool(answer.read() == b"ok")
    except (URLError, OSError):
        return False


def _take(page: Page, address: str, file: str) -> None:
    role, path = _PICTURES[file]
    page.goto(address)
    look_through(page, role)
    for _ in range(2):  # the panel of the first visit is closed on the first page
        drawn(page)
        panel = page.get_by_role("button", name="Close", exact=True)
        if panel.count():
            click(panel)
        page.goto(f"{address}/{path}")
    drawn(page)
    page.wait_for_timeout(1000)  # charts appear by and by
    page.screenshot(path=_IMAGES / f"{file}.png")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'school.sqlite'}"
        school = open_school(database)
        fill(school)
        school.engine.dispose()
        with _serve(database) as address, sync_playwright() as playwright:
            browser = find_browser(playwright)
            for file in _PICTURES:
                page = open_window(browser)
                _take(page, address, file)
                page.context.close()
            browser.close()


if __name__ == "__main__":
    main()
