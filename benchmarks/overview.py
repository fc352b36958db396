"""The Overview from its address to its charts drawn, against an empty Streamlit page, in one run."""

import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.demo import fill
from app.school import open_school
from benchmarks.serving import executable, serving

_EMPTY = 'import streamlit as st\nst.title("Empty")\n'


def _seconds(browser: Browser, address: str, drawn: str) -> float:
    """From the address to everything drawn, in a browser that has never been there."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_function(drawn, timeout=60_000)
    taken = time.perf_counter() - began
    context.close()
    return taken


def measure(sessions: int = 5000, times: int = 5) -> dict[str, float]:
    """Median seconds of `overview` and of an `empty` page, their `ratio`, and the `least` and `most` of it."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/demo.sqlite"
        fill(open_school(url), sessions=sessions)
        script = Path(folder) / "empty.py"
        script.write_text(_EMPTY, encoding="utf-8")
        with (
            serving("streamlit_app.py", DATABASE_URL=url) as ours,
            serving(str(script)) as empty,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=executable(playwright), args=["--no-sandbox"])
            charts = "document.querySelectorAll('[data-testid=\"stVegaLiteChart\"] .marks').length >= 3"
            title = "document.querySelector('h1') !== null"
            _seconds(browser, ours, charts), _seconds(browser, empty, title)  # the first one warms the server
            pairs = [(_seconds(browser, ours, charts), _seconds(browser, empty, title)) for _ in range(times)]
            browser.close()
    ratios = [a / b for a, b in pairs]
    return {
        "overview": statistics.median(a for a, _ in pairs),
        "empty": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios),
        "least": min(ratios),
        "most": max(ratios),
    }
