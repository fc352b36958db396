"""Two versions of the program, and two settings files."""

import shutil
from pathlib import Path

import pytest

from app.settings import ROOT
from tests import people

TENANT = '"00000000-0000-0000-0000-000000000000"'  # in the settings file that comes with the program


@pytest.fixture(scope="package")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program with one rule more."""
    copy = tmp_path_factory.mktemp("newer")
    for folder in ("app", "data", "tests"):
        shutil.copytree(
            ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("*.sqlite*", "__pycache__", "browser")
        )
    with (copy / "app" / "protocol" / "frames.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef always() -> bool:\n    return True\n")
    return copy


@pytest.fixture(scope="package")
def protocols(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two settings files that differ."""
    text = (ROOT / "data" / "protocol.toml").read_text(encoding="utf-8").replace(TENANT, f'"{people.TENANT}"')
    files = [tmp_path_factory.mktemp("protocols") / name for name in ("one.toml", "two.toml")]
    for file, seconds in zip(files, (10, 600), strict=True):
        file.write_text(text.replace("grace_seconds = 10", f"grace_seconds = {seconds}"), encoding="utf-8")
    return files
