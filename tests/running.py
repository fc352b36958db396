"""The commands in processes of their own, as schedulers and scripts run them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from app.settings import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]  # a command's words, and variables of its environment
PYTHON = (sys.executable, "-m", "tests.clock")  # runs a module by the clock of the test


def run(database: str, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m app …` on a database to its end."""
    return subprocess.run(
        [*PYTHON, "app", *map(str, words)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def start(
    database: str, *words: str | Path, stderr: int = subprocess.DEVNULL, **environment: str
) -> subprocess.Popen[str]:
    """Starts `python -m app …` on a database, its standard output to be read."""
    return subprocess.Popen(
        [*PYTHON, "app", *map(str, words)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database} | environment,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
