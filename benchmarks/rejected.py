"""What 100,000 rejected rows cost: the page that lists them, an import, the check and purge, against 100 of them, in
one run."""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from app.access.administration import list_rejected_rows, list_resolved_rows
from app.access.people import find_person
from app.intake.files import import_logs
from app.operations.health import check_school
from app.operations.retention import find_expired
from app.school import School, open_school
from app.store import tables
from app.store.writing import insert_rows
from benchmarks.importing import create_school, write_logs

_FEW, _MANY = 100, 100_000


def _reject(school: School, number: int) -> None:
    """Put so many rows of a file of logs into quarantine."""
    entry = {"kind": "logs", "source": "logs.csv", "column": "staff_email", "value": "nobody@school.example"}
    words = {"reason": "is not on the roster of staff", "fix": "correct the address"}
    cells = {"staff_email": "nobody@school.example", "pupil_emails": "person60@school.example"}
    rows = [
        entry
        | words
        | {
            "row": place,
            "original": json.dumps(cells | {"ref": f"rejected-{place}"}).encode(),
            "fingerprint": sha256(str(place).encode()).hexdigest(),
            "rejected_at": school.now(),
            "attempts": 1,
        }
        for place in range(number)
    ]
    with school.writing() as connection:
        insert_rows(connection, tables.quarantine, rows)


def _measure(number: int, folder: Path) -> dict[str, float]:
    folder.mkdir()
    school = open_school(create_school(folder))
    _reject(school, number)
    admin = find_person(school, "person0@school.example")
    assert admin
    write_logs(folder / "logs.csv", 100)
    work: dict[str, Callable[[], object]] = {
        "listing what is to fix": lambda: list_rejected_rows(school, admin),
        "listing what is resolved": lambda: list_resolved_rows(school, admin),
        "importing 100 logs again": lambda: import_logs(school, folder / "logs.csv"),
        "check": lambda: list(check_school(school, thorough=False)),
        "what purge would delete": lambda: find_expired(school),
    }
    import_logs(school, folder / "logs.csv")
    found = {what: statistics.median(_time(do) for _ in range(5)) for what, do in work.items()}
    school.engine.dispose()
    return found


def _time(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def measure() -> dict[str, float]:
    """How many times as long each takes."""
    with tempfile.TemporaryDirectory() as name:
        few, many = (_measure(number, Path(name) / str(number)) for number in (_FEW, _MANY))
    return {what: many[what] / few[what] for what in few}
