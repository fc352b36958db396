"""The first start without any configuration, from the command to the Overview drawn, against that of an empty page, in
one run. A copy of the program starts, so that its demonstration is a new one."""

import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.overview import DRAWN, EMPTY, TITLE, browsing
from benchmarks.serving import ROOT, serving

_PROGRAM = ("app", "pages", "data", ".streamlit", "streamlit_app.py")
_LONGEST = 600_000  # milliseconds


def _start(browser: Browser, folder: Path, script: str, drawn: str) -> float:
    """Seconds from the command to everything drawn."""
    began = time.perf_counter()
    with serving(script, folder) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(address)
        page.wait_for_function(drawn, timeout=_LONGEST)
        seconds = time.perf_counter() - began
        page.close()
    return seconds


def measure(times: int = 3) -> list[float]:
    """How many times as long as an empty page's the first start takes."""
    ratios = []
    with browsing() as browser:
        for _ in range(times):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "empty.py").write_text(EMPTY, encoding="utf-8")
                _copy_program(folder / "program")
                empty = _start(browser, folder, "empty.py", TITLE)
                ratios.append(_start(browser, folder / "program", "streamlit_app.py", DRAWN) / empty)
    return ratios


def _copy_program(folder: Path) -> None:
    """Without databases, and with what Python has compiled."""
    folder.mkdir()
    for name in _PROGRAM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.sqlite*", "secrets.toml"))
        elif (ROOT / name).exists():
            shutil.copy2(ROOT / name, folder / name)
