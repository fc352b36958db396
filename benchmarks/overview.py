"""The Overview from its address to its charts drawn, against an empty Streamlit page, in one run.

Before each look the data are said to have changed, so that nothing of the page's is remembered.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.school import School, open_school
from app.store.writing import raise_revision
from benchmarks.serving import executable, serving

DRAWN = "document.querySelectorAll('[data-testid=\"stVegaLiteChart\"] .marks').length >= 3"
TITLE = "document.querySelector('h1') !== null"
EMPTY = 'import streamlit as st\nst.title("Empty")\n'


def seconds(browser: Browser, address: str, drawn: str) -> tuple[float, float]:
    """From the address to everything drawn: in a browser that has never been there, and once more in the same."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    visits = []
    for _ in range(2):
        page = context.new_page()
        began = time.perf_counter()
        page.goto(address)
        page.wait_for_function(drawn, timeout=120_000)
        visits.append(time.perf_counter() - began)
        page.close()
    context.close()
    first, returning = visits
    return first, returning


@contextmanager
def browsing() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(playwright), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def empty_page() -> Iterator[str]:
    """The address of an empty Streamlit page."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.write_text(EMPTY, encoding="utf-8")
        with serving(str(script)) as address:
            yield address


def _changed(school: School) -> None:
    with school.writing() as connection:
        raise_revision(connection)


def measure(urls: Mapping[int, str], times: int = 5) -> dict[int, list[tuple[float, float]]]:
    """For each database, by its number of sessions, how many times as long as an empty page the Overview takes, at a
    first and at a returning visit; all are looked at in turn."""
    ratios: dict[int, list[tuple[float, float]]] = {size: [] for size in urls}
    schools = {size: open_school(url) for size, url in urls.items()}
    with ExitStack() as servers, browsing() as browser:
        ours = {n: servers.enter_context(serving("streamlit_app.py", DATABASE_URL=url)) for n, url in urls.items()}
        empty = servers.enter_context(empty_page())
        for address in ours.values():
            seconds(browser, address, DRAWN)  # the first one warms the server
        seconds(browser, empty, TITLE)
        for _ in range(times):
            for size, address in ours.items():
                _changed(schools[size])
                ours_took, empty_took = seconds(browser, address, DRAWN), seconds(browser, empty, TITLE)
                ratios[size].append((ours_took[0] / empty_took[0], ours_took[1] / empty_took[1]))
    return ratios


def spread(values: list[float]) -> str:
    return f"{min(values):.2f}–{max(values):.2f}"


def median(values: list[float]) -> float:
    return statistics.median(values)
