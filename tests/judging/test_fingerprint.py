"""What makes everything be judged again, and what does not."""

import shutil
from pathlib import Path

import pytest

import app.protocol
from app.judging.fingerprint import list_judging_files, list_reading_files, package_fingerprint, rules_fingerprint
from app.protocol.clauses import CLAUSES
from app.settings import ROOT
from tests.conftest import SETTINGS

RULE = '''"""Rules."""

from dataclasses import dataclass, field

import numpy as np
from app.protocol.outcomes import MET

GRACE = 10


def kept(waited):
    """Whether nobody waited."""
    return waited <= GRACE
'''
# The same, said and arranged in another way.
SAME = {
    "a comment": RULE.replace("GRACE = 10", "GRACE = 10  # seconds"),
    "a docstring": RULE.replace("Whether nobody waited.", "Whether nobody waited for long."),
    "no docstring": RULE.replace('    """Whether nobody waited."""\n', ""),
    "formatting": RULE.replace("waited <= GRACE", "(\n        waited <= GRACE\n    )"),
    "an import of its own": RULE.replace("app.protocol.outcomes import MET", "app.protocol.other import MET"),
    "another order": RULE.replace("GRACE = 10\n\n\n", "") + "\n\nGRACE = 10\n",
}
OTHER = {
    "a figure": RULE.replace("GRACE = 10", "GRACE = 11"),
    "a comparison": RULE.replace("<=", "<"),
    "a further rule": RULE + "\n\ndef broken(waited):\n    return not kept(waited)\n",
    "a rule less": RULE.split("def kept")[0],
    "a text that is used": RULE.replace("GRACE = 10", 'GRACE = "10"'),
    "another library": RULE.replace("import numpy as np", "import cupy as np"),
}


def _fingerprint(folder: Path, **modules: str) -> str:
    package = folder / "package"
    shutil.rmtree(package, ignore_errors=True)
    for name, text in modules.items():
        file = package / f"{name.replace('_in_', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return package_fingerprint(package.rglob("*.py"))


@pytest.mark.parametrize("changed", SAME.values(), ids=SAME.keys())
def test_package_fingerprint_ignores_what_changes_no_rule(changed: str, tmp_path: Path) -> None:
    assert changed != RULE
    assert _fingerprint(tmp_path, rules=changed) == _fingerprint(tmp_path, rules=RULE)


@pytest.mark.parametrize("changed", OTHER.values(), ids=OTHER.keys())
def test_package_fingerprint_changes_with_a_rule(changed: str, tmp_path: Path) -> None:
    assert changed != RULE
    assert _fingerprint(tmp_path, rules=changed) != _fingerprint(tmp_path, rules=RULE)


def test_package_fingerprint_ignores_the_module_of_a_rule(tmp_path: Path) -> None:
    body = RULE.split("GRACE = 10\n")[1]
    imports = "from dataclasses import field\nfrom dataclasses import dataclass\nimport numpy as np\n"
    moved = {"general": f'"""Elsewhere."""\n\n{imports}GRACE = 10\n', "folder_in_rules": f"import numpy as np\n{body}"}
    assert _fingerprint(tmp_path, **moved) == _fingerprint(tmp_path, rules=RULE)


def test_package_fingerprint_of_the_real_rules_is_that_of_a_copy_with_comments(tmp_path: Path) -> None:
    rules = Path(app.protocol.__file__).parent
    copy = tmp_path / "protocol"
    shutil.copytree(rules, copy)
    for file in copy.rglob("*.py"):
        file.write_text(f"# A comment.\n{file.read_text(encoding='utf-8')}\n", encoding="utf-8")
    assert package_fingerprint(copy.rglob("*.py")) == package_fingerprint(rules.rglob("*.py"))


def test_list_judging_files_names_files_that_exist() -> None:
    files = list_judging_files(Path(app.protocol.__file__).parents[1])
    assert all(file.is_file() for file in files)
    assert {"judge.py", "reading.py", "rejudge.py"} <= {file.name for file in files}


def test_rules_fingerprint_changes_with_settings_that_rules_use_alone() -> None:
    before = rules_fingerprint(SETTINGS)
    assert rules_fingerprint(SETTINGS.model_copy(update={"timezone": "Europe/Paris"})) != before
    assert rules_fingerprint(SETTINGS.model_copy(update={"terms": ()})) == before


def test_rules_fingerprint_changes_with_the_clauses_but_not_with_their_order(clauses: None) -> None:
    before = rules_fingerprint(SETTINGS)
    in_turn = dict(reversed(CLAUSES.items()))
    CLAUSES.clear()
    CLAUSES.update(in_turn)
    assert rules_fingerprint(SETTINGS) == before
    del CLAUSES["dress"]
    assert rules_fingerprint(SETTINGS) != before


@pytest.mark.parametrize("module", ["call_legs", "calls", "graph_keys", "graph_objects"])
def test_what_reads_call_records_has_a_fingerprint_and_is_part_of_what_judges(module: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    lists = (list_reading_files, list_judging_files)
    before = [package_fingerprint(files(tmp_path / "app")) for files in lists]
    with (tmp_path / "app" / "records" / "evidence" / f"{module}.py").open("a", encoding="utf-8") as file:
        file.write("\n\nMORE = 1\n")
    for files, was in zip(lists, before, strict=True):
        assert package_fingerprint(files(tmp_path / "app")) != was
