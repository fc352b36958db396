"""Mutation testing of the rules: `python -m tests.mutation [MUTANT ...]`, from the project's folder.

Each mutant is `app/protocol/` with one small thing changed; the tests of the rules must notice. mutmut makes
and runs them, in `mutants/`, going on where it was stopped; `mutmut show MUTANT` prints one. docs/mutation.md
has the figures and what the survivors are.
"""

import multiprocessing
import os
import pickle
import sys
import tempfile
from collections import Counter
from pathlib import Path

import libcst
from mutmut import __main__ as mutmut
from mutmut.mutation import file_mutation


def mutate_what_is_worked_out_once() -> None:
    """mutmut leaves decorated functions alone; half of what a case is made of are cached properties."""
    skip, arrange = file_mutation.MutationVisitor._skip_node_and_children, file_mutation.function_trampoline_arrangement

    def is_cached(node: libcst.CSTNode) -> bool:
        return (
            isinstance(node, libcst.FunctionDef)
            and len(node.decorators) == 1
            and isinstance(node.decorators[0].decorator, libcst.Name)
            and node.decorators[0].decorator.value == "cached_property"
        )

    def skip_or_not(self, node):
        return False if is_cached(node) else skip(self, node)

    def arrange_or_undecorate(function, mutants, class_name):
        if not is_cached(function):
            return arrange(function, mutants, class_name)
        declared, methods, assigned, names = arrange(function.with_changes(decorators=[]), mutants, class_name)
        # Only what chooses among the mutants is cached, not each mutant.
        methods[0] = methods[0].with_changes(decorators=[*function.decorators, *methods[0].decorators])
        return declared, methods, assigned, names

    file_mutation.MutationVisitor._skip_node_and_children = skip_or_not
    file_mutation.function_trampoline_arrangement = arrange_or_undecorate


def keep_evidence(file: Path) -> None:
    """What the scenarios' files become on their way in, which no mutant changes."""
    # Not at the top: where mutmut runs, the rules must not be there before their mutants are.
    from app.store.database import open_database
    from tests.scenarios.conftest import Worlds

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/worlds.sqlite"
        open_database(url).dispose()
        worlds = Worlds(Path(folder) / "worlds", url)
        file.write_bytes(pickle.dumps((worlds.evidence(), worlds.now)))


def print_figures() -> None:
    """For each file: how many mutants, how many were found, and the names of those that were not."""
    _, files = mutmut.collect_source_file_mutation_data(mutant_names=())
    for path, mutants in files.items():
        states = Counter(mutmut.status_by_exit_code[code] for code in mutants.exit_code_by_key.values())
        if states:
            print(path, sum(states.values()), dict(states))
            left = [n for n, c in mutants.exit_code_by_key.items() if mutmut.status_by_exit_code[c] != "killed"]
            print("".join(f"    {name}\n" for name in left), end="")


if __name__ == "__main__":
    kept = Path("mutants", "evidence.pickle").resolve()
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        making = multiprocessing.get_context("spawn").Process(target=keep_evidence, args=(kept,))
        making.start()
        making.join()
    os.environ["SCENARIOS_EVIDENCE"] = str(kept)
    os.environ["PY_IGNORE_IMPORTMISMATCH"] = "1"  # `tests` is here and in mutants/, the same
    mutate_what_is_worked_out_once()
    try:
        mutmut.cli(["run", "--max-children", "1", *sys.argv[1:]], standalone_mode=False)
    finally:
        print_figures()
