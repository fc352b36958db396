"""The deployed versions are exactly those chosen, and the services are allowed little beyond their work."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.settings import ROOT

LOCK = (ROOT / "deploy" / "requirements.lock").read_text(encoding="utf-8")
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
MOST_EXPOSED = 2.5  # of 10, as systemd measures exposure


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def test_the_lock_has_each_requirement_in_its_version_with_hashes() -> None:
    entries = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+) \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", LOCK, re.M))
    assert len(entries) == LOCK.count("==")
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = dict(line.split("==") for line in lines if "==" in line)
    assert {normalise(name): version for name, version in wanted.items()}.items() <= entries.items()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_services_are_hardened(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    command = ["systemd-analyze", "security", "--offline=true", str(unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"exposure level for .*: ([0-9.]+)", said)
    assert found
    assert float(found[1]) < MOST_EXPOSED
