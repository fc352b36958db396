"""Whatever happens, by whichever process, with whichever clock: in the end all is as if one process had been given the
last state of everything and had judged it once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from app.judging.upkeep import refresh
from app.school import School, open_school
from tests import people
from tests.clock import stopped_at
from tests.judging.operations import Operation, as_once, carry_out, read_state
from tests.judging.random_operations import name_rows, operation
from tests.mail_server import MailServer, finish_sending

pytestmark = pytest.mark.usefixtures("story_clock")


class KilledError(Exception):
    """Stands for the end of a process in the middle of its work."""


@contextmanager
def killed_after(school: School, statements: int | None) -> Iterator[None]:
    """A process that ends before one of its statements, if a number is given and it gets so far."""
    left = statements

    def count(*_: Any) -> None:
        nonlocal left
        if left is not None and threading.current_thread() is threading.main_thread():
            left -= 1
            if left < 0:
                raise KilledError

    event.listen(school.engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(school.engine, "before_cursor_execute", count)


step = st.fixed_dictionaries(
    {
        "operation": operation,
        "by": st.integers(0, 1),
        "killed_after": st.none() | st.integers(0, 80),
        "hours": st.sampled_from([0, 0, -20, 100]),  # by which the process's clock is wrong
        "email": st.booleans(),
    }
)


class Story:
    """Carries out operations on a school, and tells what there is."""

    def __init__(self, url: str, protocols: list[Path], patch: pytest.MonkeyPatch) -> None:
        self.schools = []
        for file in protocols:
            patch.setenv("PROTOCOL_FILE", str(file))
            self.schools.append(open_school(url))

    def end(self) -> None:
        finish_sending()
        for school in self.schools:
            school.engine.dispose()


def as_if_judged_once(
    peopled_database: Callable[[], str], protocols: list[Path], server: MailServer, steps: list[dict[str, Any]]
) -> None:
    operations = name_rows([each["operation"] for each in steps])
    with pytest.MonkeyPatch.context() as patch, stopped_at(people.NOW) as clock:
        story = Story(peopled_database(), protocols, patch)
        for one, each in zip(operations, steps, strict=True):
            clock.set(people.NOW + timedelta(hours=each["hours"]))
            patch.setenv("ALERT_URL", server.url if each["email"] else "")
            school = story.schools[each["by"]]
            try:
                with killed_after(school, each["killed_after"]):
                    carry_out(school, one)
            except KilledError:
                carry_out(story.schools[1 - each["by"]], one)
        clock.set(people.NOW)
        once = as_once(operations)
        carry_out(story.schools[0], list_again(once))
        refresh(story.schools[1])
        state = read_state(story.schools[0])
        story.end()
        assert state == judge_once(peopled_database(), protocols, patch, once)


def list_again(once: list[Operation]) -> Operation:
    """What the sync does once the roster has changed: it reads the calls again that were dropped."""
    calls = [each for each in once if each["kind"] == "calls"]
    return calls[0] if calls else {"kind": "upkeep"}


def judge_once(
    url: str, protocols: list[Path], patch: pytest.MonkeyPatch, once: list[Operation]
) -> list[tuple[Any, ...]]:
    reference = Story(url, protocols[:1], patch)
    for one in once:
        carry_out(reference.schools[0], one)
    state = read_state(reference.schools[0])
    reference.end()
    return state


ANY_STEPS = given(st.lists(step, min_size=4, max_size=12))
FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

test_all_is_as_if_one_process_had_judged_once = settings(max_examples=2, suppress_health_check=FIXTURES)(
    ANY_STEPS(as_if_judged_once)
)
test_all_is_as_if_one_process_had_judged_once_in_more_cases = pytest.mark.slow(
    settings(max_examples=25, suppress_health_check=FIXTURES)(ANY_STEPS(as_if_judged_once))
)
