"""During an upgrade: processes of an older program that are killed at any moment, and one of a newer program. In the
end all is as if one process had been given the last state of everything and had judged it once."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.school import open_school
from tests import people, running
from tests.clock import stopped_at
from tests.judging.operations import Operation, as_once, carry_out_elsewhere, read_state
from tests.judging.random_operations import name_rows, operation
from tests.judging.test_any_operations import FIXTURES, judge_once, list_again

pytestmark = [pytest.mark.usefixtures("story_clock"), pytest.mark.slow]


class Newer:
    """A process of the newer program, which carries out operations."""

    def __init__(self, folder: Path, protocol: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.judging.worker"],
            cwd=folder,
            env=os.environ | {"PROTOCOL_FILE": str(protocol)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def carry_out(self, url: str, operation: Operation, at: datetime) -> None:
        assert self._process.stdin
        assert self._process.stdout
        told = {"url": url, "operation": operation, "at": at.isoformat()}
        self._process.stdin.write(f"{json.dumps(told)}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def newer_process(newer: Path, protocols: list[Path]) -> Iterator[Newer]:
    process = Newer(newer, protocols[1])
    yield process
    process.end()


def carry_out_by_older(url: str, protocol: Path, operation: Operation, seconds: float | None) -> bool:
    """Carry out an operation in a process of the older program that is killed after some time. Returns whether it was
    done by then."""
    with TemporaryDirectory() as folder:
        done = Path(folder) / "done"
        told = json.dumps(operation)
        older = running.fork(carry_out_elsewhere, url, told, str(done), PROTOCOL_FILE=str(protocol))
        older.join(seconds)
        older.kill()
        older.join()
        return done.exists()


@settings(max_examples=8, suppress_health_check=FIXTURES)
@given(st.lists(operation, min_size=3, max_size=7), st.randoms(use_true_random=False))
def test_all_is_as_if_one_process_of_the_newer_program_had_judged_once(
    peopled_database: Callable[[], str],
    protocols: list[Path],
    newer_process: Newer,
    drawn: list[Operation],
    random: Random,
) -> None:
    operations, url = name_rows(drawn), peopled_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROTOCOL_FILE", str(protocols[0]))  # from which the protocol is taken
        open_school(url).engine.dispose()
    upgraded = random.randrange(len(operations))  # from this operation on the newer program has judged
    for number, one in enumerate(operations):
        at = people.NOW + timedelta(hours=random.choice([0, 0, -20, 100]))
        with stopped_at(at):
            if number == upgraded:
                newer_process.carry_out(url, {"kind": "upkeep"}, at)
            carry_out_by_older(url, protocols[0], one, random.random() * random.choice([0.3, 1.5]))
            if number < upgraded:
                assert carry_out_by_older(url, protocols[0], one, None)
            else:
                newer_process.carry_out(url, one, at)
    once = as_once(operations)
    for one in (list_again(once), {"kind": "upkeep"}):
        newer_process.carry_out(url, one, people.NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROTOCOL_FILE", str(protocols[0]))
        school = open_school(url)
        state = read_state(school)
        school.engine.dispose()
        assert state == judge_once(peopled_database(), protocols, patch, once)
