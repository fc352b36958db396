"""A fingerprint of the rules and settings: when it changes, everything is judged again.

The program's own part is computed as it is loaded: a process that runs on while newer files are installed judges by the
old ones, and must not pass its outcomes off as theirs.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import app
from app.protocol.clauses import CLAUSES
from app.protocol.judge import STATUSES
from app.protocol.outcomes import EVIDENCE, OUTCOMES
from app.settings import Settings

_SELECTING = (
    "judging/call_rows.py",
    "judging/parts.py",
    "judging/rejudge.py",
    "judging/ties.py",
    "store/concerns.py",
    "store/consents.py",
    "store/reading.py",
    "store/versions.py",
)
_READING = (
    "records/evidence/call_legs.py",
    "records/evidence/calls.py",
    "records/evidence/graph_keys.py",
    "records/evidence/graph_objects.py",
)
NOT_JUDGED = {"breach_days", "spot_check_share"}  # figures on which no outcome depends


def rules_fingerprint(settings: Settings) -> str:
    """A digest of everything but the evidence that an outcome depends on: the settings, and what the rules do."""
    weeks = [(term.from_, term.to, term.first_week) for term in settings.terms] if settings.names_weeks else []
    values = settings.model_dump_json(
        include={"timezone", "tenant_id", "remote_learning", "rules"}, exclude={"rules": {"__all__": NOT_JUDGED}}
    )
    return _digest([values, str(weeks), *sorted(CLAUSES), *OUTCOMES, *EVIDENCE, *STATUSES, PROGRAM])


def package_fingerprint(files: Iterable[Path]) -> str:
    """A digest of what some modules do. Comments, docstrings and formatting make no difference, and neither
    does the module that a statement is in; therefore imports from this program are left out."""
    statements: set[str] = set()
    for file in files:
        module = ast.parse(file.read_bytes())
        for node in ast.walk(module):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
        for statement in module.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                statements |= set(_iter_imported_names(statement))
            else:
                statements.add(ast.unparse(statement))
    return _digest(sorted(statements))


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring, or another text that does nothing."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _iter_imported_names(statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The names one by one, because the module decides which are imported together."""
    for name in statement.names:
        source = statement.module or "" if isinstance(statement, ast.ImportFrom) else name.name
        if source.partition(".")[0] != "app":
            yield f"{source} {ast.unparse(name)}"


def list_judging_files(folder: Path) -> list[Path]:
    """The modules of the program in a folder on which outcomes depend: the rules, and what reads and selects their
    evidence."""
    return [*(folder / "protocol").rglob("*.py"), *(folder / file for file in _SELECTING), *list_reading_files(folder)]


def list_reading_files(folder: Path) -> list[Path]:
    """The modules of the program in a folder that read call records."""
    return [folder / file for file in _READING]


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


# What the program that this process has loaded does; and of that what reads call records, as a number to store.
_FOLDER = Path(app.__file__).parent
PROGRAM = package_fingerprint(list_judging_files(_FOLDER))
READER = int(package_fingerprint(list_reading_files(_FOLDER))[:7], 16)
