"""A Streamlit server of one's own for a while, and the browser to look at it."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
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
def serving(script: str, folder: Path = ROOT, **environment: str) -> Iterator[str]:
    """Runs a script by `streamlit run` in a folder and gives its address."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    with _process(command, f"http://localhost:{port}", "/_stcore/health", environment, folder) as address:
        yield address


@contextmanager
def proxied(programs: Sequence[str]) -> Iterator[str]:
    """Runs the proxy of `deploy/Caddyfile`, with a certificate of its own, before some servers, and gives its
    address."""
    address = f"https://localhost:{_free_port()}"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "Caddyfile"
        own = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
        config.write_text(f"{own}import {ROOT / 'deploy' / 'Caddyfile'}\n", encoding="utf-8")
        environment = {
            "SITE": address,
            "PROGRAM": " ".join(program.removeprefix("http://") for program in programs),
            "XDG_DATA_HOME": folder,
            "XDG_CONFIG_HOME": folder,
        }
        command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
        with _process(command, address, "/health", environment):
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
def _process(
    command: list[str], address: str, health: str, environment: dict[str, str], folder: Path = ROOT
) -> Iterator[str]:
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
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
        # The proxy has a certificate of its own.
        with urllib.request.urlopen(address, timeout=10, context=ssl._create_unverified_context()):
            return True
    except (urllib.error.URLError, OSError):
        return False
