"""`python -m benchmarks`: every figure a ratio of two things measured in one run on the machine at hand.

Prints the table and saves it as benchmarks/results.md.
"""

import math
import statistics
from pathlib import Path

from benchmarks import judging, overview, records

_RESULTS = Path(__file__).with_name("results.md")
_SIZES = (10_000, 100_000, 1_000_000)


def _slope(seconds: dict[int, float]) -> float:
    """How time grows with size: 1 is in proportion."""
    sizes, times = [math.log(n) for n in seconds], [math.log(t) for t in seconds.values()]
    return statistics.linear_regression(sizes, times).slope


def main() -> None:
    """Measure, print, save."""
    rows = []

    def row(what: str, ratio: float, most: str, spread: str = "") -> None:
        rows.append(f"| {what} | {ratio:.2f} | {spread} | {most} |")
        print(rows[-1], flush=True)

    page = overview.measure()
    row(
        "Overview of 5,000 sessions, address to charts drawn ÷ an empty Streamlit page",
        page["ratio"], "2.5", f"{page['least']:.2f}–{page['most']:.2f}",
    )  # fmt: skip
    row("reading call records ÷ `json.loads` of the same bytes", records.measure(), "5")
    judged: dict[int, float] = {}
    for size in _SIZES:
        runs = [judging.measure(size) for _ in range(5 if size < 1_000_000 else 3)]
        ratios = [run["rules"] / run["sql"] for run in runs]
        judged[size] = statistics.median(run["judging"] for run in runs)
        row(
            f"interval rules ÷ the same in DuckDB SQL, {size:,} sessions",
            statistics.median(ratios), "1", f"{min(ratios):.2f}–{max(ratios):.2f}",
        )  # fmt: skip
        whole = [run["judging"] / run["sql"] for run in runs]
        row(
            f"matching and all 23 clauses ÷ the interval rules in DuckDB SQL, {size:,} sessions",
            statistics.median(whole), "", f"{min(whole):.2f}–{max(whole):.2f}",
        )  # fmt: skip
    row("judging, log-log slope from 10,000 to 1,000,000 sessions", _slope(judged), "1.1")
    head = "| what | median ratio | least–most | at most |\n| --- | --- | --- | --- |\n"
    _RESULTS.write_text(
        f"# Measured\n\nBy `python -m benchmarks`.\n\n{head}" + "\n".join(rows) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
