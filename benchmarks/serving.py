"""A Streamlit server of one's own for a while, and the browser to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Playwright

ROOT = Path(__file__).parent.parent


def executable(playwright: Playwright) -> str | None:
    """Playwright's own browser where it is there, else the system's."""
    own = playwright.chromium.executable_path
    names = ("chromium", "chromium-browser", "google-chrome")
    return own if Path(own).exists() else next(filter(None, map(shutil.which, names)), None)


@contextmanager
def serving(script: str, **environment: str) -> Iterator[str]:
    """Runs a script by `streamlit run` and gives its address."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    with _process(command, f"http://localhost:{port}", "/_stcore/health", environment) as address:
        yield address


@contextmanager
def running(module: str, **environment: str) -> Iterator[str]:
    """Runs a module that serves at the port it is given, and gives its address."""
    port = _free_port()
    command = [sys.executable, "-m", module, str(port)]
    with _process(command, f"http://localhost:{port}", "/", environment) as address:
        yield address


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def _process(command: list[str], address: str, health: str, environment: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not _answers(address + health):
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(command)} did not start")
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10):
            return True
    except (urllib.error.URLError, OSError):
        return False
