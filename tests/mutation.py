"""Mutation testing of the rules: `python -m tests.mutation [MUTANT ...]`, from the project's folder.

Each mutant is `app/protocol/` with one small change, which the tests of the rules must notice. mutmut makes and runs
the mutants in `mutants/`, and continues where it was stopped; `mutmut show MUTANT` prints one. docs/mutation.md has the
figures and describes the survivors.
"""

import io
import multiprocessing
import os
import pickle
import resource
import sys
import tempfile
from collections import Counter
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import _pytest.config
import libcst
import pytest
from hypothesis import Phase, settings
from mutmut import __main__ as mutmut
from mutmut.configuration import config
from mutmut.mutation import file_mutation
from mutmut.runners.harness import PytestRunner
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import change_cwd
from mutmut.workers.isolation import ForkRunner

_MOST_MEMORY = 8 * 2**30
_MOST_SECONDS = 10  # the tests take one


def mutate_what_is_worked_out_once() -> None:
    """Make mutmut change cached properties too. It leaves decorated functions alone, but half of what a case is made of
    are cached properties."""
    skip, arrange = file_mutation.MutationVisitor._skip_node_and_children, file_mutation.function_trampoline_arrangement

    def is_cached(node: libcst.CSTNode) -> bool:
        return (
            isinstance(node, libcst.FunctionDef)
            and len(node.decorators) == 1
            and isinstance(node.decorators[0].decorator, libcst.Name)
            and node.decorators[0].decorator.value == "cached_property"
        )

    def skip_or_not(self: Any, node: libcst.CSTNode) -> Any:
        return False if is_cached(node) else skip(self, node)

    def arrange_or_undecorate(function: libcst.FunctionDef, mutants: Any, class_name: Any) -> Any:
        if not is_cached(function):
            return arrange(function, mutants, class_name)
        arranged: Any = arrange(function.with_changes(decorators=[]), mutants, class_name)
        declared, methods, assigned, names = arranged
        # Only the function that chooses among the mutants is cached, not each mutant.
        methods[0] = methods[0].with_changes(decorators=[*function.decorators, *methods[0].decorators])
        return declared, methods, assigned, names

    visitor: Any = file_mutation.MutationVisitor
    visitor._skip_node_and_children = skip_or_not
    file_mutation.function_trampoline_arrangement = arrange_or_undecorate


def collect_once() -> None:
    """Make mutmut run each mutant in a copy of a process in which the tests have been collected and run once, so that
    everything is loaded. It would start pytest for each mutant, which takes longer than the tests."""
    startup = ForkRunner.startup

    def collect_and_start(self: Any) -> None:
        arguments = [
            *config().pytest_add_cli_args_test_selection,
            *config().pytest_add_cli_args,
            "--rootdir=.",
            "-xs",
            "--assert=plain",
            "--tb=no",
        ]
        with change_cwd("mutants"), redirect_stdout(io.StringIO()):
            session = pytest.Session.from_config(_pytest.config._prepareconfig(arguments))
            session.config._do_configure()
            session.config.hook.pytest_sessionstart(session=session)
            session.config.hook.pytest_collection(session=session)
            session.config.hook.pytest_runtestloop(session=session)
        self.test_runner.session = session
        startup(self)

    def run_collected(self: Any, *, mutant_name: str | None, tests: list[str]) -> int:
        if not mutant_name:
            return int(run_tests(self, mutant_name=mutant_name, tests=tests))
        # The scenarios find most mutants.
        first = sorted(tests, key=lambda test: "scenarios" not in test)
        self.session.items.sort(key=lambda item: first.index(item.nodeid) if item.nodeid in first else -1)
        del self.session.items[: -len(first)]
        # For mutants that multiply rows, and mutants that never end.
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS + 1))
        with change_cwd("mutants"), suppress(pytest.Session.Failed):
            self.session.config.hook.pytest_runtestloop(session=self.session)
        return int(self.session.testsfailed > 0)

    starter: Any = ForkRunner
    runner: Any = PytestRunner
    run_tests = runner.run_tests
    starter.startup, runner.run_tests = collect_and_start, run_collected


def keep_evidence(file: Path) -> None:
    """Write what the scenarios' files are imported as, which no mutant changes, into a file."""
    # Not at the top: where mutmut runs, the rules must not be imported before their mutants exist.
    from app.store.database import open_database
    from tests.scenarios.conftest import Worlds

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/worlds.sqlite"
        open_database(url).dispose()
        worlds = Worlds(Path(folder) / "worlds", url)
        file.write_bytes(pickle.dumps((worlds.evidence(), worlds.now)))


def print_figures() -> None:
    """Print, for each file, the number of mutants, the number of each result, and the names of those not found."""
    _, files = mutmut.collect_source_file_mutation_data(mutant_names=())
    for path, mutants in files.items():
        states = {name: status_by_exit_code[code] for name, code in mutants.exit_code_by_key.items()}
        tried = {name: state for name, state in states.items() if state != "not checked"}
        if tried:
            print(path, len(states), dict(Counter(states.values())))
            print("".join(f"    {name}\n" for name, state in tried.items() if state != "killed"), end="")


if __name__ == "__main__":
    kept = Path("mutants", "evidence.pickle").resolve()
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        making = multiprocessing.get_context("spawn").Process(target=keep_evidence, args=(kept,))
        making.start()
        making.join()
    os.environ["SCENARIOS_EVIDENCE"] = str(kept)
    os.environ["PY_IGNORE_IMPORTMISMATCH"] = "1"  # `tests` is here and in mutants/, the same
    # The same examples for every mutant; a failing example need not be simplified.
    settings.register_profile("mutation", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate])
    settings.load_profile("mutation")
    mutate_what_is_worked_out_once()
    collect_once()
    try:
        mutmut.cli(["run", "--max-children", str(os.cpu_count()), *sys.argv[1:]], standalone_mode=False)
    finally:
        print_figures()
