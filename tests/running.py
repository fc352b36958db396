"""The program in processes of its own, as schedulers, scripts and servers run it.

Most are forked from a process that has already imported the program, which saves the seconds that imports take. Each
still has its own environment, output and exit status, and can be killed. `PYTHON` starts a new interpreter.
"""

import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import pytest

from app.settings import ROOT
from tests import clock

Run = Callable[..., subprocess.CompletedProcess[str]]  # given a command's words and environment variables
PYTHON = (sys.executable, "-m", "tests.clock")  # runs a module by the clock of the test

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.imported"])


def fork(work: Callable[..., None], *arguments: Any, **environment: str) -> ForkServerProcess:
    """Start a module's function in a new process, with the environment and clock of the test."""
    process = _processes.Process(target=_begin, args=(os.environ | environment, work, arguments))
    with pytest.MonkeyPatch.context() as patch:
        # A page that a test opened stays the main module, which the new process would run first.
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        process.start()
    return process


def _begin(environment: dict[str, str], work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    clock.follow()
    work(*arguments)


class Running:
    """A module that runs as `python -m MODULE WORDS…` in its own process, by the clock of the test.

    `heard` is whether somebody reads what it writes, as `stdout` and `stderr`.
    """

    def __init__(
        self, module: str, words: list[str], environment: dict[str, str], folder: Path = ROOT, *, heard: bool = True
    ) -> None:
        self.stdout, out = _pipe()
        self.stderr, error = _pipe()
        self._process = fork(become, module, words, folder, (out, error) if heard else (), **environment)
        out.close()
        error.close()

    @property
    def returncode(self) -> int | None:
        """The exit status, -9 if it was killed, or None if it is still running."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int | None:
        self._process.join(seconds)
        return self.returncode

    def communicate(self, seconds: float = 120) -> tuple[str, str]:
        """Wait until it ends. Returns what it wrote on standard output and standard error."""
        too_long = threading.Timer(seconds, self.kill)
        too_long.start()
        with ThreadPoolExecutor() as readers:
            out, error = readers.map(lambda file: file.read(), (self.stdout, self.stderr))
        self.wait()
        too_long.cancel()
        return out, error

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _pipe() -> "tuple[TextIO, Connection[Any, Any]]":
    reader, writer = _processes.Pipe(duplex=False)
    return open(os.dup(reader.fileno()), encoding="utf-8"), writer


def become(module: str, words: list[str], folder: Path, pipes: "tuple[Connection[Any, Any], ...]" = ()) -> None:
    """Run a module as `python -m MODULE WORDS…` in this process. `pipes` are for standard output and standard error."""
    os.chdir(folder)
    for number, pipe in enumerate(pipes, start=1):
        os.dup2(pipe.fileno(), number)
        pipe.close()
    sys.argv = [module, *words]
    status = None
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code
    gc.collect()  # closes what is still open, as at the end of an interpreter, so that a database leaves no extra file
    sys.exit(status)


def start(database: str, *words: str | Path, **environment: str) -> Running:
    """Start `python -m app …` on a database."""
    return Running("app", [*map(str, words)], {"DATABASE_URL": database} | environment)


def run(database: str, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m app …` on a database to its end."""
    running = start(database, *words, **environment)
    out, error = running.communicate()
    assert running.returncode is not None
    return subprocess.CompletedProcess(words, running.returncode, out, error)
