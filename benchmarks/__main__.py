"""`python -m benchmarks [PART ...] [--save]`: every figure a ratio of two things measured in one run.

Prints a table; with `--save` it replaces the one in docs/measured.md. PART is one or
more of overview, clicks, figures, records, tables, judging, crowd; without any, all of them. What needs a
database fills its own: 10,000, 100,000 and 1,000,000 sessions.
"""

import gc
import math
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import click

from benchmarks import figures, judging, overview, people, records, reports, tables
from benchmarks.overview import median, spread

_ROOT = Path(__file__).parent.parent
_DOCUMENT = _ROOT / "docs" / "measured.md"
_SIZES = (10_000, 100_000, 1_000_000)
_HEAD = "| what | median | least–most | at most |\n| --- | --- | --- | --- |\n"
_FOLDER = tempfile.TemporaryDirectory(prefix="benchmarks-")

Row = tuple[str, str, str, str]


def row(what: str, values: list[float], most: str = "") -> Row:
    return what, f"{median(values):.2f}", spread(values) if len(values) > 1 else "", most


@cache
def database(sessions: int) -> str:
    """The address of a database with that many sessions, filled once a run, by a process that gives its memory back."""
    url = f"sqlite:///{_FOLDER.name}/{sessions}.sqlite"
    work = f"from benchmarks.filling import filled; filled({url!r}, {sessions})"
    subprocess.run([sys.executable, "-c", work], check=True, cwd=_ROOT)
    return url


def slope(values: dict[int, float]) -> float:
    """How something grows with size: 1 is in proportion."""
    sizes, measured = [math.log(n) for n in values], [math.log(v) for v in values.values()]
    return statistics.linear_regression(sizes, measured).slope


def overview_part() -> Iterable[Row]:
    ratios = overview.measure({size: database(size) for size in _SIZES})
    for size, values in ratios.items():
        yield row(
            f"Overview, {size:,} sessions stored: address to charts drawn ÷ an empty Streamlit page", values, "2.0"
        )
    grown = [large / small for large, small in zip(ratios[_SIZES[-1]], ratios[_SIZES[0]], strict=True)]
    yield row("the same with 1,000,000 ÷ with 10,000 sessions stored", grown, "1.2")


def clicks_part() -> Iterable[Row]:
    for size in (_SIZES[0], _SIZES[-1]):
        found = people.measure(database(size))
        usual = statistics.median(found["rerun"])
        yield (
            f"a filter changed to redrawn, p95 ÷ a bare rerun, {size:,} sessions stored",
            f"{people.p95(found['filter']) / usual:.2f}",
            spread([s / usual for s in found["filter"]]),
            "2",
        )
        usual = statistics.median(found["form"])
        sent = [seconds / usual for seconds in found["log"]]
        yield row(f"a log sent to judged and shown ÷ a bare rerun of its form, {size:,} sessions stored", sent, "2")


def figures_part() -> Iterable[Row]:
    for what, values in figures.measure(database(_SIZES[-1])).items():
        yield row(
            f"the Overview's figures from the store ÷ by DuckDB in memory, {what} of 1,000,000 sessions", values, "3"
        )


def records_part() -> Iterable[Row]:
    yield row("reading call records ÷ `json.loads` of the same bytes", [records.measure() for _ in range(5)], "5")
    ratios = [reports.measure() for _ in range(5)]
    yield row("reading 10,000 attendance reports ÷ `json.loads` of the same bytes", ratios, "5")
    ratios = [reports.measure_with_calls() for _ in range(3)]
    yield row("reading 10,000 attendance reports and 10,000 call records ÷ `json.loads` of the same bytes", ratios, "5")


def tables_part() -> Iterable[Row]:
    for columns in (8, 34):
        what = f"reading 100,000 rows of .xlsx, {columns} columns ÷ python-calamine alone"
        yield row(what, tables.measure(columns), "3")


def judging_part() -> Iterable[Row]:
    judged: dict[int, float] = {}
    peak: dict[int, float] = {}
    for size in _SIZES:
        runs = [judging.measure(size) for _ in range(5 if size < _SIZES[-1] else 3)]
        judged[size] = median([run["judging"] for run in runs])
        peak[size] = _peak(size)
        ratios = [run["rules"] / run["sql"] for run in runs]
        yield row(f"interval rules ÷ the same in DuckDB SQL, {size:,} sessions", ratios, "0.6")
        whole = [run["judging"] / run["sql"] for run in runs]
        yield row(f"matching and all 23 clauses ÷ the interval rules in DuckDB SQL, {size:,} sessions", whole)
        gc.collect()
    yield row("judging, log-log slope of time from 10,000 to 1,000,000 sessions", [slope(judged)], "1.1")
    yield row("the same of memory above that of none", [slope(peak)], "1.1")


def _peak(sessions: int) -> float:
    """How much more memory a process takes that judges so many sessions than one that judges ten."""
    return _memory(sessions) - _memory(10)


def _memory(sessions: int) -> float:
    # Not getrusage: its greatest size is that of the process which started this one, if that was larger.
    work = (
        "from pathlib import Path; from benchmarks.judging import judged_once; "
        f"judged_once({sessions}); print(Path('/proc/self/status').read_text())"
    )
    done = subprocess.run([sys.executable, "-c", work], check=True, cwd=_ROOT, capture_output=True, text=True)
    return float(re.search(r"VmHWM:\s+(\d+)", done.stdout)[1])  # type: ignore[index]


def crowd_part() -> Iterable[Row]:
    found = people.crowd(database(_SIZES[0]))
    yield row(
        f"{people.PEOPLE} people at once, a click each {people.BETWEEN:.0f} s (open, filter, log), p95 ÷ one person's",
        [found["many"] / found["one"]],
        "4",
    )
    yield f"errors in their {found['clicks']:.0f} clicks", f"{found['errors']:.0f}", "", "0"
    yield row("MB of the server's memory for each further person", [found["each"]], "10")


PARTS: dict[str, Callable[[], Iterable[Row]]] = {
    "overview": overview_part,
    "clicks": clicks_part,
    "figures": figures_part,
    "records": records_part,
    "tables": tables_part,
    "judging": judging_part,
    "crowd": crowd_part,
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--save", is_flag=True, help="Replace the table in docs/measured.md.")
def main(parts: tuple[str, ...], *, save: bool) -> None:
    """Measure and print; with --save also replace the table in the documentation."""
    lines = []
    for part in parts or PARTS:
        for cells in PARTS[part]():
            lines.append(f"| {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    if save:
        table = _HEAD + "\n".join(lines) + "\n"
        page = _DOCUMENT.read_text(encoding="utf-8")
        page = re.sub(r"(<!-- measured -->\n).*?(<!-- /measured -->)", lambda m: m[1] + table + m[2], page, flags=re.S)
        _DOCUMENT.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
