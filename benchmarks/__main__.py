"""`python -m benchmarks [PART ...] [--save]`: every figure a ratio of two things measured in one run, or what its row
says.

Prints a table; with `--save` it replaces the one in docs/measured.md, and its most important rows the one in README.md.
A part that fails costs no other part its figures, and keeps its earlier ones. What needs a database fills its own.
"""

import gc
import math
import re
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import click

from benchmarks import (
    figures,
    importing,
    judging,
    overview,
    people,
    records,
    rejected,
    rejudging,
    reports,
    same_people,
    starting,
    tables,
)
from benchmarks.serving import ROOT

_DOCUMENT, _README = ROOT / "docs" / "measured.md", ROOT / "README.md"
_SIZES = (10_000, 160_000, 1_000_000)  # sessions
_HEAD = "| what | measured | least–most | at most |\n| --- | --- | --- | --- |\n"
_SHORT_HEAD = "| what | measured | at most |\n| --- | --- | --- |\n"
_STEADY = 1.25  # the greatest figure is at most so many times the least: else only their range is given
_FOLDER = tempfile.TemporaryDirectory(prefix="benchmarks-")


@dataclass(frozen=True)
class Row:
    """A measured figure: `what` it is, the `values` of some runs, what it should be at `most`, and whether it is one of
    those that the README shows."""

    what: str
    values: list[float]
    most: str = ""
    is_short: bool = False

    def is_steady(self) -> bool:
        return len(self.values) < 2 or max(self.values) <= _STEADY * min(self.values)

    def get_measured(self) -> str:
        """The median; the range if the runs differ by more than a quarter."""
        return _write(statistics.median(self.values)) if self.is_steady() else self.get_range()

    def get_range(self) -> str:
        return f"{_write(min(self.values))}–{_write(max(self.values))}" if len(self.values) > 1 else ""

    def write(self) -> str:
        """As a line of the table."""
        return f"| {self.what} | {self.get_measured()} | {self.get_range()} | {self.most} |"

    def write_short(self) -> str:
        """As a line of the README's table."""
        return f"| {self.what} | {self.get_measured()} | {self.most} |"


def _write(value: float) -> str:
    return f"{value:.0f}" if value == round(value) or value >= 100 else f"{value:.2f}"


@cache
def database(sessions: int) -> str:
    """The address of a database with that many sessions, filled once a run, by a process that gives its memory back."""
    url = f"sqlite:///{_FOLDER.name}/{sessions}.sqlite"
    work = f"from benchmarks.filling import filled; filled({url!r}, {sessions})"
    subprocess.run([sys.executable, "-c", work], check=True, cwd=ROOT)
    return url


def slope(values: dict[int, float]) -> float:
    """How something grows with size: 1 is in proportion."""
    sizes, measured = [math.log(n) for n in values], [math.log(v) for v in values.values()]
    return statistics.linear_regression(sizes, measured).slope


def start_part() -> Iterable[Row]:
    what = "first start of the demonstration: command to Overview drawn ÷ an empty Streamlit start"
    yield Row(what, starting.measure(), "3", is_short=True)


def overview_part() -> Iterable[Row]:
    ratios = overview.measure({size: database(size) for size in (_SIZES[0], _SIZES[-1])})
    for size, visits in ratios.items():
        first, returning = ([visit[place] for visit in visits] for place in (0, 1))
        what = f"Overview, {size:,} sessions stored: address to charts drawn ÷ an empty Streamlit page"
        yield Row(what, first, "2.0", size == _SIZES[-1])
        yield Row(f"the same at a returning visit, {size:,} sessions stored", returning, "1.8")
    grown = [large[0] / small[0] for large, small in zip(ratios[_SIZES[-1]], ratios[_SIZES[0]], strict=True)]
    yield Row("first visit with 1,000,000 ÷ with 10,000 sessions stored", grown, "1.2")


def clicks_part() -> Iterable[Row]:
    stored = f"{_SIZES[-1]:,} sessions stored"
    runs = [people.measure(database(_SIZES[-1])) for _ in range(5)]
    filtered = [people.p95(run["filter"]) / statistics.median(run["rerun"]) for run in runs]
    yield Row(f"a filter changed to redrawn, p95 ÷ a bare rerun, {stored}", filtered, "1.5")
    saved = [people.p95(run["log"]) / statistics.median(run["form"]) for run in runs]
    what = f"Save: a log sent to judged and shown, p95 ÷ a bare rerun of its form, {stored}"
    yield Row(what, saved, "1.5", is_short=True)
    clicks = [people.measure_clicks(database(_SIZES[-1])) for _ in range(5)]
    for what in clicks[0]:
        words = f"a click on a {what} to redrawn, p95 ÷ a bare rerun of its page, {stored}"
        yield Row(words, [people.p95(run[what]) for run in clicks], "1.5", is_short=True)


def figures_part() -> Iterable[Row]:
    for what, values in figures.measure(database(_SIZES[-1])).items():
        words = f"the Overview's figures from the store ÷ by DuckDB in memory, {what} of 1,000,000 sessions"
        yield Row(words, values, "3")


def records_part() -> Iterable[Row]:
    yield Row("reading call records ÷ `json.loads` of the same bytes", [records.measure() for _ in range(5)], "5")
    ratios = [reports.measure() for _ in range(5)]
    yield Row("reading 10,000 attendance reports ÷ `json.loads` of the same bytes", ratios, "5")


def tables_part() -> Iterable[Row]:
    for columns in (8, 34):
        what = f"reading 100,000 rows of .xlsx, {columns} columns ÷ python-calamine alone"
        yield Row(what, tables.measure(columns), "3")


def imports_part() -> Iterable[Row]:
    ratios = [importing.measure("logs") for _ in range(5)]
    what = "10,000 logs from a file, to judged ÷ reading them with pandas and inserting them into SQLite"
    yield Row(what, ratios, "4", is_short=True)
    ratios = [importing.measure("calls") for _ in range(5)]
    what = "10,000 call records from a file, to judged ÷ `json.loads` and an insert of the same bytes into SQLite"
    yield Row(what, ratios, "4", is_short=True)


def memory_part() -> Iterable[Row]:
    found = importing.measure_memory()
    yield Row("GB of memory at most, 160,000 logs imported", [found["logs"]], "0.6", is_short=True)
    yield Row("GB of memory at most, `outcomes` of them", [found["outcomes"]], "0.3", is_short=True)


def settings_part() -> Iterable[Row]:
    runs = [rejudging.measure(database(_SIZES[1])) for _ in range(5)]
    what = "one changed setting, 160,000 sessions judged again, seconds"
    yield Row(what, [run["seconds"] for run in runs], "10", is_short=True)
    yield Row(
        "the longest that reading the Overview's sessions takes meanwhile ÷ before", [run["waits"] for run in runs]
    )


def rejected_part() -> Iterable[Row]:
    for what, ratio in rejected.measure().items():
        yield Row(f"{what} with 100,000 rejected rows ÷ with 100", [ratio])


def same_people_part() -> Iterable[Row]:
    judged = same_people.measure()
    yield Row(
        "judging 1,000 to 4,000 sessions of the same two people in an hour, slope of time", [slope(judged)], "1.2"
    )


def judging_part() -> Iterable[Row]:
    judged: dict[int, float] = {}
    peak: dict[int, float] = {}
    for size in _SIZES:
        runs = [judging.measure(size) for _ in range(5)]
        judged[size] = statistics.median([run["judging"] for run in runs])
        peak[size] = _peak(size)
        ratios = [run["rules"] / run["sql"] for run in runs]
        yield Row(f"interval rules ÷ the same in DuckDB SQL, {size:,} sessions", ratios, "0.6")
        whole = [run["judging"] / run["sql"] for run in runs]
        what = f"matching and all 23 clauses ÷ the interval rules in DuckDB SQL, {size:,} sessions"
        yield Row(what, whole, "0.8", size == _SIZES[-1])
        gc.collect()
    yield Row("judging, log-log slope of time from 10,000 to 1,000,000 sessions", [slope(judged)], "1.1")
    yield Row("the same of memory above that of none", [slope(peak)], "1.1")


def _peak(sessions: int) -> float:
    """How much more memory a process takes that judges so many sessions than one that judges ten."""
    return _memory(sessions) - _memory(10)


def _memory(sessions: int) -> float:
    # Not getrusage: its greatest size is that of the process which started this one, if that was larger.
    work = (
        "from pathlib import Path; from benchmarks.judging import judged_once; "
        f"judged_once({sessions}); print(Path('/proc/self/status').read_text())"
    )
    done = subprocess.run([sys.executable, "-c", work], check=True, cwd=ROOT, capture_output=True, text=True)
    return float(re.search(r"VmHWM:\s+(\d+)", done.stdout)[1])  # type: ignore[index]


def crowd_part() -> Iterable[Row]:
    what = (
        f"{people.PEOPLE} people at once, a click each {people.BETWEEN:.0f} s (open, filter, log), p95 ÷ one person's"
    )
    for processes, words, most in ((1, "one process", "5"), (2, "two processes behind the proxy", "2.5")):
        runs = [people.crowd(database(_SIZES[0]), processes) for _ in range(5)]
        yield Row(f"{what}, {words}", [run["many"] / run["one"] for run in runs], most, is_short=True)
        clicks = sum(run["clicks"] for run in runs)
        yield Row(f"errors in their {clicks:.0f} clicks, {words}", [sum(run["errors"] for run in runs)], "0")
        yield Row(f"MB of memory for each further person, {words}", [run["each"] for run in runs], "10")


PARTS: dict[str, Callable[[], Iterable[Row]]] = {
    "start": start_part,
    "overview": overview_part,
    "clicks": clicks_part,
    "figures": figures_part,
    "records": records_part,
    "tables": tables_part,
    "imports": imports_part,
    "memory": memory_part,
    "settings": settings_part,
    "rejected": rejected_part,
    "same-people": same_people_part,
    "judging": judging_part,
    "crowd": crowd_part,
}


def _measure(parts: Iterable[str]) -> tuple[list[Row], bool]:
    """The rows of some parts, and whether all could be measured."""
    rows: list[Row] = []
    is_whole = True
    for part in parts:
        began = time.monotonic()
        try:
            for row in PARTS[part]():
                rows.append(row)
                print(row.write(), flush=True)
        except Exception:  # whatever it is, the other parts are measured all the same
            traceback.print_exc()
            print(f"{part} failed", file=sys.stderr)
            is_whole = False
        print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return rows, is_whole


def _save(rows: Iterable[Row], *, keeps_others: bool) -> None:
    """Put rows into the tables of both documents, in place of all that are there or of those with the same words."""
    everything = {row.what: row.write() for row in rows}
    short = {row.what: row.write_short() for row in rows if row.is_short}
    for document, head, lines in ((_DOCUMENT, _HEAD, everything), (_README, _SHORT_HEAD, short)):
        page = document.read_text(encoding="utf-8")
        before, rest = page.split("<!-- measured -->\n")
        table, after = rest.split("<!-- /measured -->")
        found = {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines()[2:]}
        kept = found | lines if keeps_others else lines
        written = head + "".join(f"{line}\n" for line in kept.values())
        document.write_text(f"{before}<!-- measured -->\n{written}<!-- /measured -->{after}", encoding="utf-8")


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--save", is_flag=True, help="Replace the tables in docs/measured.md and README.md.")
def main(parts: tuple[str, ...], *, save: bool) -> None:
    """Measure and print; with --save also replace the tables in the documentation. Exit status 1 if a part failed."""
    rows, is_whole = _measure(parts or PARTS)
    if save:
        _save(rows, keeps_others=bool(parts) or not is_whole)
    sys.exit(0 if is_whole else 1)


if __name__ == "__main__":
    main()
