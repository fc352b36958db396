"""Importing 10,000 logs or call records from a file, to judged, against reading and inserting the same plainly; and
the memory that 160,000 logs take, imported and as outcomes.

Logs are compared with pandas' reader and `to_sql`, call records with `json.loads` and an insert of the same bytes, into
a new SQLite file in the same run. Each import runs in a process of its own: `python -m benchmarks.importing KIND URL
FILE` prints its seconds and its greatest memory in MB as JSON.
"""

import csv
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from app import clock
from app.demo.scenes import IN_ORDER
from app.intake.calls import import_calls
from app.intake.files import import_letters, import_logs, import_roster
from app.judging.upkeep import refresh
from app.reports.outcomes_csv import COLUMNS, iter_outcomes, write_csv
from app.school import School, open_school
from benchmarks import records
from benchmarks.serving import ROOT

STAFF, PUPILS = 60, 600
_TENANT = "00000000-0000-0000-0000-000000000001"
_DAYS = 3 * 365
_AT_ONCE = 500  # rows of the plain insert


def _address(person: int) -> str:
    return f"person{person}@school.example"


def _entra_id(person: int) -> str:
    return f"{person:08d}-0000-0000-0000-00000000abcd"


def create_school(folder: Path) -> str:
    """The address of a new database with a roster and a letter to everybody's parents. The first people are staff, the
    others pupils."""
    url = f"sqlite:///{folder / 'school.sqlite'}"
    people = range(STAFF + PUPILS)
    roster = folder / "roster"
    roster.mkdir()
    known = [{"email": _address(n), "name": f"Person {n}", "school": "SEN", "entra_id": _entra_id(n)} for n in people]
    of_staff = {"department": "Music", "roles": "teacher;admin", "year_groups": "", "houses": ""}
    of_pupils = {"year_group": "9", "house": "Wye", "tutor_email": _address(0)}
    school = {"code": "SEN", "name": "School", "senior": "yes", "email_domain": "school.example"}
    _write_table(roster / "schools.csv", [school])
    _write_table(roster / "staff.csv", [person | of_staff for person in known[:STAFF]])
    _write_table(roster / "pupils.csv", [person | of_pupils for person in known[STAFF:]])
    letter = {"kind": "introduction", "sent_on": "2020-09-01"}
    _write_table(folder / "letters.csv", [{"pupil_email": _address(n)} | letter for n in people[STAFF:]])
    opened = _open(url)
    assert not any(result.rejected for result in import_roster(opened, roster))
    assert not import_letters(opened, folder / "letters.csv").rejected
    refresh(opened)
    opened.engine.dispose()
    return url


def _open(url: str) -> School:
    school = open_school(url)
    return School(school.engine, school.settings.model_copy(update={"tenant_id": _TENANT}))


def _write_table(file: Path, rows: list[dict[str, str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _iter_times(number: int) -> Iterator[tuple[datetime, datetime]]:
    """Starts and ends on the days of three years up to yesterday, in order."""
    chance = np.random.default_rng(1)
    first = datetime.combine(clock.now().date(), datetime.min.time(), UTC) - timedelta(days=_DAYS)
    minutes = np.sort(chance.integers(0, _DAYS, number) * 24 * 60 + chance.integers(8 * 60, 17 * 60, number))
    for begins, lasts in zip(minutes.tolist(), chance.integers(20, 60, number).tolist(), strict=True):
        started_at = first + timedelta(minutes=begins)
        yield started_at, started_at + timedelta(minutes=lasts)


def write_logs(file: Path, number: int) -> None:
    """A file of so many logs, each by a member of staff of one to three pupils."""
    chance = np.random.default_rng(2)
    staff, first = chance.integers(0, STAFF, number).tolist(), chance.integers(0, PUPILS, number).tolist()
    size = chance.integers(1, 4, number).tolist()
    rows = []
    for n, (started_at, ended_at) in enumerate(_iter_times(number)):
        pupils = ";".join(_address(STAFF + (first[n] + place) % PUPILS) for place in range(size[n]))
        times = {"started_at": f"{started_at:%Y-%m-%dT%H:%MZ}", "ended_at": f"{ended_at:%Y-%m-%dT%H:%MZ}"}
        who = {"ref": f"log-{n:08}", "staff_email": _address(staff[n]), "pupil_emails": pupils, "purpose": "academic"}
        rows.append(who | times | IN_ORDER)
    _write_table(file, rows)


def write_calls(file: Path, number: int) -> None:
    """A file of so many call records, one a line, each of a member of staff and one to five pupils, with the telemetry
    that records of Teams carry."""
    chance = np.random.default_rng(3)
    staff, first = chance.integers(0, STAFF, number).tolist(), chance.integers(0, PUPILS, number).tolist()
    size = chance.integers(1, 6, number).tolist()
    with file.open("w", encoding="utf-8") as out:
        for n, (started_at, _) in enumerate(_iter_times(number)):
            people = [staff[n], *(STAFF + (first[n] + place) % PUPILS for place in range(size[n]))]
            out.write(json.dumps(records.record(n, people, started_at)) + "\n")


def _insert_logs_plainly(file: Path, database: Path) -> None:
    rows = pd.read_csv(file, parse_dates=["started_at", "ended_at"])
    with closing(sqlite3.connect(database)) as connection:
        rows.to_sql("logs", connection, index=False)
        connection.commit()


def _insert_calls_plainly(file: Path, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, file.open("rb") as lines:
        connection.execute("create table calls (id text primary key, original blob)")
        while part := list(islice(lines, _AT_ONCE)):
            rows = [(json.loads(line)["id"], line) for line in part]
            connection.executemany("insert into calls values (?, ?)", rows)
        connection.commit()


_KINDS: dict[str, tuple[Callable[[Path, int], None], Callable[[Path, Path], None]]] = {
    "logs": (write_logs, _insert_logs_plainly),
    "calls": (write_calls, _insert_calls_plainly),
}


def measure(kind: str, number: int = 10_000) -> float:
    """How many times as long as the plain insert it takes to import so many `logs` or `calls` from a file and judge
    them."""
    write, insert_plainly = _KINDS[kind]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / ("logs.csv" if kind == "logs" else "calls.jsonl")
        write(file, number)
        url = create_school(folder)
        began = time.perf_counter()
        insert_plainly(file, folder / "plain.sqlite")
        plainly = time.perf_counter() - began
        return run(kind, url, file)["seconds"] / plainly


def measure_memory(number: int = 160_000) -> dict[str, float]:
    """GB of memory that processes take at most: one that imports so many `logs`, and one that lists the `outcomes` of
    them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_logs(folder / "logs.csv", number)
        url = create_school(folder)
        return {kind: run(kind, url, folder / f"{kind}.csv")["peak"] / 1000 for kind in ("logs", "outcomes")}


def run(kind: str, url: str, file: Path) -> dict[str, float]:
    """The `seconds` of an import of `logs` or `calls`, or of writing `outcomes`, in a process of its own, and its
    `peak` of memory in MB."""
    command = [sys.executable, "-m", "benchmarks.importing", kind, url, str(file)]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _work(kind: str, school: School, file: Path) -> None:
    if kind == "outcomes":
        with file.open("w", encoding="utf-8") as out:
            write_csv(out, COLUMNS, iter_outcomes(school, (date.min, school.today())))
        return
    result = import_logs(school, file) if kind == "logs" else import_calls(school, file)
    assert result.added >= result.read * 0.99


def main() -> None:
    kind, url, file = sys.argv[1:]
    school = _open(url)
    began, used = time.perf_counter(), time.process_time()
    _work(kind, school, Path(file))
    found = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used}
    # Not getrusage: its greatest size is that of the process which started this one, if that was larger.
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="utf-8"))
    assert peak
    print(json.dumps(found | {"peak": int(peak[1]) / 1000}))


if __name__ == "__main__":
    main()
